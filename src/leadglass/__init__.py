"""Leadglass makes improperly configured DICOM servers visible, and shields them."""

from __future__ import annotations

__all__ = ["__version__"]

__version__ = "0.1.0"

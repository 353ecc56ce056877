"""The ready roles: policies that come with the guard, one file a role, in ``policies/``."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import resources

__all__ = ["ROLES", "ready"]

ROLES = (
    "archive",
    "auditor",
    "break-glass",
    "modality",
    "radiologist",
    "referring-physician",
    "researcher",
    "service-engineer",
    "technologist",
)
"""One file each. A role is called as its file is, but for ``break-glass``, whose role is ``clinician``."""


def ready() -> Mapping[str, str]:
    """File name -> Cedar text, as ``policy.load`` takes them."""
    folder = resources.files("leadglass.access").joinpath("policies")
    return {f"{role}.cedar": folder.joinpath(f"{role}.cedar").read_text(encoding="utf-8") for role in ROLES}

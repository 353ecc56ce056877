"""Colour and tables: rich, for whoever writes to a person. It takes a while to load."""

from __future__ import annotations

from rich.console import Console

from leadglass.cli.terminal import is_terminal

__all__ = ["console"]


def console(stderr: bool = False) -> Console:
    """A rich console on standard output or standard error; rich finds out about colour itself."""
    return Console(stderr=stderr, highlight=False, soft_wrap=not is_terminal(stderr))

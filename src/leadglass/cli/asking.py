"""Values that a command needs: from an option, or from whoever sits at the terminal."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TypeVar

import typer

from leadglass.cli import INTERRUPTED
from leadglass.errors import LeadglassError, UsageError

__all__ = ["ask", "ask_secret", "words"]

_T = TypeVar("_T")


def ask(
    value: str | None,
    option: str,
    question: str,
    read: Callable[[str], _T],
    default: str | None = None,
    *,
    silent: bool = False,
) -> _T:
    """What the option says, or else the answer to the question, or else the default.

    ``silent``: nobody is asked, as if there were no terminal. ``UsageError`` if there is no value, or
    ``read`` refuses the option's with ``ValueError``.
    """
    if value is None and (silent or not sys.stdin.isatty()):
        value = default
        if value is None:
            raise UsageError(f"{option} is missing", then="give it, or call this in a terminal to be asked")
    if value is not None:
        try:
            return read(value)
        except ValueError as exc:
            raise UsageError(str(exc), where=option) from exc
    try:
        answer: _T = typer.prompt(question, default=default, err=True, value_proc=_asking_again(read))
    except typer.Abort as exc:
        raise typer.Exit(INTERRUPTED) from exc
    return answer


def ask_secret(question: str) -> str:
    """What is typed unseen, twice alike; without a terminal, the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().removesuffix("\n")
    try:
        answer: str = typer.prompt(question, hide_input=True, confirmation_prompt=True, err=True)
    except typer.Abort as exc:
        raise typer.Exit(INTERRUPTED) from exc
    return answer


def words(text: str) -> str:
    """One line of text, without the blanks around it; ``ValueError`` for anything else."""
    if not text.strip() or not text.isprintable():
        raise ValueError("one line of text is needed")
    return text.strip()


def _asking_again(read: Callable[[str], _T]) -> Callable[[str], _T]:
    def value_of(text: str) -> _T:
        try:
            return read(text)
        except (ValueError, LeadglassError) as exc:
            raise typer.BadParameter(str(exc)) from exc

    return value_of

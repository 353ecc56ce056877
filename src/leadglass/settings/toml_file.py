"""A TOML text held against a model, and the line of whatever is wrong in it.

Nothing is guessed and nothing is skipped: the first mistake ends the reading.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Generic, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from leadglass.errors import ConfigError, UsageError
from leadglass.settings.lines import Path, line_of, lines
from leadglass.settings.problems import KeyHint, describe

__all__ = ["TomlFile"]

_M = TypeVar("_M", bound=BaseModel)
_T = TypeVar("_T")
_TOML_PLACE = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


class TomlFile(Generic[_M]):
    """``text`` read as ``model``; ``error`` (with file and line) if it is not what that wants.

    ``hint`` says what an unknown key may have meant, and ``filename`` is for messages only.
    """

    def __init__(
        self, text: str, filename: str, model: type[_M], hint: KeyHint, error: type[ConfigError]
    ) -> None:
        self._filename = filename
        self._error = error
        self._lines: Mapping[Path, int] = {}
        document = self._document(text)
        try:
            self.values: _M = model.model_validate(document)
            """What the file says."""
        except ValidationError as exc:
            problems = [describe(each, hint) for each in exc.errors(include_url=False)]
            problem = min(problems, key=lambda p: (p.is_absence, self.line(p.path)))
            self.fail(problem.path, problem.what, problem.then)

    def line(self, path: Path) -> int:
        """The line of ``path``, or of the nearest thing around it that is written down."""
        return line_of(self._lines, path)

    def where(self, path: Path) -> str:
        """File and line, for messages."""
        return f"{self._filename}, line {self.line(path)}"

    def fail(self, path: Path, what: str, then: str = "") -> NoReturn:
        """Refuse the file for what stands at ``path``."""
        raise self._error(what, where=self.where(path), then=then)

    def attempt(self, path: Path, read: Callable[[str], _T], text: str) -> _T:
        """``read(text)``; what that refuses (``ValueError``, ``UsageError``) is wrong at ``path``."""
        try:
            return read(text)
        except UsageError as exc:
            self.fail(path, exc.what, exc.then)
        except ValueError as exc:
            self.fail(path, str(exc))

    def _document(self, text: str) -> dict[str, object]:
        try:
            self._lines = lines(text) if (document := tomllib.loads(text)) else {}
        except tomllib.TOMLDecodeError as exc:
            place = _TOML_PLACE.search(str(exc))
            line = int(place[1]) if place and place[1] else text.count("\n") + 1
            what = _TOML_PLACE.sub("", str(exc))
            raise self._error(f"this is not TOML: {what}", where=f"{self._filename}, line {line}") from exc
        except (ValueError, RecursionError) as exc:
            # A number of thousands of digits, or brackets within brackets without end.
            raise self._error(f"this cannot be read ({exc})", where=self._filename) from exc
        return document

"""Variables in files beside a compose file: ``.env``, and those that its services name (``env_file``).

Compose takes ``.env`` in, unless those of its caller say otherwise.

https://docs.docker.com/compose/how-tos/environment-variables/variable-interpolation/#env-file-syntax
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from leadglass.configs.containers.variables import resolved
from leadglass.configs.json_nodes import Json, parse_json, plain
from leadglass.configs.kinds import Environment
from leadglass.configs.passwords import GUESSABLE, quality
from leadglass.configs.source import Source
from leadglass.errors import ConfigError

__all__ = ["NAME", "Beside", "files_of", "variables_in"]

NAME = ".env"
_LARGEST = 1 << 16
"""Characters; a longer file is none."""
_LINE = re.compile(r"[ \t]*(?:export[ \t]+)?(?P<name>[A-Za-z_][A-Za-z0-9_]*)[ \t]*[=:](?P<value>.*)")
_QUOTED = re.compile(r"""[ \t]*(?:'(?P<single>[^']*)'|"(?P<double>(?:[^"\\]|\\.)*+)")""")
_NOTE = re.compile(r"(?:^|[ \t])#.*")
_SECRET = re.compile(r"PASS|PWD|SECRET|TOKEN|KEY|CRED|USERS|(?:^|_)PW$", re.IGNORECASE)
_LOGIN = re.compile(r"://[^/@\s]*:[^/@\s]*@")


@dataclass(frozen=True)
class Beside(Mapping[str, str | None]):
    """The variables of ``.env``, and the files that services name."""

    variables: Environment = field(repr=False)  # may hold passwords
    files: Mapping[str, Environment] = field(repr=False)
    """By the name that the compose file has for each; those that could be read."""

    def __getitem__(self, name: str) -> str | None:
        return self.variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)


def files_of(environment: Environment) -> Mapping[str, Environment]:
    """The files that services name, as far as they were read."""
    return environment.files if isinstance(environment, Beside) else {}


def variables_in(source: Source) -> Environment:
    """What the file sets. A password that nobody guesses is where it should be: it is set, to what is not known."""
    found: dict[str, str | None] = {}
    for name, value in _lines(source.text) if len(source.text) <= _LARGEST else ():
        word = value if value is None else resolved(value, found).value
        found[name] = None if word is None or _is_kept(name, word) else word
    return found


def _lines(text: str) -> Iterator[tuple[str, str | None]]:
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        if match:
            yield match["name"], _value(match["value"])


def _value(text: str) -> str | None:
    """A value without its quotes; None where it may go on in the next line, or has signs of its own."""
    quoted = _QUOTED.match(text)
    if quoted is None:
        bare = _NOTE.sub("", text).strip()
        return None if bare.startswith(("'", '"')) else bare
    if quoted["single"] is not None:
        return quoted["single"].replace("$", "$$")
    return None if "\\" in quoted["double"] else quoted["double"]


def _is_kept(name: str, value: str) -> bool:
    """Whether it is a good password, or holds one."""
    if value.lstrip().startswith("{"):
        return _holds_a_good_one(value)
    if _LOGIN.search(value):
        return True
    return bool(value and _SECRET.search(name)) and quality(value) not in GUESSABLE


def _holds_a_good_one(text: str) -> bool:
    """Whether any word in a JSON text could be a good password; so is what cannot be read."""
    try:
        left: list[Json] = [plain(parse_json(Source("", text)))]
    except ConfigError:
        return True
    while left:
        value = left.pop()
        if isinstance(value, dict):
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)
        elif isinstance(value, str) and quality(value) not in GUESSABLE:
            return True
    return False

"""Orthanc in a container: the configuration that its image makes of the environment.

``orthancteam/orthanc`` (``osimis/orthanc`` until 2024) merges files, ``ORTHANC_JSON``, ``ORTHANC__*`` and older names, and fills
in defaults of its own; ``jodogne/orthanc`` reads its files only.
https://orthanc.uclouvain.be/book/users/docker-orthancteam.html, https://orthanc.uclouvain.be/book/users/docker.html
"""

from __future__ import annotations

import copy
import enum
import functools
import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from importlib import resources
from typing import Any

from leadglass.configs.containers.images import Image
from leadglass.configs.containers.nested import Nested
from leadglass.configs.containers.variables import resolved
from leadglass.configs.containers.workload import Variable, Workload
from leadglass.configs.json_nodes import Object, parse_json, plain
from leadglass.configs.orthanc.options import core, sections
from leadglass.configs.reading import Layers
from leadglass.configs.source import Source
from leadglass.errors import ConfigError

__all__ = ["Effective", "Family", "effective", "family_of", "option_of", "variable_of"]

_TEAM = re.compile(r"(?:orthancteam|osimis)/orthanc(?:-pro|-pre-release|-unstable|-full)?")
_JODOGNE = re.compile(r"jodogne/orthanc(?:-plugins|-python|-debug|-slim|-big|-plugins-big)?")
_FILES = re.compile(r"/(?:etc/orthanc|run/secrets)/[^/]*\.json|/etc/orthanc/?")
"""Where the images look for configuration."""
_NAMED = re.compile(r"\$\$|\$\{(?P<braced>[A-Za-z_]\w{0,200})[^}]{0,1000}\}|\$(?P<bare>[A-Za-z_]\w{0,200})")
_LONGEST_NUMBER, _MOST = 64, 1000
_DEEPEST = 8
"""Levels of options that a variable can name."""


class Family(enum.Enum):
    """Whose image it is."""

    TEAM = "orthancteam/orthanc"
    JODOGNE = "jodogne/orthanc"


@dataclass(frozen=True, slots=True)
class Effective:
    """The options that a container starts Orthanc with, as far as its files are not needed for them."""

    options: Mapping[str, Any] = field(repr=False)
    origins: Mapping[str, Variable]
    """By option of the top level: the variable that sets it, or the last of those that do. Others are the image's own."""
    paths: Mapping[tuple[str, ...], Variable]
    """By path of an option: the variable that is named after it."""
    unknown: frozenset[str]
    """Names of what stands in for values that are not known, as ``${NAME}``."""
    layers: Layers
    """For files that are read for themselves."""

    def text(self) -> str:
        """As a configuration file, one option of the top level a line from line 2 on."""
        lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in self.options.items())
        return f"{{\n{lines}\n}}\n"

    def origin(self, line: int) -> Variable | None:
        """The variable that sets what stands in a line of that text; None: the image."""
        names = list(self.options)
        return self.origins.get(names[line - 2]) if 2 <= line < len(names) + 2 else None


def family_of(image: Image | None, variables: Mapping[str, Variable]) -> Family | None:
    """The family of an image; one of somebody's own that takes ``ORTHANC__*`` is built on the team's."""
    if image is not None and _TEAM.fullmatch(image.repository):
        return Family.TEAM
    if image is not None and _JODOGNE.fullmatch(image.repository):
        return Family.JODOGNE
    named = any(name.startswith("ORTHANC__") for name in variables) or "ORTHANC_JSON" in variables
    return Family.TEAM if named else None


def effective(source: Source, workload: Workload, family: Family) -> Effective:
    """What the image makes of a container's environment. ``ConfigError`` when ``ORTHANC_JSON`` is broken."""
    made = _Making(source)
    files = [scalar for target, scalar in workload.inline if _FILES.fullmatch(target)]
    for scalar in files:
        made.take_file(Nested(source, scalar))
    if family is Family.TEAM:
        for variable in workload.variables.values():
            made.take(variable)
    over = copy.deepcopy(made.options)
    if family is Family.TEAM or not files:
        made.fill(_facts()["defaults"][family.value])
    if len(made.options) > _MOST:
        raise source.fault(f"more than {_MOST:,} options of Orthanc", workload.offset, then="it has some 200")
    if not workload.elsewhere and not workload.configured:
        made.options.setdefault("RegisteredUsers", {})  # Nothing else can name any.
    layers = Layers(_under(workload), over) if family is Family.TEAM else Layers()
    return Effective(made.options, made.origins, made.paths, frozenset(made.unknown), layers)


def _under(workload: Workload) -> Mapping[str, Any]:
    """What the team's image sets where no file of a container does."""
    users: Mapping[str, Any] = {} if workload.elsewhere else {"RegisteredUsers": {}}
    return {**_facts()["defaults"][Family.TEAM.value], **users}


def option_of(name: str) -> tuple[str, ...] | None:
    """The path of the option that a variable names; None when it names none."""
    known = _facts()["older"].get(name) or _facts()["special"].get(name)
    if known is not None:
        return tuple(known.split("."))
    if not name.startswith("ORTHANC__"):
        return None
    words = name.removeprefix("ORTHANC__").split("__")[:_DEEPEST]
    first, *inner = ("".join(part.capitalize() for part in word.split("_")) for word in words)
    return (_capitals().get(first.lower(), first), *inner)


def variable_of(path: tuple[str, ...]) -> str | None:
    """The variable that names an option; None when none does."""
    words = (re.sub(r"(?<!^)(?=[A-Z])", "_", word).upper() for word in path)
    for name in ("ORTHANC__" + "__".join(words), "ORTHANC__" + "__".join(path).upper()):
        if option_of(name) == path:
            return name
    return None


class _Making:
    """Options, while one variable after the other is taken in."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self.options: dict[str, Any] = {}
        self.origins: dict[str, Variable] = {}
        self.paths: dict[tuple[str, ...], Variable] = {}
        self.unknown: set[str] = set()

    def take_file(self, nested: Nested) -> None:
        """What a configuration file says whose text stands in this file; each option where it stands."""
        try:
            said = parse_json(Source(self._source.path, nested.text))
        except ConfigError as exc:
            raise self._source.fault(
                f"a configuration of Orthanc that is not JSON: {exc.what}", nested.offset(0)
            ) from None
        if isinstance(said, Object):
            for member in said.members:
                variable = Variable(member.name, None, nested.offset(member.start))
                self._set({member.name: plain(member.node)}, variable)

    def take(self, variable: Variable) -> None:
        """What one variable says."""
        if variable.name.endswith("_SECRET"):  # names the file that has the value
            variable = replace(
                variable, name=variable.name.removesuffix("_SECRET"), value=None, node=None, raw=None
            )
        path = option_of(variable.name)
        if path is not None:
            self.paths[path] = variable
            self._set(_nested(path, self._value(variable, path)), variable)
        elif variable.name == "ORTHANC_JSON":
            self._set(self._json(variable), variable)
        else:
            for section in _facts()["plugins"].get(variable.name, ()) if variable.value != "false" else ():
                self._set({section: {}}, variable)

    def fill(self, defaults: Mapping[str, Any]) -> None:
        """What the image sets when nothing else does, for itself and for the plugins that are enabled."""
        sections = {name: row for name, row in _facts()["sections"].items() if name in self.options}
        for name, value in {**defaults, **sections}.items():
            mine = self.options.setdefault(name, {} if isinstance(value, dict) else value)
            if isinstance(value, dict) and isinstance(mine, dict):
                self.options[name] = {**value, **mine}

    def _stand_in(self, found: re.Match[str]) -> str:
        """What a variable within a text stands for, or its name where that is not known."""
        known = resolved(found[0], {}).value
        if known is not None:
            return known
        name = found["braced"] or found["bare"]
        self.unknown.add(name)
        return f"${{{name}}}"

    def _set(self, said: Mapping[str, Any], variable: Variable) -> None:
        _merge(self.options, said, 0)
        self.origins |= dict.fromkeys(said, variable)

    def _value(self, variable: Variable, path: tuple[str, ...]) -> Any:
        if variable.value is None:
            self.unknown.add(variable.name)
            word = f"${{{variable.name}}}"
            return {word: word} if path == ("RegisteredUsers",) else word
        return _said(variable.value)

    def _json(self, variable: Variable) -> Mapping[str, Any]:
        text = variable.value
        if text is None:  # a variable within it is not known
            text = _NAMED.sub(self._stand_in, variable.raw or "{}")
        try:
            said = plain(parse_json(Source(self._source.path, text)))
        except ConfigError as exc:
            raise self._source.fault(f"ORTHANC_JSON is not JSON: {exc.what}", variable.offset) from None
        return said if isinstance(said, dict) else {}


def _said(text: str) -> Any:
    """A variable's value as the image takes it: as JSON when it is JSON, and as a text otherwise."""
    if text.lstrip().startswith(("{", "[")):
        try:
            return plain(parse_json(Source("", text)))
        except ConfigError:
            return text
    try:
        return json.loads(text[:_LONGEST_NUMBER])
    except ValueError:
        return text


def _nested(path: tuple[str, ...], value: Any) -> dict[str, Any]:
    for name in reversed(path):
        value = {name: value}
    assert isinstance(value, dict)
    return value


def _merge(into: dict[str, Any], said: Mapping[str, Any], depth: int) -> None:
    """The later wins, but sections are joined."""
    for name, value in said.items():
        mine = into.get(name)
        if isinstance(value, dict) and isinstance(mine, dict) and depth < _DEEPEST:
            _merge(mine, value, depth + 1)
        else:
            into[name] = dict(value) if isinstance(value, dict) else value


@functools.cache
def _capitals() -> Mapping[str, str]:
    """Sections and options as Orthanc writes them, by their small letters."""
    return {name.lower(): name for name in (*core(), *sections())}


@functools.cache
def _facts() -> Mapping[str, Any]:
    text = (
        resources.files("leadglass.configs").joinpath("knowledge", "orthanc_images.toml").read_text("utf-8")
    )
    return tomllib.loads(text)

"""Finds the command lines of DCMTK's servers in systemd units and in shell scripts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from leadglass.configs.dcmtk.options import PROGRAMS, Invocation, invocation
from leadglass.configs.dcmtk.shell import NAME, SHELL, SYSTEMD, Command, Word, commands
from leadglass.configs.kinds import Environment
from leadglass.configs.reading import Reach
from leadglass.configs.source import Source

__all__ = ["Started", "is_script", "is_unit", "script", "unit"]

_NAMED = re.compile(rf"(?<![\w.-])(?:{'|'.join(PROGRAMS)})(?:\.exe)?(?![\w-]|\.\w)")
_UNIT = re.compile(r"^[ \t]*\[Service\][ \t]*\r?$", re.MULTILINE)
_SHEBANG = re.compile(r"#![^\n]{0,80}\b(?:ba|da|a|k|z)?sh\b")
_SETTING = re.compile(r"^[ \t]*([A-Za-z]+)[ \t]*=[ \t]*((?:[^\\\n]++|\\(?:.|\r?\n)?)*+)", re.MULTILINE)
_LARGEST = 1 << 20
"""Characters: no unit and no script that starts a server is longer."""
_PREFIXES = "@-:+!|"
_DAEMONS = frozenset({"start-stop-daemon", "daemon", "daemonize", "supervise-daemon"})
_NOT_STARTING = frozenset({"--stop", "-K", "--status", "-T", "--signal"})
_BEFORE = frozenset(
    {
        *("sudo", "nohup", "exec", "env", "nice", "ionice", "setsid", "stdbuf", "time", "timeout", "xargs"),
        *("if", "then", "else", "elif", "do", "while", "until", "!", "{", "runuser", "su", "gosu", "chroot"),
        *("authbind", "unbuffer", "command", "eval", "tini", "dumb-init", "su-exec", "systemd-run"),
    }
)
"""Words that may stand before a program's name and start it all the same."""


@dataclass(slots=True)
class Started:
    """What a file starts."""

    servers: list[Invocation] = field(default_factory=list)
    includes: list[str] = field(default_factory=list)
    """Files that it takes variables from."""
    reach: Reach = Reach.UNKNOWN
    """What systemd lets through to it."""


def is_unit(source: Source) -> bool:
    """Whether it is a unit that has to do with one of the servers."""
    return _NAMED.search(source.text) is not None and _UNIT.search(source.text) is not None


def is_script(source: Source) -> bool:
    """Whether it is a shell script that has to do with one of the servers."""
    told = _SHEBANG.match(source.text) is not None or source.path.endswith((".sh", ".bash"))
    return told and _NAMED.search(source.text) is not None


def unit(source: Source, environment: Environment) -> Started:
    """The servers that a unit starts."""
    _not_too_long(source)
    started, variables, text = Started(), dict(environment), source.text
    allowed: dict[str, str] = {}
    for setting in _SETTING.finditer(text):
        name, start, end = setting[1], setting.start(2), setting.end(2)
        if name == "Environment":
            _assign(next(commands(text, start, end, {}, SYSTEMD)).words, variables)
        elif name == "EnvironmentFile":
            started.includes.append(setting[2].strip().removeprefix("-"))
        elif name.startswith("Exec"):
            start += len(setting[2]) - len(setting[2].lstrip(_PREFIXES))
            _found(text, next(commands(text, start, end, variables, SYSTEMD)), variables, started)
        elif name in {"IPAddressDeny", "IPAddressAllow", "PrivateNetwork"}:
            allowed[name] = f"{allowed.get(name, '')} {setting[2].strip().lower()}".strip()
    started.reach = _reach(allowed)
    return started


def script(source: Source, environment: Environment) -> Started:
    """The servers that a shell script starts."""
    _not_too_long(source)
    started, variables, text = Started(), dict(environment), source.text
    for command in commands(text, 0, len(text), variables, SHELL):
        if command.words:
            _assign(_assignments(command), variables)
            if command.text(0) in {".", "source"}:
                started.includes.append(command.text(1))
            _found(text, command, variables, started)
    return started


def _not_too_long(source: Source) -> None:
    if len(source.text) > _LARGEST:
        raise source.fault(f"longer than {_LARGEST >> 20} MiB", 0, then="no script that starts a server is")


def _assignments(command: Command) -> list[Word]:
    """Those at the beginning, behind ``export`` or not."""
    words = command.words
    first = 1 if command.text(0) in {"export", "readonly", "local", "declare"} else 0
    kept = 0
    while first + kept < len(words) and NAME.match(words[first + kept].text):
        kept += 1
    return words[first : first + kept]


def _assign(words: list[Word], variables: dict[str, str | None]) -> None:
    for word in words:
        match = NAME.match(word.text)
        if match is not None:
            variables[match[1]] = word.text[match.end() :]


def _found(text: str, command: Command, variables: Environment, started: Started) -> None:
    """Note the server that a command starts, or that the shell which it starts does."""
    inner = _inner(command)
    if inner is not None and text[inner.start] in "'\"":
        for nested in commands(text, inner.start + 1, inner.end - 1, variables, SHELL):
            _note(nested, started)
    _note(command, started)


def _inner(command: Command) -> Word | None:
    """The script of ``sh -c SCRIPT``."""
    words = command.words
    for at, word in enumerate(words[:-2]):
        if _base(word) in {"sh", "bash", "dash"} and words[at + 1].text in {"-c", "-lc", "-ec"}:
            return words[at + 2]
    return None


def _note(command: Command, started: Started) -> None:
    for at, word in _candidates(command):
        words = command.words[at + 1 :]
        dashes = next((place for place, other in enumerate(words) if other.text == "--"), -1)
        if _base(command.words[0]) in _DAEMONS:
            words = words[dashes + 1 :]
        started.servers.append(invocation(_base(word), word, words))
        return


def _candidates(command: Command) -> Iterator[tuple[int, Word]]:
    """Words that are a program's name, where a program's name may stand."""
    words = command.words
    if words and _base(words[0]) in _DAEMONS and not _NOT_STARTING & {word.text for word in words}:
        yield from ((at, word) for at, word in enumerate(words) if _base(word) in PROGRAMS)
        return
    optional = False
    for at, word in enumerate(words):
        if _base(word) in PROGRAMS:
            yield at, word
            return
        if not (optional or _may_stand_before(word)):
            return
        optional = word.text.startswith("-")


def _may_stand_before(word: Word) -> bool:
    return (
        _base(word) in _BEFORE
        or word.text.startswith("-")
        or word.text.isdecimal()
        or bool(NAME.match(word.text))
    )


def _base(word: Word) -> str:
    """The program that a word names; "" when it is an assignment."""
    if NAME.match(word.text):
        return ""
    return word.text.replace("\\", "/").rpartition("/")[2].removesuffix(".exe")


def _reach(said: dict[str, str]) -> Reach:
    if said.get("PrivateNetwork") in {"yes", "true", "on", "1"}:
        return Reach.LOOPBACK
    if "any" not in said.get("IPAddressDeny", "").split():
        return Reach.UNKNOWN
    local = set(said.get("IPAddressAllow", "localhost").split()) <= {
        "localhost",
        "127.0.0.1",
        "127.0.0.0/8",
        "::1",
    }
    return Reach.LOOPBACK if local else Reach.NAMED

"""Reads the files that a lint is given, in several processes when they are many, and what they take in."""

from __future__ import annotations

import concurrent.futures
import os
import signal
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePath

from leadglass.configs.containers.dotenv import NAME as DOTENV
from leadglass.configs.containers.dotenv import Beside, files_of, variables_in
from leadglass.configs.kinds import Environment
from leadglass.configs.lint import Broken, Linted, Read, Unknown, linted, promises, read, spoilt
from leadglass.configs.reading import Reading
from leadglass.configs.source import Source, decoded
from leadglass.configs.ways import beside
from leadglass.errors import ConfigError
from leadglass.wiring.lint_includes import taken_in
from leadglass.wiring.lint_walk import File, find, opened

__all__ = ["STDIN", "Looked", "lint_files", "relint"]

_COMPOSE = "compose"
"""The kind of file that takes in variables from beside it."""
STDIN = "<stdin>"
"""What standard input is called in a report."""

_MOST_VARIABLES = 100
"""Files of variables that one compose file names."""

_MANY = 256
"""Files from which on more than one process reads."""
_PROCESSES = 8
_CHUNK = 64
_LARGEST_TOGETHER = 256 << 20
"""Characters of all configurations together."""


@dataclass(frozen=True, slots=True)
class Looked:
    """What was read, and what was not."""

    linted: Linted
    skipped: tuple[tuple[str, str], ...] = ()
    """Path and reason: symbolic links, devices, files that a configuration takes in and that are not there."""
    named: frozenset[str] = frozenset()
    """The files that the user named, one by one."""


def lint_files(paths: Sequence[str], stdin: bytes | None = None) -> Looked:
    """Lint files and folders, and what came on standard input.

    ``ConfigError`` if a path is not there, or all is too much. A file that cannot be read is ``broken``.
    """
    found = find(paths)
    files = [] if stdin is None else [_text(stdin)]
    files += _all_read(found.files)
    taken = taken_in(found.files, files, _read_here)
    files = _without_variables([*files, *taken.files])
    _count(files)
    named = {file.path for file in found.files if file.is_named} | ({STDIN} if stdin is not None else set())
    everything = (*taken.without_loop(files), *found.broken)
    return Looked(linted(everything), (*found.skipped, *taken.missing), frozenset(named))


def relint(looked: Looked, texts: Mapping[str, str]) -> Looked:
    """The same files with other texts, by path, as if they stood so on the disk."""
    before = looked.linted
    again: list[Read] = [
        read(Source(one.source.path, texts[one.source.path]), one.environment)
        if one.source.path in texts
        else one
        for one in before.as_read
    ]
    again += [*map(Unknown, before.unknown), *before.broken]
    return Looked(linted(again), looked.skipped, looked.named)


def _without_variables(files: Sequence[Read]) -> list[Read]:
    """The files but those that Compose takes variables from: what they say is known."""
    used = {
        beside(one.source.path, name)
        for one in files
        if isinstance(one, Reading)
        for name in (*files_of(one.environment), *([DOTENV] if one.environment else []))
    }
    return [one for one in files if not (isinstance(one, Unknown) and one.path in used)]


def _text(raw: bytes) -> Read:
    try:
        text = decoded(STDIN, raw)
        result = read(text)
        return (spoilt(text) or result) if isinstance(result, Unknown) else result
    except ConfigError as exc:
        return Broken(STDIN, str(exc))


def _all_read(files: Sequence[File]) -> Iterator[Read]:
    chunks = [files[i : i + _CHUNK] for i in range(0, len(files), _CHUNK)]
    processes = min(os.cpu_count() or 1, _PROCESSES)
    if len(files) < _MANY or processes == 1:
        for chunk in chunks:
            yield from _read_here(chunk)
        return
    with concurrent.futures.ProcessPoolExecutor(processes, initializer=_deafen) as pool:
        try:
            with _without_interruption():
                reading = pool.map(_read_here, chunks)
            for done in reading:
                yield from done
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@contextmanager
def _without_interruption() -> Iterator[None]:
    """Ctrl-C waits for the end of the block; processes that are started in it never hear of it.

    It reaches every process of a terminal, and only the first one is to answer it.
    """
    if sys.platform == "win32":  # which cannot hold signals back: ``_deafen`` comes a moment later
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _deafen() -> None:
    """In a process that is started: Ctrl-C is for the first one, and what asks it to end, ends it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _read_here(files: Iterable[File]) -> list[Read]:
    """What a process does."""
    return [_one(file) for file in files]


def _one(file: File) -> Read:
    text = opened(file)
    if not isinstance(text, Source):
        return text
    result = read(text)
    if isinstance(result, Unknown) and file.is_named:
        return spoilt(text) or result
    if isinstance(result, Reading) and result.kind == _COMPOSE:
        result = _with_variables(file, text, result)
    if not file.is_named and not _is_meant(file.path) and _says_nothing(result):
        # A page or a program that quotes a configuration looks like one, until it is read.
        return Unknown(file.path)
    return result


def _with_variables(file: File, text: Source, result: Read) -> Read:
    """A compose file with the variables that Compose takes in from beside it, for itself and for its services."""
    variables = _said(file, DOTENV) or {} if "$" in text.text else {}
    result = read(text, variables) if variables else result
    named = result.variables if isinstance(result, Reading) else ()
    said = {name: found for name in named[:_MOST_VARIABLES] if (found := _said(file, name)) is not None}
    return read(text, Beside(variables, said)) if said else result


def _said(file: File, name: str) -> Environment | None:
    """What a file of variables beside a compose file says; None: it is not there, or outside of what was given."""
    path, top = Path(file.path).parent / name, Path(file.root).resolve()
    try:
        inside = path.is_file() and path.resolve().is_relative_to(top)
    except (OSError, ValueError):
        return None
    text = opened(File(str(path), file.root, is_named=False)) if inside else None
    return variables_in(text) if isinstance(text, Source) else None


def _says_nothing(file: Read) -> bool:
    if not isinstance(file, Reading):
        return True
    return not (file.findings or file.listeners or file.ports or file.fronts or file.mounts)


def _is_meant(path: str) -> bool:
    """Whether the name of a file promises a configuration, or says nothing, as fronts' files often do."""
    return promises(path) or not PurePath(path).suffix


def _count(files: Iterable[Read]) -> None:
    total = sum(len(one.source.text) for one in files if isinstance(one, Reading))
    if total > _LARGEST_TOGETHER:
        raise ConfigError(
            f"more than {_LARGEST_TOGETHER >> 20} Mi characters of configuration", then="lint it in parts"
        )

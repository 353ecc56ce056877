"""The files that configurations take in (``include``): read too, as far as they lie in the folder that was given."""

from __future__ import annotations

import fnmatch
import graphlib
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from leadglass.configs.lint import Broken, Read
from leadglass.configs.reading import Reading
from leadglass.wiring.lint_walk import File

__all__ = ["Taken", "taken_in"]

_ROUNDS = 32
"""Files that take in files that take in files."""
_MARKS = frozenset("*?[")


class Taken:
    """What was taken in by the files that were read."""

    def __init__(self, given: Sequence[File], read: Callable[[Sequence[File]], Sequence[Read]]) -> None:
        self.files: list[Read] = []
        """Those that were not among the files that were given."""
        self.missing: list[tuple[str, str]] = []
        """Name and reason of those that could not be read."""
        self._read = read
        self._roots = {file.path: file.root for file in given}
        self._known = {Path(file.path).resolve(): file.path for file in given}
        self._edges: dict[str, set[str]] = {}

    def follow(self, reading: Reading) -> Sequence[Read]:
        """The files that ``reading`` takes in and that are new."""
        path = reading.source.path
        root = self._roots.get(path)
        new = (
            []
            if root is None
            else [
                *(file for name in reading.includes for file in self._named(path, root, name, whole=True)),
                *(file for name in reading.parts for file in self._named(path, root, name, whole=False)),
            ]
        )
        found = self._read(new)
        self.files += found
        return found

    def without_loop(self, files: Sequence[Read]) -> Sequence[Read]:
        """The files, but for those that no server starts with: the first that take themselves in, by others or not."""
        chain = self._loop()
        if not chain:
            return files
        why = f"{chain[0]}: takes itself in ({' -> '.join(chain)}); remove one of the includes"
        kept = (one for one in files if not (isinstance(one, Reading) and one.source.path in chain))
        return [*kept, Broken(chain[0], why)]

    def _loop(self) -> Sequence[str]:
        """From a file to the one that takes it in, and so on until it comes again; empty when none does."""
        try:
            graphlib.TopologicalSorter(self._edges).prepare()
        except graphlib.CycleError as exc:
            # It tells the chain from the file that is taken in to the one that does it.
            return list(reversed(exc.args[1]))
        return ()

    def _named(self, path: str, root: str, name: str, *, whole: bool) -> Iterator[File]:
        """The files that are taken in under a name; in part, that leads to no loop."""
        places = _resolved(path, Path(root), name)
        if not places and not _MARKS & set(name):
            self.missing.append((name, f"taken in by {path}, but not there, or outside of {root}"))
        for place in places:
            real = place.resolve()
            known = self._known.setdefault(real, place.as_posix())
            if whole:
                self._edges.setdefault(path, set()).add(known)
            if known not in self._roots:
                self._roots[known] = root
                # What it leads to if it is a link: that lies inside, or it would not be here.
                yield File(known if not place.is_symlink() else real.as_posix(), root, is_named=False)


def taken_in(
    given: Sequence[File], read: Sequence[Read], reading: Callable[[Sequence[File]], Sequence[Read]]
) -> Taken:
    """What the files ``read`` take in, and what those take in; ``reading`` reads a file."""
    including = _including(read)
    taken = Taken(given if including else (), reading)
    for _ in range(_ROUNDS):
        including = _including([new for one in including for new in taken.follow(one)])
    return taken


def _including(files: Sequence[Read]) -> Sequence[Reading]:
    return [one for one in files if isinstance(one, Reading) and (one.includes or one.parts)]


def _resolved(path: str, root: Path, name: str) -> Sequence[Path]:
    """What ``name`` means in the file at ``path``: beside it, or beside a folder above it, but inside ``root``.

    nginx counts from the folder of its first file, whichever file says ``include``.
    """
    top = root.resolve()
    folders = [Path(path).parent, *Path(path).parent.parents]
    inside = (folder for folder in folders if folder.resolve().is_relative_to(top))
    matching = (
        [place for place in _matching(folder / name) if place.resolve().is_relative_to(top)]
        for folder in inside
    )
    return next(filter(None, matching), ())


def _matching(pattern: Path) -> Sequence[Path]:
    """Files by a name or a pattern; wildcards count in the last part only."""
    try:
        if not _MARKS & set(pattern.name):
            return [Path(os.path.normpath(pattern))] if pattern.is_file() else []
        names = sorted(entry.name for entry in pattern.parent.iterdir() if entry.is_file())
    except (OSError, ValueError):
        return []
    return [pattern.parent / name for name in fnmatch.filter(names, pattern.name)]

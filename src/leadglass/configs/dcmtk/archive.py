"""What ``dcmqrscp.cfg`` opens: titles that answer anybody, words that do not mean what they seem to."""

from __future__ import annotations

import functools
import ipaddress
import itertools
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from leadglass.configs.catalogue import finding
from leadglass.configs.dcmtk.archive_file import DEFAULT_PORT, UNUSED, Archive, Area, Peer, archive
from leadglass.configs.dcmtk.words import LONGEST, number, shown
from leadglass.configs.kinds import Environment
from leadglass.configs.reading import Fact, Listener, Reading, Service
from leadglass.configs.source import Source
from leadglass.model.finding import Cause, Edit, Finding
from leadglass.model.verdict import Access

__all__ = ["PRODUCT", "read_archive"]

PRODUCT = "DCMTK dcmqrscp"
_LISTENER = "dicom"
_SAMPLES = frozenset({"COMMON", "READWRITE", "READ", "ACME_STORE", "UNITED_STORE", "ACME_PUB", "ACME_PRV"})
"""Titles of the samples that come with DCMTK."""
_STORES = frozenset({"RW", "W"})
"""The access words with which a caller may store; every other word is taken as R."""
_MOST_NAMED = 500
"""Peers that are put in the place of ANY; more would not fit on a line that dcmqrscp reads."""


def read_archive(source: Source, _environment: Environment) -> Reading:
    """The reading of a ``dcmqrscp.cfg``."""
    judged = _Judged(source, archive(source))
    exposure = Access.ANSWERS_QUERY if judged.open_titles else Access.WANTS_TITLE
    return Reading(
        kind="dcmqrscp",
        source=source,
        findings=tuple(judged.findings()),
        listeners=(Listener(_LISTENER, Service.DICOM, judged.file.port, PRODUCT, exposure),),
        facts=judged.facts(),
    )


@dataclass(frozen=True)
class _Judged:
    source: Source
    file: Archive

    @functools.cached_property
    def access(self) -> Mapping[str, str]:
        """By title; that of its first line counts, whichever line knows the caller."""
        found: dict[str, str] = {}
        for area in self.file.areas:
            found.setdefault(area.title.text, area.access.text)
        return found

    @functools.cached_property
    def open_titles(self) -> Mapping[str, str]:
        """What a stranger may do, by the titles that have ANY in some line."""
        opened = (area.title.text for area in self.file.areas if area.anybody)
        return {title: self._rights(title) for title in opened}

    @functools.cached_property
    def declared(self) -> tuple[Peer, ...]:
        """All peers that the file names, anywhere."""
        named = itertools.chain.from_iterable(self.file.hosts.values())
        inline = itertools.chain.from_iterable(area.inline for area in self.file.areas)
        return tuple(dict.fromkeys((*named, *inline)))

    def facts(self) -> dict[str, Fact]:
        """What the file says, in words."""
        most = max(self.open_titles.values(), key=len, default="")
        return {
            "product": PRODUCT,
            "ports": None if self.file.port is None else str(self.file.port),
            "verdict": "dicom-open" if most else "titles-only",
            "dicom_if_public": f"any AE {most}" if most else "named AE titles only",
            "titles": tuple(self.access),
            "open_titles": tuple(self.open_titles),
            "peers": tuple(dict.fromkeys(peer.title for peer in self.declared)),
        }

    def _rights(self, title: str) -> str:
        return "store/query/retrieve" if self.access[title] in _STORES else "query/retrieve"

    # ---- findings

    def findings(self) -> Iterator[Finding]:
        """Everything that is wrong, table by table."""
        for area in self.file.areas:
            yield from self._of_area(area)
        yield from self._twice()
        yield from self._settings()
        yield from self._unreachable()
        for word in self.file.refused:
            named = word.text.endswith(":")
            says = (
                f"dcmqrscp does not know {word.text}"
                if named
                else "in a table, a line begins with white space"
            )
            yield finding("LG-DCMTK-008", self.source, word.start, word.text if named else "table", says)

    def _of_area(self, area: Area) -> Iterator[Finding]:
        title, access = shown(area.title.text), area.access
        if area.anybody is not None:
            cause = Cause.FACTORY_DEFAULT if area.title.text in _SAMPLES else Cause.DELIBERATE
            rights = self.open_titles[area.title.text].replace("/", ", ")
            yield finding(
                "LG-DCMTK-001", self.source, area.anybody.start, f"AETable {title}",
                f"{title} answers whoever calls it: any AE may {rights}",
                listener=_LISTENER, edits=self._closing(area), cause=cause,
            )  # fmt: skip
        if access.text == "W":
            says = f"W lets peers store in {title}, and query and retrieve it as well"
            yield finding("LG-DCMTK-002", self.source, access.start, f"AETable {title}", says)
        elif access.text not in {"R", "RW"}:
            says = f'"{shown(access.text)}" is no access: {title} is queried as with R, and takes no objects'
            yield finding("LG-DCMTK-003", self.source, access.start, f"AETable {title}", says)

    def _twice(self) -> Iterator[Finding]:
        seen: set[str] = set()
        for area in self.file.areas:
            title = shown(area.title.text)
            if area.title.text in seen:
                says = f"{title} has a line already, whose storage area and access these peers get"
                yield finding("LG-DCMTK-004", self.source, area.title.start, f"AETable {title}", says)
            seen.add(area.title.text)

    def _settings(self) -> Iterator[Finding]:
        for setting in self.file.settings:
            name = setting.name
            if name.text == "NetworkTCPPort" and not setting.is_variable and number(setting.rest) is None:
                says = f"no number (and none in quotes): dcmqrscp listens on port {DEFAULT_PORT}"
                yield finding("LG-DCMTK-005", self.source, name.start, name.text, says)
            elif name.text in UNUSED:
                says = f"{name.text} is read and has no effect"
                yield finding("LG-DCMTK-007", self.source, name.start, name.text, says)

    def _unreachable(self) -> Iterator[Finding]:
        """Peers that dcmqrscp will not recognise, and titles that stand for two."""
        hosts: defaultdict[str, set[str]] = defaultdict(set)
        for peer in self.declared:
            title, host, place = shown(peer.title), peer.host.lower(), peer.word.start
            if _is_address(host) or (not host and not self.file.refused):
                says = f"{title} is known by {shown(host) or 'no host'}, and callers are looked up by name"
                yield finding("LG-DCMTK-006", self.source, place, f"peer {title}", says)
            elif hosts[peer.title] - {host}:
                says = f"{title} stands for two hosts: what is sent to it goes to the first"
                yield finding("LG-DCMTK-009", self.source, place, f"peer {title}", says)
            hosts[peer.title].add(host)

    # ---- closing

    def _closing(self, area: Area) -> tuple[Edit, ...]:
        """Put the peers that the file names in the place of ANY, unless that would lock one of them out."""
        word = area.anybody
        text = self._named(area.known)
        if word is None or not text:
            return ()
        if area.line[1] - area.line[0] - (word.end - word.start) + len(text) >= LONGEST:
            return ()
        return (self.source.edit(word.start, word.end, text),)

    @functools.cached_property
    def _nameable(self) -> bool:
        """Whether all peers would be recognised: by a host's name, and not too many."""
        return 0 < len(self.declared) <= _MOST_NAMED and not any(
            not peer.host or _is_address(peer.host) for peer in self.declared
        )

    @functools.cached_property
    def _names(self) -> dict[int, str]:
        return {}

    def _named(self, known: int) -> str:
        """All peers as the line of an AETable has them; ``known`` names are defined above it. "": it cannot be."""
        if not self._nameable:
            return ""
        if known not in self._names:
            self._names[known] = self._written(known)
        return self._names[known]

    def _written(self, known: int) -> str:
        names = self._covering(known)
        covered = {peer for name in names for peer in self.file.hosts[name]}
        rest = (peer.word for peer in self.declared if peer not in covered)
        return ", ".join((*map(_quoted, names), *(self.source.text[word.start : word.end] for word in rest)))

    def _covering(self, known: int) -> list[str]:
        """The fewest names, largest first; a name with quotes or commas in it cannot be used."""
        usable = [name for name in itertools.islice(self.file.hosts, known) if not _UNUSABLE & set(name)]
        chosen: list[str] = []
        covered: set[Peer] = set()
        for name in sorted(usable, key=lambda name: -len(self.file.hosts[name])):
            if not covered.issuperset(self.file.hosts[name]):
                chosen.append(name)
                covered.update(self.file.hosts[name])
        return sorted(chosen, key=usable.index)


_UNUSABLE = frozenset("\"'(),")


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _quoted(name: str) -> str:
    return f'"{name}"' if any(character.isspace() or character == "=" for character in name) else name

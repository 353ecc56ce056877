"""nmap's XML (``-oX``), which masscan writes too: TCP ports whose state is ``open``.

Expat is fed piece by piece and keeps no tree. A document type is tolerated, as nmap writes one; what it could be
abused for is refused: entities are not declared in nmap's files, and nothing outside is ever fetched. Tags of any
length, names without number and nesting without end would make Expat grow, so they end the reading.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from xml.parsers import expat

from leadglass.errors import ConfigError
from leadglass.imports.found import LONGEST, Broken, DamagedError, Found, UnfitError
from leadglass.imports.words import address_of, port_of

__all__ = ["read_nmap_xml"]

_ROOT = "nmaprun"
_DEEPEST = 100
_MOST_NAMES = 1000
"""nmap's DTD has 40 elements and 100 attributes."""


def read_nmap_xml(pieces: Iterable[bytes], where: str) -> Iterator[Found | Broken]:
    """Every open TCP port; ``ConfigError`` if it is no such file at all."""
    document = _Document()
    end: Broken | None = None
    fed = 0
    try:
        for piece in pieces:
            fed += len(piece)
            document.feed(piece, fed)
            yield from document.taken()
        document.close()
    except DamagedError as damage:
        end = Broken(document.line, str(damage))
    except expat.ExpatError as exc:
        end = Broken(exc.lineno, f"the XML cannot be read from here on: {expat.ErrorString(exc.code)}")
    if end is not None and not document.begun:
        raise ConfigError(f"not nmap's XML: {end.why}", where=where, then="write it with nmap -oX")
    yield from document.taken()
    if end is not None:
        yield end


class _Document:
    """Where the parser stands, and what it has found since it was asked last."""

    def __init__(self) -> None:
        self.begun = False
        self._names: set[str] = set()
        self._depth = 0
        self._address: str | None = None
        self._port: Mapping[str, str] = {}
        self._taken: list[Found | Broken] = []
        # No interning: Python would keep every name that ever occurred.
        self._parser = expat.ParserCreate(intern=None)
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.EntityDeclHandler = self._entity

    @property
    def line(self) -> int:
        """The line that the parser has come to."""
        return self._parser.CurrentLineNumber

    def feed(self, piece: bytes, fed: int) -> None:
        """The next piece; ``fed`` counts the bytes with it. Raises ``ExpatError`` and ``DamagedError``."""
        self._parser.Parse(piece, False)
        if fed - max(0, self._parser.CurrentByteIndex) > LONGEST:
            raise DamagedError(f"a tag, comment or text longer than {LONGEST >> 20} MiB")

    def close(self) -> None:
        """The file has ended; raises ``ExpatError`` if the document has not."""
        self._parser.Parse(b"", True)

    def taken(self) -> Iterator[Found | Broken]:
        """What was found; told once."""
        taken, self._taken = self._taken, []
        return iter(taken)

    def _start(self, name: str, attributes: Mapping[str, str]) -> None:
        self._keep_small(name, attributes)
        if not self.begun:
            if name != _ROOT:
                raise DamagedError("another kind of XML")
            self.begun = True
        elif name == "host":
            self._address = None
        elif name == "address" and attributes.get("addrtype") != "mac":
            self._address = self._address or attributes.get("addr")
        elif name == "port":
            self._port = attributes
        elif name == "state":
            self._state(attributes)

    def _end(self, name: str) -> None:
        self._depth -= 1
        if name == "port":
            self._port = {}

    def _state(self, attributes: Mapping[str, str]) -> None:
        if attributes.get("state") != "open" or self._port.get("protocol") != "tcp":
            return
        try:
            found = Found(address_of(self._address), port_of(self._port.get("portid")), None)
        except UnfitError as unfit:
            self._taken.append(Broken(self.line, str(unfit)))
        else:
            self._taken.append(found)

    def _keep_small(self, name: str, attributes: Mapping[str, str]) -> None:
        self._depth += 1
        self._names.add(name)
        self._names.update(attributes)
        if self._depth > _DEEPEST or len(self._names) > _MOST_NAMES:
            raise DamagedError("more names or levels than nmap has")

    def _entity(self, *_: object) -> None:
        raise DamagedError("it declares entities, which nmap does not and which are not expanded")

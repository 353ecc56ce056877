"""Devices as dcm4chee-arc describes them, the same whether they come from LDIF or from its JSON.

Attribute names are those of the LDAP schema, in small letters; extensions (``dcmDevice``, ``dcmArchiveNetworkAE`` ...)
are taken as part of what they extend, as LDAP has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from leadglass.model.finding import Edit

__all__ = ["AE", "Connection", "Device", "Given", "Item"]


@dataclass(frozen=True, slots=True)
class Given:
    """One value of an attribute."""

    name: str
    """The attribute as it is written."""
    text: str = field(repr=False)
    at: int
    """Where it stands."""


@dataclass(frozen=True, slots=True)
class Item:
    """An object with attributes."""

    name: str
    at: int
    """Where it begins."""
    attributes: Mapping[str, Sequence[Given]]
    rewrite: Callable[[str, Sequence[str]], tuple[Edit, ...]] = field(
        default=lambda _name, _texts: (), repr=False
    )
    """Leaves an attribute that is there with these values and no others."""

    def all(self, name: str) -> Sequence[Given]:
        """The values of an attribute, none when it is not set."""
        return self.attributes.get(name.lower(), ())

    def first(self, name: str) -> Given | None:
        """The first value of an attribute."""
        return next(iter(self.all(name)), None)

    def text(self, name: str) -> str:
        """The first value's text, "" when there is none."""
        given = self.first(name)
        return "" if given is None else given.text.strip()

    def is_true(self, name: str, *, absent: bool) -> bool:
        """A truth value; ``absent`` when it is not said."""
        text = self.text(name).upper()
        return absent if text not in {"TRUE", "FALSE"} else text == "TRUE"

    @property
    def installed(self) -> bool:
        """Whether it is in use; so it is when nothing is said."""
        return self.is_true("dicomInstalled", absent=True)


@dataclass(frozen=True, slots=True)
class Connection:
    """A network connection: a port, if it listens."""

    item: Item

    @property
    def port(self) -> int | None:
        """Where it listens; None when it only calls."""
        text = self.item.text("dicomPort")
        return (
            int(text) if text.isdecimal() and len(text) <= len("65535") and 0 < int(text) < 1 << 16 else None
        )

    @property
    def protocol(self) -> str:
        """``DICOM`` unless something else is said."""
        return self.item.text("dcmProtocol").upper() or "DICOM"

    @property
    def tls(self) -> bool:
        """Whether it speaks TLS: dcm4che goes by whether there is a cipher suite."""
        return bool(self.item.all("dicomTLSCipherSuite"))

    @property
    def client_certificate(self) -> bool:
        """Whether a caller needs a certificate; so it is when nothing is said."""
        return self.tls and self.item.is_true("dcmTLSNeedClientAuth", absent=True)


@dataclass(frozen=True, slots=True)
class AE:
    """An application entity and the connections it uses."""

    item: Item
    connections: tuple[Connection, ...]

    @property
    def accepts(self) -> bool:
        """Whether it takes associations."""
        return self.item.installed and self.item.is_true("dicomAssociationAcceptor", absent=True)

    @property
    def is_archive(self) -> bool:
        """Whether it is one of the archive's own."""
        return any(given.text.lower() == "dcmarchivenetworkae" for given in self.item.all("objectClass"))


@dataclass(frozen=True, slots=True)
class Device:
    """A device with everything below it."""

    item: Item
    connections: tuple[Connection, ...]
    aes: tuple[AE, ...]
    others: tuple[Item, ...] = ()
    """Web applications, HL7 applications and what else stands below it."""

    @property
    def is_archive(self) -> bool:
        """Whether it is dcm4chee-arc itself."""
        said = any(given.text.lower() == "dcmarchivedevice" for given in self.item.all("objectClass"))
        return said or any(ae.is_archive for ae in self.aes)

    def listening(self) -> Iterator[Connection]:
        """The connections that wait for callers."""
        return (
            connection
            for connection in self.connections
            if connection.port is not None and connection.item.installed and self.item.installed
        )

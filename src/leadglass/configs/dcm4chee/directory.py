"""Devices out of LDIF: by their distinguished names, wherever in the tree they stand."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Mapping, Sequence

from leadglass.configs.dcm4chee.device import AE, Connection, Device, Given, Item
from leadglass.configs.dcm4chee.ldif import Entry, Value, entries, relative, same_name
from leadglass.configs.source import Source
from leadglass.model.finding import Edit

__all__ = ["Directory", "directory"]


class Directory:
    """Everything that an LDIF file says."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.entries = entries(source)

    @property
    def items(self) -> Sequence[Item]:
        """All entries, of devices or not."""
        return [self._item(entry) for entry in self.entries.values()]

    def devices(self) -> list[Device]:
        """The devices, with what stands below each. What stands below none belongs to one without a name."""
        below: defaultdict[str, list[Entry]] = defaultdict(list)
        own: dict[str, Entry] = {}
        for key, entry in self.entries.items():
            place = key.find("dicomdevicename=")
            if place == 0:
                own[key] = entry
            elif place > 0:
                below[key[place:]].append(entry)
        return [self._device(own.get(key), below[key], key) for key in {**own, **below}]

    def _device(self, entry: Entry | None, below: Sequence[Entry], key: str) -> Device:
        item = (
            Item(relative(key)[1], below[0].start if below else 0, {}) if entry is None else self._item(entry)
        )
        connections = {
            same_name(part.dn): Connection(self._item(part))
            for part in below
            if _is(part, "dicomnetworkconnection")
        }
        aes = [self._ae(part, connections) for part in below if _is(part, "dicomnetworkae")]
        others = [
            self._item(part)
            for part in below
            if not (_is(part, "dicomnetworkconnection") or _is(part, "dicomnetworkae"))
        ]
        return Device(item, tuple(connections.values()), tuple(aes), tuple(others))

    def _ae(self, entry: Entry, connections: Mapping[str, Connection]) -> AE:
        item = self._item(entry)
        named = (same_name(given.text) for given in item.all("dicomNetworkConnectionReference"))
        return AE(item, tuple(connections[name] for name in named if name in connections))

    def _item(self, entry: Entry) -> Item:
        attributes = {
            name: [
                Given(self.source.text[value.start : value.start + len(name)], value.text, value.start)
                for value in values.values()
            ]
            for name, values in entry.attributes.items()
        }
        return Item(relative(entry.dn)[1], entry.start, attributes, functools.partial(self._rewritten, entry))

    def _rewritten(self, entry: Entry, name: str, texts: Sequence[str]) -> tuple[Edit, ...]:
        """Values that go make room for those that come; the lines of the others are taken out."""
        values = entry.attributes.get(name.lower(), {})
        staying = frozenset(texts)
        going = [value for text, value in values.items() if text not in staying]
        coming = [text for text in texts if text not in values]
        changed = (self._replaced(value, text) for value, text in zip(going, coming, strict=False))
        gone = (self.source.edit(value.start, value.after, "") for value in going[len(coming) :])
        return (*changed, *gone, *self._added(list(values.values()), coming[len(going) :]))

    def _replaced(self, value: Value, text: str) -> Edit:
        if value.plain:
            return self.source.edit(value.value, value.end, text)
        return self.source.edit(value.start, value.end, f"{self._name(value)}: {text}")

    def _added(self, values: Sequence[Value], texts: Sequence[str]) -> tuple[Edit, ...]:
        if not values or not texts:
            return ()
        last = values[-1]
        new = "".join(f"\n{self._name(last)}: {text}" for text in texts)
        return (self.source.edit(last.end, last.end, new),)

    def _name(self, value: Value) -> str:
        return self.source.text[value.start : value.value].partition(":")[0]


def directory(source: Source) -> Directory:
    """The file; ``ConfigError`` where it is no LDIF."""
    return Directory(source)


def _is(entry: Entry, name: str) -> bool:
    """Whether it is of an object class; of a change, whether its name says so."""
    classes = {text.lower() for text in entry.attributes.get("objectclass", ())}
    if classes:
        return name in classes
    first = relative(entry.dn)[0]
    return first == ("dicomaetitle" if name == "dicomnetworkae" else "cn") and (
        name == "dicomnetworkae"
        or "dicomport" in entry.attributes
        or "dicomtlsciphersuite" in entry.attributes
    )

"""A device out of the JSON that dcm4chee-arc's ``/devices/NAME`` answers with."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence

from leadglass.configs.dcm4chee.device import AE, Connection, Device, Given, Item
from leadglass.configs.json_nodes import Array, Node, Object, Scalar, Variable, parse_json
from leadglass.configs.source import Source
from leadglass.model.finding import Edit

__all__ = ["devices", "is_export"]

_DEVICE = re.compile(r'"dicomDeviceName"\s*:')
_CONTENTS = re.compile(r'"(?:dicomNetworkConnection|dicomNetworkAE|dcmDevice)"\s*:')
_INDEX = re.compile(r"/dicomNetworkConnection/([0-9]{1,4})")
_BELOW = frozenset({"dicomNetworkConnection", "dicomNetworkAE"})
_EXTENSIONS = frozenset(
    {
        *("dcmDevice", "dcmArchiveDevice", "dcmNetworkAE", "dcmArchiveNetworkAE", "dcmNetworkConnection"),
        *("dcmImageReaderFactory", "dcmImageWriterFactory", "hl7Application", "dcmArchiveHL7Application"),
    }
)
_SPACE = " \t\r\n"


def is_export(source: Source) -> bool:
    """Whether it is such a file."""
    head = source.text.lstrip(_SPACE)[:1]
    return (
        head in {"{", "["}
        and _DEVICE.search(source.text) is not None
        and _CONTENTS.search(source.text) is not None
    )


def devices(source: Source) -> list[Device]:
    """The devices; ``ConfigError`` at its place when it is no JSON."""
    root = parse_json(source)
    found = root.items if isinstance(root, Array) else (root,)
    return [_device(source, node) for node in found if isinstance(node, Object)]


def _device(source: Source, node: Object) -> Device:
    connections = tuple(
        Connection(_item(source, part, "cn")) for part in _objects(node.get("dicomNetworkConnection"))
    )
    aes = (_ae(source, part, connections) for part in _objects(node.get("dicomNetworkAE")))
    return Device(
        _item(source, node, "dicomDeviceName"), connections, tuple(aes), tuple(_others(source, node))
    )


def _ae(source: Source, node: Object, connections: Sequence[Connection]) -> AE:
    item = _item(source, node, "dicomAETitle")
    numbers = (_INDEX.fullmatch(given.text) for given in item.all("dicomNetworkConnectionReference"))
    used = (int(match[1]) for match in numbers if match)
    return AE(item, tuple(connections[number] for number in used if number < len(connections)))


def _others(source: Source, node: Object) -> Iterator[Item]:
    """Objects in the extensions of the device: web applications, HL7 applications."""
    for extension in ("dcmDevice", "hl7Device"):
        inside = node.get(extension)
        if isinstance(inside, Object):
            for member in inside.members:
                for part in _objects(member.node):
                    yield _item(source, part, "cn")


def _objects(node: Node | None) -> tuple[Object, ...]:
    items = node.items if isinstance(node, Array) else ()
    return tuple(item for item in items if isinstance(item, Object))


def _item(source: Source, node: Object, named: str) -> Item:
    attributes: dict[str, list[Given]] = {}
    arrays: dict[str, Array] = {}
    for name, owner, at in _attributes(node):
        attributes.setdefault(name.lower(), []).extend(_values(name, owner, at))
        if isinstance(owner, Array):
            arrays[name.lower()] = owner
    name = next((given.text for given in attributes.get(named.lower(), ())), "")
    return Item(name, node.start, attributes, functools.partial(_rewritten, source, arrays))


def _rewritten(
    source: Source, arrays: Mapping[str, Array], name: str, texts: Sequence[str]
) -> tuple[Edit, ...]:
    """The elements of an array anew, with what stood between the first two of them between all."""
    array = arrays.get(name.lower())
    if array is None or not array.items:
        return ()
    items = array.items
    between = source.text[items[0].end : items[1].start] if len(items) > 1 else ", "
    if between.strip() != ",":  # a comment stands there
        between = ", "
    return (source.edit(items[0].start, items[-1].end, between.join(f'"{text}"' for text in texts)),)


def _attributes(node: Object) -> Iterator[tuple[str, Node, int]]:
    """Those of an object and of its extensions; an extension's own name counts as an object class."""
    waiting = [node]
    while waiting:
        for member in waiting.pop().members:
            if member.name in _EXTENSIONS and isinstance(member.node, Object):
                yield "objectClass", Scalar(member.node.start, member.node.start, member.name), member.start
                waiting.append(member.node)
            elif member.name not in _BELOW:
                yield member.name, member.node, member.start


def _values(name: str, node: Node, at: int) -> Iterator[Given]:
    if not isinstance(node, Array):
        text = _text(node)
        yield from () if text is None else (Given(name, text, at),)
        return
    for item in node.items:
        text = _text(item)
        if text is not None:
            yield Given(name, text, item.start)


def _text(node: Node) -> str | None:
    if isinstance(node, Variable):
        return node.text
    if isinstance(node, Scalar) and node.value is not None:
        return str(node.value).upper() if isinstance(node.value, bool) else str(node.value)
    return None

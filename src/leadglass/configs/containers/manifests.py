"""The objects of Kubernetes manifests that say what runs, with what, and who is let in."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from leadglass.configs.containers.images import image_of, product_of
from leadglass.configs.containers.mounts import is_configuration
from leadglass.configs.containers.ports import Published
from leadglass.configs.containers.workload import Variable, Workload
from leadglass.configs.reading import Reach
from leadglass.configs.yaml_nodes import Mapping as Pairs
from leadglass.configs.yaml_nodes import Node, Scalar, mappings, scalars, text_of, truth

__all__ = ["Object", "Store", "objects", "runs", "workloads"]

_POD: Mapping[str, tuple[str, ...]] = {
    "Pod": (),
    "Deployment": ("spec", "template"),
    "StatefulSet": ("spec", "template"),
    "DaemonSet": ("spec", "template"),
    "ReplicaSet": ("spec", "template"),
    "ReplicationController": ("spec", "template"),
    "Job": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}
"""Where the pod of an object is described."""


@dataclass(frozen=True, slots=True)
class Object:
    """One object of a manifest."""

    kind: str
    name: str
    namespace: str
    node: Pairs

    @property
    def offset(self) -> int:
        """Where its name stands."""
        name = self.node.get("metadata", "name")
        return (name or self.node).span[0]


class Store:
    """The config maps and secrets of a file, by kind, namespace and name."""

    def __init__(self, found: tuple[Object, ...]) -> None:
        kinds = {"ConfigMap", "Secret"}
        self._found = {(one.kind, one.namespace, one.name): one for one in found if one.kind in kinds}

    def pairs(self, kind: str, namespace: str, name: str) -> Mapping[str, Scalar] | None:
        """What it holds, by key; None when it is not in the file."""
        one = self._found.get((kind, namespace, name))
        if one is None:
            return None
        held = (one.node.get(section) for section in ("data", "stringData"))
        return {
            pair.name: pair.value
            for section in held
            if isinstance(section, Pairs)
            for pair in section
            if isinstance(pair.value, Scalar)
        }

    def value(self, kind: str, namespace: str, name: str, key: str) -> str | None:
        """One of its values as the container gets it; None when it is not in the file."""
        one = self._found.get((kind, namespace, name))
        if one is None:
            return None
        if kind == "Secret" and text_of(one.node.get("stringData", key)) is None:
            return _decoded(text_of(one.node.get("data", key)))
        return text_of(one.node.get("stringData" if kind == "Secret" else "data", key))


def objects(nodes: tuple[Node, ...]) -> tuple[Object, ...]:
    """Every object of the documents, those of lists too."""
    return tuple(one for node in nodes for one in _objects(node))


def runs(one: Object) -> Pairs | None:
    """The pod that an object describes; None when it describes none."""
    path = _POD.get(one.kind)
    if path is None:
        return None
    pod = one.node.get(*path) if path else one.node
    return pod if isinstance(pod, Pairs) and isinstance(pod.get("spec"), Pairs) else None


def workloads(one: Object, pod: Pairs, store: Store) -> Iterator[Workload]:
    """The containers of a pod; the first has the name of the object, each other its own."""
    spec = pod.get("spec")
    assert isinstance(spec, Pairs)
    for number, container in enumerate(mappings(spec.get("containers"))):
        own = text_of(container.get("name")) or str(number)
        yield _workload(one, spec, container, one.name if number == 0 else f"{one.name}-{own}", store)


def _objects(node: Node) -> Iterator[Object]:
    if not isinstance(node, Pairs):
        return
    kind = text_of(node.get("kind")) or ""
    if kind == "List":
        for item in mappings(node.get("items")):
            yield from _objects(item)
    elif kind and text_of(node.get("apiVersion")):
        name = text_of(node.get("metadata", "name")) or text_of(node.get("metadata", "generateName")) or ""
        yield Object(kind, name, text_of(node.get("metadata", "namespace")) or "default", node)


def _workload(one: Object, spec: Pairs, container: Pairs, name: str, store: Store) -> Workload:
    reference = text_of(container.get("image"))
    image = image_of(reference) if reference else None
    host = spec.get("hostNetwork")
    on_host = truth(host) is True
    words = [word.value for key in ("command", "args") for word in scalars(container.get(key))]
    files = tuple(_mounted(spec, container, one.namespace, store))
    return Workload(
        name=name,
        offset=(container.get("name") or container).span[0],
        image=image,
        product=product_of(image, f"{reference} {' '.join(words)[:500]}"),
        variables=_variables(container, one.namespace, store),
        elsewhere=container.get("envFrom") is not None,
        published=() if on_host else tuple(_host_ports(container)),
        unpublished=Reach.EVERYWHERE if on_host else Reach.CONTAINERS,
        host_at=host.span[0] if on_host and host is not None else None,
        configured=any(content is None and is_configuration(target) for target, content in files),
        inline=tuple((target, content) for target, content in files if content is not None),
        command=" ".join(words),
    )


def _host_ports(container: Pairs) -> Iterator[Published]:
    """Ports that the node itself passes on."""
    for port in mappings(container.get("ports")):
        inside, outside = _number(port.get("containerPort")), _number(port.get("hostPort"))
        if inside is not None and outside is not None:
            address = text_of(port.get("hostIP")) or ""
            reach = Reach.LOOPBACK if address.startswith("127.") else Reach.NAMED
            yield Published(
                range(inside, inside + 1),
                range(outside, outside + 1),
                Reach.EVERYWHERE if address in {"", "0.0.0.0", "::"} else reach,  # noqa: S104
                port,
                port.span[0],
                (text_of(port.get("protocol")) or "tcp").lower(),
            )


def _variables(container: Pairs, namespace: str, store: Store) -> Mapping[str, Variable]:
    found = {}
    for entry in mappings(container.get("env")):
        key, value = entry.get("name"), entry.get("value")
        name = text_of(key)
        if name is None or not isinstance(key, Scalar):
            continue
        node = value if isinstance(value, Scalar) else None
        said = text_of(value) if node else _referred(entry.get("valueFrom"), namespace, store)
        found[name] = Variable(name, said, key.span[0], node, key=key)
    return found


def _referred(node: Node | None, namespace: str, store: Store) -> str | None:
    for word, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        reference = node.get(word) if isinstance(node, Pairs) else None
        if isinstance(reference, Pairs):
            name, key = text_of(reference.get("name")), text_of(reference.get("key"))
            return store.value(kind, namespace, name or "", key or "")
    return None


def _mounted(
    spec: Pairs, container: Pairs, namespace: str, store: Store
) -> Iterator[tuple[str, Scalar | None]]:
    """Files by where they are mounted; None where they do not stand in the file."""
    volumes = {text_of(volume.get("name")): volume for volume in mappings(spec.get("volumes"))}
    for mount in mappings(container.get("volumeMounts")):
        target, part = text_of(mount.get("mountPath")) or "", text_of(mount.get("subPath"))
        volume = volumes.get(text_of(mount.get("name")))
        held = _held(volume, namespace, store) if volume is not None else None
        if held is None:
            yield target, None
        elif part is not None:
            yield target, held.get(part)
        else:
            yield from ((f"{target.rstrip('/')}/{key}", value) for key, value in held.items())


def _held(volume: Pairs, namespace: str, store: Store) -> Mapping[str, Scalar] | None:
    """What a volume holds, by the names of its files, if that stands in the file."""
    given = volume.get("configMap")
    if not isinstance(given, Pairs):
        return None
    held = store.pairs("ConfigMap", namespace, text_of(given.get("name")) or "")
    items = [(text_of(item.get("key")), text_of(item.get("path"))) for item in mappings(given.get("items"))]
    if held is None or not items:
        return held
    return {path: held[key] for key, path in items if key in held and key and path}


def _number(node: Node | None) -> int | None:
    text = text_of(node) or ""
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text[:6]) <= 65535 else None


def _decoded(text: str | None) -> str | None:
    try:
        return base64.b64decode(text or "", validate=True).decode() or None
    except (binascii.Error, ValueError):
        return None

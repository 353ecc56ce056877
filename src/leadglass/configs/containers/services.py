"""Services and ingresses of Kubernetes: what they open of which pods, and to whom.

https://kubernetes.io/docs/concepts/services-networking/service/, https://kubernetes.io/docs/concepts/services-networking/ingress/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from leadglass.configs.containers.manifests import Object
from leadglass.configs.containers.ports import Published
from leadglass.configs.reading import Reach
from leadglass.configs.yaml_nodes import Mapping as Pairs
from leadglass.configs.yaml_nodes import Node, mappings, scalars, text_of
from leadglass.model.verdict import Access

__all__ = ["Backend", "asks", "backends", "limited", "opens", "selector", "targets"]

_INTERNAL = (
    "aws-load-balancer-internal", "azure-load-balancer-internal", "load-balancer-type", "internal-load-balancer",
    "aws-load-balancer-scheme",
)  # fmt: skip
_NOT_INTERNAL = frozenset({"false", "external", "internet-facing", "nlb", "0"})
_LOGINS = ("auth-url", "auth-type", "auth-secret", "auth-signin", "router.middlewares", "auth-type")
_EVERYBODY = frozenset({"0.0.0.0/0", "::/0"})


@dataclass(frozen=True, slots=True)
class Backend:
    """Where an ingress passes a path on to."""

    service: str
    port: int | str | None
    path: str
    offset: int


def selector(service: Object) -> Mapping[str, str]:
    """The labels of the pods that a service leads to; empty when others say which."""
    return _words(service.node.get("spec", "selector"))


def targets(service: Object, names: Mapping[str, int]) -> Iterator[tuple[int, Pairs]]:
    """The ports of the pods that a service leads to; ``names`` are those that containers give theirs."""
    for entry in mappings(service.node.get("spec", "ports")):
        word = text_of(entry.get("targetPort")) or text_of(entry.get("port")) or ""
        number = names.get(word) if not word.isdigit() else int(word[:6])
        if number is not None and 0 < number <= 65535:
            yield number, entry


def opens(service: Object, names: Mapping[str, int]) -> Iterator[Published]:
    """What a service opens to others than pods; nothing when it is a ``ClusterIP``."""
    kind = text_of(service.node.get("spec", "type")) or "ClusterIP"
    outside_ips = bool(scalars(service.node.get("spec", "externalIPs")))
    if kind not in {"NodePort", "LoadBalancer"} and not outside_ips:
        return
    reach = Reach.EVERYWHERE if kind == "NodePort" or outside_ips else _balanced(service)
    for inside, entry in targets(service, names):
        port = text_of(entry.get("nodePort" if kind == "NodePort" else "port")) or ""
        outside = int(port[:6]) if port.isdigit() and 0 < int(port[:6]) <= 65535 else None
        yield Published(
            range(inside, inside + 1),
            None if outside is None else range(outside, outside + 1),
            reach,
            entry,
            entry.span[0],
            (text_of(entry.get("protocol")) or "tcp").lower(),
            sure=kind != "NodePort",
        )


def limited(node: Pairs) -> bool:
    """Whether an ingress lets only named networks in."""
    named = _annotation(node, "whitelist-source-range") or _annotation(node, "allowlist-source-range")
    return named is not None and not _EVERYBODY & {word.strip() for word in named.split(",")}


def asks(node: Pairs) -> Access:
    """What an ingress asks of a stranger before it passes him on."""
    if _annotation(node, "auth-tls-secret") and _annotation(node, "auth-tls-verify-client") in {None, "on"}:
        return Access.DEMANDS_CERTIFICATE
    login = any(_annotation(node, word) for word in _LOGINS)
    return Access.DEMANDS_LOGIN if login else Access.ANSWERS_QUERY


def backends(ingress: Object) -> Iterator[Backend]:
    """Every path of an ingress, and its default."""
    spec = ingress.node.get("spec")
    if not isinstance(spec, Pairs):
        return
    for word in ("defaultBackend", "backend"):
        yield from _backend(spec.get(word), "/")
    for rule in mappings(spec.get("rules")):
        for path in mappings(rule.get("http", "paths")):
            yield from _backend(path.get("backend"), text_of(path.get("path")) or "/")


def _backend(node: Node | None, path: str) -> Iterator[Backend]:
    """In the form of v1, and in that before it."""
    if not isinstance(node, Pairs):
        return
    name = node.get("service", "name") or node.get("serviceName")
    port = (
        node.get("service", "port", "number")
        or node.get("service", "port", "name")
        or node.get("servicePort")
    )
    word = text_of(port)
    if name is not None and text_of(name):
        number = int(word[:6]) if word is not None and word.isdigit() else word
        yield Backend(text_of(name) or "", number, path, name.span[0])


def _balanced(service: Object) -> Reach:
    """Who a load balancer lets in."""
    ranges = {word.value.strip() for word in scalars(service.node.get("spec", "loadBalancerSourceRanges"))}
    if ranges:
        return Reach.EVERYWHERE if ranges & _EVERYBODY else Reach.NAMED
    internal = [_annotation(service.node, word) for word in _INTERNAL]
    named = any(word and word.lower() not in _NOT_INTERNAL for word in internal)
    return Reach.NAMED if named else Reach.EVERYWHERE


def _annotation(node: Pairs, ending: str) -> str | None:
    """An annotation by the end of its name: what stands before it is whose it is."""
    found = node.get("metadata", "annotations")
    if not isinstance(found, Pairs):
        return None
    return next((text_of(pair.value) for pair in found if pair.name.endswith(f"/{ending}")), None)


def _words(node: Node | None) -> Mapping[str, str]:
    pairs = node if isinstance(node, Pairs) else ()
    return {pair.name: text_of(pair.value) or "" for pair in pairs}

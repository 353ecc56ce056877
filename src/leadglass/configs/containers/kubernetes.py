"""Kubernetes manifests: pods, the services and ingresses before them, and the configuration they are given."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from leadglass.configs.catalogue import finding
from leadglass.configs.containers.exposed import Exposed, exposed
from leadglass.configs.containers.facts import facts
from leadglass.configs.containers.manifests import Object, Store, objects, runs, workloads
from leadglass.configs.containers.ports import Published
from leadglass.configs.containers.services import asks, backends, limited, opens, selector, targets
from leadglass.configs.containers.workload import Workload, ports_of
from leadglass.configs.kinds import Environment
from leadglass.configs.reading import Front, Mount, Reach, Reading
from leadglass.configs.source import Source
from leadglass.configs.yaml_edits import added_pair, rewritten
from leadglass.configs.yaml_nodes import Mapping as Pairs
from leadglass.configs.yaml_nodes import Node, Scalar, documents, mappings, text_of
from leadglass.errors import ConfigError
from leadglass.model.finding import Edit, Finding
from leadglass.model.verdict import Access

__all__ = ["read", "recognises"]

KIND = "LG-K8S"
_VERSION = re.compile(r"^[ \t{-]*+[\"']?apiVersion[\"']?[ \t]*:", re.MULTILINE)
_KIND = re.compile(r"^[ \t{-]*+[\"']?kind[\"']?[ \t]*:", re.MULTILINE)
_LARGEST = 400_000
"""Characters of configuration that all pods are given, what several are given counted for each."""
_MOST = 16
"""Pods behind one service that are looked at."""
_JSON = re.compile(r"\s*+\{")
_ONLY_OPEN = frozenset(
    [
        "externalTrafficPolicy",
        "healthCheckNodePort",
        "loadBalancerClass",
        "loadBalancerIP",
        "externalIPs",
        "loadBalancerSourceRanges",
        "allocateLoadBalancerNodePorts",
    ]
)
"""Fields that a ``ClusterIP`` may not have, or that open it by themselves."""


def recognises(source: Source) -> bool:
    """Whether it holds objects with a version and a kind; a template of some counts too."""
    text = source.text
    if _VERSION.search(text) and _KIND.search(text):
        return True
    return _JSON.match(text) is not None and '"apiVersion"' in text and '"kind"' in text


def read(source: Source, _: Environment) -> Reading:
    """What its pods open, and to whom. ``ConfigError`` for a template, which says nothing by itself."""
    try:
        nodes = documents(source)
    except ConfigError as exc:
        if "{{" in source.text:
            raise ConfigError(
                "a Helm template, not yet a manifest",
                where=exc.where,
                then="run helm template and read what it prints",
            ) from None
        raise
    return _Manifest(source, objects(nodes)).reading()


@dataclass(frozen=True, slots=True)
class _Pod:
    """The containers of an object, and what services find it by."""

    namespace: str
    labels: Mapping[str, str]
    names: Mapping[str, int]
    """Ports by the names that its containers give them."""
    containers: tuple[Workload, ...]


class _Manifest:
    def __init__(self, source: Source, found: tuple[Object, ...]) -> None:
        self._source = source
        services = [one for one in found if one.kind == "Service"]
        self._services = {(one.namespace, one.name): one for one in services}
        self._ingresses = [one for one in found if one.kind == "Ingress"]
        store = Store(found)
        self._pods = [
            _pod(one, pod, tuple(workloads(one, pod, store)))
            for one in found
            if (pod := runs(one)) is not None
        ]
        if sum(one.burden for pod in self._pods for one in pod.containers) > _LARGEST:
            raise source.fault("pods that are given too much configuration", 0, then="no manifest does")
        self._before = _before(services, self._pods)
        self._behind_it: dict[int, list[_Pod]] = {}
        for number, some in self._before.items():
            for service in some:
                self._behind_it.setdefault(id(service), []).append(self._pods[number])
        self._entries: dict[int, Object] = {}

    def reading(self) -> Reading:
        """Everything that they say."""
        running = [
            self._opened(pod, self._before[number], one)
            for number, pod in enumerate(self._pods)
            for one in pod.containers
        ]
        alone = [one for service in self._services.values() for one in self._without_pod(service)]
        judged = [exposed(self._source, one, KIND, self._close) for one in (*running, *alone)]
        named = {one.workload.name: one for one in judged}
        return Reading(
            kind="kubernetes",
            source=self._source,
            findings=(
                *(found for one in judged for found in one.findings),
                *(found for one in self._ingresses for found in self._ingress(one, named)),
            ),
            listeners=tuple(listener for one in judged for listener in one.listeners),
            ports=tuple(port for one in judged for port in ports_of(self._source, one.workload)),
            fronts=tuple(self._fronts()),
            mounts=tuple(Mount(one.name, (), one.known(), one.unpublished) for one in running),
            facts=facts(judged),
        )

    # ---- services

    def _opened(self, pod: _Pod, services: Sequence[Object], workload: Workload) -> Workload:
        """A container with what services open of its pod, as far as it is its own."""
        mine = _ports(workload, pod)
        found = [
            entry
            for service in services
            for entry in self._of(service, pod.names)
            if entry.inside.start in mine or len(pod.containers) == 1
        ]
        return replace(workload, published=(*workload.published, *found))

    def _without_pod(self, service: Object) -> Iterator[Workload]:
        """A service whose pods stand in another file: known by its ports only."""
        entries = () if id(service) in self._behind_it else tuple(self._of(service, {}))
        if entries:
            yield Workload(service.name, service.offset, None, None, {}, published=entries)

    def _of(self, service: Object, names: Mapping[str, int]) -> Iterator[Published]:
        for entry in opens(service, names):
            self._entries[entry.offset] = service
            yield entry

    def _close(self, entry: Published) -> tuple[Edit, ...]:
        """Make a service of one port internal; bind a port of the node to the node."""
        service = self._entries.get(entry.offset)
        if service is None:
            return (
                added_pair(self._source, entry.node, "hostIP", "127.0.0.1")
                if isinstance(entry.node, Pairs)
                else ()
            )
        spec, kind = service.node.get("spec"), service.node.get("spec", "type")
        if not isinstance(spec, Pairs) or not isinstance(kind, Scalar) or spec.index.keys() & _ONLY_OPEN:
            return ()
        alone = len(list(targets(service, {}))) == 1 and isinstance(entry.node, Pairs)
        pinned = isinstance(entry.node, Pairs) and entry.node.get("nodePort") is not None
        return rewritten(self._source, kind, "ClusterIP") if alone and not pinned else ()

    # ---- ingresses

    def _fronts(self) -> Iterator[Front]:
        for ingress in self._ingresses:
            reach = Reach.NAMED if limited(ingress.node) else Reach.EVERYWHERE
            for backend in backends(ingress):
                line = self._source.place(backend.offset).line
                for name, port in self._behind(ingress, backend.service, backend.port):
                    yield Front(name, port, backend.path, asks(ingress.node), reach, line)

    def _behind(self, ingress: Object, name: str, port: int | str | None) -> Iterator[tuple[str, int | None]]:
        """The containers that a service of that name leads to, or the service, when they are not here."""
        service = self._services.get((ingress.namespace, name))
        pods = self._behind_it.get(id(service), [])
        if service is None or not pods:
            yield name, port if isinstance(port, int) else None
            return
        for pod in pods:
            for inside, entry in targets(service, pod.names):
                if port is None or str(port) in {text_of(entry.get("port")), text_of(entry.get("name"))}:
                    yield from ((one.name, inside) for one in pod.containers)

    def _ingress(self, ingress: Object, judged: Mapping[str, Exposed]) -> Iterator[Finding]:
        """What an ingress lacks that leads to an archive."""
        leads = {
            listener.name
            for backend in backends(ingress)
            for name, port in self._behind(ingress, backend.service, backend.port)
            if (one := judged.get(name)) is not None and (one.workload.product or one.orthanc)
            for listener in one.listeners
            if listener.port == port
        }
        if not leads:
            return
        if ingress.node.get("spec", "tls") is None:
            says = f"ingress {ingress.name} takes requests without TLS"
            yield finding("LG-K8S-008", self._source, ingress.offset, "tls", says)
        if asks(ingress.node) is Access.ANSWERS_QUERY and not limited(ingress.node):
            says = f"ingress {ingress.name} lets everybody through to {', '.join(sorted(leads))}"
            yield finding("LG-K8S-009", self._source, ingress.offset, "annotations", says)


def _before(services: Sequence[Object], pods: Sequence[_Pod]) -> Mapping[int, Sequence[Object]]:
    """The services of each pod, by its number; of very many pods behind one service the first ones."""
    by_label: dict[tuple[str, str, str], list[tuple[Mapping[str, str], Object]]] = {}
    for service in services:
        wanted = selector(service)
        if wanted:
            by_label.setdefault((service.namespace, *next(iter(wanted.items()))), []).append(
                (wanted, service)
            )
    found: dict[int, list[Object]] = {number: [] for number in range(len(pods))}
    counts: Counter[int] = Counter()
    for number, pod in enumerate(pods):
        for label in pod.labels.items():
            for wanted, service in by_label.get((pod.namespace, *label), ()):
                if counts[id(service)] < _MOST and wanted.items() <= pod.labels.items():
                    counts[id(service)] += 1
                    found[number].append(service)
    return found


def _pod(one: Object, pod: Pairs, containers: tuple[Workload, ...]) -> _Pod:
    labels = pod.get("metadata", "labels")
    pairs = labels if isinstance(labels, Pairs) else ()
    return _Pod(
        one.namespace,
        {pair.name: text_of(pair.value) or "" for pair in pairs},
        dict(_named(pod.get("spec", "containers"))),
        containers,
    )


def _named(containers: Node | None) -> Iterator[tuple[str, int]]:
    for container in mappings(containers):
        for port in mappings(container.get("ports")):
            name, number = text_of(port.get("name")), text_of(port.get("containerPort")) or ""
            if name is not None and number.isdigit():
                yield name, int(number[:6])


def _ports(workload: Workload, pod: _Pod) -> frozenset[int]:
    """The ports that a container of several in a pod is known to have."""
    known = workload.product.listens if workload.product else ()
    first = workload is pod.containers[0]
    return frozenset({*(one.port for one in known), *(pod.names.values() if first else ())})

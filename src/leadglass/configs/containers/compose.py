"""Docker Compose files, of the first form (services at the top) to the present one.

https://docs.docker.com/reference/compose-file/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TypeAlias

from leadglass.configs.catalogue import finding
from leadglass.configs.containers.closing import to_loopback
from leadglass.configs.containers.dotenv import files_of
from leadglass.configs.containers.environment import variables
from leadglass.configs.containers.exposed import Exposed, exposed
from leadglass.configs.containers.facts import facts
from leadglass.configs.containers.images import image_of, product_of
from leadglass.configs.containers.mounts import Mounted, built_in, is_configuration, mounted
from leadglass.configs.containers.orthanc_image import option_of
from leadglass.configs.containers.ports import Published, published
from leadglass.configs.containers.routed import routed
from leadglass.configs.containers.variables import resolved
from leadglass.configs.containers.workload import Variable, Workload, ports_of
from leadglass.configs.kinds import Environment
from leadglass.configs.reading import Layers, Mount, Reach, Reading
from leadglass.configs.source import Source
from leadglass.configs.yaml_nodes import MOST, Node, Pair, Sequence, documents, scalars, text_of
from leadglass.configs.yaml_nodes import Mapping as Pairs
from leadglass.errors import ConfigError
from leadglass.model.finding import Edit, Finding

__all__ = ["read", "recognises", "workloads"]

KIND = "LG-COMPOSE"
_HINT = re.compile(r"^[ \t{]*+[\"']?(?:services|image|build)[\"']?[ \t]*:", re.MULTILINE)
_JSON = re.compile(r"\s*+\{")
_SURE = re.compile(r"^services[ \t]*:[ \t]*(?:\{|\r?$)", re.MULTILINE)
_KEYS = frozenset(
    [
        "image",
        "build",
        "ports",
        "expose",
        "volumes",
        "environment",
        "env_file",
        "command",
        "entrypoint",
        "depends_on",
        "links",
        "restart",
        "networks",
        "network_mode",
        "net",
        "container_name",
        "hostname",
        "extends",
        "configs",
        "secrets",
        "deploy",
        "volumes_from",
        "working_dir",
        "user",
        "logging",
        "labels",
        "privileged",
        "cap_add",
        "cap_drop",
        "tty",
        "stdin_open",
        "mem_limit",
        "dns",
        "extra_hosts",
        "ulimits",
        "devices",
        "domainname",
        "healthcheck",
        "external_links",
        "tmpfs",
        "shm_size",
        "security_opt",
        "pid",
        "ipc",
        "stop_signal",
        "log_driver",
        "log_opt",
    ]
)
"""Of a service: for telling a file of the first form, which has no key of its own, from others."""
_DEEPEST = 8
"""Services that extend one another."""
_VARIABLE = re.compile(r"\$\{[^}]*+\}|\$\w+")
_MOST = 2 * MOST
"""Nodes of all services, what they extend written out, and characters of the files that stand in them."""
_OUTSIDE = frozenset({"macvlan", "ipvlan", "host"})
"""Drivers of networks in which a container has an address of its own, or the host's."""

_Services: TypeAlias = Mapping[str, Pair]


def recognises(source: Source) -> bool:
    """Whether it holds services, each with an image, a build or ports."""
    text = source.text
    if not _HINT.search(text) and not (_JSON.match(text) and '"services"' in text):
        return False
    try:
        return any(_services(node) for node in documents(source))
    except ConfigError:
        return bool(_SURE.search(text)) and "apiVersion" not in text


def read(source: Source, environment: Environment) -> Reading:
    """What its services open, and to whom; ``environment`` are the variables that it is started with."""
    return _project(source, environment).reading()


def workloads(source: Source, environment: Environment) -> tuple[Workload, ...]:
    """Its services as containers, each with what it extends."""
    return _project(source, environment).workloads()


def _project(source: Source, environment: Environment) -> _Project:
    try:
        nodes = documents(source)
    except ConfigError as exc:
        if "{{" in source.text:
            raise ConfigError(
                "a template, not yet YAML", where=exc.where, then="read what it renders to"
            ) from None
        raise
    project = next((node for node in nodes if isinstance(node, Pairs) and _services(node)), None)
    if project is None:
        raise source.fault("no services in it", 0, then="a compose file names at least one")
    return _Project(source, project, environment)


def _services(node: Node) -> _Services:
    """The services of a project by name; empty when the node is none."""
    if not isinstance(node, Pairs) or "apiVersion" in node.index:
        return {}
    named = node.get("services")
    if isinstance(named, Pairs):
        found = {pair.name: pair for pair in named if isinstance(pair.value, Pairs)}
        return found if any(_is_service(pair.value) for pair in found.values()) else {}
    some = {pair.name: pair for pair in node if isinstance(pair.value, Pairs)}
    first = len(some) == len(node.index) and all(_is_first_form(pair.value) for pair in some.values())
    return some if first else {}


def _is_service(node: Node) -> bool:
    return isinstance(node, Pairs) and bool(node.index.keys() & {"image", "build", "ports", "extends"})


def _is_first_form(node: Node) -> bool:
    return _is_service(node) and isinstance(node, Pairs) and node.index.keys() <= _KEYS


class _Project:
    """One compose file."""

    def __init__(self, source: Source, node: Pairs, environment: Environment) -> None:
        self._source = source
        self._node = node
        self._environment = environment
        self._services = _services(node)
        self._weight = 0

    def workloads(self) -> tuple[Workload, ...]:
        """One for each service."""
        for pair in self._services.values():
            self._bear(sum(part.weight for part in self._parts(pair)), pair)
        found = []
        for pair in self._services.values():
            found.append(self._workload(pair))
            self._bear(found[-1].burden, pair)
        return tuple(found)

    def _bear(self, weight: int, pair: Pair) -> None:
        """Count what services bring in; one line of text may bring in much."""
        self._weight += weight
        if self._weight > _MOST:
            raise self._source.fault(
                "services that take in too much", pair.key.span[0], then="no project does"
            )

    def reading(self) -> Reading:
        """Everything that it says."""
        running = self.workloads()
        judged = [exposed(self._source, one, KIND, self._close) for one in running]
        findings = [*(found for one in judged for found in one.findings), *self._twice(self._node, 0)]
        return Reading(
            kind="compose",
            source=self._source,
            findings=tuple(dict.fromkeys(findings)),
            listeners=tuple(listener for one in judged for listener in one.listeners),
            ports=tuple(port for one in running for port in ports_of(self._source, one)),
            mounts=tuple(mount for one in judged for mount in _mounts(one)),
            facts=facts(judged),
            includes=tuple(dict.fromkeys(self._includes())),
            parts=tuple(dict.fromkeys(self._extended())),
            environment=self._environment,
            variables=tuple(dict.fromkeys(self._variable_files())),
        )

    def _close(self, entry: Published) -> tuple[Edit, ...]:
        return to_loopback(self._source, entry, self._environment)

    # ---- one service

    def _workload(self, pair: Pair) -> Workload:
        parts = self._parts(pair)
        files = _mounted(parts, self._node, self._environment)
        reference = self._image(parts)
        image = image_of(reference) if reference else None
        own = self._variables(parts)
        ports = tuple(one for part in parts for one in published(part.get("ports"), self._environment))
        ports += routed(parts, self._environment, own)
        unpublished, host_at = self._network(parts)
        if unpublished is Reach.EVERYWHERE:
            ports = ()  # Compose refuses or drops them there.
        return Workload(
            name=pair.name,
            offset=pair.key.span[0],
            image=image,
            product=product_of(image, " ".join(_words(parts))),
            variables=own,
            environment=parts[0].get("environment"),
            elsewhere=any(map(self._is_missing, parts)) or any(map(_unread, files)),
            published=ports,
            unpublished=unpublished,
            host_at=host_at,
            files=tuple(dict.fromkeys(one.path for one in files if one.path)),
            built=next(filter(None, (built_in(part, self._environment) for part in parts)), None),
            configured=any(_says_more(one) for one in files),
            inline=tuple((one.target, one.content) for one in files if one.content),
            command=" ".join(word.value for part in parts for word in scalars(part.get("command"))),
        )

    def _parts(self, pair: Pair) -> tuple[Pairs, ...]:
        """A service, and what it extends."""
        return tuple(self._with_bases(pair.value, 0)) if isinstance(pair.value, Pairs) else ()

    def _variables(self, parts: tuple[Pairs, ...]) -> Mapping[str, Variable]:
        """What the service sets, over what its bases set; a secret that is named after a variable is one."""
        found = {one.name: one for part in reversed(parts) for one in self._from_files(part)}
        for part in reversed(parts):
            named = (word for word in scalars(part.get("secrets")) if option_of(word.value))
            found |= {word.value: Variable(word.value, None, word.span[0]) for word in named}
            found |= variables(part.get("environment"), self._environment)
        return found

    def _from_files(self, part: Pairs) -> Iterator[Variable]:
        """What the files set that a service names; its own variables take their place."""
        known = files_of(self._environment)
        for name, at in self._env_files(part):
            said = known.get(name or "", {})
            yield from (Variable(one, value, at, elsewhere=True) for one, value in said.items())

    def _is_missing(self, part: Pairs) -> bool:
        """Whether it names a file that could not be read."""
        known = files_of(self._environment)
        return any(name not in known for name, _ in self._env_files(part))

    def _env_files(self, part: Pairs) -> Iterator[tuple[str | None, int]]:
        """The files that set variables of a service, and where they are named; None: by what is not known."""
        named = part.get("env_file")
        for item in named.items if isinstance(named, Sequence) else (named,):
            path = item.get("path") if isinstance(item, Pairs) else item
            text = text_of(path)
            if path is not None and text is not None:
                yield resolved(text, self._environment).value, path.span[0]

    def _with_bases(self, service: Pairs, depth: int) -> Iterator[Pairs]:
        """The service, then what it extends in this file, the nearest first."""
        yield service
        extends = service.get("extends")
        name = text_of(extends.get("service")) if isinstance(extends, Pairs) else text_of(extends)
        elsewhere = isinstance(extends, Pairs) and extends.get("file") is not None
        base = self._services.get(name or "")
        if base is not None and not elsewhere and depth < _DEEPEST and isinstance(base.value, Pairs):
            yield from self._with_bases(base.value, depth + 1)

    def _image(self, parts: tuple[Pairs, ...]) -> str | None:
        """The image, without variables of which nothing is known: mostly the tag."""
        found = (text_of(part.get("image")) for part in parts)
        text = next((one for one in found if one), None)
        known = None if text is None else resolved(text, self._environment).value
        return _VARIABLE.sub("", text) if known is None and text is not None else known

    def _network(self, parts: tuple[Pairs, ...]) -> tuple[Reach, int | None]:
        """Who reaches what is not published, and where the file says so."""
        for part in parts:
            mode = part.get("network_mode") or part.get("net")
            if text_of(mode) == "host" and mode is not None:
                return Reach.EVERYWHERE, mode.span[0]
            for name, at in _networks(part):
                driver = self._node.get("networks", name, "driver")
                if text_of(driver) in _OUTSIDE or name == "host":
                    return Reach.EVERYWHERE, at
        return Reach.CONTAINERS, None

    # ---- the file

    def _includes(self) -> Iterator[str]:
        include = self._node.get("include")
        for item in include.items if isinstance(include, Sequence) else ():
            path = item.get("path") if isinstance(item, Pairs) else item
            yield from (word.value for word in scalars(path))

    def _variable_files(self) -> Iterator[str]:
        """Files that set variables of its services."""
        for pair in self._services.values():
            named = self._env_files(pair.value) if isinstance(pair.value, Pairs) else ()
            yield from (name for name, _ in named if name)

    def _extended(self) -> Iterator[str]:
        """Other files whose services it extends; this one may be named as well."""
        for pair in self._services.values():
            extends = pair.value.get("extends") if isinstance(pair.value, Pairs) else None
            name = text_of(extends.get("file")) if isinstance(extends, Pairs) else None
            if name:
                yield name

    def _twice(self, node: Node, depth: int) -> Iterator[Finding]:
        """Keys that stand twice, as far down as the options of a service."""
        if not isinstance(node, Pairs) or depth > 3:
            return
        for pair in node.twice:
            says = f"{pair.name} stands twice: Compose refuses the file, older ones take the last"
            yield finding("LG-COMPOSE-008", self._source, pair.key.span[0], pair.name, says)
        for pair in node.pairs:
            yield from self._twice(pair.value, depth + 1)


def _mounts(one: Exposed) -> Iterator[Mount]:
    """A container and what configures it, the options that its image lays under and over that among it."""
    workload = one.workload
    layers = one.orthanc.layers if one.orthanc else Layers()
    mount = Mount(workload.name, workload.files, workload.known(), workload.unpublished, layers)
    yield mount
    if workload.built is not None:
        yield replace(mount, files=(workload.built,), built=True)


def _says_more(one: Mounted) -> bool:
    """Whether it configures the container, and does not stand in the compose file."""
    return one.content is None and is_configuration(one.target)


def _unread(one: Mounted) -> bool:
    """Whether it configures the container, and lies where nothing is read."""
    return one.path is None and _says_more(one)


def _mounted(parts: tuple[Pairs, ...], project: Pairs, environment: Environment) -> list[Mounted]:
    """What a service and its bases mount."""
    return [one for part in parts for one in mounted(part, project, environment)]


def _networks(part: Pairs) -> Iterator[tuple[str, int]]:
    node = part.get("networks")
    if isinstance(node, Pairs):
        yield from ((pair.name, pair.key.span[0]) for pair in node)
    else:
        yield from ((word.value, word.span[0]) for word in scalars(node))


def _words(parts: tuple[Pairs, ...]) -> Iterator[str]:
    """What tells the product of an image that is not known."""
    for part in parts:
        for name in ("image", "build", "volumes", "command", "entrypoint"):
            node = part.get(name)
            some = [pair.value for pair in node] if isinstance(node, Pairs) else [node]
            yield from (word.value[:200] for one in some for word in scalars(one))

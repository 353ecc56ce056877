"""One container, as a compose file or a manifest describes it: the same words for both."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from leadglass.configs.containers.images import Image, Product
from leadglass.configs.containers.ports import Published
from leadglass.configs.reading import Port, Reach
from leadglass.configs.source import Source
from leadglass.configs.yaml_edits import added_item, added_pair, rewritten
from leadglass.configs.yaml_nodes import Mapping as Pairs
from leadglass.configs.yaml_nodes import Node, Scalar, Sequence
from leadglass.model.finding import Edit

__all__ = ["Variable", "Workload", "ports_of"]

_WIDEST, _MOST = 64, 1024
"""Ports of one entry, and of one container, that are told one by one."""


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable of a container's environment."""

    name: str
    value: str | None = field(repr=False)
    """None: it is set, to what is not known."""
    offset: int
    node: Scalar | None = None
    """The scalar to rewrite: the value, or the whole entry ``NAME=value`` of a list."""
    entry: bool = False
    """It is an entry of a list."""
    key: Scalar | None = None
    """The scalar of its name, in a mapping."""
    raw: str | None = field(default=None, repr=False)
    """The value as written, with the variables in it."""
    elsewhere: bool = False
    """It stands in a file beside this one, and one more variable here would take its place."""

    def set_to(self, source: Source, value: str) -> tuple[Edit, ...]:
        """The change that gives it another value."""
        if self.node is None:
            return ()
        return rewritten(source, self.node, f"{self.name}={value}" if self.entry else value)

    def called(self, source: Source, name: str) -> tuple[Edit, ...]:
        """The change that gives it another name."""
        if self.entry and self.node is not None:
            return rewritten(source, self.node, f"{name}={self.raw or ''}")
        return () if self.key is None else rewritten(source, self.key, name)


@dataclass(frozen=True, slots=True)
class Workload:
    """One container."""

    name: str
    offset: int
    image: Image | None
    product: Product | None
    variables: Mapping[str, Variable]
    environment: Node | None = None
    """Where the variables stand, for one more."""
    elsewhere: bool = False
    """Further variables or files come from what was not read: an environment file, a secret."""
    published: tuple[Published, ...] = ()
    unpublished: Reach = Reach.CONTAINERS
    """Of its other ports: ``EVERYWHERE`` in the host's own network."""
    host_at: int | None = None
    """Where the file puts it into the host's network."""
    files: tuple[str, ...] = ()
    """Configuration files and folders that it mounts, beside this file."""
    built: str | None = None
    """The folder beside this file that its image is built in."""
    configured: bool = False
    """A file says more of it that does not stand here."""
    inline: tuple[tuple[str, Scalar], ...] = ()
    """Files whose content stands in this file, by where they are mounted."""
    command: str = field(default="", repr=False)  # may hold a password

    @property
    def burden(self) -> int:
        """Characters of the files that stand in this one, for whoever bounds what is read of them."""
        said = self.variables.get("ORTHANC_JSON")
        return len((said and said.value) or "") + sum(len(content.value) for _, content in self.inline)

    def reach(self, port: int) -> Reach:
        """Who reaches a port of the container."""
        found = [one.reach for one in self.published if port in one.inside and one.protocol == "tcp"]
        order = (Reach.EVERYWHERE, Reach.UNKNOWN, Reach.NAMED, Reach.LOOPBACK)
        return min(found, key=order.index) if found else self.unpublished

    def entries(self, port: int, reach: Reach) -> Iterator[Published]:
        """What publishes a port so."""
        return (
            one
            for one in self.published
            if port in one.inside and one.reach is reach and one.protocol == "tcp"
        )

    def known(self) -> Mapping[str, str | None]:
        """Its variables and what they are set to."""
        return {name: variable.value for name, variable in self.variables.items()}

    def with_variable(self, source: Source, name: str, value: str) -> tuple[Edit, ...]:
        """The change that adds a variable."""
        if isinstance(self.environment, Pairs):
            return added_pair(source, self.environment, name, value)
        if isinstance(self.environment, Sequence):
            return added_item(source, self.environment, f"{name}={value}")
        return ()


def ports_of(source: Source, workload: Workload) -> Iterator[Port]:
    """What it publishes, port by port; of a wide range the first ones."""
    return itertools.islice(_ports(source, workload), _MOST)


def _ports(source: Source, workload: Workload) -> Iterator[Port]:
    for one in workload.published:
        line = source.place(one.offset).line
        for inside in one.inside[:_WIDEST] if one.protocol == "tcp" else ():
            yield Port(workload.name, inside, one.at(inside), one.reach, workload.files, line)

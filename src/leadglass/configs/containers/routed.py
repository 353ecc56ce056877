"""Ports that a proxy leads to by what a container says of itself: labels for Traefik, variables for nginx-proxy.

Neither stands under ``ports``, and whoever reaches the proxy reaches the container.
https://doc.traefik.io/traefik/routing/providers/docker/, https://github.com/nginx-proxy/nginx-proxy
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from leadglass.configs.containers.environment import variables
from leadglass.configs.containers.ports import Published
from leadglass.configs.containers.workload import Variable
from leadglass.configs.kinds import Environment
from leadglass.configs.reading import Reach
from leadglass.configs.yaml_nodes import Mapping as Pairs
from leadglass.configs.yaml_nodes import Node

__all__ = ["routed"]

_PORT = re.compile(
    r"traefik\.(?:(?:http|tcp)\.services\.[^.]+\.loadbalancer\.server\.port|port)", re.IGNORECASE
)
_ASKS = re.compile(
    r"traefik\.http\.middlewares\.[^.]+\.(?:basicauth|digestauth|forwardauth)\.", re.IGNORECASE
)
_NUMBER = re.compile(r"[1-9]\d{0,4}")
_LAST = 65535


def routed(
    parts: Sequence[Pairs], environment: Environment, own: Mapping[str, Variable]
) -> tuple[Published, ...]:
    """What is led to for everybody; nothing where the labels let the proxy ask who is calling."""
    nodes = [node for part in parts for node in (part.get("labels"), part.get("deploy", "labels"))]
    labels = {name: one for node in nodes for name, one in variables(node, environment).items()}
    if any(_asks(one) for one in labels.values()):
        return ()
    named = [one for one in labels.values() if _PORT.fullmatch(one.name)] if _is_on(labels) else []
    host, port = own.get("VIRTUAL_HOST"), own.get("VIRTUAL_PORT")
    named += [port] if host is not None and port is not None else []
    return tuple(found for one in named for found in _published(one))


def _is_on(labels: Mapping[str, Variable]) -> bool:
    enabled = labels.get("traefik.enable")
    return enabled is None or enabled.value != "false"


def _asks(label: Variable) -> bool:
    """Whether it is a login, or names one that stands elsewhere."""
    return bool(_ASKS.match(label.name)) or (
        label.name.endswith(".middlewares") and "auth" in (label.value or "auth").lower()
    )


def _published(label: Variable) -> Iterator[Published]:
    node: Node | None = label.node
    if node is not None and _NUMBER.fullmatch(label.value or "") and int(label.value or "") <= _LAST:
        port = int(label.value or "")
        yield Published(range(port, port + 1), None, Reach.UNKNOWN, node, label.offset)

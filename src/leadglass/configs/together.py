"""Files that belong together, judged together: who can reach what a server opens, as the other files say.

A compose file, a manifest or a unit starts a server with files that it mounts, and publishes its ports
or does not. A front passes requests on to a server that nobody reaches otherwise. What one file
exposes is therefore more, or less, than the file alone says.
"""

from __future__ import annotations

import dataclasses
import posixpath
from collections import ChainMap, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from leadglass.configs.kinds import Environment
from leadglass.configs.orthanc.readers import KIND as ORTHANC
from leadglass.configs.published import as_opened
from leadglass.configs.reading import Layers, Listener, Mount, Port, Reach, Reading
from leadglass.configs.ways import Door, Doors, Way, ancestors, beside, least_open, most_open
from leadglass.model.finding import Certainty, Finding
from leadglass.model.verdict import Access, Severity

__all__ = ["LOWERED", "environments", "laid", "servers", "together"]

_SAME: Mapping[Severity, Severity] = {severity: severity for severity in Severity}
_INSIDE: Mapping[Severity, Severity] = {**dict.fromkeys(Severity, Severity.LOW), Severity.NONE: Severity.NONE}

LOWERED: Mapping[Reach, Mapping[Severity, Severity]] = {
    Reach.EVERYWHERE: _SAME,
    Reach.UNKNOWN: _SAME,
    Reach.NAMED: {
        Severity.CRITICAL: Severity.HIGH,
        Severity.HIGH: Severity.MEDIUM,
        Severity.MEDIUM: Severity.LOW,
        Severity.LOW: Severity.LOW,
        Severity.NONE: Severity.NONE,
    },
    Reach.BEHIND_FRONT: _INSIDE,
    Reach.CONTAINERS: _INSIDE,
    Reach.LOOPBACK: _INSIDE,
}
"""What becomes of a severity when the listener is reached so. Behind a front: one that asks who it is."""

_SAYS: Mapping[Reach, str] = {
    Reach.EVERYWHERE: "publishes it on all interfaces",
    Reach.NAMED: "publishes it to named addresses only",
    Reach.CONTAINERS: "publishes it to no one but other containers",
    Reach.LOOPBACK: "publishes it on loopback only",
}
_SHUT = frozenset({Reach.CONTAINERS, Reach.LOOPBACK})
"""Where a front is the only way for a stranger."""

_ASKS = frozenset({Access.DEMANDS_LOGIN, Access.DEMANDS_CERTIFICATE})

_COMPOSE = "compose"
_Service = tuple[str, str]
"""A folder, and a service of the compose files in it."""
_Name = tuple[str, str]
"""The path of a file, and the name of its listener."""


@dataclass(frozen=True, slots=True)
class _Passage:
    """One way through a front."""

    path: str
    """Of the front's file."""
    way: Way
    doors: Sequence[Door]
    """Listeners behind it; none: they were not read."""


@dataclass(frozen=True, slots=True)
class _Home:
    """Who starts the server that a file configures."""

    starter: Reading
    mount: Mount
    others: Sequence[Reading] = ()
    """Compose files beside the starter that publish ports of it, as an override does."""

    @property
    def ports(self) -> Sequence[Port]:
        """What is published for it."""
        files = (self.starter, *self.others)
        return [port for file in files for port in file.ports if port.owner == self.mount.owner]

    def way(self, inside: int | None) -> Way:
        """How the port ``inside`` is reached; None: any of them."""
        ways = [
            way for file in (self.starter, *self.others) for way in _published(file, self.mount.owner, inside)
        ]
        unpublished = self.mount.unpublished
        return most_open(ways) if ways else Way(unpublished, _said(self.starter.source.path, unpublished))


def environments(readings: Sequence[Reading]) -> Mapping[str, Environment]:
    """The variables that those who start a server set for its files; by path, of files that have any."""
    homes = _homes(readings)
    found = {path: dict(ChainMap(*(dict(home.mount.environment) for home in homes[path]))) for path in homes}
    return {path: variables for path, variables in found.items() if variables}


def laid(readings: Sequence[Reading]) -> Mapping[str, Layers]:
    """What the image of the container that a file is mounted into sets beside it; by path, of files that are."""
    return {path: homes[0].mount.layers for path, homes in _homes(readings).items()}


def servers(readings: Sequence[Reading]) -> Mapping[str, str]:
    """The server that a file is mounted into, under a name of its own; by path, of files that are."""
    homes = {path: found[0] for path, found in _homes(readings).items()}
    return {
        path: f"{home.starter.source.path} {home.mount.owner}"
        for path, home in homes.items()
        if not home.mount.built
    }


def together(readings: Sequence[Reading]) -> Sequence[Reading]:
    """The readings, with the reach of every listener, and findings as severe and as sure as that makes them."""
    homes = _homes(readings)
    passages = _passages(readings, homes)
    fronts = _by_door(passages)
    backed = _backed(readings, passages)
    opened = _opened(readings, homes)
    publishing = _publishing(readings)
    judged = (
        as_opened(
            _judged(reading, _ways(reading, homes.get(reading.source.path, ()), fronts, publishing)),
            opened[reading.source.path],
        )
        for reading in readings
    )
    return [
        _asked_behind(one, backed[one.source.path]) if one.source.path in backed else one for one in judged
    ]


# ---- who starts what


def _homes(readings: Sequence[Reading]) -> Mapping[str, Sequence[_Home]]:
    """By the path of a reading."""
    mounted: defaultdict[str, list[_Home]] = defaultdict(list)
    publishing = _publishing(readings)
    for starter in readings:
        for mount in _mounts(starter):
            home = _Home(starter, mount, _others(starter, mount.owner, publishing))
            for name in mount.files:
                mounted[beside(starter.source.path, name)].append(home)
    if not mounted:
        return {}
    found = {reading.source.path: _home(reading.source.path, mounted) for reading in readings}
    return {path: homes for path, homes in found.items() if homes}


def _home(path: str, mounted: Mapping[str, Sequence[_Home]]) -> Sequence[_Home]:
    """A file is mounted itself, or else the nearest folder that it lies in; a whole project is none."""
    path = posixpath.normpath(path)
    found = (
        [home for home in mounted.get(place, ()) if not _holds(place, home.starter)]
        for place in (path, *ancestors(path))
    )
    return next(filter(None, found), ())


def _holds(place: str, starter: Reading) -> bool:
    """Whether a folder that is mounted is the one that the starter's own file is in, or above it."""
    return place in ancestors(posixpath.normpath(starter.source.path))


def _opened(
    readings: Sequence[Reading], homes: Mapping[str, Sequence[_Home]]
) -> Mapping[str, dict[str, dict[int, Listener]]]:
    """What listens in each Orthanc whose files were read; by the path of the file that starts it."""
    found: defaultdict[str, dict[str, dict[int, Listener]]] = defaultdict(dict)
    for reading in readings:
        for home in homes.get(reading.source.path, ()) if reading.kind == ORTHANC else ():
            opened = {one.port: one for one in reading.listeners if one.port is not None}
            for file in (home.starter, *home.others):
                found[file.source.path].setdefault(home.mount.owner, {}).update(opened)
    return found


def _mounts(starter: Reading) -> Iterator[Mount]:
    """What a reading starts, named as such or only by its ports."""
    yield from starter.mounts
    named = {mount.owner for mount in starter.mounts}
    files = {port.owner: port.files for port in starter.ports if port.files and port.owner not in named}
    yield from (Mount(owner, paths) for owner, paths in files.items())


# ---- how it is reached


def _ways(
    reading: Reading,
    homes: Sequence[_Home],
    fronts: Mapping[_Name, Sequence[Way]],
    publishing: Mapping[_Service, Sequence[Reading]],
) -> Mapping[str, Way]:
    """The way to each listener, by its name."""
    path = reading.source.path
    return {
        listener.name: _through(
            _overridden(reading, listener, publishing) or _direct(listener, homes),
            fronts.get((path, listener.name), ()),
        )
        for listener in reading.listeners
    }


def _direct(listener: Listener, homes: Sequence[_Home]) -> Way:
    """As its own file and those who start it have it."""
    own = Way(listener.reach)
    if not homes or listener.port is None:
        return own
    return least_open(own, most_open([home.way(listener.port) for home in homes]))


def _overridden(
    reading: Reading, listener: Listener, publishing: Mapping[_Service, Sequence[Reading]]
) -> Way | None:
    """The way that another compose file beside this one opens; None when none does."""
    if listener.reach is not Reach.CONTAINERS:
        return None
    owner = listener.name.rpartition("/")[0]
    files = _others(reading, owner, publishing)
    ways = [way for file in files for way in _published(file, owner, listener.port)]
    return most_open(ways) if ways else None


def _publishing(readings: Sequence[Reading]) -> Mapping[_Service, Sequence[Reading]]:
    """The compose files that publish ports, by their folder and the service."""
    found: defaultdict[_Service, list[Reading]] = defaultdict(list)
    for reading in readings:
        for owner in {port.owner for port in reading.ports} if reading.kind == _COMPOSE else ():
            found[posixpath.dirname(reading.source.path), owner].append(reading)
    return found


def _others(
    starter: Reading, owner: str, publishing: Mapping[_Service, Sequence[Reading]]
) -> Sequence[Reading]:
    """Those that do it for a service of another compose file."""
    if starter.kind != _COMPOSE:
        return ()
    beside_it = publishing.get((posixpath.dirname(starter.source.path), owner), ())
    return [one for one in beside_it if one is not starter]


def _published(file: Reading, owner: str, inside: int | None) -> Iterator[Way]:
    for port in file.ports:
        if port.owner == owner and inside in {None, port.inside}:
            yield Way(port.reach, _said(f"{file.source.path}, line {port.line},", port.reach))


def _through(direct: Way, fronts: Sequence[Way]) -> Way:
    """The direct way, or a front where that is the way that a stranger has."""
    if not fronts:
        return direct
    front = most_open(fronts)
    if direct.reach in _SHUT:
        return front
    return front if direct.reach is Reach.UNKNOWN and front.is_open else direct


def _passages(readings: Sequence[Reading], homes: Mapping[str, Sequence[_Home]]) -> Sequence[_Passage]:
    """The ways through all fronts that were read."""
    passing = [reading for reading in readings if reading.fronts]
    doors = Doors(_doors(readings, homes) if passing else ())
    found = []
    for reading in passing:
        path = reading.source.path
        published = [home.way(None) for home in homes.get(path, ())]
        for front in reading.fronts:
            reach = least_open(Way(front.reach), most_open(published)).reach if published else front.reach
            way = Way(
                reach, f"{path}, line {front.line}, passes {_who(front.exposure)} on to it", front.exposure
            )
            found.append(_Passage(path, way, doors.behind(path, front)))
    return found


def _by_door(passages: Sequence[_Passage]) -> Mapping[_Name, Sequence[Way]]:
    """The ways through fronts, by what they lead to."""
    found: defaultdict[_Name, list[Way]] = defaultdict(list)
    for passage in passages:
        for door in passage.doors:
            found[door.path, door.listener].append(passage.way)
    return found


def _backed(readings: Sequence[Reading], passages: Sequence[_Passage]) -> Mapping[str, str]:
    """Fronts behind which every server was read and asks for a login itself; which one, by the path of the front.

    A front that sends the login itself is none.
    """
    sending = {reading.source.path for reading in readings if reading.logs_in}
    exposure = {
        (reading.source.path, listener.name): listener.exposure
        for reading in readings
        for listener in reading.listeners
    }
    doors: defaultdict[str, list[Sequence[Door]]] = defaultdict(list)
    for passage in passages:
        if passage.path not in sending:
            doors[passage.path].append(passage.doors)
    return {
        path: behind[0][0].path
        for path, behind in doors.items()
        if all(each and all(exposure[door.path, door.listener] in _ASKS for door in each) for each in behind)
    }


def _doors(readings: Sequence[Reading], homes: Mapping[str, Sequence[_Home]]) -> Iterator[Door]:
    """Every listener that was read, as fronts would name it."""
    for reading in readings:
        path = reading.source.path
        started = {port.owner for port in reading.ports} | {mount.owner for mount in reading.mounts}
        given = homes.get(path, ())
        for listener in reading.listeners:
            own = {listener.name.rpartition("/")[0]} & started
            ports = [
                *(port for port in reading.ports if port.owner in own),
                *(port for home in given for port in home.ports),
            ]
            yield Door(
                path,
                listener.name,
                owners=(*own, *(home.mount.owner for home in given)),
                inside=listener.port,
                outside=tuple(port.outside for port in ports if port.inside == listener.port),
            )


def _who(asks: Access) -> str:
    return {
        Access.DEMANDS_LOGIN: "those who log in",
        Access.DEMANDS_CERTIFICATE: "those who show a certificate",
        Access.FILTERED: "named addresses only",
        Access.CLOSED: "nobody",
    }.get(asks, "strangers")


# ---- what that makes of a reading


def _judged(reading: Reading, ways: Mapping[str, Way]) -> Reading:
    return dataclasses.replace(
        reading,
        listeners=tuple(_reached(listener, ways[listener.name]) for listener in reading.listeners),
        findings=tuple(_weighed(finding, ways.get(finding.listener or "")) for finding in reading.findings),
    )


def _asked_behind(front: Reading, behind: str) -> Reading:
    """A front that lets everybody through to a server that asks for a login itself."""
    said = f"what is behind it asks for a login itself ({behind})"
    return dataclasses.replace(
        front,
        findings=tuple(
            dataclasses.replace(one, severity=_INSIDE[one.severity], reached=said)
            if one.exposure is Access.ANSWERS_QUERY
            else one
            for one in front.findings
        ),
        listeners=tuple(
            dataclasses.replace(
                one, exposure=max(one.exposure, Access.DEMANDS_LOGIN, key=lambda access: access.rank)
            )
            for one in front.listeners
        ),
    )


def _reached(listener: Listener, way: Way) -> Listener:
    """A stranger has to pass the front as well as what is behind it."""
    if way.asks is None:
        return dataclasses.replace(listener, reach=way.reach)
    exposure = max(listener.exposure, way.asks, key=lambda access: access.rank)
    return dataclasses.replace(listener, reach=Reach.BEHIND_FRONT, exposure=exposure)


def _weighed(finding: Finding, way: Way | None) -> Finding:
    if way is None:
        return finding
    reach = Reach.BEHIND_FRONT if not way.is_open else way.reach
    return dataclasses.replace(
        finding,
        severity=LOWERED[reach][finding.severity],
        certainty=Certainty.SURE if reach is Reach.EVERYWHERE else finding.certainty,
        reached=way.said,
    )


def _said(where: str, reach: Reach) -> str:
    return f"{where} {_SAYS[reach]}" if reach in _SAYS else ""

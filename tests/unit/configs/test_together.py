"""Files that belong together are judged together: what publishes a port decides how much it matters."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Sequence

import pytest
from tests.unit.configs.linting import found, front, server, starter

from leadglass.configs.reading import Listener, Port, Reach, Reading, Service
from leadglass.configs.together import LOWERED, environments, together
from leadglass.model.finding import Certainty, Finding
from leadglass.model.verdict import Access, Severity


def judged(*readings: Reading, path: str = "orthanc.json") -> tuple[Finding, Listener]:
    """The finding and the listener of the server, among the others."""
    (reading,) = (one for one in together(readings) if one.source.path == path)
    return reading.findings[0], reading.listeners[0]


def test_a_file_alone_is_as_severe_as_it_says() -> None:
    finding, listener = judged(server())

    assert (finding.severity, finding.reached, listener.reach) == (Severity.CRITICAL, "", Reach.UNKNOWN)
    assert finding == found(listener="web")


@pytest.mark.parametrize(
    ("reach", "severity", "certainty"),
    [
        (Reach.EVERYWHERE, Severity.CRITICAL, Certainty.SURE),
        (Reach.UNKNOWN, Severity.CRITICAL, Certainty.LIKELY),
        (Reach.NAMED, Severity.HIGH, Certainty.LIKELY),
        (Reach.CONTAINERS, Severity.LOW, Certainty.LIKELY),
        (Reach.LOOPBACK, Severity.LOW, Certainty.LIKELY),
    ],
)
def test_what_publishes_the_port_decides(reach: Reach, severity: Severity, certainty: Certainty) -> None:
    said = found(listener="web", certainty=Certainty.LIKELY)
    finding, listener = judged(server("orthanc.json", said), starter(publishes=reach))

    assert (finding.severity, finding.certainty, listener.reach) == (severity, certainty, reach)


def test_the_line_that_decides_is_named() -> None:
    finding, _ = judged(server(), starter(publishes=Reach.LOOPBACK))

    assert finding.reached == "compose.yml, line 7, publishes it on loopback only"


def test_a_port_that_nobody_publishes_is_for_other_containers() -> None:
    finding, listener = judged(server(), starter(publishes=None))

    assert (finding.severity, listener.reach) == (Severity.LOW, Reach.CONTAINERS)
    assert finding.reached == "compose.yml publishes it to no one but other containers"


def test_the_hosts_own_network_publishes_everything() -> None:
    finding, _ = judged(server(), starter(publishes=None, unpublished=Reach.EVERYWHERE))

    assert (finding.severity, finding.certainty) == (Severity.CRITICAL, Certainty.SURE)


def test_another_port_of_the_same_container_changes_nothing() -> None:
    finding, _ = judged(server(port=4242), starter(publishes=Reach.EVERYWHERE))

    assert finding.severity is Severity.LOW


def test_a_finding_without_a_listener_keeps_its_severity() -> None:
    finding, _ = judged(server("orthanc.json", found()), starter(publishes=Reach.LOOPBACK))

    assert finding == found()


def test_the_server_that_listens_on_loopback_is_not_opened_by_a_published_port() -> None:
    finding, listener = judged(server(reach=Reach.LOOPBACK), starter(publishes=Reach.EVERYWHERE))

    assert (finding.severity, listener.reach) == (Severity.LOW, Reach.LOOPBACK)


def test_of_two_that_start_it_the_more_open_counts() -> None:
    shut = starter("prod.yml", publishes=Reach.LOOPBACK)
    wide = starter("dev.yml", publishes=Reach.EVERYWHERE)

    for order in itertools.permutations((server(), shut, wide)):
        finding, _ = judged(*order)
        assert (finding.severity, finding.reached[:7]) == (Severity.CRITICAL, "dev.yml")


def test_files_are_found_beside_the_one_that_names_them() -> None:
    here = starter("a/compose.yml", publishes=Reach.LOOPBACK, files=("../conf/orthanc.json",))

    assert judged(server("conf/orthanc.json"), here, path="conf/orthanc.json")[0].severity is Severity.LOW
    assert judged(server("a/orthanc.json"), here, path="a/orthanc.json")[0].severity is Severity.CRITICAL


def test_a_folder_that_is_mounted_starts_every_file_in_it() -> None:
    here = starter(publishes=Reach.LOOPBACK, files=("orthanc",))

    assert judged(server("orthanc/a/web.json"), here, path="orthanc/a/web.json")[0].severity is Severity.LOW


def test_a_container_that_is_given_the_whole_project_starts_nothing_of_it() -> None:
    web_app = starter(publishes=None, owner="app", files=(".",))

    assert judged(server(), web_app)[0].severity is Severity.CRITICAL


def test_ports_name_their_files_too() -> None:
    port = Port("archive", 8042, 8042, Reach.LOOPBACK, ("orthanc.json",))
    unit = Reading("unit", starter().source, ports=(port,))

    assert judged(server(), unit)[0].severity is Severity.LOW


# ---- fronts


def test_a_front_that_asks_nobody_opens_what_is_behind_it() -> None:
    finding, listener = judged(server(), starter(publishes=None), front())

    assert (finding.severity, finding.certainty) == (Severity.CRITICAL, Certainty.SURE)
    assert (listener.reach, listener.exposure) == (Reach.BEHIND_FRONT, Access.ANSWERS_QUERY)
    assert finding.reached == "nginx.conf, line 3, passes strangers on to it"


@pytest.mark.parametrize("asks", [Access.DEMANDS_LOGIN, Access.DEMANDS_CERTIFICATE])
def test_a_front_that_asks_who_it_is_guards_what_is_behind_it(asks: Access) -> None:
    finding, listener = judged(server(), starter(publishes=None), front(asks=asks))

    assert (finding.severity, listener.exposure) == (Severity.LOW, asks)


def test_a_front_guards_nothing_that_is_published_beside_it() -> None:
    finding, _ = judged(server(), starter(publishes=Reach.EVERYWHERE), front(asks=Access.DEMANDS_CERTIFICATE))

    assert (finding.severity, finding.certainty) == (Severity.CRITICAL, Certainty.SURE)


def test_of_two_fronts_the_open_one_counts() -> None:
    guarded = front("a.conf", asks=Access.DEMANDS_LOGIN)
    finding, _ = judged(server(), starter(publishes=None), guarded, front("b.conf"))

    assert (finding.severity, finding.reached[:6]) == (Severity.CRITICAL, "b.conf")


@pytest.mark.parametrize("port", [8042, 18042])
def test_a_front_on_the_host_knows_the_port_on_the_host(port: int) -> None:
    published = starter(publishes=Reach.LOOPBACK, outside=port)
    finding, _ = judged(server(), published, front(host="127.0.0.1", port=port))

    assert finding.severity is Severity.CRITICAL


def test_a_front_to_another_port_or_host_leads_elsewhere() -> None:
    for other in (front(port=8043), front(host="elsewhere"), front(host="127.0.0.1", port=80)):
        assert judged(server(), starter(publishes=None), other)[0].severity is Severity.LOW


def test_a_front_leads_to_the_server_of_its_own_project() -> None:
    projects = [
        reading
        for name in ("one", "two")
        for reading in (
            server(f"{name}/orthanc.json"),
            starter(f"{name}/compose.yml", publishes=None),
        )
    ]
    by_path = {
        reading.source.path: reading for reading in together([*projects, front("one/nginx/nginx.conf")])
    }

    assert by_path["one/orthanc.json"].findings[0].severity is Severity.CRITICAL
    assert by_path["two/orthanc.json"].findings[0].severity is Severity.LOW


def test_a_front_on_a_host_whose_server_may_be_reached_otherwise_takes_nothing_away() -> None:
    finding, _ = judged(server(), front(host="localhost", asks=Access.DEMANDS_LOGIN))

    assert finding.severity is Severity.CRITICAL


# ---- variables, and the table


def test_variables_of_those_who_start_a_server_reach_its_files() -> None:
    told = environments([server(), starter(environment={"USER_PASSWORD": None, "PORT": "8042"})])

    assert told == {"orthanc.json": {"USER_PASSWORD": None, "PORT": "8042"}}
    assert environments([server(), starter()]) == {}


@pytest.mark.parametrize("reach", list(Reach))
def test_no_reach_makes_a_finding_worse(reach: Reach) -> None:
    table = LOWERED[reach]

    assert set(table) == set(Severity)
    assert all(table[severity].rank >= severity.rank for severity in Severity)
    assert table[Severity.NONE] is Severity.NONE


def test_the_order_of_the_files_does_not_matter() -> None:
    def of(readings: Sequence[Reading]) -> list[Reading]:
        return sorted(together(readings), key=lambda reading: reading.source.path)

    readings = [server(), starter(publishes=None), front(), server("b/orthanc.json")]

    assert all(of(order) == of(readings) for order in itertools.permutations(readings))


# ---- what is behind a front that asks nobody


def open_front(*ports: int) -> Reading:
    """A front whose own finding is that it asks nobody, and one on its headers."""
    passing = [front(port=port) for port in ports]
    findings = (
        found("nginx.conf", listener="front"),
        found("nginx.conf", option="add_header", exposure=None),
    )
    listener = Listener("front", Service.WEB, 443, "nginx", Access.ANSWERS_QUERY, Reach.EVERYWHERE)
    return dataclasses.replace(
        passing[0],
        fronts=tuple(one.fronts[0] for one in passing),
        findings=tuple(
            dataclasses.replace(one, exposure=exposure)
            for one, exposure in zip(findings, (Access.ANSWERS_QUERY, None), strict=True)
        ),
        listeners=(listener,),
    )


def asking(path: str, exposure: Access, port: int = 8042) -> Reading:
    """A server that gives a stranger ``exposure``."""
    reading = server(path, port=port)
    return dataclasses.replace(
        reading, listeners=(dataclasses.replace(reading.listeners[0], exposure=exposure),)
    )


def front_of(*readings: Reading) -> Reading:
    return next(one for one in together(readings) if one.source.path == "nginx.conf")


def test_a_front_that_asks_nobody_is_no_matter_if_the_server_asks() -> None:
    judged_front = front_of(
        asking("orthanc.json", Access.DEMANDS_LOGIN), starter(publishes=None), open_front(8042)
    )
    first, headers = judged_front.findings

    assert (first.severity, headers.severity) == (Severity.LOW, Severity.CRITICAL)
    assert first.reached == "what is behind it asks for a login itself (orthanc.json)"
    assert judged_front.listeners[0].exposure is Access.DEMANDS_LOGIN


def test_a_front_that_sends_the_login_itself_opens_what_asks_for_one() -> None:
    sending = dataclasses.replace(open_front(8042), logs_in=True)
    judged_front = front_of(asking("orthanc.json", Access.DEMANDS_LOGIN), starter(publishes=None), sending)

    assert judged_front.findings[0].severity is Severity.CRITICAL
    assert judged_front.listeners[0].exposure is Access.ANSWERS_QUERY


@pytest.mark.parametrize("ports", [(8042, 9999), (9999,)])
def test_a_front_that_leads_elsewhere_too_keeps_its_severity(ports: tuple[int, ...]) -> None:
    server_ = asking("orthanc.json", Access.DEMANDS_LOGIN)

    assert (
        front_of(server_, starter(publishes=None), open_front(*ports)).findings[0].severity
        is Severity.CRITICAL
    )


def test_a_front_before_an_open_server_keeps_its_severity() -> None:
    judged_front = front_of(server(), starter(publishes=None), open_front(8042))

    assert judged_front.findings[0].severity is Severity.CRITICAL

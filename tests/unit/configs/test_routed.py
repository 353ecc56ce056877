"""Containers that no port publishes, and that a proxy leads to by what they say of themselves."""

from __future__ import annotations

import pytest

from leadglass.configs.lint import lint
from leadglass.configs.reading import Reach
from leadglass.configs.source import Source
from leadglass.model.verdict import Severity

COMPOSE = """\
services:
  archive:
    image: orthancteam/orthanc:25.1.1
    environment:
      ORTHANC__AUTHENTICATION_ENABLED: "false"
      {variable}
    {labels}
"""
PORT = "traefik.http.services.a.loadbalancer.server.port=8042"
RULE = "traefik.http.routers.a.rule=Host(`pacs.example.org`)"


def judged(labels: str = "", variable: str = "A: b") -> tuple[Severity, dict[str, Reach]]:
    """The open web interface's severity, and how each port is reached."""
    linted = lint([Source("compose.yaml", COMPOSE.format(labels=labels, variable=variable))])
    (found,) = (one for one in linted.findings if one.rule == "LG-ORTHANC-001")
    return found.severity, {one.name: one.reach for one in linted.readings[0].listeners}


@pytest.mark.parametrize(
    ("labels", "variable"),
    [
        (f'labels: ["{RULE}", "{PORT}"]', "A: b"),
        ("labels: {traefik.http.services.a.loadbalancer.server.port: 8042}", "A: b"),
        (f'deploy: {{labels: ["{PORT}", "traefik.http.routers.a.middlewares=to-https"]}}', "A: b"),
        ('labels: ["traefik.port=8042"]', "A: b"),
        ("", "VIRTUAL_HOST: pacs.example.org\n      VIRTUAL_PORT: 8042"),
    ],
)
def test_whoever_reaches_the_proxy_reaches_what_it_leads_to(labels: str, variable: str) -> None:
    severity, reached = judged(labels, variable)

    assert severity is Severity.CRITICAL
    assert reached == {"archive/web": Reach.UNKNOWN, "archive/dicom": Reach.CONTAINERS}


@pytest.mark.parametrize(
    "labels",
    [
        "",
        f'labels: ["{PORT}", "traefik.enable=false"]',
        f'labels: ["{PORT}", "traefik.http.middlewares.m.basicauth.usersfile=/users"]',
        f'labels: ["{PORT}", "traefik.http.routers.a.middlewares=authelia@docker"]',
        'labels: ["traefik.http.services.a.loadbalancer.server.port=http"]',
    ],
)
def test_a_proxy_that_asks_or_does_not_lead_there_opens_nothing(labels: str) -> None:
    assert judged(labels)[0] is Severity.LOW

"""Kubernetes manifests: who is let in to what."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadglass.configs.containers.kubernetes import read, recognises
from leadglass.configs.reading import Login, Reach, Reading
from leadglass.configs.source import Source, edited
from leadglass.errors import ConfigError
from leadglass.model.verdict import Access

FIXTURE = Path(__file__).parents[2] / "fixtures" / "configs" / "kubernetes" / "orthanc.yaml"
POD = """\
apiVersion: v1
kind: Pod
metadata: {name: db, labels: {app: db}}
spec:
  SPEC
  containers:
  - name: db
    image: postgres
    PORTS
"""
SERVICE = """\
---
apiVersion: v1
kind: Service
metadata: {name: db, annotations: {ANNOTATIONS}}
spec:
  selector: {app: db}
  ports:
  - port: 5432
  SPEC
"""


def reading(text: str) -> Reading:
    source = Source("k.yaml", text)
    assert recognises(source)
    return read(source, {})


def pod(*, spec: str = "", ports: str = "") -> str:
    return POD.replace("SPEC", spec).replace("PORTS", ports)


def service(*, spec: str = "", annotations: str = "") -> str:
    return SERVICE.replace("SPEC", spec).replace("ANNOTATIONS", annotations)


def test_an_archive_with_its_config_map_is_judged_where_each_thing_stands() -> None:
    found = reading(FIXTURE.read_text())
    places = {(finding.rule, finding.place.line) for finding in found.findings}

    assert {("LG-ORTHANC-001", 11), ("LG-ORTHANC-021", 12), ("LG-K8S-001", 54), ("LG-K8S-004", 111)} <= places
    assert {listener.name: listener.reach for listener in found.listeners} == {
        "orthanc/web": Reach.CONTAINERS,
        "orthanc/dicom": Reach.EVERYWHERE,
        "db/database": Reach.EVERYWHERE,
    }


def test_an_ingress_is_a_way_to_the_container_behind_its_service() -> None:
    found = reading(FIXTURE.read_text())

    assert [(front.host, front.port, front.exposure, front.reach) for front in found.fronts] == [
        ("orthanc", 8042, Access.ANSWERS_QUERY, Reach.EVERYWHERE)
    ]


@pytest.mark.parametrize(
    ("annotation", "exposure", "reach"),
    [
        ("nginx.ingress.kubernetes.io/auth-url: https://id", Access.DEMANDS_LOGIN, Reach.EVERYWHERE),
        ("nginx.ingress.kubernetes.io/auth-tls-secret: a/b", Access.DEMANDS_CERTIFICATE, Reach.EVERYWHERE),
        (
            "nginx.ingress.kubernetes.io/whitelist-source-range: 192.0.2.0/24",
            Access.ANSWERS_QUERY,
            Reach.NAMED,
        ),
        (
            "nginx.ingress.kubernetes.io/whitelist-source-range: '0.0.0.0/0'",
            Access.ANSWERS_QUERY,
            Reach.EVERYWHERE,
        ),
    ],
)
def test_annotations_say_what_an_ingress_asks(annotation: str, exposure: Access, reach: Reach) -> None:
    text = FIXTURE.read_text().replace(
        "kind: Ingress\nmetadata:\n", f"kind: Ingress\nmetadata:\n  annotations:\n    {annotation}\n"
    )
    (front,) = reading(text).fronts

    assert (front.exposure, front.reach) == (exposure, reach)


@pytest.mark.parametrize(
    ("text", "reach"),
    [
        (pod(), Reach.CONTAINERS),
        (pod() + service(), Reach.CONTAINERS),
        (pod() + service(spec="type: NodePort"), Reach.EVERYWHERE),
        (pod() + service(spec="type: LoadBalancer"), Reach.EVERYWHERE),
        (pod() + service(spec="externalIPs: [192.0.2.1]"), Reach.EVERYWHERE),
        (pod() + service(spec="type: LoadBalancer\n  loadBalancerSourceRanges: [192.0.2.0/24]"), Reach.NAMED),
        (
            pod() + service(spec="type: LoadBalancer\n  loadBalancerSourceRanges: ['0.0.0.0/0']"),
            Reach.EVERYWHERE,
        ),
        (
            pod()
            + service(
                spec="type: LoadBalancer",
                annotations="service.beta.kubernetes.io/azure-load-balancer-internal: 'true'",
            ),
            Reach.NAMED,
        ),
        (pod(spec="hostNetwork: true"), Reach.EVERYWHERE),
        (pod(ports="ports: [{containerPort: 5432, hostPort: 5432}]"), Reach.EVERYWHERE),
        (pod(ports="ports: [{containerPort: 5432, hostPort: 5432, hostIP: 127.0.0.1}]"), Reach.LOOPBACK),
        (pod(ports="ports: [{containerPort: 5432}]"), Reach.CONTAINERS),
    ],
)
def test_the_reach_of_a_database(text: str, reach: Reach) -> None:
    found = reading(text)

    assert [listener.reach for listener in found.listeners] == [reach]
    assert ("LG-K8S-004" in {finding.rule for finding in found.findings}) is (reach is Reach.EVERYWHERE)


def test_a_service_of_one_port_is_made_internal() -> None:
    found = reading(pod() + service(spec="type: NodePort  # for now"))
    after = edited(found.source.text, [edit for finding in found.findings for edit in finding.edits])

    assert "type: ClusterIP  # for now" in after
    assert [listener.reach for listener in reading(after).listeners] == [Reach.CONTAINERS]


def test_a_port_of_the_node_is_bound_to_it() -> None:
    found = reading(pod(ports="ports: [{containerPort: 5432, hostPort: 5432}]"))
    after = edited(found.source.text, [edit for finding in found.findings for edit in finding.edits])

    assert 'hostPort: 5432, hostIP: "127.0.0.1"}' in after


def test_a_service_whose_pods_are_elsewhere_is_known_by_its_port() -> None:
    found = reading(service(spec="type: NodePort"))

    assert [(listener.name, listener.product) for listener in found.listeners] == [
        ("db/database-5432", "unknown")
    ]


def test_a_password_is_judged_wherever_it_stands_in_the_file() -> None:
    encoded = (
        "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\ndata: {p: cG9zdGdyZXM=}\n"
        + pod(ports="env: [{name: POSTGRES_PASSWORD, valueFrom: {secretKeyRef: {name: s, key: p}}}]")
    )  # fmt: skip
    elsewhere = encoded.replace("name: s, key", "name: t, key")

    assert (
        reading(
            encoded.replace("---\n", "", 1).replace(
                "apiVersion: v1\nkind: Pod", "---\napiVersion: v1\nkind: Pod"
            )
        )
        .listeners[0]
        .login
        is Login.DEFAULT
    )
    assert (
        reading(elsewhere.replace("apiVersion: v1\nkind: Pod", "---\napiVersion: v1\nkind: Pod"))
        .listeners[0]
        .login
        is Login.EXTERNAL
    )


def test_objects_of_a_list_are_read_too() -> None:
    text = '{"apiVersion": "v1", "kind": "List", "items": [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}, "spec": {"containers": [{"image": "redis"}]}}]}'

    assert [listener.name for listener in reading(text).listeners] == ["a/database"]


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("apiVersion: v1\nkind: Service\n", True),
        ("# Helm\n{{- if .x }}\napiVersion: v1\nkind: Service\n{{- end }}\n", True),
        ('{"apiVersion": "v1",\n"kind": "Pod"}', True),
        ("kind: Service\n", False),
        ("services:\n  a:\n    image: b\n", False),
    ],
)
def test_manifests_are_told_from_others(text: str, is_one: bool) -> None:
    assert recognises(Source("x", text)) is is_one


def test_a_template_is_said_to_be_one() -> None:
    with pytest.raises(ConfigError, match="a Helm template, not yet a manifest; run helm template"):
        read(Source("t.yaml", "apiVersion: v1\nkind: Service\n{{- if .x }}\na: b\n"), {})


@pytest.mark.parametrize(
    "text",
    [
        "- 1\n",
        "kind: Pod\napiVersion: v1\nspec: {containers: [{env: [1, {name: [a]}], volumeMounts: [{}]}]}\n",
    ],
)
def test_what_is_no_object_is_passed_over(text: str) -> None:
    assert read(Source("t.yaml", text), {}).findings == ()

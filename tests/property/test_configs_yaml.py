"""Compose files of any shape: read or refused, and changed no more than is said."""

from __future__ import annotations

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from leadglass.configs.containers import compose, kubernetes
from leadglass.configs.reading import Reach, Reading
from leadglass.configs.source import Source, edited
from leadglass.configs.yaml_nodes import Mapping, Node, Scalar, Sequence, documents
from leadglass.errors import ConfigError

WORDS = st.text("abcxyz019_-./ :#'\"é\n", max_size=12)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(0, 99999) | WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=4),
    max_leaves=20,
)
ADDRESSES = st.sampled_from(
    ["", "127.0.0.1:", "0.0.0.0:", "192.0.2.7:", "[::1]:", "${BIND}:", "${BIND:-127.0.0.1}:"]
)
NUMBERS = st.sampled_from(
    ["80", "104", "389", "4242", "5432", "8042", "8080", "9000", "11112", "${P}", "${P:-8042}"]
)
SHORT = st.builds(
    "{}{}:{}{}".format,
    ADDRESSES,
    NUMBERS,
    st.sampled_from(["8042", "4242", "5432", "11112"]),
    st.sampled_from(["", "/tcp", "/udp"]),
)
LONG = st.fixed_dictionaries(
    {"target": st.sampled_from([8042, 4242, 5432])},
    optional={
        "published": NUMBERS,
        "host_ip": st.sampled_from(["127.0.0.1", "0.0.0.0"]),
        "mode": st.just("host"),
    },
)
IMAGES = st.sampled_from(
    [
        "postgres:16",
        "redis",
        "orthancteam/orthanc",
        "jodogne/orthanc",
        "dcm4che/slapd-dcm4chee:2",
        "dcm4che/dcm4chee-arc-psql:5-secure",
        "example/x",
        "minio/minio",
    ]
)
VARIABLES = st.dictionaries(
    st.sampled_from(
        [
            "POSTGRES_PASSWORD",
            "ORTHANC__AUTHENTICATION_ENABLED",
            "ORTHANC__REGISTERED_USERS",
            "ORTHANC_JSON",
            "LDAP_ROOTPASS",
            "POSTGRES_HOST_AUTH_METHOD",
            "X",
        ]
    ),
    st.sampled_from(
        [
            "false",
            "true",
            "secret",
            "trust",
            "${PW}",
            "${PW:-pacs}",
            "{}",
            '{"a": "b"}',
            '{"DicomAlwaysAllowFind": true}',
        ]
    ),
    max_size=4,
)
SERVICES = st.fixed_dictionaries(
    {"image": IMAGES},
    optional={
        "ports": st.lists(SHORT | LONG, min_size=1, max_size=4),
        "environment": VARIABLES
        | VARIABLES.map(lambda some: [f"{name}={value}" for name, value in some.items()]),
        "network_mode": st.sampled_from(["host", "bridge"]),
        "volumes": st.lists(
            st.sampled_from(["./o.json:/etc/orthanc/orthanc.json", "d:/var/lib/x"]), max_size=2
        ),
        "command": WORDS,
    },
)
PROJECTS = st.dictionaries(st.sampled_from("abcd"), SERVICES, min_size=1, max_size=4)


def text_of(project: Any, style: str) -> str:
    flow = {"block": False, "flow": True, "mixed": None}[style]
    return str(
        yaml.safe_dump({"services": project}, default_flow_style=flow, sort_keys=False, allow_unicode=True)
    )


def said(node: Node) -> Any:
    """The nodes as plain values, for comparing."""
    if isinstance(node, Scalar):
        return node.value
    if isinstance(node, Sequence):
        return [said(item) for item in node.items]
    return {pair.name: said(pair.value) for pair in node}


def read(text: str) -> Reading | None:
    try:
        return compose.read(Source("c.yml", text), {})
    except ConfigError:
        return None


@given(VALUES, st.booleans())
def test_every_node_stands_where_it_says(value: Any, flow: bool) -> None:
    text = yaml.safe_dump({"a": value}, default_flow_style=flow, allow_unicode=True)
    source = Source("a.yml", text)
    (node,) = documents(source)
    pending: list[Node] = [node]

    while pending:
        here = pending.pop()
        start, end = here.span
        assert 0 <= start <= end <= len(text)
        if isinstance(here, Mapping):
            pending += [pair.value for pair in here.pairs]
            for pair in here.pairs:
                assert here.start <= pair.key.start <= pair.key.end <= pair.value.span[1] <= here.end
        elif isinstance(here, Sequence):
            pending += here.items
        elif not here.style and not here.null and "\n" not in text[start:end]:
            assert text[start:end] == here.value


@given(VALUES)
def test_nodes_say_what_pyyaml_says(value: Any) -> None:
    text = yaml.safe_dump({"a": value}, allow_unicode=True)
    loaded = yaml.load(text, Loader=yaml.BaseLoader)  # makes texts only

    assert said(documents(Source("a.yml", text))[0]) == loaded


@given(PROJECTS, st.sampled_from(["block", "flow", "mixed"]))
def test_a_fix_closes_what_it_names_and_keeps_all_else(project: Any, style: str) -> None:
    text = text_of(project, style)
    found = read(text)
    if found is None:
        return
    publishing = [one for one in found.findings if one.rule.startswith("LG-COMPOSE") and one.edits]
    after = edited(text, [edit for one in publishing for edit in one.edits])
    again = read(after)

    assert again is not None
    assert not {one.option for one in publishing} & {
        one.option for one in again.findings if one.rule.startswith("LG-COMPOSE") and one.edits
    }
    assert [port.inside for port in again.ports] == [port.inside for port in found.ports]
    before, now = yaml.safe_load(text)["services"], yaml.safe_load(after)["services"]
    assert {name: {k: v for k, v in one.items() if k != "ports"} for name, one in before.items()} == {
        name: {k: v for k, v in one.items() if k != "ports"} for name, one in now.items()
    }


@given(PROJECTS)
def test_what_is_bound_to_loopback_is_never_said_to_be_open(project: Any) -> None:
    for one in project.values():
        one.pop("network_mode", None)
        one["ports"] = ["127.0.0.1:8042:8042", {"target": 5432, "host_ip": "127.0.0.1"}]
    found = read(text_of(project, "block"))

    if found is not None:
        assert {port.reach for port in found.ports} == {Reach.LOOPBACK}
        assert not [one for one in found.findings if one.rule.startswith("LG-COMPOSE")]


@given(PROJECTS)
def test_a_password_is_never_in_what_is_told(project: Any) -> None:
    hidden = "zQ7vR2mK9xW4"
    for one in project.values():
        one["environment"] = {
            "POSTGRES_PASSWORD": hidden,
            "URL": f"x://u:{hidden}@h",
            "LDAP_ROOTPASS": hidden,
        }
    found = read(text_of(project, "block"))

    assert found is not None
    assert hidden not in repr((found.findings, found.facts, found.listeners, found.ports, found.mounts))


@given(
    st.text(max_size=60),
    st.sampled_from(["services:\n  a:\n    image: b\n", "apiVersion: v1\nkind: Pod\n", ""]),
)
def test_any_text_is_read_or_refused(text: str, head: str) -> None:
    source = Source("x.yml", head + text)
    for reader in (compose, kubernetes):
        if reader.recognises(source):
            try:
                reader.read(source, {})
            except ConfigError as exc:
                assert str(exc).startswith("x.yml:")  # noqa: PT017  # its place is part of it

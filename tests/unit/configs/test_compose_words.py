"""The small grammars of a compose file: variables, ports, images, mounts, environments."""

from __future__ import annotations

import pytest

from leadglass.configs.containers.environment import variables
from leadglass.configs.containers.images import Image, image_of, product_of
from leadglass.configs.containers.mounts import mounted
from leadglass.configs.containers.orthanc_image import option_of
from leadglass.configs.containers.ports import published, reach_of
from leadglass.configs.containers.variables import resolved
from leadglass.configs.reading import Reach
from leadglass.configs.source import Source
from leadglass.configs.yaml_nodes import Mapping, Node, documents


def node(text: str) -> Node:
    (found,) = documents(Source("a.yml", text))
    return found


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", "plain"),
        ("$HOST", "h"),
        ("${HOST}x", "hx"),
        ("${NONE}", None),
        ("${NONE:-d}", "d"),
        ("${NONE-d}", "d"),
        ("${NONE:-${HOST:-q}}!", "h!"),
        ("${NONE:-a${ALSO_NONE:-b}c}", "abc"),
        ("${EMPTY:-d}", "d"),
        ("${EMPTY-d}", ""),
        ("${SECRET:-d}", None),
        ("${NONE:?tell me}", None),
        ("${HOST:?tell me}", "h"),
        ("${HOST:+there}", "there"),
        ("${NONE:+there}", ""),
        ("$$HOST", "$HOST"),
        ("$", "$"),
        ("a}b", "a}b"),
        ("${HOST", "h"),
    ],
)
def test_a_variable_stands_for_what_is_known_of_it_or_its_default(text: str, value: str | None) -> None:
    assert resolved(text, {"HOST": "h", "EMPTY": "", "SECRET": None}).value == value


def test_defaults_within_defaults_end_somewhere() -> None:
    assert resolved("${A:-" * 100_000, {}).value in {None, "${A:-" * 100_000}


def test_a_value_is_never_shown() -> None:
    assert "hidden" not in repr(resolved("${A:-hidden}", {}))


@pytest.mark.parametrize(
    ("text", "inside", "outside", "reach"),
    [
        ('"8042:8042"', "8042", "8042", Reach.EVERYWHERE),
        ("8042", "8042", None, Reach.EVERYWHERE),
        ("80:8042/tcp", "8042", "80", Reach.EVERYWHERE),
        ("127.0.0.1:8042:8042", "8042", "8042", Reach.LOOPBACK),
        ("127.0.0.1::8042", "8042", None, Reach.LOOPBACK),
        ('"[::1]:8042:8042"', "8042", "8042", Reach.LOOPBACK),
        ('"::1:8042:8042"', "8042", "8042", Reach.LOOPBACK),
        ('"[::]:8042:8042"', "8042", "8042", Reach.EVERYWHERE),
        ("0.0.0.0:8042:8042", "8042", "8042", Reach.EVERYWHERE),
        ("192.0.2.7:8042:8042", "8042", "8042", Reach.NAMED),
        ("localhost:8042:8042", "8042", "8042", Reach.LOOPBACK),
        ('"3000-3002:4000-4002"', "4000-4002", "3000-3002", Reach.EVERYWHERE),
        ('"9090-9091:8080"', "8080", "9090-9091", Reach.EVERYWHERE),
        ('"${PORT:-8042}:8042"', "8042", "8042", Reach.EVERYWHERE),
        ('"${UNKNOWN}:8042"', "8042", None, Reach.EVERYWHERE),
        ('"${UNKNOWN}:8042:8042"', "8042", "8042", Reach.UNKNOWN),
        ('"${BIND:-127.0.0.1}:8042:8042"', "8042", "8042", Reach.LOOPBACK),
        ("{target: 8042, published: '80'}", "8042", "80", Reach.EVERYWHERE),
        ("{target: 8042, published: 80, host_ip: 127.0.0.1}", "8042", "80", Reach.LOOPBACK),
        ("{target: 8042, host_ip: '${UNKNOWN}'}", "8042", None, Reach.UNKNOWN),
    ],
)
def test_each_form_of_a_port_says_who_reaches_it(
    text: str, inside: str, outside: str | None, reach: Reach
) -> None:
    (found,) = published(node(f"- {text}"), {})

    assert (_shown(found.inside), found.outside and _shown(found.outside), found.reach) == (
        inside,
        outside,
        reach,
    )


def _shown(ports: range) -> str:
    return str(ports.start) if len(ports) == 1 else f"{ports.start}-{ports[-1]}"


@pytest.mark.parametrize(
    "text", ["x", "'${ALL}'", "0:0", "1:70000", "9-3:9-3", "{published: 80}", "[80]", "'1:2:3:4'"]
)
def test_what_is_no_port_publishes_nothing(text: str) -> None:
    assert published(node(f"- {text}"), {}) == ()


def test_a_port_of_a_range_is_the_one_at_its_place() -> None:
    (found,) = published(node('- "3000-3002:4000-4002"'), {})

    assert [found.at(port) for port in (4000, 4002)] == [3000, 3002]


def test_an_address_that_is_a_name_is_not_known() -> None:
    assert reach_of("pacs.example.org") is Reach.UNKNOWN


@pytest.mark.parametrize(
    ("reference", "image"),
    [
        ("postgres", Image("postgres", "latest")),
        ("docker.io/library/postgres:16@sha256:00", Image("postgres", "16")),
        ("registry.example.org:5000/orthancteam/orthanc:24.1", Image("orthancteam/orthanc", "24.1")),
        ("localhost/a/b", Image("a/b", "latest")),
        ("quay.io/keycloak/keycloak:25", Image("quay.io/keycloak/keycloak", "25")),
    ],
)
def test_an_image_is_known_without_its_registry(reference: str, image: Image) -> None:
    assert image_of(reference) == image


@pytest.mark.parametrize(
    ("reference", "product", "web"),
    [
        ("dcm4che/dcm4chee-arc-psql:5.31.0", "dcm4chee-arc", "answers-query"),
        ("dcm4che/dcm4chee-arc-psql:5.31.0-secure", "dcm4chee-arc", "demands-login"),
        ("dcm4che/dcm4chee-arc-psql:5.31.0-secure-ui", "dcm4chee-arc", "answers-query"),
    ],
)
def test_the_secure_images_ask_for_a_login_and_the_half_secure_do_not(
    reference: str, product: str, web: str
) -> None:
    found = product_of(image_of(reference), "")

    assert found is not None
    assert found.name == product
    assert {one.name: one.exposure.value for one in found.listens}["web"] == web


def test_an_image_of_ones_own_is_known_by_what_it_mounts() -> None:
    found = product_of(image_of("example/pacs"), "./data:/opt/dcm4chee-2.18.1-psql/server")

    assert found is not None
    assert found.ended


def test_what_is_mounted_as_configuration_is_told_and_data_are_not() -> None:
    project = node("configs: {c: {file: ./conf/o.json}}\nsecrets: {s: {file: s.txt}, t: {external: true}}\n")
    service = node(
        "volumes:\n"
        "- ./orthanc.json:/etc/orthanc/orthanc.json:ro\n"
        "- ../shared/nginx:/etc/nginx\n"
        "- data:/var/lib/orthanc/db\n"
        "- ./db:/var/lib/postgresql/data\n"
        "- /srv/orthanc.json:/etc/orthanc/here.json\n"
        "- {type: bind, source: ./x.ini, target: /dicom/dicom.ini}\n"
        "- {type: volume, source: v, target: /etc/orthanc}\n"
        "- ~/y.json:/etc/orthanc/y.json\n"
        "configs: [{source: c, target: /etc/orthanc/o.json}]\n"
        "secrets: [s, t]\n"
    )
    assert isinstance(service, Mapping)
    assert isinstance(project, Mapping)

    assert [(one.target, one.path) for one in mounted(service, project, {})] == [
        ("/etc/orthanc/orthanc.json", "orthanc.json"),
        ("/etc/nginx", "../shared/nginx"),
        ("/etc/orthanc/here.json", None),
        ("/dicom/dicom.ini", "x.ini"),
        ("/etc/orthanc/y.json", None),
        ("/etc/orthanc/o.json", "conf/o.json"),
        ("/run/secrets/s", "s.txt"),
        ("/run/secrets/t", None),
    ]


@pytest.mark.parametrize(
    "text",
    ['A: x\nB: True\nC: "${D:-y}"\nE:\nF: 1\n', "- A=x\n- B=true\n- C=${D:-y}\n- E\n- F=1\n"],
    ids=["mapping", "list"],
)
def test_both_forms_of_an_environment_say_the_same(text: str) -> None:
    found = variables(node(text), {"E": "from outside"})

    assert {name: one.value for name, one in found.items()} == {
        "A": "x",
        "B": "true",
        "C": "y",
        "E": "from outside",
        "F": "1",
    }


@pytest.mark.parametrize(
    ("variable", "path"),
    [
        ("ORTHANC__POSTGRESQL", ("PostgreSQL",)),
        ("ORTHANC__OHIF__DATA_SOURCE", ("OHIF", "DataSource")),
        ("ORTHANC__MY_OWN_PLUGIN__ENABLE", ("MyOwnPlugin", "Enable")),
        ("ORTHANC__DICOM_CHECK_CALLING_AET", ("DicomCheckCallingAet",)),
        ("ORTHANC_JSON", None),
    ],
)
def test_a_variable_names_the_option_with_the_capitals_that_it_has(
    variable: str, path: tuple[str, ...] | None
) -> None:
    assert option_of(variable) == path

"""Compose files: what they publish, to whom, and what stands behind it."""

from __future__ import annotations

from pathlib import Path

import pytest

from leadglass.configs.containers.compose import read, recognises
from leadglass.configs.reading import Login, Reach, Reading
from leadglass.configs.source import Source, edited
from leadglass.errors import ConfigError
from leadglass.model.finding import Certainty, Finding
from leadglass.model.verdict import Access, Severity

FIXTURES = Path(__file__).parents[2] / "fixtures" / "configs" / "compose"


def fixture(name: str) -> Reading:
    return reading((FIXTURES / name).read_text())


def reading(text: str, **environment: str | None) -> Reading:
    source = Source("compose.yml", text)
    assert recognises(source)
    return read(source, environment)


def orthanc(environment: str, *, image: str = "orthancteam/orthanc", more: str = "") -> Reading:
    return reading(
        f"services:\n  o:\n    image: {image}\n    ports: ['8042:8042', '4242:4242']\n{more}    environment:\n{environment}"
    )


def rules(found: Reading) -> list[str]:
    return sorted({finding.rule for finding in found.findings})


def one(found: Reading, rule: str) -> Finding:
    (finding,) = (finding for finding in found.findings if finding.rule == rule)
    return finding


def closed(found: Reading, *rules: str) -> str:
    """The text with the edits of these rules made; of all when none is named."""
    edits = [
        edit for finding in found.findings if not rules or finding.rule in rules for edit in finding.edits
    ]
    return edited(found.source.text, edits)


# ---- archives as people publish them


def test_a_published_archive_with_its_directory_and_database_is_what_it_is() -> None:
    found = fixture("dcm4chee-secure.yml")

    assert found.facts == {
        "product": "dcm4chee-arc",
        "cred": "default",
        "ports": "389,5432,8080,9990,11112,2575 all-if",
        "verdict": "ports-all-interfaces",
        "exposed_http_if_public": "yes(default DB/LDAP credentials; -secure image protects UI)",
        "dicom_if_public": "any AE",
    }


def test_an_old_archive_is_known_by_its_folders_in_a_file_of_the_first_form() -> None:
    found = fixture("dcm4chee-2.yml")

    assert found.facts == {
        "product": "dcm4chee 2.x",
        "ports": "8080,11112 all-if",
        "verdict": "ports-all-interfaces",
        "exposed_http_if_public": "yes(default admin account of dcm4chee 2)",
        "dicom_if_public": "any AE",
    }
    assert "LG-CONTAINERS-007" in rules(found)


def test_ports_are_told_by_who_reaches_them() -> None:
    found = fixture("stack.yml")

    assert found.facts["ports"] == "4242,5432,6379,9000,9001,8000,80 all-if; 8042 loopback"
    assert [
        (port.outside, port.reach, port.line, port.files) for port in found.ports if port.owner == "orthanc"
    ] == [
        (4242, Reach.EVERYWHERE, 6, ("orthanc.json",)),
        (8042, Reach.LOOPBACK, 7, ("orthanc.json",)),
    ]


def test_a_mounted_file_is_named_with_the_variables_for_it() -> None:
    mount = next(mount for mount in fixture("stack.yml").mounts if mount.owner == "orthanc")

    assert mount.files == ("orthanc.json",)
    assert mount.environment == {
        "ORTHANC__POSTGRESQL__PASSWORD": None,
        "DICOM_WEB_PLUGIN_ENABLED": "true",
    }
    assert mount.unpublished is Reach.CONTAINERS


def test_what_a_mounted_file_decides_is_left_to_its_own_reading() -> None:
    found = fixture("stack.yml")

    assert not [listener for listener in found.listeners if listener.name.startswith("orthanc/")]
    assert not [finding for finding in found.findings if finding.rule.startswith("LG-ORTHANC")]
    assert one(found, "LG-COMPOSE-001").listener is None


def test_who_can_be_told_to_bind_to_loopback_is_and_nothing_else_changes() -> None:
    found = fixture("stack.yml")
    after = closed(found)

    assert '"127.0.0.1:5432:5432"' in after
    assert "- 127.0.0.1:6379:6379\n" in after
    assert '        published: 9000\n        host_ip: "127.0.0.1"\n' in after
    assert '"4242:4242"' in after  # whose modalities stand in orthanc.json
    assert rules(reading(after)) == ["LG-COMPOSE-001", "LG-CONTAINERS-001", "LG-CONTAINERS-006"]
    assert len(after.splitlines()) == len(found.source.text.splitlines()) + 1


def test_a_database_that_everybody_gets_into_is_worse_than_one_with_a_password() -> None:
    found = fixture("stack.yml")
    severities = {
        finding.option: finding.severity for finding in found.findings if finding.rule == "LG-COMPOSE-004"
    }

    assert severities == {"db:5432": Severity.HIGH, "cache:6379": Severity.CRITICAL}


# ---- Orthanc, by the image and the variables


def test_an_orthanc_of_the_image_alone_has_the_factory_user() -> None:
    found = orthanc("      VERBOSE_ENABLED: 'true'\n")

    assert found.facts["remote_http"] is True
    assert found.facts["auth"] is True
    assert found.facts["cred"] == Login.DEFAULT.value
    assert {listener.name for listener in found.listeners} == {"o/web", "o/dicom"}


def test_a_variable_is_found_where_it_stands_and_set_right_there() -> None:
    found = fixture("orthanc-open.yml")
    login = one(found, "LG-ORTHANC-001")

    assert (login.place.line, login.place.column, login.listener) == (10, 7, "orthanc/web")
    assert found.facts["find_any"] is True
    assert 'ORTHANC__AUTHENTICATION_ENABLED: "true"' in closed(found, "LG-ORTHANC-001")


def test_a_user_that_a_fix_adds_has_a_password_that_must_be_given() -> None:
    after = closed(fixture("orthanc-open.yml"), "LG-ORTHANC-001")

    assert "${ORTHANC_ADMIN_PASSWORD:?}" in after
    assert reading(after).facts["cred"] == Login.EXTERNAL.value


@pytest.mark.parametrize(
    "environment",
    [
        "      ORTHANC__AUTHENTICATION_ENABLED: false\n",
        "      - ORTHANC__AUTHENTICATION_ENABLED=false\n",
        "      AC_AUTHENTICATION_ENABLED: 'false'\n",
        '      ORTHANC_JSON: |\n        {"AuthenticationEnabled": false}\n',
        "      ORTHANC__AUTHENTICATION_ENABLED: ${LOGIN:-false}\n",
    ],
)
def test_however_it_is_said_authentication_is_off(environment: str) -> None:
    found = orthanc(environment)

    assert found.facts["auth"] is False
    assert next(one.exposure for one in found.listeners if one.name == "o/web") is Access.ANSWERS_QUERY


@pytest.mark.parametrize("image", ["orthancteam/orthanc:24.1", "osimis/orthanc:21.9", "example/archive"])
def test_images_that_take_variables_take_them(image: str) -> None:
    assert orthanc("      ORTHANC__AUTHENTICATION_ENABLED: 'false'\n", image=image).facts["auth"] is False


def test_an_image_that_reads_files_only_takes_no_variables() -> None:
    found = orthanc(
        "      ORTHANC__AUTHENTICATION_ENABLED: 'false'\n", image="jodogne/orthanc-plugins:1.12.1"
    )

    assert found.facts["auth"] is True


def test_what_stands_in_a_block_is_found_in_its_own_line() -> None:
    block = '{\n          "Name": "x",\n          "RegisteredUsers": {\n            "ann": "ann"\n          }\n        }'
    found = one(orthanc(f"      ORTHANC_JSON: |\n        {block}\n"), "LG-ORTHANC-006")
    folded = one(orthanc(f"      ORTHANC_JSON: >\n        {block}\n"), "LG-ORTHANC-006")

    assert (found.place.line, found.place.column) == (10, 13)
    assert folded.place.line == 6


def test_users_from_elsewhere_are_no_default() -> None:
    found = orthanc("      ORTHANC__REGISTERED_USERS: ${USERS}\n")

    assert found.facts["cred"] == Login.EXTERNAL.value


def test_users_in_a_secret_are_no_default() -> None:
    found = orthanc("      A: b\n", more="    secrets: [ORTHANC__REGISTERED_USERS]\n")

    assert found.facts["cred"] == Login.EXTERNAL.value


def test_a_file_that_stands_in_the_compose_file_is_read_in_place() -> None:
    found = reading(
        "services:\n  o:\n    image: orthancteam/orthanc\n    ports: ['8042:8042']\n"
        "    configs: [{source: c, target: /etc/orthanc/orthanc.json}]\n"
        'configs:\n  c:\n    content: |\n      {\n        // no login\n        "AuthenticationEnabled": false\n      }\n'
    )

    assert (one(found, "LG-ORTHANC-001").place.line, one(found, "LG-ORTHANC-001").place.column) == (11, 9)


def test_a_broken_json_in_a_variable_is_one_error_at_its_place() -> None:
    with pytest.raises(ConfigError, match=r"^compose\.yml:6:7: ORTHANC_JSON is not JSON"):
        orthanc("      ORTHANC_JSON: '{'\n")


def test_peers_that_are_declared_keep_their_port() -> None:
    without, peers = (
        orthanc(f"      ORTHANC__DICOM_MODALITIES: '{value}'\n")
        for value in ("{}", '{"ct": ["CT", "192.0.2.9", 104]}')
    )

    assert one(without, "LG-COMPOSE-001").edits
    assert not one(peers, "LG-COMPOSE-001").edits


# ---- who reaches a port


@pytest.mark.parametrize(
    ("service", "project", "reach"),
    [
        ("    ports: ['5432:5432']\n", "", Reach.EVERYWHERE),
        ("    ports: ['127.0.0.1:5432:5432']\n", "", Reach.LOOPBACK),
        ("    ports: ['192.0.2.1:5432:5432']\n", "", Reach.NAMED),
        ("    ports: ['${BIND}:5432:5432']\n", "", Reach.UNKNOWN),
        ("    expose: ['5432']\n", "", Reach.CONTAINERS),
        ("    ports: ['5432:5432/udp']\n", "", Reach.CONTAINERS),
        ("    network_mode: host\n", "", Reach.EVERYWHERE),
        ("    net: host\n", "", Reach.EVERYWHERE),
        ("    networks: [lan]\n", "networks: {lan: {driver: macvlan}}\n", Reach.EVERYWHERE),
        ("    networks: [lan]\n", "networks: {lan: {driver: bridge}}\n", Reach.CONTAINERS),
        ("    ports: ['5000-6000:5000-6000']\n", "", Reach.EVERYWHERE),
    ],
)
def test_the_reach_of_a_database(service: str, project: str, reach: Reach) -> None:
    found = reading(f"services:\n  db:\n    image: postgres\n{service}{project}")

    assert [listener.reach for listener in found.listeners] == [reach]
    assert ("LG-COMPOSE-004" in rules(found)) is (reach is Reach.EVERYWHERE)


def test_a_service_has_what_it_extends() -> None:
    found = reading(
        "services:\n  base:\n    image: postgres\n    ports: ['5432:5432']\n"
        "    environment: {POSTGRES_PASSWORD: postgres, POSTGRES_DB: x}\n"
        "  db:\n    extends: base\n    environment: {POSTGRES_PASSWORD: '${PW}'}\n"
        "  ring:\n    extends: {service: ring}\n    image: redis\n"
    )
    logins = {listener.name: (listener.reach, listener.login) for listener in found.listeners}

    assert logins["base/database"] == (Reach.EVERYWHERE, Login.DEFAULT)
    assert logins["db/database"] == (Reach.EVERYWHERE, Login.EXTERNAL)


def test_merge_keys_and_anchors_are_followed() -> None:
    found = reading(
        "x-db: &db\n  image: postgres\n  ports: &p ['5432:5432']\nservices:\n  db:\n    <<: *db\n    environment: {}\n"
    )

    assert found.facts["ports"] == "5432 all-if"


def test_other_files_that_it_takes_in_are_named() -> None:
    found = reading(
        "include:\n- a.yml\n- path: [b.yml, c.yml]\nservices:\n  x:\n    extends: {file: d.yml, service: y}\n"
    )

    assert (found.includes, found.parts) == (("a.yml", "b.yml", "c.yml"), ("d.yml",))


def test_a_variable_that_could_decide_otherwise_makes_it_less_sure() -> None:
    text = "services:\n  db:\n    image: postgres\n    ports: ['${BIND:-0.0.0.0}:5432:5432']\n"

    assert one(reading(text), "LG-COMPOSE-004").certainty is Certainty.DEPENDS
    assert "LG-COMPOSE-004" not in rules(reading(text, BIND="127.0.0.1"))


@pytest.mark.parametrize(
    ("service", "told"),
    [
        ("build: .\n    ports: ['4242:4242', '8042:8042']", {"LG-COMPOSE-001": "likely", "LG-COMPOSE-003": "likely"}),
        ("image: x\n    ports: ['4242:4242']\n    volumes: ['./o.json:/etc/o.json']", {"LG-COMPOSE-001": "likely"}),
        ("image: nginx\n    network_mode: host", {}),
        ("image: nginx\n    ports: ['443:443', '8443:8443']", {}),
        ("image: orthancteam/orthanc\n    network_mode: host\n    volumes: ['./o.json:/etc/orthanc/o.json']", {"LG-COMPOSE-001": "sure", "LG-COMPOSE-003": "sure"}),
    ],
)  # fmt: skip
def test_of_an_image_that_is_not_known_only_the_usual_ports_are_told(
    service: str, told: dict[str, str]
) -> None:
    found = reading(f"services:\n  x:\n    {service}\n")

    assert {finding.rule: finding.certainty.value for finding in found.findings} == told
    assert not [listener for listener in found.listeners if "volumes" in service]


@pytest.mark.parametrize(
    "image", ["dcm4che/dcm4chee-arc-psql:${TAG}-secure", "dcm4che/dcm4chee-arc-psql:$TAG"]
)
def test_an_image_is_known_without_its_variables(image: str) -> None:
    found = reading(f"services:\n  x:\n    image: {image}\n")

    assert found.facts["product"] == "dcm4chee-arc"


# ---- passwords


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("postgres", "LG-CONTAINERS-001"),
        ("hello123", "LG-CONTAINERS-002"),
        ("changeme", "LG-CONTAINERS-003"),
        ("vN8$$rk2!qTz0Lw", "LG-CONTAINERS-004"),
        ("${PW:-postgres}", "LG-CONTAINERS-001"),
    ],
)
def test_passwords_are_judged_and_never_shown(password: str, rule: str) -> None:
    found = reading(
        f"services:\n  db:\n    image: postgres\n    environment:\n      POSTGRES_PASSWORD: '{password}'\n"
    )
    finding = one(found, rule)

    assert finding.place.line == 5
    assert finding.certainty is (Certainty.DEPENDS if "PW" in password else finding.certainty)
    assert password not in repr(found.findings).replace("POSTGRES", "").replace("postgresql", "").replace(
        "/postgres", ""
    )


def test_a_password_from_the_environment_or_a_file_is_none_of_the_files() -> None:
    found = reading(
        "services:\n  db:\n    image: dcm4che/postgres-dcm4chee\n    environment: {POSTGRES_PASSWORD_FILE: /run/secrets/x}\n"
        "  e:\n    image: postgres\n    environment: {POSTGRES_PASSWORD: '${PW}'}\n"
    )

    assert rules(found) == []


def test_a_switch_is_no_password() -> None:
    found = reading(
        "services:\n  d:\n    image: mysql:8\n    environment: {MYSQL_ALLOW_EMPTY_PASSWORD: 'yes'}\n"
    )
    assert "LG-CONTAINERS-002" not in rules(found)


def test_a_password_in_an_address_is_one_too() -> None:
    found = reading(
        "services:\n  api:\n    build: .\n    environment:\n    - DATABASE_URL=postgresql://postgres:postgres@db/x\n"
    )

    assert one(found, "LG-CONTAINERS-001").option == "DATABASE_URL"


def test_trust_is_no_login() -> None:
    found = reading(
        "services:\n  db:\n    image: postgres\n    ports: ['5432:5432']\n"
        "    environment: {POSTGRES_HOST_AUTH_METHOD: trust, POSTGRES_PASSWORD: vN8rk2qTz0Lw}\n"
    )

    assert one(found, "LG-CONTAINERS-005").exposure is Access.ANSWERS_QUERY
    assert found.listeners[0].login is Login.NONE
    assert "POSTGRES_HOST_AUTH_METHOD: scram-sha-256," in closed(found, "LG-CONTAINERS-005")


@pytest.mark.parametrize(
    ("service", "login"),
    [
        ("image: redis", Login.NONE),
        ("image: redis\n    command: redis-server --requirepass ${PW}", None),
        ("image: redis\n    env_file: .env", None),
        ("image: redis\n    volumes: ['./redis.conf:/etc/redis.conf']", None),
        ("image: mongo", Login.NONE),
        ("image: mongo\n    environment: {MONGO_INITDB_ROOT_PASSWORD: '${PW}'}", Login.EXTERNAL),
        ("image: mysql\n    environment: {MYSQL_ALLOW_EMPTY_PASSWORD: 'yes'}", Login.NONE),
        ("image: mysql\n    environment: {MYSQL_ROOT_PASSWORD: root}", Login.DEFAULT),
    ],
)
def test_databases_without_a_password_are_told_from_those_with_one(service: str, login: Login | None) -> None:
    found = reading(f"services:\n  db:\n    {service}\n")

    assert found.listeners[0].login is login


# ---- what is one, and what is not


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("services:\n  a:\n    image: b\n", True),
        ("version: '2'\nservices:\n  a: {build: .}\n", True),
        ("web:\n  image: nginx\n  links: [db]\ndb:\n  image: mysql\n", True),
        ('{"services": {"a": {"image": "b"}}}', True),
        ("services:\n  a:\n    image: [\n", True),
        ("job:\n  image: python\n  script: [make]\n", False),
        ("on: push\njobs:\n  t:\n    services:\n      db: {image: postgres}\n", False),
        ("apiVersion: v1\nkind: Service\nservices: {a: {image: b}}\n", False),
        ("services: [a, b]\n", False),
        ("image: x.png\n", False),
        ("[Unit]\nservices: x\n", False),
        ("", False),
        ("\x00services:", False),
    ],
)
def test_compose_files_are_told_from_others(text: str, is_one: bool) -> None:
    assert recognises(Source("x", text)) is is_one


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("services:\n  a:\n    image: [\n", "not YAML"),
        ("services:\n  a:\n    image: {{ .Values.image }}\n    {{- if x }}\n", "a template, not yet YAML"),
        ("services:\n  a: &a [*a]\n", "an alias"),
        ("services:\n" + "".join(" " * n + "a:\n" for n in range(1, 99)), "nested deeper"),
    ],
)
def test_a_broken_file_is_one_error_at_its_place(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"^c.yml:\\d+:\\d+: {says}"):
        read(Source("c.yml", text), {})


JSON = "{" + ",".join(f'"k{n}": 1' for n in range(2_000)) + "}"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"services:\n  a:\n    image: orthancteam/orthanc\n    environment: {{ORTHANC_JSON: '{JSON}'}}\n", "more than 1,000 options"),
        ("services:\n  b: {image: x, ports: [" + "'80:80'," * 9_000 + "]}\n" + "".join(f"  s{n}: {{extends: b}}\n" for n in range(99)), "services that take in too much"),
        ("services:\n  a: {image: b, environment: {X: '" + "${A:-" * 20_000 + "'}}\n", ""),
    ],
    ids=["options", "extends", "variables"],
)  # fmt: skip
def test_what_would_take_long_is_refused_or_passed_over(text: str, says: str) -> None:
    if says:
        with pytest.raises(ConfigError, match=f"^c.yml:\\d+:\\d+: {says}"):
            read(Source("c.yml", text), {})
    else:
        assert read(Source("c.yml", text), {}).findings == ()


def test_a_key_that_stands_twice_is_told_at_its_second_place() -> None:
    found = reading(
        "services:\n  db:\n    image: postgres\n    ports: ['1:1']\n    ports: ['127.0.0.1:5432:5432']\n"
    )

    assert one(found, "LG-COMPOSE-008").place.line == 5

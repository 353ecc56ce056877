"""``ORTHANC_JSON``: read with variables in it, and changed where it stands."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import yaml

from leadglass.configs.fixing import fixed
from leadglass.configs.json_nodes import parse_json, plain
from leadglass.configs.lint import Linted, lint
from leadglass.configs.source import Source
from leadglass.model.finding import Finding

OPEN = '{"RemoteAccessAllowed": true, "AuthenticationEnabled": false, "DicomModalities": {"a": ["A", "192.0.2.1", 104]}}'
BLOCK = """|
        // ours
        {
          "RemoteAccessAllowed": true,
          "AuthenticationEnabled": false, // for now
          "DicomModalities": {"a": ["A", "192.0.2.1", 104]}
        }"""


def compose(value: str, name: str = "ORTHANC_JSON") -> Source:
    text = f"""\
services:
  archive:
    image: orthancteam/orthanc:24.5.1
    network_mode: host
    environment:
      VERBOSE_ENABLED: "true"
      {name}: {value}
"""
    return Source("compose.yml", text)


def rules(source: Source) -> set[str]:
    linted = lint([source])
    assert linted.broken == ()
    return {found.rule for found in linted.findings}


def closed(source: Source) -> Source:
    def wanted(linted: Linted) -> list[Finding]:
        return [one for one in linted.findings if one.rule.startswith("LG-ORTHANC")]

    def again(texts: Mapping[str, str]) -> Linted:
        return lint([Source(source.path, texts.get(source.path, source.text))])

    return Source(source.path, fixed(lint([source]), wanted, again)[source.path])


@pytest.mark.parametrize("value", [BLOCK, f"'{OPEN}'", '"' + OPEN.replace('"', '\\"') + '"'])
def test_it_is_closed_where_it_stands_and_stays_what_it_was_otherwise(value: str) -> None:
    after = closed(compose(value))
    variables = yaml.safe_load(after.text)["services"]["archive"]["environment"]
    options = plain(parse_json(Source("", variables["ORTHANC_JSON"])))

    assert "LG-ORTHANC-001" in rules(compose(value))
    assert not rules(after) & {"LG-ORTHANC-001", "LG-ORTHANC-003", "LG-ORTHANC-020", "LG-COMPOSE-002"}
    assert isinstance(options, dict)
    assert options["DicomModalities"] == {"a": ["A", "192.0.2.1", 104]}
    assert options["AuthenticationEnabled"] is True
    assert "${ORTHANC_ADMIN_PASSWORD:?}" in after.text
    assert variables["VERBOSE_ENABLED"] == "true"


def test_comments_and_lines_of_a_block_are_kept() -> None:
    before, after = compose(BLOCK).text.splitlines(), closed(compose(BLOCK)).text.splitlines()
    assert "        // ours" in after
    assert '          "AuthenticationEnabled": true, // for now' in after
    changed = [line for line in before if line not in after]
    assert [line.split('"')[1] for line in changed] == ["AuthenticationEnabled", "DicomModalities"]
    assert '          "RegisteredUsers": { "admin" : "${ORTHANC_ADMIN_PASSWORD:?}" },' in after


def test_a_variable_in_it_that_is_not_known_hides_nothing_else() -> None:
    value = '\'{"RemoteAccessAllowed": true, "DicomPort": ${PORT:-104}, "RegisteredUsers": {"ann": "${PASSWORD:?}"}}\''
    assert not rules(compose(value)) & {"LG-ORTHANC-003", "LG-ORTHANC-004", "LG-COMPOSE-002"}
    opened = value.replace("}}", '}, "AuthenticationEnabled": false}')
    assert "LG-ORTHANC-001" in rules(compose(opened))


@pytest.mark.parametrize(
    ("name", "value"),
    [("ORTHANC_JSON", "${ALL}"), ("ORTHANC_JSON_SECRET", "/run/secrets/all"), ("ORTHANC_JSON", "")],
)
def test_what_stands_elsewhere_is_no_error(name: str, value: str) -> None:
    assert "LG-ORTHANC-001" not in rules(compose(value, name))

"""What both fronts share: who takes which file, what imaging is, patterns that are tried, and the catalogue."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from tests.source import ROOT, SOURCE

from leadglass.configs.catalogue import rules
from leadglass.configs.fronts.imaging import Target, is_dicom, is_imaging, native_paths, target_of
from leadglass.configs.fronts.needs import Need, both, either, exposure, is_open
from leadglass.configs.fronts.patterns import matches
from leadglass.configs.fronts.readers import READERS
from leadglass.configs.fronts.transport import retired, weak_ciphers
from leadglass.configs.source import Source

FIXTURES = sorted((ROOT / "tests" / "fixtures" / "configs" / "fronts").glob("*.conf"))
OURS = {id_: rule for id_, rule in rules().items() if id_.startswith(("LG-NGINX-", "LG-APACHE-"))}


def kind(text: str) -> str | None:
    found = [reader.kind for reader in READERS if reader.recognises(Source("some file", text))]
    assert len(found) < 2
    return found[0] if found else None


@pytest.mark.parametrize("path", [pytest.param(path, id=path.name) for path in FIXTURES])
def test_each_fixture_is_taken_by_the_reader_of_its_product(path: Path) -> None:
    assert kind(path.read_text()) == path.name.partition("-")[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("server {\n  listen 80;\n}", "nginx"),
        ("location /a {\n  proxy_pass http://b;\n}", "nginx"),
        ("upstream a { server b; }", "nginx"),
        ("map $a $b {\n  default 0;\n}", "nginx"),
        ("stream\n{\n server { listen 104; proxy_pass a:104; }\n}", "nginx"),
        ("<VirtualHost *:80>\nServerName a\n</VirtualHost>", "apache"),
        ("RewriteEngine On\nRewriteRule a b\nOptions -Indexes", "apache"),
        ("  <Location />\n    Require all denied\n  </Location>", "apache"),
        ("", None),
        ('{"HttpPort": 8042}', None),
        ("services:\n  nginx:\n    image: nginx\n    ports: ['80:80']\n", None),
        ("<html><body><Location /></body></html>", None),
        ("<server>\n  <listen>80</listen>\n</server>", None),
        ("zone a { type master; };", None),
        ("HostTable BEGIN\nHostTable END\n", None),
        ("[section]\nlisten = 80\nserver = a\n", None),
        ('resource "x" "y" {\n  listen = 80\n}\n', None),
        ("frontend a\n  bind :80\n  server b c:80\n", None),
    ],
)
def test_files_are_told_by_what_they_hold(text: str, says: str | None) -> None:
    assert kind(text) == says


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("http://orthanc:8042/dicom-web/", "orthanc", 8042, "/dicom-web/"),
        ("https://10.0.0.1", "10.0.0.1", 443, ""),
        ("http://[fd00::1]:80/", "fd00::1", 80, "/"),
        ("http://a$request_uri", "a$request_uri", 80, ""),
        ("http://unix:/run/a.sock:/b", "unix:/run/a.sock", 80, "/b"),
        ("10.0.0.1:104", "10.0.0.1", 104, ""),
        ("http://a:99999/", "a", 80, "/"),
    ],
)
def test_a_target_is_read_from_a_url(url: str, host: str, port: int | None, path: str) -> None:
    found = target_of(url)

    assert (found.host, found.port, found.path) == (host, port, path)


@pytest.mark.parametrize(
    ("target", "path", "names", "says"),
    [
        (Target("10.0.0.1", 8042), "/", (), True),
        (Target("orthanc", 80), "/", (), True),
        (Target("my-pacs-1", 8080), "/", (), True),
        (Target("10.0.0.1", 8080, name="dcm4chee"), "/", (), True),
        (Target("app", 8080), "/dicom-web/", (), True),
        (Target("app", 8080), "/wado", (), True),
        (Target("app", 8080, "/dcm4chee-arc/aets/A/rs"), "/x", (), True),
        (Target("app", 8080), "/", ("pacs.clinic.example",), True),
        (Target("app", 8080), "/api", ("pacs.clinic.example",), False),
        (Target("oauth2-proxy", 4180), "/", ("pacs.clinic.example",), False),
        (Target("ohif", 80), "/", ("dicom.clinic.example",), False),
        (Target("app", 3000), "/", ("shop.example",), False),
        (Target("paris", 3000), "/studies", (), False),
        (Target("christopher", 80), "/", (), False),
    ],
)
def test_an_imaging_server_is_told_by_port_name_or_path(
    target: Target, path: str, names: tuple[str, ...], says: bool
) -> None:
    assert is_imaging(target, path, names) is says


def test_the_words_of_a_native_interface_count_together_only() -> None:
    assert native_paths(["/studies", "/instances/"]) == {"studies", "instances"}
    assert native_paths(["/casestudies", "/"]) == frozenset()


def test_dicom_is_told_by_its_ports_and_names() -> None:
    assert is_dicom(Target("a", 104))
    assert is_dicom(Target("orthanc", 14242))
    assert not is_dicom(Target("orthanc", 8042))
    assert not is_dicom(Target("a", 5432))


@pytest.mark.parametrize(
    ("pattern", "path", "says"),
    [
        ("^/dicom-web", "/dicom-web/studies", True),
        ("^/(wado|qido)(/|$)", "/wado", True),
        (r"\.json$", "/a", False),
        ("^/A", "/a", False),
        ("(a+)+$", "/a", None),
        ("(a|b)*c", "/a", None),
        ("a{1,}", "/a", None),
        ("(?<=a)b", "/a", None),
        ("[[a]", "/a", None),
        ("(", "/a", None),
        ("a*" * 5, "/a", None),
        ("a" * 201, "/a", None),
    ],
)
def test_patterns_are_tried_only_where_they_cannot_go_on_for_ever(
    pattern: str, path: str, says: bool | None
) -> None:
    assert matches(pattern, path) is says


def test_gates_behind_each_other_need_all_and_beside_each_other_the_easiest() -> None:
    login, named = frozenset({Need.LOGIN}), frozenset({Need.ADDRESS})

    assert both([login, named]) == {Need.LOGIN, Need.ADDRESS}
    assert either([login, named]) == login
    assert either([login, frozenset()]) == frozenset()
    assert either([]) == {Need.NOBODY}
    assert is_open(named)
    assert str(exposure(login | {Need.CERTIFICATE})) == "demands-certificate"


def test_retired_versions_and_weak_suites_are_named() -> None:
    assert retired(["SSLv3", "TLSv1", "TLSv1.2"]) == ("SSLv3", "TLSv1")
    assert weak_ciphers("ECDHE-RSA-AES128-GCM-SHA256:!aNULL:!MD5") == ()
    assert weak_ciphers("ALL:!ADH:!EXPORT:RC4+RSA:+HIGH:+MEDIUM:+LOW") == ("RC4+RSA",)
    assert weak_ciphers("HIGH:DES-CBC3-SHA:!3DES") == ()
    assert weak_ciphers("DEFAULT:NULL-SHA256") == ("NULL-SHA256",)


@pytest.mark.parametrize("id_", OURS)
def test_a_rule_is_documented_by_the_makers_and_used(id_: str) -> None:
    rule = OURS[id_]
    made_by = {"NGINX": "nginx.org", "APACHE": "httpd.apache.org"}[id_.split("-")[1]]
    sources = "".join(path.read_text() for path in (SOURCE / "configs" / "fronts").glob("*.py"))

    assert urlsplit(rule.documentation).hostname == made_by
    assert all(re.fullmatch(r"164\.312\([a-e]\)(\(\d\))?", section) for section in rule.hipaa)
    assert f'"{id_}"' in sources

"""What is said of an nginx file, where, and the change that closes it."""

from __future__ import annotations

import pytest
from tests.unit.configs.fronts.reading import fixed, nginx, rules, server

from leadglass.model.finding import Place
from leadglass.model.verdict import Severity

USERS = "auth_basic x; auth_basic_user_file u;"
PASS = "proxy_pass http://orthanc:8042;"
REALLY = f"location / {{ {USERS} {PASS} }}"


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (f"location / {{ {PASS} }}", {"NGINX-001"}),
        (f"{REALLY} location /dicom-web {{ {PASS} }}", {"NGINX-002"}),
        (f"location /viewer {{ {USERS} root /ohif; }} location /dicom-web {{ {PASS} }}", {"NGINX-002"}),
        (f"{USERS} location / {{ auth_basic off; {PASS} }}", {"NGINX-003"}),
        (f"location / {{ auth_basic x; {PASS} }}", {"NGINX-004"}),
        (f"location = /ok {{ return 200; }} location / {{ auth_request /ok; {PASS} }}", {"NGINX-005"}),
        (f"location / {{ if ($http_origin != a) {{ return 403; }} {PASS} }}", {"NGINX-006"}),
        (f"location / {{ if ($cookie_session = '') {{ return 403; }} {PASS} }}", {"NGINX-006"}),
        (f"location / {{ limit_except GET {{ {USERS} }} {PASS} }}", {"NGINX-007"}),
        (f"ssl_verify_client optional; location / {{ {PASS} }}", {"NGINX-008"}),
        (f"ssl_verify_client optional_no_ca; location / {{ {PASS} }}", {"NGINX-008"}),
        (f"set_real_ip_from ::/0; location / {{ allow 10.0.0.0/8; deny all; {PASS} }}", {"NGINX-009"}),
        (f"ssl_protocols TLSv1 TLSv1.2; {REALLY}", {"NGINX-016"}),
        (f"ssl_ciphers HIGH:RC4; {REALLY}", {"NGINX-017"}),
        (f"ssl_ciphers HIGH:!aNULL:!MD5; {REALLY}", set()),
        (f"add_header Access-Control-Allow-Origin *; {REALLY}", {"NGINX-018"}),
        (f"add_header Access-Control-Allow-Origin $http_origin; {REALLY}", {"NGINX-019"}),
        (f"add_header Access-Control-Allow-Origin https://a.example; {REALLY}", set()),
        (f"add_header access-control-allow-origin *; location / {{ add_header A b; {USERS} {PASS} }}", set()),
        (
            f"location / {{ {USERS} if ($http_origin ~ ^https://a$) {{ add_header Access-Control-Allow-Origin $http_origin; }} {PASS} }}",
            set(),
        ),
        (f"location / {{ {PASS} proxy_set_header Authorization 'Basic YTpiYzpkZQ=='; }}", {"NGINX-001", "NGINX-020"}),
        (f"location / {{ {PASS} proxy_set_header Authorization 'Basic ${{LOGIN}}'; }}", {"NGINX-001", "NGINX-020"}),
        (f"location / {{ {PASS} proxy_set_header Authorization 'Bearer $cookie_token'; }}", {"NGINX-001"}),
        (f"location / {{ {USERS} {PASS} proxy_set_header Authorization 'Basic ${{LOGIN}}'; }}", set()),
        (f"location / {{ {USERS} {PASS} proxy_set_header Authorization 'Basic YTpiYzpkZQ=='; }}", {"NGINX-021"}),
        (f"location / {{ {USERS} {PASS} proxy_set_header Authorization $http_authorization; }}", set()),
        (f"location / {{ if ($http_x_key != abcdef) {{ return 403; }} {PASS} }}", {"NGINX-021"}),
        (f"location / {{ {USERS} {PASS} proxy_set_header X-Remote-User $http_x_remote_user; }}", {"NGINX-022"}),
        (f"location / {{ {USERS} {PASS} proxy_set_header X-Remote-User $remote_user; }}", set()),
        (f"location /pacs {{ {USERS} proxy_pass http://$arg_host:8042; }}", {"NGINX-023"}),
        ("location /img { alias /data/; }", {"NGINX-024"}),
        ("location /img/ { alias /data/; }", set()),
        (f"location /orthanc {{ {USERS} proxy_pass http://orthanc:8042/ui/; }}", {"NGINX-024"}),
        ("location /d/ { alias /data/; autoindex on; }", {"NGINX-025"}),
        (f"location /d/ {{ {USERS} alias /data/; autoindex on; }}", set()),
        ("location /status { stub_status; }", {"NGINX-026"}),
        ("location /status { stub_status; allow 127.0.0.1; deny all; }", set()),
        (
            f"merge_slashes off; location / {{ {PASS} }} location /dicom-web {{ {USERS} {PASS} }}",
            {"NGINX-002", "NGINX-027"},
        ),
        (REALLY, set()),
        (f"location / {{ allow 10.0.0.0/8; deny all; {PASS} }}", set()),
        ("location /shop { proxy_pass http://app:3000; }", set()),
        (f"auth_request /auth; location / {{ {PASS} }} location = /auth {{ internal; proxy_pass http://sso; }}", set()),
        ("location /oauth2/ { proxy_pass http://oauth2-proxy:4180; }", set()),
    ],
)  # fmt: skip
def test_a_server_with_tls_is_found_to_have(lines: str, found: set[str]) -> None:
    assert rules(server("server_name pacs.example;", lines)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("listen 11112; proxy_pass 10.0.0.1:104;", {"NGINX-011"}),
        ("listen 2762 ssl; proxy_pass 10.0.0.1:104;", {"NGINX-012"}),
        ("listen 2762 ssl; ssl_verify_client optional; proxy_pass 10.0.0.1:104;", {"NGINX-012"}),
        ("listen 2762 ssl; ssl_verify_client on; proxy_pass 10.0.0.1:104;", set()),
        ("listen 104; allow 10.0.0.0/8; deny all; proxy_pass 10.0.0.1:104;", {"NGINX-013"}),
        ("listen 5432; proxy_pass db:5432;", set()),
    ],
)
def test_a_stream_is_found_to_have(text: str, found: set[str]) -> None:
    assert rules(nginx(f"stream {{ server {{ {text} }} }}")) == found


def test_a_plain_port_is_told_once_and_apart_when_there_is_tls_beside_it() -> None:
    alone = server(REALLY, f"location /dicom-web {{ {USERS} {PASS} }}", listen="80")
    beside = nginx(
        f"server {{ listen 80; server_name a; {REALLY} }} server {{ listen 443 ssl; server_name a; {REALLY} }}"
    )
    loopback = server(REALLY, listen="127.0.0.1:80")

    assert [finding.rule for finding in alone.findings] == ["LG-NGINX-014"]
    assert [(finding.rule, finding.listener) for finding in beside.findings] == [("LG-NGINX-015", "front/80")]
    assert loopback.findings == ()


def test_a_plain_port_beside_a_certificate_opens_what_the_certificate_guards() -> None:
    reading = server("listen 80; ssl_verify_client on;", f"location / {{ {PASS} }}")

    assert [(one.rule, one.listener, str(one.exposure)) for one in reading.findings] == [
        ("LG-NGINX-010", "front/80", "answers-query")
    ]
    assert "if ($scheme = http) { return 308 https://$host$request_uri; }" in fixed(reading)
    assert rules(nginx(fixed(reading))) == set()


def test_a_finding_stands_at_what_is_wrong_and_names_its_listener() -> None:
    reading = nginx(
        "server {\n  listen 443 ssl;\n  location / {\n    auth_basic x;\n    proxy_pass http://orthanc:8042;\n  }\n}\n"
    )
    (finding,) = reading.findings

    assert finding.place == Place("front.conf", 4, 5)
    assert (finding.option, finding.listener) == ("auth_basic", "front/443")


def test_no_password_is_repeated() -> None:
    reading = server(
        f"location / {{ {PASS} proxy_set_header Authorization 'Basic c2VjcmV0OnNlY3JldA=='; }}",
        f"location /wado {{ if ($http_x_key != verysecret) {{ return 403; }} {PASS} }}",
    )

    told = repr((reading.findings, reading.listeners, reading.fronts, reading.facts))
    assert rules(reading) >= {"NGINX-020", "NGINX-021"}
    assert "c2VjcmV0" not in told
    assert "verysecret" not in told


def test_origins_sent_back_with_credentials_are_worse() -> None:
    origin = "add_header Access-Control-Allow-Origin $http_origin;"
    credentials = "add_header Access-Control-Allow-Credentials true;"

    (without,) = server(origin, REALLY).findings
    (with_them,) = server(origin, credentials, REALLY).findings
    assert (without.severity, with_them.severity) == (Severity.MEDIUM, Severity.HIGH)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            f"{REALLY}\n  location /wado {{\n    # viewer\n    {PASS}\n  }}",
            f"{REALLY}\n  location /wado {{\n    auth_basic x;\n    auth_basic_user_file u;\n    # viewer\n    {PASS}\n  }}",
        ),
        (
            f"{REALLY} location /wado {{ {PASS} }}",
            f"{REALLY} location /wado {{ auth_basic x; auth_basic_user_file u; {PASS} }}",
        ),
        (
            f"{USERS}\n  location / {{\n    auth_basic off; \n    {PASS}\n  }}",
            f"{USERS}\n  location / {{\n    {PASS}\n  }}",
        ),
        (
            f"{REALLY} location /wado {{ auth_basic y; {PASS} }}",
            f"{REALLY} location /wado {{ auth_basic y; auth_basic_user_file u; {PASS} }}",
        ),
        (
            f"location / {{ limit_except GET {{ {USERS} }} {PASS} }}",
            f"location / {{ auth_basic x; auth_basic_user_file u; limit_except GET {{ {USERS} }} {PASS} }}",
        ),
        (
            f"ssl_client_certificate ca; ssl_verify_client optional; location / {{ {PASS} }}",
            f"ssl_client_certificate ca; ssl_verify_client on; location / {{ {PASS} }}",
        ),
        (f"ssl_protocols SSLv3  TLSv1.1; {REALLY}", f"ssl_protocols TLSv1.2 TLSv1.3; {REALLY}"),
        ("location /img { alias /data/; }", "location /img/ { alias /data/; }"),
        ("location /d/ { alias /data/; autoindex on; }", "location /d/ { alias /data/; autoindex off; }"),
        (
            f"{REALLY} location /wado {{ auth_request off; {PASS} }}",
            f"{REALLY} location /wado {{ auth_request off; {PASS} }}",
        ),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_change_is_the_smallest_and_keeps_the_rest(before: str, after: str, end: str) -> None:
    def whole(lines: str) -> str:
        return f"# a front\nserver {{\n  listen 443 ssl;\n  {lines}\n}}\n".replace("\n", end)

    assert fixed(nginx(whole(before))) == whole(after)


def test_nobody_is_locked_out_where_only_a_person_knows_who_comes() -> None:
    for lines in (f"location / {{ {PASS} }}", f"add_header Access-Control-Allow-Origin *; {REALLY}"):
        reading = server(lines)

        assert reading.findings
        assert all(finding.edits == () for finding in reading.findings)


def test_what_is_shared_by_several_paths_is_told_once() -> None:
    reading = server("ssl_verify_client optional;", *(f"location /dicom{n} {{ {PASS} }}" for n in range(3)))

    assert [finding.rule for finding in reading.findings] == ["LG-NGINX-008"]


def test_facts_say_which_paths_are_open_in_documented_words() -> None:
    reading = server(
        REALLY,
        f"location /dicom-web {{ {PASS} }}",
        f"location /wado {{ allow 10.0.0.0/8; deny all; {PASS} }}",
        f"location /none/dicom {{ deny all; {PASS} }}",
        "include more/*.conf;",
    )

    assert reading.facts == {
        "imaging": True,
        "behind": ("orthanc:8042",),
        "open_paths": ("443 /dicom-web",),
        "named_paths": ("443 /wado",),
        "asking_paths": ("443 /",),
        "closed_paths": ("443 /none/dicom",),
        "asks": ("login", "address"),
        "tls": "all",
        "verdict": "partly-open",
        "servers": 1,
        "client_certificate": None,
        "tls_versions": None,
    }
    assert reading.includes == ("more/*.conf",)


@pytest.mark.parametrize(
    ("lines", "verdict"),
    [
        (f"location / {{ {PASS} }}", "open"),
        (REALLY, "demands-login"),
        (f"ssl_verify_client on; {REALLY}", "demands-certificate"),
        (f"location / {{ allow 10.0.0.0/8; deny all; {PASS} }}", "named"),
        ("location / { proxy_pass http://app:3000; }", None),
    ],
)
def test_the_verdict_is_the_worst_that_a_stranger_meets(lines: str, verdict: str | None) -> None:
    assert server(lines).facts["verdict"] == verdict

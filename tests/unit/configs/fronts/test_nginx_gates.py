"""What a location of nginx asks of a stranger, seen by what the reader says of the way through it."""

from __future__ import annotations

import pytest
from tests.unit.configs.fronts.reading import nginx, server

from leadglass.configs.reading import Reach, Reading, Service

USERS = "auth_basic x; auth_basic_user_file u;"
PASS = "proxy_pass http://orthanc:8042;"


def met(reading: Reading) -> tuple[str, str]:
    """What is met on the one way through, and who can come so far."""
    (front,) = reading.fronts
    return str(front.exposure), str(front.reach)


@pytest.mark.parametrize(
    ("lines", "exposure", "reach"),
    [
        ("", "answers-query", "unknown"),
        (USERS, "demands-login", "unknown"),
        ("auth_basic x;", "answers-query", "unknown"),
        ("auth_basic off; auth_basic_user_file u;", "answers-query", "unknown"),
        ("auth_request /who;", "demands-login", "unknown"),
        ("auth_jwt x; auth_jwt_key_file k;", "demands-login", "unknown"),
        ("allow 10.0.0.0/8; deny all;", "answers-query", "named"),
        ("allow 10.0.0.0/8;", "answers-query", "unknown"),
        ("deny 192.0.2.1;", "answers-query", "unknown"),
        ("deny all; allow 10.0.0.0/8;", "closed", ""),
        ("allow all; deny all;", "answers-query", "unknown"),
        ("allow 0.0.0.0/1; deny all;", "answers-query", "unknown"),
        (f"allow 10.0.0.0/8; deny all; {USERS}", "demands-login", "named"),
        (f"satisfy any; allow 10.0.0.0/8; deny all; {USERS}", "demands-login", "unknown"),
        (f"satisfy any; allow all; {USERS}", "answers-query", "unknown"),
        ("satisfy any; allow 10.0.0.0/8; deny all; auth_basic x;", "answers-query", "named"),
        ("set_real_ip_from 0.0.0.0/0; allow 10.0.0.0/8; deny all;", "answers-query", "unknown"),
        ("internal;", "closed", ""),
        ("return 403;", "closed", ""),
        ("if ($http_authorization = '') { return 401; }", "answers-query", "unknown"),
        ("if ($http_x_api_key != 'abcdef') { return 401; }", "demands-login", "unknown"),
        ("if ($cookie_pass !~ ^abcdef$) { return 401; }", "demands-login", "unknown"),
        ("if ($http_authorization !~ ^Bearer) { return 401; }", "answers-query", "unknown"),
        ("if ($http_referer !~ ^https://viewer) { return 403; }", "answers-query", "unknown"),
        ("if ($remote_addr !~ ^10\\.) { return 403; }", "answers-query", "named"),
        ("if ($remote_addr = 192.0.2.1) { return 403; }", "answers-query", "unknown"),
        ("if ($ssl_client_verify != SUCCESS) { return 403; }", "demands-certificate", "unknown"),
        ("if ($request_method = OPTIONS) { return 204; }", "answers-query", "unknown"),
        ("access_by_lua_block { require('resty.openidc').authenticate(x) }", "demands-login", "unknown"),
        ("access_by_lua_file x.lua;", "inconclusive", "unknown"),
        ("limit_except GET { deny all; }", "answers-query", "unknown"),
    ],
)
def test_a_location_asks(lines: str, exposure: str, reach: str) -> None:
    reading = server(f"location / {{ {lines} {PASS} }}")

    assert (met(reading) if reading.fronts else ("closed", "")) == (exposure, reach)


@pytest.mark.parametrize(
    ("around", "lines", "exposure"),
    [
        (USERS, "", "demands-login"),
        (USERS, "auth_basic off;", "answers-query"),
        ("auth_basic_user_file u;", "auth_basic x;", "demands-login"),
        ("deny all;", "allow 10.0.0.0/8;", "answers-query"),
        ("ssl_verify_client on;", "", "demands-certificate"),
        ("ssl_verify_client optional;", "", "answers-query"),
        ("ssl_verify_client optional; if ($ssl_client_verify != SUCCESS) { return 403; }", "", "demands-certificate"),
        ("set $no 0; if ($http_x_key != 'abcdef') { set $no 1; } if ($no = 1) { return 403; }", "", "demands-login"),
        ("return 301 https://elsewhere;", "", None),
        ("rewrite ^ https://elsewhere permanent;", "", None),
    ],
)  # fmt: skip
def test_a_location_inherits_what_it_does_not_say_itself(
    around: str, lines: str, exposure: str | None
) -> None:
    reading = server(around, f"location / {{ {lines} {PASS} }}")

    assert (met(reading)[0] if reading.fronts else None) == exposure


def test_a_sub_request_that_is_always_granted_asks_nobody() -> None:
    granted = server(f"location = /who {{ return 204; }} location / {{ auth_request /who; {PASS} }}")
    asked = server(f"location = /who {{ proxy_pass http://sso; }} location / {{ auth_request /who; {PASS} }}")

    assert [str(front.exposure) for front in granted.fronts] == ["answers-query"]
    assert [str(front.exposure) for front in asked.fronts if front.host == "orthanc"] == ["demands-login"]


def test_variables_are_followed_to_the_address_or_secret_they_are_made_of() -> None:
    named = nginx(
        f"geo $in {{ default 0; 10.0.0.0/8 1; }} server {{ location / {{ if ($in = 0) {{ return 403; }} {PASS} }} }}"
    )
    secret = nginx(
        "map $http_x_key $known { default 0; abcdef 1; }"
        f"server {{ location / {{ if ($known = 0) {{ return 403; }} {PASS} }} }}"
    )

    assert met(named) == ("answers-query", "named")
    assert met(secret) == ("demands-login", "unknown")


def test_a_certificate_is_asked_for_within_tls_only() -> None:
    reading = nginx(f"server {{ listen 80; listen 443 ssl; ssl_verify_client on; location / {{ {PASS} }} }}")

    assert {one.port: str(one.exposure) for one in reading.listeners} == {
        80: "answers-query",
        443: "demands-certificate",
    }


@pytest.mark.parametrize(
    ("listen", "port", "reach", "tls"),
    [
        ("80", 80, Reach.UNKNOWN, False),
        ("*:8080", 8080, Reach.UNKNOWN, False),
        ("[::]:443 ssl ipv6only=off", 443, Reach.UNKNOWN, True),
        ("443 quic reuseport", 443, Reach.UNKNOWN, True),
        ("127.0.0.1:81", 81, Reach.LOOPBACK, False),
        ("localhost:81", 81, Reach.LOOPBACK, False),
        ("[::1]:81", 81, Reach.LOOPBACK, False),
        ("unix:/run/front.sock", None, Reach.LOOPBACK, False),
        ("10.0.0.1:81", 81, Reach.NAMED, False),
        ("8.8.8.8:81", 81, Reach.EVERYWHERE, False),
        ("8.8.8.8", 80, Reach.EVERYWHERE, False),
        ("${PORT}", None, Reach.UNKNOWN, False),
        ("0.0.0.0:8443 ssl", 8443, Reach.UNKNOWN, True),
    ],
)
def test_a_door_is_bound_where_listen_says(listen: str, port: int | None, reach: Reach, tls: bool) -> None:
    (listener,) = server(f"location / {{ {PASS} }}", listen=listen).listeners

    assert (listener.port, listener.reach, listener.tls) == (port, reach, tls)


def test_a_server_without_listen_is_at_port_80_and_ssl_on_is_for_all_its_doors() -> None:
    plain = nginx(f"server {{ location / {{ {PASS} }} }}")
    older = nginx(f"server {{ listen 8443; ssl on; location / {{ {PASS} }} }}")

    assert [(one.port, one.tls) for one in plain.listeners] == [(80, False)]
    assert [(one.port, one.tls) for one in older.listeners] == [(8443, True)]


@pytest.mark.parametrize(
    ("text", "behind"),
    [
        ("location / { proxy_pass http://orthanc:8042/x/; }", [("orthanc", 8042)]),
        ("location / { proxy_pass https://orthanc; }", [("orthanc", 443)]),
        ("location / { set $up orthanc:8042; proxy_pass http://$up; }", [("orthanc", 8042)]),
        ("set $up http://orthanc:8042; location / { proxy_pass ${up}/a; }", [("orthanc", 8042)]),
        ("location / { proxy_pass http://orthanc:8042$request_uri; }", [("orthanc", 8042)]),
        ("location / { proxy_pass http://[fd00::2]:8042; }", [("fd00::2", 8042)]),
        ("location / { proxy_pass http://${ORTHANC_HOST}:8042; }", [("${ORTHANC_HOST}", 8042)]),
        ("location / { if ($arg_a = 1) { proxy_pass http://a:8042; } proxy_pass http://b:8042; }", [("b", 8042), ("a", 8042)]),
        ("location /x { location /x/y { proxy_pass http://a:8042; } }", [("a", 8042)]),
        ("location /a { try_files $uri @b; } location @b { proxy_pass http://a:8042; }", [("a", 8042)]),
        ("location @b { proxy_pass http://a:8042; }", []),
        ("location / { fastcgi_pass dicom:9000; }", [("dicom", 9000)]),
    ],
)  # fmt: skip
def test_what_is_behind_is_found(text: str, behind: list[tuple[str, int]]) -> None:
    reading = server(text)

    assert [(front.host, front.port) for front in reading.fronts] == behind
    assert bool(reading.listeners) == bool(behind)


def test_a_group_is_each_of_its_servers() -> None:
    reading = nginx(
        "upstream pacs { server 10.0.0.1:8080 weight=2; server 10.0.0.2; }"
        "server { location / { proxy_pass http://pacs/; } }"
    )

    assert [(front.host, front.port) for front in reading.fronts] == [("10.0.0.1", 8080), ("10.0.0.2", 80)]
    assert reading.facts["imaging"] is True


def test_a_named_location_asks_what_the_one_before_it_asks() -> None:
    reading = server(f"location /dicom {{ {USERS} try_files $uri @up; }} location @up {{ {PASS} }}")

    assert [str(front.exposure) for front in reading.fronts] == ["demands-login"]


def test_a_location_that_nginx_never_takes_opens_nothing() -> None:
    reading = server(f"location ~ ^/ {{ {USERS} {PASS} }} location /dicom-web {{ {PASS} }}")
    first = server(f"location ~ ^/ {{ {USERS} {PASS} }} location ^~ /dicom-web {{ {PASS} }}")

    assert reading.facts["open_paths"] == ()
    assert first.facts["open_paths"] == ("443 /dicom-web",)


@pytest.mark.parametrize(
    ("text", "exposure", "service"),
    [
        ("listen 104; proxy_pass 10.0.0.1:104;", "associates", Service.DICOM),
        ("listen 11112; proxy_pass archive;", "associates", Service.DICOM),
        ("listen 2762 ssl; proxy_pass 10.0.0.1:4242;", "associates", Service.DICOM),
        ("listen 2762 ssl; ssl_verify_client on; proxy_pass 10.0.0.1:4242;", "demands-certificate", Service.DICOM),
        ("listen 4242; allow 10.0.0.0/8; deny all; proxy_pass 10.0.0.1:4242;", "associates", Service.DICOM),
        ("listen 8042; proxy_pass orthanc:8042;", "answers-query", Service.WEB),
    ],
)  # fmt: skip
def test_a_stream_publishes_what_is_behind_it(text: str, exposure: str, service: Service) -> None:
    for whole in (f"stream {{ server {{ {text} }} }}", f"server {{ {text} }}"):
        (listener,) = nginx(whole).listeners

        assert (str(listener.exposure), listener.service) == (exposure, service)

"""Apache httpd as a front: its language, what a path asks, what is found, and the change that closes it."""

from __future__ import annotations

import pytest
from tests.unit.configs.fronts.reading import apache, fixed, host, rules

from leadglass.configs.fronts.apache_syntax import parse
from leadglass.configs.source import Source
from leadglass.errors import ConfigError

PASS = "ProxyPass / http://127.0.0.1:8042/"
LOGIN = "AuthType Basic\nAuthName x\nAuthUserFile u\nRequire valid-user"


def location(path: str, lines: str, name: str = "Location") -> str:
    return f'<{name} "{path}">\n{lines}\n</{name}>'


def only(*lines: str) -> tuple[str, str]:
    """What a stranger meets who asks for the archive as a whole, and who can come so far."""
    found = [front for front in host(*lines).fronts if front.path == "/"]
    return (str(found[0].exposure), str(found[0].reach)) if found else ("closed", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("ProxyPass / http://a/", ("proxypass", "/", "http://a/")),
        ('  Header set A "b \\"c\\" d"\r\n', ("header", "set", "A", 'b "c" d')),
        ("ProxyPass / \\\n   http://a/ \\\r\n  retry=0", ("proxypass", "/", "http://a/", "retry=0")),
        ("# a \\\n b\nListen 80", ("listen", "80")),
        ("Listen 80 # 1", ("listen", "80", "#", "1")),
        ("AuthName 'a b'", ("authname", "a b")),
        ('AuthName "a b', ("authname", "a b")),
    ],
)
def test_lines_are_what_apache_takes_them_for(text: str, words: tuple[str, ...]) -> None:
    (line,) = parse(Source("front.conf", text))

    assert (line.name, *line.arguments) == words


def test_sections_stand_in_sections_with_their_places() -> None:
    text = "<VirtualHost *:80>\n  <location />\n    Require all denied\n  </Location>\n</VirtualHost>\n"
    (outer,) = parse(Source("front.conf", text))
    assert outer.inner is not None
    (inner,) = outer.inner

    assert text[outer.start : outer.end] == text.rstrip("\n")
    assert text[inner.start : inner.end].endswith("</Location>")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("<Location />\nRequire all denied\n", "front.conf:1:1: the section location is never closed"),
        ("</Location>", "front.conf:1:1: </location> where none is open"),
        ("<Proxy *>\n</Location>", "front.conf:2:1: </location> where proxy is open"),
        ("<Location /", "front.conf:1:1: the tag of a section has no >"),
        ("<>", "front.conf:1:1: a section without a name"),
        ("<If a>\n" * 60, "front.conf:51:1: more than 50 sections within each other"),
        ("a\n" * 60_000, "front.conf:50001:1: more than 50000 lines with directives; no front has so many"),
    ],
)
def test_what_apache_would_not_read_is_one_line_with_its_place(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(Source("front.conf", text))

    assert str(caught.value) == says


@pytest.mark.parametrize(
    ("lines", "exposure", "reach"),
    [
        ("", "answers-query", "unknown"),
        (LOGIN, "demands-login", "unknown"),
        ("Require all granted", "answers-query", "unknown"),
        ("Require all denied", "closed", ""),
        ("Require ip 10.0.0.0/8", "answers-query", "named"),
        ("Require ip 0.0.0.0/0", "answers-query", "unknown"),
        ("Require local", "answers-query", "named"),
        ("Require ip 10.0.0.0/8\nRequire valid-user", "demands-login", "unknown"),
        ("<RequireAll>\nRequire ip 10.0.0.0/8\nRequire valid-user\n</RequireAll>", "demands-login", "named"),
        ("<RequireAny>\nRequire all granted\nRequire valid-user\n</RequireAny>", "answers-query", "unknown"),
        ("<RequireAll>\nRequire all granted\nRequire not ip 192.0.2.1\n</RequireAll>", "answers-query", "unknown"),
        ("Require group doctors", "demands-login", "unknown"),
        ("Require ssl-verify-client", "demands-certificate", "unknown"),
        ('Require expr "%{SSL_CLIENT_VERIFY} == \'SUCCESS\'"', "demands-certificate", "unknown"),
        ("Require env let_in", "inconclusive", "unknown"),
        ("SSLVerifyClient require", "demands-certificate", "unknown"),
        ("SSLVerifyClient optional", "answers-query", "unknown"),
        ("Order deny,allow\nDeny from all\nAllow from 10.0.0.0/8", "answers-query", "named"),
        ("Order allow,deny\nAllow from all", "answers-query", "unknown"),
        ("Order allow,deny", "closed", ""),
        ("Order deny,allow", "answers-query", "unknown"),
        (f"Order deny,allow\nDeny from all\nAllow from 10.0.0.0/8\n{LOGIN}", "demands-login", "named"),
        (f"Order deny,allow\nDeny from all\nAllow from 10.0.0.0/8\n{LOGIN}\nSatisfy Any", "demands-login", "unknown"),
        (f"Order allow,deny\nAllow from all\n{LOGIN}\nSatisfy Any", "answers-query", "unknown"),
        (f"<LimitExcept GET>\n{LOGIN}\n</LimitExcept>", "answers-query", "unknown"),
        (f"<Limit GET POST>\n{LOGIN}\n</Limit>", "demands-login", "unknown"),
        (f"<Limit POST>\n{LOGIN}\n</Limit>", "answers-query", "unknown"),
        (f"<IfModule mod_authz_core.c>\n{LOGIN}\n</IfModule>", "demands-login", "unknown"),
        (f"<IfModule !mod_authz_core.c>\n{LOGIN}\n</IfModule>", "answers-query", "unknown"),
        (f"<IfVersion < 2.4>\n{LOGIN}\n</IfVersion>", "answers-query", "unknown"),
    ],
)  # fmt: skip
def test_a_path_asks(lines: str, exposure: str, reach: str) -> None:
    assert only(PASS, location("/", lines)) == (exposure, reach)


def test_sections_are_applied_in_their_order_and_proxy_before_location() -> None:
    asked, granted = location("/", LOGIN), location("/", "Require all granted")

    assert only(PASS, asked, granted)[0] == "answers-query"
    assert only(PASS, granted, asked)[0] == "demands-login"
    assert only(PASS, location("*", LOGIN, "Proxy"))[0] == "demands-login"
    assert only(PASS, location("*", LOGIN, "Proxy"), granted)[0] == "answers-query"
    assert only(PASS, location("http://elsewhere/", LOGIN, "Proxy"))[0] == "answers-query"
    assert only(PASS, location("^/", LOGIN, "LocationMatch"))[0] == "demands-login"
    assert only(PASS, asked, location("/", "AuthMerging And\nRequire all granted"))[0] == "demands-login"


@pytest.mark.parametrize(
    ("lines", "behind"),
    [
        ("ProxyPass /a http://orthanc:8042/b", [("orthanc", 8042, "/a")]),
        ("<Location /a>\nProxyPass http://orthanc:8042\n</Location>", [("orthanc", 8042, "/a")]),
        ("ProxyPassMatch ^/a/(.*)$ http://orthanc:8042/$1", [("orthanc", 8042, "^/a/(.*)$")]),
        ("RewriteRule ^/a/(.*) http://orthanc:8042/$1 [P,L]", [("orthanc", 8042, "^/a/(.*)")]),
        ("RewriteRule ^/a/(.*) http://orthanc:8042/$1 [R,L]", []),
        ('<Location /a>\nSetHandler "proxy:http://orthanc:8042"\n</Location>', [("orthanc", 8042, "/a")]),
        (
            "<Proxy balancer://pacs>\nBalancerMember http://a:8080\nBalancerMember ajp://b\n</Proxy>\nProxyPass / balancer://pacs/",
            [("a", 8080, "/"), ("b", 8009, "/")],
        ),
        ("ProxyPass /a !\nProxyPass / http://orthanc:8042/", [("orthanc", 8042, "/")]),
        ("ProxyPass / http://orthanc:8042/\nProxyPass / http://b/", [("orthanc", 8042, "/")]),
    ],
)
def test_what_is_behind_is_found(lines: str, behind: list[tuple[str, int, str]]) -> None:
    assert [(front.host, front.port, front.path) for front in host(lines).fronts] == behind


def test_what_the_main_server_says_holds_in_its_hosts() -> None:
    reading = apache(f"{PASS}\nSSLProtocol all\n<VirtualHost *:443>\nSSLEngine on\n</VirtualHost>\n")

    assert [(one.name, str(one.exposure), one.tls) for one in reading.listeners] == [
        ("front/443", "answers-query", True)
    ]
    assert rules(reading) == {"APACHE-001", "APACHE-008"}


def test_a_server_without_hosts_is_at_the_ports_it_listens_on() -> None:
    reading = apache(f"Listen 127.0.0.1:8080\nListen 8443 https\n{PASS}\n")

    assert [(one.port, str(one.reach), one.tls) for one in reading.listeners] == [
        (8080, "loopback", False),
        (8443, "unknown", True),
    ]


@pytest.mark.parametrize(
    ("lines", "found"),
    [
        (PASS, {"APACHE-001"}),
        (f"{PASS}\n{location('/', LOGIN)}", set()),
        (f"{PASS}\n{location('/', LOGIN)}\n{location('/wado', 'Require all granted')}", {"APACHE-002"}),
        (f"{PASS}\n{location('/viewer', LOGIN)}", {"APACHE-002"}),
        (f"{PASS}\n{location('/var/www', LOGIN, 'Directory')}", {"APACHE-003"}),
        (f"{PASS}\n{location('/', f'Allow from all{chr(10)}{LOGIN}{chr(10)}Satisfy any')}", {"APACHE-004"}),
        (f"{PASS}\nSSLVerifyClient optional", {"APACHE-005"}),
        (f"{PASS}\nSSLVerifyClient require", set()),
        (
            f"{PASS}\nSSLVerifyClient optional\nRewriteCond %{{SSL_CLIENT_VERIFY}} !^SUCCESS$\nRewriteRule ^ - [F]",
            set(),
        ),
        (f"{PASS}\n{location('/', LOGIN)}\nSSLProtocol -all +TLSv1.1 +TLSv1.2", {"APACHE-008"}),
        (f"{PASS}\n{location('/', LOGIN)}\nSSLProtocol all -SSLv3 -TLSv1 -TLSv1.1", set()),
        (f"{PASS}\n{location('/', LOGIN)}\nSSLCipherSuite ALL:RC4", {"APACHE-009"}),
        (f"{PASS}\n{location('/', LOGIN)}\nHeader always set Access-Control-Allow-Origin *", {"APACHE-010"}),
        (f'{PASS}\n{location("/", LOGIN)}\nHeader set Access-Control-Allow-Origin "%{{HTTP_ORIGIN}}e"', {"APACHE-011"}),
        ("ProxyRequests On", {"APACHE-012"}),
        (f"{PASS}\n{location('/', f'<LimitExcept GET>{chr(10)}Require valid-user{chr(10)}</LimitExcept>')}", {"APACHE-013"}),
        (location("/server-status", "SetHandler server-status"), {"APACHE-014"}),
        (location("/server-status", "SetHandler server-status\nRequire local"), set()),
        (f"{PASS}\nRequestHeader set Authorization 'Basic YTpiYzpkZQ=='", {"APACHE-001", "APACHE-015"}),
        (f"{PASS}\n{location('/', LOGIN)}\nRequestHeader set Authorization 'Basic YTpiYzpkZQ=='", {"APACHE-016"}),
        (location("/srv/dicom", "Options +Indexes", "Directory"), {"APACHE-017"}),
        ("ProxyPass / http://app:3000/", set()),
    ],
)  # fmt: skip
def test_a_host_with_tls_is_found_to_have(lines: str, found: set[str]) -> None:
    assert rules(host(lines)) == found


def test_a_plain_host_is_told_apart_when_there_is_tls_beside_it() -> None:
    plain = f"<VirtualHost *:80>\nServerName a\n{PASS}\n{location('/', LOGIN)}\n</VirtualHost>\n"
    secure = plain.replace(":80>", ":443>\nSSLEngine on")
    away = "<VirtualHost *:80>\nServerName a\nRedirect / https://a/\n</VirtualHost>\n"

    assert rules(apache(plain)) == {"APACHE-006"}
    assert rules(apache(plain + secure)) == {"APACHE-007"}
    assert rules(apache(away + secure)) == set()


def test_a_plain_host_beside_a_certificate_opens_what_the_certificate_guards() -> None:
    plain = f"<VirtualHost *:80>\nServerName a\n{PASS}\n</VirtualHost>\n"
    secure = plain.replace(":80>", ":443>\nSSLEngine on\nSSLVerifyClient require")

    assert rules(apache(plain + secure)) == {"APACHE-007", "APACHE-018"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            f"{PASS}\n{location('/', LOGIN)}\n{location('/wado', '  Require all granted')}",
            f"{PASS}\n{location('/', LOGIN)}\n<Location \"/wado\">\n</Location>",
        ),
        (
            "<Location /a>\n  Require valid-user\n</Location>\n  ProxyPass /wado http://a:8042",
            '<Location /a>\n  Require valid-user\n</Location>\n  <Location "/wado">\n      Require valid-user\n  </Location>\n  ProxyPass /wado http://a:8042',
        ),
        (f"{PASS}\nSSLCACertificateFile c\nSSLVerifyClient optional", f"{PASS}\nSSLCACertificateFile c\nSSLVerifyClient require"),
        ("SSLProtocol all", "SSLProtocol -all +TLSv1.2 +TLSv1.3"),
        ("ProxyRequests on", "ProxyRequests Off"),
    ],
)  # fmt: skip
def test_the_change_is_the_smallest_and_keeps_the_rest(before: str, after: str) -> None:
    whole = "# a front\n<VirtualHost *:443>\nSSLEngine on\n{}\n</VirtualHost>\n"

    assert fixed(apache(whole.format(before))) == whole.format(after)


@pytest.mark.parametrize(
    ("rule", "away"),
    [
        ("RewriteRule ^ https://a%{REQUEST_URI} [R=301,L]", True),
        ("RewriteCond %{HTTPS} !=on\nRewriteRule ^/?(.*) https://a/$1 [redirect=301]", True),
        ("RewriteCond %{REQUEST_URI} !^/\\.well-known/\nRewriteRule ^ https://a/ [R,L]", True),
        ("RewriteCond %{REQUEST_URI} ^/old\nRewriteRule ^ https://a/ [R,L]", False),
        ("RewriteRule ^/old https://a/ [R,L]", False),
        ("RewriteRule ^ /new [L]", False),
    ],
)
def test_a_plain_host_that_sends_everybody_away_leads_nowhere(rule: str, away: bool) -> None:
    assert (host(PASS, rule, port=80).listeners == ()) is away


def test_no_password_is_repeated() -> None:
    reading = host(PASS, "RequestHeader set Authorization 'Basic c2VjcmV0OnNlY3JldA=='")

    assert reading.findings
    assert "c2VjcmV0" not in repr((reading.findings, reading.listeners, reading.fronts, reading.facts))


def test_includes_are_named() -> None:
    reading = apache("Include conf/a.conf\n<IfModule x>\nIncludeOptional conf.d/*.conf\n</IfModule>\n")

    assert reading.includes == ("conf/a.conf", "conf.d/*.conf")

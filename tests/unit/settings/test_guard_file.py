"""``guard.toml``: what is read, and every way in which it is refused, with its line."""

from __future__ import annotations

import datetime as dt
import tomllib
import zoneinfo
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # it has no types
import pytest

from leadglass.errors import ConfigError
from leadglass.settings.guard import Address, BudgetSettings, GuardSettings, IdentitySettings, Profile
from leadglass.settings.guard_file import TABLES, GuardFile, read_guard
from leadglass.settings.guard_kinds import address, duration, host, network, size

FULL = """\
name = "Example Radiology guard"
[archive]
titles = ["ORTHANC", "ARCHIVE"]
address = "[2001:db8::7]:4242"
tls = true
tls_name = "pacs.example.org"
ca = "/etc/pki/archive.pem"
certificate = "to-archive.pem"
key = "to-archive.key"
own_title = "GUARD"
query = false
web = "https://pacs.example.org:8042/dicom-web/"
sends_from = ["2001:db8::7", "192.0.2.0/28"]
[listen]
names = ["Guard.Example.org", "192.0.2.1"]
dicom = "0.0.0.0:2762"
plain = "192.0.2.1:11112"
web = "0.0.0.0:8443"
web_origins = ["https://viewer.example.org"]
from_archive = "192.0.2.1:11113"
health = "127.0.0.1:9118"
[tls]
profile = "strict"
certificate = "guard.pem"
key = "guard.key"
ca = "devices.pem"
ca_key = "devices.key"
crl = "devices.crl"
[policy]
folder = "rules"
grace = "30m"
[identity]
issuer = "https://login.example.org/realms/hospital"
audience = "pacs"
jwks = "https://login.example.org/jwks"
ca = "login.pem"
name_claim = "preferred_username"
roles_claim = "groups"
physician_claim = "dicom_names"
institutions_claim = "sites"
labels_claim = "trials"
[budgets]
window = "1d"
associations = 100
queries = 200
matches = 3000
patients = 40
studies = 50
bytes = "20GB"
[audit]
directory = "/var/lib/leadglass/audit"
reserve = "1GiB"
syslog = "collector.example.org:6514"
syslog_ca = "collector.pem"
syslog_certificate = "to-collector.pem"
syslog_key = "to-collector.key"
[state]
database = "postgresql://guard@db.example.org/guard"
[limits]
connections = 1000
per_address = 10
idle = "90s"
workers = 4
"""

LEAST = """\
name = "guard"
[archive]
title = "ORTHANC"
address = "127.0.0.1:4242"
[listen]
names = ["guard.example.org"]
dicom = "0.0.0.0:2762"
"""


def read(text: str) -> GuardSettings:
    return read_guard(text, filename="guard.toml", folder="/etc/leadglass")


def changed(change: str, text: str = FULL) -> str:
    """The text after each ``old -> new``, one a line."""
    for line in change.splitlines():
        old, new = line.split(" -> ")
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def test_a_full_file_is_read_as_it_is_written() -> None:
    settings = read(FULL)

    assert settings.archive.titles == ("ORTHANC", "ARCHIVE")
    assert settings.archive.address == Address("2001:db8::7", 4242)
    assert settings.archive.web == "https://pacs.example.org:8042/dicom-web"
    assert settings.archive.sends_from == ("2001:db8::7/128", "192.0.2.0/28")
    assert settings.archive.query is False
    assert settings.listen.names == ("guard.example.org", "192.0.2.1")
    assert settings.listen.from_archive == Address("192.0.2.1", 11113)
    assert settings.tls.profile is Profile.STRICT
    assert settings.policy.grace == 1800.0
    assert settings.identity == IdentitySettings(
        issuer="https://login.example.org/realms/hospital",
        audience="pacs",
        jwks="https://login.example.org/jwks",
        ca="/etc/leadglass/login.pem",
        name_claim="preferred_username",
        roles_claim="groups",
        physician_claim="dicom_names",
        institutions_claim="sites",
        labels_claim="trials",
    )
    assert settings.budgets == BudgetSettings(86_400.0, 100, 200, 3000, 40, 50, 20_000_000_000)
    assert settings.audit.reserve == 1 << 30
    assert settings.audit.syslog == Address("collector.example.org", 6514)
    assert settings.database == "postgresql://guard@db.example.org/guard"
    assert (settings.limits.idle, settings.limits.workers) == (90.0, 4)


def test_the_least_file_gets_every_default() -> None:
    settings = read(LEAST)

    assert settings.archive.titles == ("ORTHANC",)
    assert (settings.archive.own_title, settings.archive.query, settings.archive.tls) == (
        "LEADGLASS",
        True,
        False,
    )
    assert settings.tls.profile is Profile.BCP195
    assert settings.policy.grace == 8 * 3600
    assert settings.policy.zone is dt.UTC
    assert settings.identity is None
    assert settings.budgets is None
    assert settings.listen.health == Address("127.0.0.1", 9117)
    assert (settings.limits.connections, settings.limits.per_address, settings.limits.workers) == (512, 32, 0)


def test_a_time_zone_is_looked_up_by_its_name() -> None:
    settings = read(FULL.replace('grace = "30m"', 'timezone = "Europe/Berlin"'))

    assert settings.policy.zone == zoneinfo.ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("name", ['"Europe/Nowhere"', '"../../etc/passwd"', '""', "1", '"/etc/localtime"'])
def test_a_time_zone_that_is_none_is_refused_with_its_line(name: str) -> None:
    with pytest.raises(ConfigError, match=r"guard.toml, line 31: .*time zone"):
        read(FULL.replace('grace = "30m"', f"timezone = {name}"))


def test_paths_begin_where_the_file_lies_unless_they_are_absolute() -> None:
    settings = read(FULL)

    assert settings.tls.ca_key == "/etc/leadglass/devices.key"
    assert settings.tls.crl == "/etc/leadglass/devices.crl"
    assert settings.archive.ca == "/etc/pki/archive.pem"
    assert settings.policy.folder == "/etc/leadglass/rules"
    assert settings.audit.directory == "/var/lib/leadglass/audit"
    assert read(LEAST).database == "/etc/leadglass/guard.sqlite"


@pytest.mark.parametrize(
    ("change", "line", "said"),
    [
        ('titles = -> title = "X"\\ntitles =', 4, "both title and titles"),
        ('titles = ["ORTHANC", "ARCHIVE"] -> titles = []', 3, "there are no titles"),
        ('["ORTHANC", "ARCHIVE"] -> "ORTHANC"', 3, 'must be a list such as ["ARCHIVE", "ARCHIVE2"]'),
        ('"ARCHIVE"] -> "ORTHANC"]', 3, "holds something twice"),
        ('"ARCHIVE"] -> "  "]', 3, "may not be blank"),
        ('"ARCHIVE"] -> "SEVENTEEN_LETTERS"]', 3, "16 are allowed"),
        ("titles = -> titels =", 3, "unknown key 'titels'; did you mean 'titles'?"),
        ("tls_name = -> profile =", 6, "unknown key 'profile'; it belongs under [tls]"),
        ('"[2001:db8::7]:4242" -> 4242', 4, "address: must be host:port, in quotes"),
        ('"[2001:db8::7]:4242" -> "2001:db8::7:4242"', 4, "no address with a port"),
        ('"[2001:db8::7]:4242" -> "pacs:0"', 4, "ports are 1 to 65535"),
        ('"[2001:db8::7]:4242" -> "256.1.1.1:104"', 4, "no host name and no address"),
        ("tls = true -> tls = 1", 5, "tls must be true or false, without quotes"),
        ('ca = "/etc/pki/archive.pem" -> #', 5, 'nothing vouches for the archive; add ca = "archive-ca.pem"'),
        ("tls = true -> tls = false\nhttps://pacs -> http://pacs", 7, "ca has no effect without tls = true"),
        ('key = "to-archive.key" -> #', 2, "key is missing; a certificate goes with its key"),
        ('"192.0.2.0/28"] -> "192.0.2.1/28"]', 13, "has host bits set"),
        ('names = ["Guard.Example.org", "192.0.2.1"] -> names = []', 15, "there are no names"),
        ("https://viewer.example.org -> *", 19, "no origin; write https://viewer.example.org"),
        ("https://viewer.example.org -> null", 19, "no origin; write https://viewer.example.org"),
        ("https://viewer.example.org -> http://viewer.example.org", 19, "must begin with https://"),
        (
            "https://viewer.example.org -> https://Viewer.example.org:443/ohif",
            19,
            "not how browsers write an origin; write https://viewer.example.org",
        ),
        ("https://pacs.e -> https://orthanc:orthanc@pacs.e", 12, "write web_user and web_password_file"),
        ("/dicom-web/ -> /dicom-web?x=1", 12, "must end with a plain path such as /dicom-web"),
        ("/dicom-web/ -> /dicom%2dweb", 12, "must end with a plain path such as /dicom-web"),
        ("https://pacs -> ftp://pacs", 12, "no http:// or https:// address"),
        ("pacs.example.org:8042 -> pacs.example.org:99999", 12, "no http:// or https:// address"),
        ('own_title = -> web_user = "guard"\\nown_title =', 13, "belong together"),
        (
            'web = "https://pacs.example.org:8042/dicom-web/" -> #',
            18,
            "the archive has no DICOMweb to stand before",
        ),
        (
            'sends_from = ["2001:db8::7", "192.0.2.0/28"] -> #',
            20,
            "nobody knows where the archive sends from",
        ),
        ('plain = "192.0.2.1:11112" -> plain = "192.0.2.1:2762"', 17, "is where dicom is"),
        ('profile = "strict" -> profile = "modern"', 23, "must be 'BCP195' or 'strict'"),
        ('grace = "30m" -> grace = "1w"', 31, "no length of time; write 90s, 15m, 8h or 2d"),
        ('grace = "30m" -> grace = "4d"', 31, "must be 3d at most"),
        ('grace = "30m" -> grace = 30', 31, "must be a length of time, in quotes"),
        (
            "https://login.example.org/realms -> http://login.example.org/realms",
            33,
            "must begin with https://",
        ),
        ("https://login.example.org/jwks -> https://me:secret@login.example.org/", 35, "and passwords"),
        ('audience = "pacs" -> #', 32, "audience is missing in [identity]"),
        ("queries = 200 -> queries = 0", 45, "queries: must be a whole number above zero"),
        ("queries = 200 -> queries = true", 45, "queries: must be a whole number above zero"),
        ('bytes = "20GB" -> bytes = "20 apples"', 49, "no size; write 500MB or 2GiB"),
        ('syslog = "collector.example.org:6514" -> #', 54, "syslog_ca has no effect without syslog"),
        ('syslog_key = "to-collector.key" -> #', 50, "syslog_key is missing"),
        ("workers = 4 -> workers = 257", 63, "workers must be 0 to 256; 0 means one for each core"),
        ("workers = 4 -> workers = 4.5", 63, "workers must be a whole number"),
        ("[limits] -> [limit]", 59, "unknown key 'limit'; did you mean 'limits'?"),
        ("workers = 4 -> workers =", 63, "this is not TOML"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(change: str, line: int, said: str) -> None:
    text = changed(change).replace("\\n", "\n")

    with pytest.raises(ConfigError) as caught:
        read(text)

    assert f"guard.toml, line {line}: " in str(caught.value)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (changed('title = "ORTHANC" -> #', LEAST), 'the archive has no title; write title = "ARCHIVE"'),
        (changed('dicom = "0.0.0.0:2762" -> #', LEAST), 'nobody can come in; add dicom = "0.0.0.0:2762"'),
        (LEAST + "[budgets]\n", "nothing is counted; write queries = 1000, or leave [budgets] out"),
        (changed("[listen] -> [archive.listen]", LEAST), "unknown key 'listen'"),
        ("", "name is missing"),
    ],
)
def test_what_is_lacking_is_told(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)

    assert said in str(caught.value)


LOGIN = FULL.replace("own_title =", 'web_user = "guard"\nweb_password_file = "word"\nown_title =')


def test_work_items_are_carried_only_where_the_file_says_so() -> None:
    assert not read(FULL).archive.workitems
    assert read(FULL.replace("own_title =", "workitems = true\nown_title =")).archive.workitems
    with pytest.raises(ConfigError, match="line 5: workitems has no effect without web"):
        read(LEAST.replace("[listen]", "workitems = true\n[listen]"))


def test_pages_in_a_browser_need_somebody_who_gives_them_tokens() -> None:
    assert read(FULL).listen.web_origins == ("https://viewer.example.org",)
    assert read(FULL.replace("https://viewer.example.org", "http://[::1]:3000")).listen.web_origins == (
        "http://[::1]:3000",
    )
    with pytest.raises(
        ConfigError, match=r"line 8: web_origins has no effect; a page in a browser comes with"
    ):
        read(LEAST + 'web_origins = ["https://viewer.example.org"]\n')


def test_the_archives_web_server_may_want_a_password() -> None:
    archive = read(LOGIN).archive

    assert (archive.web_user, archive.web_password_file) == ("guard", "/etc/leadglass/word")
    with pytest.raises(ConfigError, match="line 10: a user name over HTTP holds no colon"):
        read(LOGIN.replace('"guard"', '"gu:ard"'))


def test_who_is_spoken_to_over_tls_on_the_web_needs_somebody_to_vouch_for_it() -> None:
    with pytest.raises(ConfigError, match=r"line 12: nothing vouches for the archive; add ca ="):
        read(changed('tls = true -> tls = false\nca = "/etc/pki/archive.pem" -> #'))


def test_what_goes_without_tls_when_the_archives_web_root_has_it() -> None:
    assert read(changed("tls = true -> tls = false")).archive.ca == "/etc/pki/archive.pem"


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "[::1]"])
def test_an_identity_provider_on_this_machine_needs_no_tls(name: str) -> None:
    text = changed(
        f"https://login.example.org/realms/hospital -> http://{name}:8080/realms\n"
        f'jwks = "https://login.example.org/jwks" -> #'
    )
    settings = read(text)

    assert settings.identity is not None
    assert (settings.identity.issuer, settings.identity.jwks) == (f"http://{name}:8080/realms", None)


# ---- kinds


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("192.0.2.1:104", Address("192.0.2.1", 104)),
        ("PACS.example.org.:104", Address("pacs.example.org", 104)),
        ("[2001:DB8::0:1]:104", Address("2001:db8::1", 104)),
    ],
)
def test_an_address_is_read_in_its_canonical_form(text: str, meant: Address) -> None:
    assert address(text) == meant
    assert address(str(meant)) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        ":104",
        "a:",
        "a:b",
        "a b:1",
        "a:1:2",
        "[::1]",
        "[1.2.3.4]:1",
        "a:65536",
        "-a:1",
        "a..b:1",
        "a:\u0661",
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        address(text)


def test_other_kinds_are_read_in_their_units() -> None:
    assert [duration(text) for text in ("90s", "15 m", "8h", "2d")] == [90.0, 900.0, 28_800.0, 172_800.0]
    assert [size(text) for text in ("7B", "5KB", "5 KiB", "2GB", "1TiB")] == [
        7,
        5000,
        5120,
        2 * 10**9,
        1 << 40,
    ]
    assert [network(text) for text in ("192.0.2.1", "2001:db8::/32")] == ["192.0.2.1/32", "2001:db8::/32"]
    assert host("a_b-c.example") == "a_b-c.example"


# ---- the schema


def as_json(text: str) -> Any:
    return tomllib.loads(text)


def test_editors_accept_what_is_accepted() -> None:
    schema = GuardFile.model_json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)

    jsonschema.validate(as_json(FULL), schema)
    jsonschema.validate(as_json(LEAST), schema)


@pytest.mark.parametrize(
    "change",
    [
        "tls = true -> tls = 1",
        "tls_name = -> tsl_name =",
        '"[2001:db8::7]:4242" -> "pacs"',
        '"192.0.2.0/28"] -> "everywhere"]',
        'profile = "strict" -> profile = "modern"',
        'grace = "30m" -> grace = "soon"',
        "queries = 200 -> queries = 0",
        'bytes = "20GB" -> bytes = "much"',
        '"ARCHIVE"] -> "  "]',
    ],
)
def test_editors_refuse_what_is_refused(change: str) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(as_json(changed(change)), GuardFile.model_json_schema())
    with pytest.raises(ConfigError):
        read(changed(change))


def test_every_table_is_known_to_hints() -> None:
    headings = {name for name, field in GuardFile.model_fields.items() if name != "name"}

    assert set(TABLES) == headings | {""}

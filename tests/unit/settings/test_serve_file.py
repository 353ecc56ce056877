"""``serve.toml``: what it says, and what it may not say."""

from __future__ import annotations

import dataclasses

import pytest

from leadglass.errors import ConfigError
from leadglass.model.account import Role
from leadglass.settings.guard import Address
from leadglass.settings.serve import ServeSettings
from leadglass.settings.serve_file import read_serve, require_safe

WHOLE = """
bind = "0.0.0.0:8443"
hosts = ["Leadglass.example.org"]
trusted_proxy = ["192.0.2.0/28"]
watch = "watch.toml"
guard = "/srv/guard"
profiles = ["hipaa", "gdpr"]
organisation = "Example Radiology"

[tls]
certificate = "a.pem"
key = "a.key"

[session]
idle = "10m"
absolute = "8h"

[limits]
body = "1MiB"
connections = 50
request = "5s"
"""


def read(text: str) -> ServeSettings:
    return read_serve(text, filename="serve.toml", folder="/etc/leadglass")


def test_a_whole_file_is_read_with_paths_from_its_folder() -> None:
    settings = read(WHOLE)

    assert settings == ServeSettings(
        bind=Address("0.0.0.0", 8443),
        hosts=("leadglass.example.org",),
        certificate="/etc/leadglass/a.pem",
        key="/etc/leadglass/a.key",
        trusted_proxy=("192.0.2.0/28",),
        idle=600,
        absolute=28_800,
        largest_body=1 << 20,
        most_connections=50,
        slowest_request=5,
        watch="/etc/leadglass/watch.toml",
        guard="/srv/guard",
        profiles=("hipaa", "gdpr"),
        organisation="Example Radiology",
    )
    assert settings.address == "https://127.0.0.1:8443"


def test_an_empty_file_says_what_is_said_without_one() -> None:
    assert read("") == ServeSettings()


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("bnd = 1", 1, "did you mean 'bind'"),
        ('bind = "here"', 1, "no address with a port"),
        ('\n[tls]\ncertificate = "a"', 2, "key"),
        ('[limits]\nbody = "1GiB"', 2, "64MiB"),
        ('[session]\nidle = "2d"', 2, "longer"),
        ('profiles = ["gdrp"]', 1, "gdpr"),
        ('trusted_proxy = ["192.0.2.1/24"]', 1, "192.0.2"),
        ("[limits]\nconnections = 0", 2, "above zero"),
        ('bind = "[::1]:8104"\nprofiles = ["iso"]', 2, "profiles = 'iso' must be 'hipaa'"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, line: int, why: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)

    assert f"serve.toml, line {line}" in str(caught.value)
    assert why in str(caught.value)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "pacs.example.org"])
def test_no_address_that_others_reach_is_served_in_the_clear(host: str) -> None:
    bare = dataclasses.replace(ServeSettings(), bind=Address(host, 8104))

    with pytest.raises(ConfigError, match=r"in the clear.*ssh -L"):
        require_safe(bare)
    require_safe(dataclasses.replace(bare, certificate="a", key="b"))
    require_safe(dataclasses.replace(bare, trusted_proxy=("192.0.2.1",)))


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost", "127.0.0.5"])
def test_this_machine_alone_may_be_served_in_the_clear(host: str) -> None:
    require_safe(dataclasses.replace(ServeSettings(), bind=Address(host, 8104)))


# ---- an identity provider

OIDC = """
[oidc]
issuer = "https://id.example/r"
client_id = "leadglass"
client_secret_file = "secret"
roles = { "imaging admins" = "administrator", imaging = "operator" }
"""


def test_an_identity_provider_is_read_with_its_roles_in_their_order() -> None:
    oidc = read(OIDC).oidc

    assert oidc is not None
    assert oidc.client_secret_file == "/etc/leadglass/secret"
    assert list(oidc.roles.items()) == [
        ("imaging admins", Role.ADMINISTRATOR),
        ("imaging", Role.OPERATOR),
    ]


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ('issuer = "http://id.example/r"', "https://"),
        ('issuer = "https://id.example/r?x=1"', "is no issuer"),
        ('issuer = "https://id.example/r#x"', "is no issuer"),
        ('issuer = "https://id.example:99999/r"', "is no issuer"),
        ("roles = {}", "lets nobody in"),
        ('roles = { imaging = "king" }', "king"),
        ("roles = { imaging = 1 }", "imaging"),
        ('roles = ["imaging"]', "roles"),
    ],
)
def test_a_provider_that_cannot_be_meant_is_one_line(line: str, says: str) -> None:
    name = line.split(" ", maxsplit=1)[0]
    text = "\n".join(line if old.startswith(f"{name} =") else old for old in OIDC.splitlines())

    with pytest.raises(ConfigError, match=says):
        read(text)

"""The guard's TLS settings, shaken hands with in memory."""

from __future__ import annotations

import ssl
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from tests.unit.guard.enrol.papers import MOMENT, client, kept, root, server, stamp

from leadglass.errors import ConfigError
from leadglass.guard.enrol.authority import new_authority
from leadglass.guard.tls import SUITES, ServerTls, client_context, server_context
from leadglass.settings.guard import Profile

TLS12, TLS13 = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """With an authority and the guard's certificate, valid now."""
    kept(tmp_path, "ca", root())
    kept(tmp_path, "server", server(time.time()))
    return tmp_path


def door(folder: Path, profile: Profile = Profile.BCP195) -> ssl.SSLContext:
    return server_context(
        profile, str(folder / "server.pem"), str(folder / "server.key"), str(folder / "ca.pem")
    )


def caller(folder: Path, name: str | None = "ct-1", profile: Profile = Profile.BCP195) -> ssl.SSLContext:
    if name is None:
        return client_context(profile, str(folder / "ca.pem"))
    papers = kept(folder, name, client(name, time.time()))
    return client_context(profile, str(folder / "ca.pem"), *papers)


def shake(
    calling: ssl.SSLContext,
    serving: ssl.SSLContext,
    name: str = "guard.example.org",
    session: ssl.SSLSession | None = None,
) -> tuple[ssl.SSLObject, ssl.SSLObject]:
    """Both ends after the handshake, and after one byte: under TLS 1.3 only that tells what the server said."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = calling.wrap_bio(to_client, to_server, server_hostname=name, session=session)
    theirs = serving.wrap_bio(to_server, to_client, server_side=True)
    waiting = [ours, theirs]
    while waiting:
        for end in list(waiting):
            try:
                end.do_handshake()
                waiting.remove(end)
            except ssl.SSLWantReadError:
                continue
    theirs.write(b"x")
    assert ours.read(1) == b"x"
    return ours, theirs


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_a_client_with_a_certificate_is_known_by_it(
    folder: Path, profile: Profile, version: ssl.TLSVersion
) -> None:
    calling = caller(folder, profile=profile)
    calling.maximum_version = version
    ours, theirs = shake(calling, door(folder, profile))

    assert theirs.version() == {TLS12: "TLSv1.2", TLS13: "TLSv1.3"}[version]
    shown = theirs.getpeercert(binary_form=True)
    assert shown == ssl.PEM_cert_to_DER_cert((folder / "ct-1.pem").read_text())
    assert ours.compression() is None


@pytest.mark.parametrize("version", [TLS12, TLS13])
def test_a_client_without_a_certificate_is_refused(folder: Path, version: ssl.TLSVersion) -> None:
    calling = caller(folder, None)
    calling.maximum_version = version

    with pytest.raises(ssl.SSLError, match=r"PEER_DID_NOT_RETURN_A_CERTIFICATE|CERTIFICATE_REQUIRED|ALERT"):
        shake(calling, door(folder))


def test_a_client_of_another_authority_is_refused(folder: Path) -> None:
    calling = client_context(Profile.BCP195, str(folder / "ca.pem"))
    calling.load_cert_chain(*kept(folder, "stranger", new_authority("x", stamp(time.time()))))

    with pytest.raises(ssl.SSLError):
        shake(calling, door(folder))


def test_a_certificate_past_its_end_is_refused(folder: Path) -> None:
    papers = kept(folder, "old", client("old", MOMENT - 3 * 365 * 86_400))
    calling = client_context(Profile.BCP195, str(folder / "ca.pem"), *papers)

    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        shake(calling, door(folder))


def test_the_guards_own_certificate_of_a_device_is_no_guard(folder: Path) -> None:
    # A device that does not listen must not be able to pass for the guard.
    papers = kept(folder, "device", client("device", time.time()))
    posing = server_context(Profile.BCP195, *papers, str(folder / "ca.pem"))

    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        shake(client_context(Profile.BCP195, str(folder / "ca.pem"), names=False), posing)


def test_the_guard_is_believed_under_its_names_only(folder: Path) -> None:
    shake(caller(folder), door(folder), "192.0.2.1")
    with pytest.raises(ssl.SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        shake(caller(folder), door(folder), "pacs.example.org")


@pytest.mark.parametrize(
    ("profile", "offered"), [(p, s) for p in Profile for s in SUITES[p] if "RSA" not in s]
)
def test_every_suite_of_the_profile_is_spoken(folder: Path, profile: Profile, offered: str) -> None:
    calling = caller(folder, profile=profile)
    calling.maximum_version = TLS12
    calling.set_ciphers(f"{offered}:@SECLEVEL=0")
    ours, _ = shake(calling, door(folder, profile))

    assert (ours.cipher() or ("",))[0] == offered


@pytest.mark.parametrize(
    "offered",
    [
        "ECDHE-ECDSA-CHACHA20-POLY1305",
        "ECDHE-ECDSA-AES128-SHA256",
        "ECDHE-ECDSA-AES128-SHA",
        "AES128-SHA",
        "NULL",
    ],
)
def test_no_other_suite_is_spoken_under_the_profile_for_everybody(folder: Path, offered: str) -> None:
    calling = caller(folder)
    calling.maximum_version = TLS12
    calling.set_ciphers(f"{offered}:@SECLEVEL=0")

    with pytest.raises(ssl.SSLError, match=r"NO_SHARED_CIPHER|HANDSHAKE_FAILURE"):
        shake(calling, door(folder))


@pytest.mark.parametrize("profile", list(Profile))
def test_the_suites_are_exactly_those_of_the_profile(folder: Path, profile: Profile) -> None:
    spoken = {suite["name"] for suite in door(folder, profile).get_ciphers()}

    assert {name for name in spoken if not name.startswith("TLS_")} == set(SUITES[profile])
    assert {name for name in spoken if name.startswith("TLS_")} == {
        "TLS_AES_256_GCM_SHA384",
        "TLS_CHACHA20_POLY1305_SHA256",
        "TLS_AES_128_GCM_SHA256",
    }


def test_nothing_is_resumed_under_tls_13(folder: Path) -> None:
    serving, calling = door(folder), caller(folder)
    ours, _ = shake(calling, serving)

    assert ours.session is None or not ours.session.has_ticket
    assert serving.session_stats()["number"] == 0


def test_a_session_resumed_under_tls_12_still_tells_its_certificate(folder: Path) -> None:
    serving, calling = door(folder), caller(folder)
    calling.maximum_version = TLS12
    first, _ = shake(calling, serving)
    again, theirs = shake(calling, serving, session=first.session)

    assert again.session_reused
    assert theirs.getpeercert(binary_form=True) == ssl.PEM_cert_to_DER_cert((folder / "ct-1.pem").read_text())


def test_a_door_that_remembers_many_sessions_begins_anew(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("leadglass.guard.tls._MOST_SESSIONS", 2)
    serving, calling = ServerTls(lambda: door(folder)), caller(folder)
    calling.maximum_version = TLS12
    first = serving.context()
    # OpenSSL forgets the session of a connection that went away without a farewell.
    ends = [shake(calling, serving.context()) for _ in range(2)]

    assert serving.context() is not first
    (folder / "server.pem").write_text("")
    ends += [shake(calling, serving.context()) for _ in range(3)]
    with pytest.raises(ConfigError):
        serving.reload()


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("server.pem", None, r"server\.pem, .*server\.key: cannot be read \(no such file"),
        ("server.key", b"", r"server\.key: this is no certificate with its key"),
        ("ca.pem", None, r"ca\.pem: cannot be read \(no such file"),
        ("ca.pem", b"nothing", r"ca\.pem: there are no certificates in this file"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    folder: Path, name: str, content: bytes | None, said: str
) -> None:
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_bytes(content)

    with pytest.raises(ConfigError, match=said):
        door(folder)


def test_a_key_of_another_certificate_and_one_with_a_password_are_refused(folder: Path) -> None:
    (folder / "server.key").write_bytes(client().key)
    with pytest.raises(ConfigError, match="KEY_VALUES_MISMATCH"):
        door(folder)

    locked = server()
    secret = load_pem_private_key(locked.key, None)
    kept(folder, "server", locked)
    (folder / "server.key").write_bytes(
        secret.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret"))
    )
    with pytest.raises(ConfigError, match="no certificate with its key"):
        door(folder)

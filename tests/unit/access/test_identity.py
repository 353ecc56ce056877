"""User identity in an association request: whom it makes of a device, and what it leaves to be done."""

from __future__ import annotations

from typing import Any

import pytest

from leadglass.access.admission import principal_of
from leadglass.access.identity import IdentityRefusal, NeedsPasscode, NeedsToken, named_by, user_identity
from leadglass.model.access import Kind, Principal
from leadglass.model.enrolment import Enrolled, Roll, User
from leadglass.wire.user_information import UserIdentityRQ

STATION = Enrolled(
    "reading-room", Kind.DEVICE, ("READ1",), ("192.0.2.0/24",), users=("ada", "Zo\u00eb", "gone")
)
MODALITY = Enrolled("ct1", Kind.DEVICE, ("CT1",), ("192.0.2.0/24",), roles=("technologist",))
ROLL = Roll(
    1,
    {"reading-room": STATION, "ct1": MODALITY},
    {
        "ada": User("ada", "", roles=("radiologist",), institutions=("North",), labels=("trial-7",)),
        "Zo\u00eb": User("Zo\u00eb", ""),
        "grace": User("grace", ""),
    },
)


def ask(
    kind: int, primary: bytes = b"ada", secondary: bytes = b"", *, by: Enrolled = STATION, tls: bool = True
) -> Any:
    return user_identity(UserIdentityRQ(kind, False, primary, secondary), by, ROLL, tls=tls)


def test_without_an_item_the_device_asks_for_itself() -> None:
    for tls in (True, False):
        assert user_identity(None, MODALITY, ROLL, tls=tls) == principal_of(MODALITY)


def test_a_workstation_vouches_for_its_users() -> None:
    assert ask(1) == Principal(
        Kind.PERSON,
        "ada",
        roles=frozenset({"radiologist"}),
        institutions=frozenset({"North"}),
        labels=frozenset({"trial-7"}),
    )


def test_a_person_has_none_of_the_devices_roles_and_titles() -> None:
    found = user_identity(
        UserIdentityRQ(1, False, b"ada"),
        Enrolled("x", Kind.DEVICE, ("X",), (), roles=("service-engineer",), users=("ada",)),
        ROLL,
        tls=True,
    )

    assert isinstance(found, Principal)
    assert found.roles == {"radiologist"}
    assert not found.titles


def test_a_name_is_one_name_however_it_is_composed() -> None:
    for spelling in ("Zo\u00eb", "Zoe\u0308"):
        assert ask(1, spelling.encode()).name == "Zo\u00eb"


@pytest.mark.parametrize("name", ["grace", "ADA", "Ada", "ad\u0430", "reading-room"])
def test_a_workstation_vouches_for_nobody_else(name: str) -> None:
    assert ask(1, name.encode()).rule == "identity-not-vouched"


def test_a_modality_vouches_for_nobody() -> None:
    assert ask(1, by=MODALITY).rule == "identity-not-vouched"


def test_a_user_who_is_off_the_roll_is_not_vouched_for() -> None:
    assert ask(1, b"gone").rule == "identity-unknown"


def test_a_passcode_is_left_to_be_compared() -> None:
    assert ask(2, b"ada", "Zoe\u0308".encode()) == NeedsPasscode("ada", "Zo\u00eb")
    assert ask(2, b"nobody", b"x") == NeedsPasscode("nobody", "x")


def test_a_token_is_left_to_be_verified() -> None:
    assert ask(5, b"a.b.c") == NeedsToken(b"a.b.c")


@pytest.mark.parametrize("kind", [1, 2, 5])
def test_no_person_is_believed_without_tls(kind: int) -> None:
    assert ask(kind, tls=False).rule == "identity-needs-tls"


@pytest.mark.parametrize(("kind", "word"), [(3, "Kerberos"), (4, "SAML"), (0, "0"), (6, "6"), (255, "255")])
@pytest.mark.parametrize("tls", [True, False])
def test_other_types_are_refused_by_name(kind: int, word: str, tls: bool) -> None:
    found = ask(kind, tls=tls)

    assert found.rule == "identity-type"
    assert word in found.reason


@pytest.mark.parametrize(
    "name",
    [
        b"",
        b" ",
        b" ada",
        b"ada ",
        b"ada\0",
        b"ada\n",
        b"a\x1b[31mda",
        b"\xff",
        b"\xed\xa0\x80",
        "a\u202eda".encode(),
        "a\u200bda".encode(),
        "a\u2028da".encode(),
        b"a" * 129,
        b"a" * 65535,
    ],
)
@pytest.mark.parametrize("kind", [1, 2])
def test_a_name_that_cannot_be_read_is_refused(kind: int, name: bytes) -> None:
    assert ask(kind, name, b"passcode" if kind == 2 else b"").rule == "identity-malformed"


@pytest.mark.parametrize("passcode", [b"", b" x", b"x\0", b"\xff", b"x" * 513])
def test_a_passcode_that_cannot_be_read_is_refused(passcode: bytes) -> None:
    assert ask(2, b"ada", passcode).rule == "identity-malformed"


@pytest.mark.parametrize("kind", [1, 5])
def test_a_second_field_belongs_to_passcodes_only(kind: int) -> None:
    assert ask(kind, b"ada", b"secret").rule == "identity-malformed"


def test_no_refusal_repeats_what_was_sent() -> None:
    for kind, primary, secondary in ((1, b"secret", b""), (2, b"\xffsecret", b"x"), (2, b"ada", b"secret\0")):
        found = ask(kind, primary, secondary)
        assert isinstance(found, IdentityRefusal)
        assert "secret" not in found.reason


def test_no_credential_shows_in_a_log() -> None:
    shown = repr((ask(5, b"a.b.c"), ask(2, b"ada", b"open sesame")))

    assert "a.b.c" not in shown
    assert "sesame" not in shown


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [(1, b"ada", "ada"), (2, b"ada", "ada"), (2, b"\xff", None), (5, b"a.b.c", None)],
)
def test_a_user_name_is_told_to_the_audit_and_a_token_is_not(
    kind: int, name: bytes, said: str | None
) -> None:
    assert named_by(UserIdentityRQ(kind, False, name, b"")) == said

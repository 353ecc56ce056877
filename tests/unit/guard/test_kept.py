"""What a guard keeps comes back as it was, or not at all."""

from __future__ import annotations

import pytest

from leadglass.errors import ConfigError
from leadglass.guard.kept import KeptKeys, KeptState, read_keys, read_state, text_of
from leadglass.model.access import Kind
from leadglass.model.enrolment import Enrolled, Roll, User

ROLL = Roll(
    7,
    {
        "ct": Enrolled(
            "ct", Kind.DEVICE, ("CT",), ("10.0.0.0/8",), certificates=frozenset({"aa"}), until=9.5, plain=True
        ),
        "desk": Enrolled("desk", Kind.SERVICE, ("DESK", "Desk2"), (), users=("ada",), address="10.0.0.8:104"),
    },
    {"ada": User("ada", "$argon2id$...", ("clinician",), labels=("a\u00e9",))},
    frozenset({"bb"}),
    {"ada": ("trauma", 1_800_000_000.0)},
)
STATE = KeptState(1.5, ROLL, "a2V5")
KEYS = KeptKeys(2.5, "https://issuer.example", '{"keys": []}')


def test_a_roll_comes_back_whole() -> None:
    assert read_state(text_of(STATE)) == STATE
    assert read_state(text_of(STATE)).key == b"key"


def test_keys_come_back_whole() -> None:
    assert read_keys(text_of(KEYS)) == KEYS


def test_what_was_kept_shows_no_secret() -> None:
    assert "a2V5" not in repr(STATE)
    assert "argon2id" not in repr(STATE)


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"{",
        b"\xff\xff",
        text_of(STATE)[:-2],
        text_of(KEYS),
        text_of(STATE).replace(b'"a2V5"', b'"!"'),
        text_of(STATE).replace(b'"Device"', b'"Ghost"'),
        b"[" * 100_000,
    ],
)
def test_what_cannot_be_read_counts_as_not_kept(text: bytes) -> None:
    with pytest.raises(ConfigError):
        read_state(text)
    with pytest.raises(ConfigError):
        read_keys(text[:-1])

"""When two names are the same, and when two addresses are."""

from __future__ import annotations

import pytest

from leadglass.access.addresses import address, within
from leadglass.access.names import physician_key

SAME = {
    "as it is": ("doe^jane", "doe^jane"),
    "case": ("DOE^Jane", "doe^jane"),
    "padding": ("Doe^Jane ", "doe^jane"),
    "padding of components": (" Doe ^ Jane ", "doe^jane"),
    "spaces within": ("van  der Berg^Jane", "van der berg^jane"),
    "trailing empty components": ("Doe^Jane^^^", "doe^jane"),
    "an empty component before": ("Doe^^M", "doe^^m"),
    "ideographic and phonetic groups": ("Yamada^Tarou=山田^太郎=やまだ^たろう", "yamada^tarou"),
    "an accent composed or not": ("Mu\u0308ller^J", "m\u00fcller^j"),
    "a sharp s": ("WEISS^J", "weiß^j"),
}

OTHERS = {
    "a middle name": ("Doe^Jane^M", "Doe^Jane"),
    "a prefix": ("Doe^Jane^^Dr", "Doe^Jane"),
    "components exchanged": ("Jane^Doe", "Doe^Jane"),
    "no components": ("Doe Jane", "Doe^Jane"),
    "a letter that looks alike": ("D\u043ee^Jane", "Doe^Jane"),
    "a NUL": ("Doe^Jane\0", "Doe^Jane"),
    "two values": ("Doe^Jane\\Poe^Ann", "Doe^Jane"),
}


@pytest.mark.parametrize("what", SAME)
def test_this_makes_no_other_name(what: str) -> None:
    one, other = SAME[what]

    assert physician_key(one) == physician_key(other)


@pytest.mark.parametrize("what", OTHERS)
def test_this_makes_another_name(what: str) -> None:
    one, other = OTHERS[what]

    assert physician_key(one) != physician_key(other)


@pytest.mark.parametrize("name", ["", " ", "^", " ^ ^ ", "=山田^太郎", "==", "^^^^"])
def test_a_name_that_says_nothing_is_empty(name: str) -> None:
    assert physician_key(name) == ""


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:DB8::0:1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_an_address_has_one_form(text: str, canonical: str) -> None:
    assert str(address(text)) == canonical


@pytest.mark.parametrize(
    "text", ["", "192.0.2", "192.0.2.1.", "192.0.2.01", "192.0.2.1/32", "localhost", " ::1"]
)
def test_what_is_no_address_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        address(text)
    assert not within(text, ["0.0.0.0/0", "::/0"])


@pytest.mark.parametrize(
    ("text", "networks", "inside"),
    [
        ("192.0.2.7", ["192.0.2.0/28"], True),
        ("192.0.2.17", ["192.0.2.0/28"], False),
        ("192.0.2.7", ["198.51.100.0/24", "192.0.2.7/32"], True),
        ("::ffff:192.0.2.7", ["192.0.2.0/28"], True),
        ("2001:db8::7", ["192.0.2.0/28", "2001:db8::/64"], True),
        ("192.0.2.7", ["::/0"], False),
        ("192.0.2.7", [], False),
        ("192.0.2.7", ["not a network"], False),
    ],
)
def test_an_address_lies_in_a_network_or_not(text: str, networks: list[str], inside: bool) -> None:
    assert within(text, networks) is inside

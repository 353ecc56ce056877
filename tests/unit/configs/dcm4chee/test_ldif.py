"""LDIF (RFC 2849): entries, places, folding, base64, changes."""

from __future__ import annotations

import pytest

from leadglass.configs.dcm4chee.ldif import entries, relative, same_name
from leadglass.configs.source import Source
from leadglass.errors import ConfigError


def read(text: str) -> dict[str, dict[str, list[str]]]:
    found = entries(Source("a.ldif", text))
    return {
        dn: {name: list(values) for name, values in entry.attributes.items() if values}
        for dn, entry in found.items()
    }


@pytest.mark.parametrize(
    "text",
    [
        "dn: cn=a\nx: 12\n",
        "version: 1\n\n# a comment\n#  folded\n  too\ndn: cn=a\n# another\nx: 12\n\n\n",
        "dn: cn=\n a\nx: 1\n 2",
        "dn:: Y249YQ==\nx:: MTI=\n",
        "dn:: Y249\n YQ==\nx::MTI=\n",
        "DN: CN = A\r\nX:12\r\n",
        "dn: cn=a\nchangetype: add\nx: 12\n",
        "dn: cn=a\nx;lang-en: 12\nx: 12\n",
    ],
)
def test_one_entry_may_be_written_in_many_ways(text: str) -> None:
    assert read(text) == {"cn=a": {"x": ["12"]}}


def test_changes_are_carried_out_in_order() -> None:
    text = (
        "dn: cn=a\nx: 1\nx: 2\ny: 3\nz: 4\n\n"
        "dn: cn=a\nchangetype: modify\nreplace: y\ny: 5\n-\ndelete: x\nx: 1\n-\nadd: x\nx: 6\n-\ndelete: z\n-\n\n"
        "dn: cn=b\nx: 1\n\n"
        "dn: cn=b\nchangetype: delete\n\n"
        "dn: cn=c\nchangetype: modify\nadd: x\nx: 7\n"
    )

    assert read(text) == {"cn=a": {"x": ["2", "6"], "y": ["5"]}, "cn=c": {"x": ["7"]}}


def test_a_value_knows_its_place_and_whether_it_is_plain() -> None:
    text = "dn: cn=a\r\nx: 12\r\ny:: MTI=\r\nz: 1\r\n 2\r\n"
    found = entries(Source("a.ldif", text))["cn=a"].attributes
    x, y, z = (next(iter(found[name].values())) for name in "xyz")

    assert (text[x.start : x.end], text[x.value : x.end], x.after) == ("x: 12", "12", text.index("y:"))
    assert (x.plain, y.plain, z.plain) == (True, False, False)
    assert (text[z.start : z.end], z.text) == ("z: 1\r\n 2", "12")


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("dn: cn=a\nnothing\n", "a.ldif:2:1", "not a line of LDIF"),
        ("cn: a\n", "a.ldif:1:1", "does not begin with its dn"),
        ("dn: cn=a\nx:: ???\n", "a.ldif:2:1", "not base64"),
        ("dn: cn=a\nx:: A\n", "a.ldif:2:1", "not base64"),
        ("dn: cn=a\n\n folded\n", "a.ldif:2:1", "not a line of LDIF"),
    ],
)
def test_a_broken_line_is_told_with_its_place(text: str, where: str, what: str) -> None:
    with pytest.raises(ConfigError, match=what) as refused:
        read(text)

    assert refused.value.where == where


def test_bytes_that_are_no_text_are_taken_as_they_are() -> None:
    (text,) = read("dn: cn=a\nx:: /////w==\n")["cn=a"]["x"]

    assert set(text) == {"\N{REPLACEMENT CHARACTER}"}


def test_names_are_compared_without_case_and_spaces() -> None:
    assert same_name(" CN = Some Thing , DC=Org ") == "cn=some thing,dc=org"
    assert relative(r"cn=Doe\, J.,dc=org") == ("cn", r"Doe\, J.")


def test_many_changes_to_many_values_take_no_long_time() -> None:
    values = "".join(f"x: {number}\n" for number in range(20_000))
    gone = "".join(f"delete: x\nx: {number}\n-\n" for number in range(20_000))

    assert read(f"dn: cn=a\n{values}\ndn: cn=a\nchangetype: modify\n{gone}") == {"cn=a": {}}

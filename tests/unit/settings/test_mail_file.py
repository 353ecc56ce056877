"""The mail file."""

from __future__ import annotations

import pytest

from leadglass.errors import ConfigError
from leadglass.settings.mail_file import is_mailbox, read_mail

FILE = 'host = "mail.example.org"\nsender = "abuse@example.org"\n'


def test_a_host_and_a_sender_are_enough() -> None:
    file = read_mail(FILE, "mail.toml")

    assert (file.host, file.port, file.user) == ("mail.example.org", 587, None)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("port = 0", "line 3"),
        ('user = "x"', "belong together"),
        ("starttls = false", "line 3"),
        ('password = "x"', "line 3"),
    ],
)
def test_what_is_wrong_is_named(line: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read_mail(f"{FILE}{line}\n", "mail.toml")


@pytest.mark.parametrize(
    "text",
    [
        "a@b\r\nBcc: x@y",
        "a@b, c@d",
        "A <a@b>",
        "a",
        "@b",
        "a@",
        "a b@c",
        "a@b\n",
        "ä@b",
        '"a b"@c',
        "a@-b",
        "",
    ],
)
def test_only_one_plain_address_is_a_mailbox(text: str) -> None:
    assert not is_mailbox(text)
    with pytest.raises(ConfigError):
        read_mail(FILE.replace("abuse@example.org", text.encode("unicode_escape").decode()), "mail.toml")

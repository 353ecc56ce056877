"""``watch.toml``: what it comes to, and what is said of what is wrong in it."""

from __future__ import annotations

import pytest

from leadglass.errors import ConfigError
from leadglass.model.rung import Rung
from leadglass.model.verdict import Severity
from leadglass.settings.guard import Address
from leadglass.settings.watch_file import MailChannel, SyslogChannel, WatchSettings, Webhook, read_watch

LEAST = """name = "Example Radiology"
[[schedule]]
name = "nightly"
scope = "scope.toml"
cron = "30 2 * * *"
"""


def read(more: str = "", least: str = LEAST) -> WatchSettings:
    return read_watch(least + more, filename="watch.toml", folder="/etc/leadglass")


def test_a_name_and_a_schedule_are_enough() -> None:
    settings = read()

    (schedule,) = settings.schedules
    assert schedule.scope_file == "/etc/leadglass/scope.toml"
    assert (schedule.jitter, schedule.window, schedule.deepest) == (0, 6 * 3600, Rung.SAMPLE)
    assert schedule.fail_on is Severity.MEDIUM
    assert (settings.channels, settings.escalation, settings.metrics) == ((), None, None)
    assert settings.schedule("nightly") is schedule
    assert settings.schedule("daily") is None


def test_channels_escalation_and_metrics_are_read() -> None:
    settings = read(
        'jitter = "20m"\ndeepest = "associate"\n'
        '[[webhook]]\nname = "soc"\nurl = "https://soc.example.org/in"\nsecret_file = "secret"\n'
        '[[mail]]\nfile = "mail.toml"\nto = "it@example.org"\nseverity = "high"\n'
        '[[syslog]]\naddress = "192.0.2.1:6514"\nca_file = "ca.pem"\n'
        '[escalation]\nafter = "4h"\nto = "mail"\n'
        "[metrics]\n"
    )

    assert settings.schedules[0].deepest is Rung.ASSOCIATE
    assert settings.channels == (
        Webhook("soc", "https://soc.example.org/in", "/etc/leadglass/secret", None, Severity.NONE),
        MailChannel("mail", "/etc/leadglass/mail.toml", "it@example.org", Severity.HIGH),
        SyslogChannel(
            "syslog",
            Address("192.0.2.1", 6514),
            tls=True,
            ca_file="/etc/leadglass/ca.pem",
            certificate=None,
            key=None,
            severity=Severity.NONE,
        ),
    )
    assert settings.escalation is not None
    assert (settings.escalation.after, settings.escalation.to) == (4 * 3600, "mail")
    assert settings.metrics == Address("127.0.0.1", 9118)


HOOK = '[[webhook]]\nurl = "https://soc.example.org/in"\nsecret_file = "secret"\n'


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ('jitter = "6h"\n', "line 6: jitter is as long as the window"),
        ('cron_ = "x"\n', "line 6: unknown key 'cron_'"),
        ('deepest = "deep"\n', "line 6"),
        ('[[schedule]]\nname = "nightly"\nscope = "s"\ncron = "@daily"\n', "line 7: there are two called"),
        ('[[schedule]]\nname = "a b"\nscope = "s"\ncron = "@daily"\n', "line 7"),
        ('[[schedule]]\nname = "b"\nscope = "s"\ncron = "0 0 31 2 *"\n', "line 9.*no schedule"),
        (HOOK + HOOK, "line 9: there are two called 'webhook'"),
        (HOOK + HOOK.replace("https", "http"), "must begin with https://"),
        (
            HOOK + '[[mail]]\nname = "webhook"\nfile = "m"\nto = "a@b.org"\n',
            "two channels have the same name",
        ),
        ('[escalation]\nafter = "4h"\nto = "mail"\n', "line 8: there is no channel 'mail'"),
        ('[metrics]\nlisten = "192.0.2.1:9118"\n', "line 7: metrics are for this machine only"),
        ('[[syslog]]\naddress = "192.0.2.1:601"\ntls = false\nca_file = "x"\n', "line 8"),
        ('[[syslog]]\naddress = "192.0.2.1:601"\ncertificate = "x"\n', "a certificate goes with its key"),
        ("[certificates]\n", "line 6"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(more: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        read(more)


def test_a_file_that_scans_nothing_is_refused() -> None:
    with pytest.raises(ConfigError, match="schedule"):
        read(least='name = "x"\n')
    with pytest.raises(ConfigError, match="nothing is scanned"):
        read(least='name = "x"\nschedule = []\n')


def test_days_of_certificates_are_bounded() -> None:
    with pytest.raises(ConfigError, match="1 to 398"):
        read(least="certificate_days = 0\n" + LEAST)

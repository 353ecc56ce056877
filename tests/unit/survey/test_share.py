from __future__ import annotations

import datetime as dt

import pytest

from leadglass.errors import ConfigError, UsageError
from leadglass.survey.breaches import Breach, decoded, distinct, read_breaches
from leadglass.survey.interval import Interval
from leadglass.survey.share import Exposed, Period, share_of

HEAD = (
    '"Name of Covered Entity","State","Covered Entity Type","Individuals Affected","Breach Submission Date",'
    '"Type of Breach","Location of Breached Information","Business Associate Present","Web Description"\r\n'
)
ROWS = (
    '"Invented Radiology, LLC","CA","Healthcare Provider","1000","03/05/2019","Hacking/IT Incident","Network Server","No",""\r\n'
    '"Invented Clinic","NY","Healthcare Provider","3000","07/01/2019","Unauthorized Access/Disclosure","Network Server, Other",'
    '"No","A misconfigured ""PACS"" interface was\r\npublicly accessible."\r\n'
    '"Invented Plan","TX","Health Plan","6000","12/31/2019","Theft","Laptop","No","A laptop was stolen."\r\n'
    '"Invented Plan","TX","Health Plan","","01/01/2020","Loss","Paper/Films","No",""\r\n'
)
YEAR = Period(dt.date(2019, 1, 1), dt.date(2019, 12, 31))


def breaches(text: str) -> list[Breach]:
    return list(read_breaches(text.splitlines(keepends=True), where="portal.csv"))


def test_rows_are_read_with_quotes_and_lines_within_them() -> None:
    first, second, _, last = breaches(HEAD + ROWS)

    assert first == Breach(
        "Invented Radiology, LLC",
        "CA",
        1000,
        dt.date(2019, 3, 5),
        "Hacking/IT Incident",
        "Network Server",
        "",
    )
    assert second.story == 'A misconfigured "PACS" interface was\r\npublicly accessible.'
    assert last.people is None


@pytest.mark.parametrize("nothing", ["", r"\N", "\\\\", "N/A"])
def test_what_the_portal_writes_for_no_story_is_none_and_a_twin_with_one_goes_before_it(nothing: str) -> None:
    row = '"Clinic","NY","Healthcare Provider","3000","07/01/2019","Theft","Laptop","No","{}"\r\n'
    told, *rest = distinct(breaches(HEAD + row.format(nothing) + row.format("A laptop was stolen.")))
    (bare,) = breaches(HEAD + row.format(nothing))

    assert (told.story, rest, bare.story) == ("A laptop was stolen.", [], "")


def test_columns_are_told_by_name_and_others_ignored() -> None:
    (found,) = breaches(
        "Extra,Type of Breach,State,Individuals Affected,Location of Breached Information,Breach Submission Date,Name of Covered Entity\n"
        "x,Theft,CA,500,Laptop,2019-02-03,Somebody\n"
    )

    assert (found.name, found.day, found.story) == ("Somebody", dt.date(2019, 2, 3), "")


@pytest.mark.parametrize(
    "data",
    [
        b"\xef\xbb\xbfname,Praxis M\xc3\xbcller\n",
        b"name,Praxis M\xfcller\n",
    ],
)
def test_odd_encodings_are_read(data: bytes) -> None:
    assert list(decoded([data])) == ["name,Praxis Müller\n"]


def test_a_spreadsheets_utf_16_is_named() -> None:
    with pytest.raises(ConfigError, match="UTF-16"):
        list(decoded(["a,b".encode("utf-16")], where="x.csv"))


def test_a_case_in_two_lists_counts_once() -> None:
    found = breaches(HEAD + ROWS)

    assert list(distinct([*found, *found])) == found


def test_breaches_of_the_period_are_counted_by_what_they_say() -> None:
    found = share_of(breaches(HEAD + ROWS), YEAR)
    base = found.baseline
    counted = {group.says: (group.breaches, group.people) for group in base.groups}

    assert (base.all.breaches, base.all.people, base.outside, base.stories) == (3, 10_000, 1, 2)
    assert counted["on a network server"] == (2, 4000)
    assert counted["imaging in the name"] == (1, 1000)
    assert counted["imaging in name or story, on a server"] == (2, 4000)
    assert counted["exposure in the story, and imaging"] == (1, 3000)


def test_each_scenario_says_what_it_takes_for_granted() -> None:
    found = share_of(breaches(HEAD + ROWS), YEAR, Exposed(Interval(1, 3), Interval(10_000, 30_000)))
    shares = {scenario.name: (scenario.breaches, scenario.people) for scenario in found.scenarios}

    assert shares["reported, at the least"] == (Interval(1 / 3, 1 / 3), Interval(0.3, 0.3))
    assert shares["every exposed person reported"] == (None, Interval(0.5, 0.75))
    assert shares["every exposed server a breach"] == (Interval(0.25, 0.5), None)
    assert all(scenario.assumes for scenario in found.scenarios)


def test_without_exposure_nothing_is_said_of_it() -> None:
    assert len(share_of(breaches(HEAD + ROWS), YEAR).scenarios) == 3


def test_a_period_without_breaches_is_refused() -> None:
    with pytest.raises(UsageError, match="no breach"):
        share_of(breaches(HEAD + ROWS), Period(dt.date(2001, 1, 1), dt.date(2001, 12, 31)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the column 'Name of Covered Entity' is missing"),
        ("a,b\n1,2\n", "is missing"),
        (HEAD + '"x","CA","y","many","03/05/2019","Theft","Laptop","No",""\n', "no number of people"),
        (HEAD + '"x","CA","y","5","31/31/2019","Theft","Laptop","No",""\n', "no day"),
        (HEAD + '"x","CA"\n', "too few columns"),
        (HEAD + '"x"y,"CA"\n', "not CSV"),
        (HEAD + '"' + "x\n" * 600_000, "not CSV"),
        (HEAD + '"x' + '\n","x' * 300_000, "never closed"),
        (HEAD + '"' + "x" * 200_000 + '"\n', "not CSV"),
    ],
)
def test_a_file_that_is_not_the_portals_is_refused_in_one_line(text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says) as caught:
        breaches(text)

    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith("portal.csv")

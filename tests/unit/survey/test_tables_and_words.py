from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leadglass.errors import ConfigError
from leadglass.model.verdict import Access, Kind
from leadglass.survey import texts
from leadglass.survey.census import Census, Endpoint, Seen, Server, census
from leadglass.survey.figure import Figure, Row, svg
from leadglass.survey.hidden import Hint
from leadglass.survey.interval import Interval
from leadglass.survey.proportion import proportion
from leadglass.survey.published import published
from leadglass.survey.stratified import StratumCount, stratified
from leadglass.survey.study import Subject, as_html, as_typst, study
from leadglass.survey.tables import (
    answers_text,
    names_and_strata,
    read_answers,
    read_confusion,
    shares_by_truth,
)
from leadglass.survey.words import as_json, percent, quote, span

SVG = "{http://www.w3.org/2000/svg}"

# ---- tables


def test_a_drawn_sample_comes_back_as_it_was_filled_in() -> None:
    text = answers_text(
        [("192.0.2.1", "cloud"), ("192.0.2.2", "cloud"), ("192.0.2.3", "hospital")],
        {"cloud": 90, "hospital": 10},
    )
    filled = text.replace("192.0.2.1,cloud,90,", "192.0.2.1,cloud,90,demo").replace(
        "hospital,10,", "hospital,10,clinical"
    )
    read = read_answers(filled, where="s.csv")

    assert read.unanswered == 1
    assert read.sizes == {"cloud": 90, "hospital": 10}
    shares = shares_by_truth(read)
    assert shares["demo"].share == pytest.approx(0.9)
    assert shares["clinical"].share == pytest.approx(0.1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "server,stratum\n",
        "server,stratum,servers_in_stratum,truth\n",
        "server,stratum,servers_in_stratum,truth\na,x,ten,demo\n",
        "server,stratum,servers_in_stratum,truth\na,x,10,demo\na,x,10,demo\n",
        "server,stratum,servers_in_stratum,truth\na,x,10,demo\nb,x,11,demo\n",
        "server,stratum,servers_in_stratum,truth\na,x,10,=cmd()\n",
        'server,stratum,servers_in_stratum,truth\n"a\n',
        "server,stratum,servers_in_stratum,truth\na\n",
    ],
)
def test_answers_that_cannot_be_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^s\.csv"):
        read_answers(text, where="s.csv")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_sample_comes_back_from_a_spreadsheet(separator: str) -> None:
    # Byte order mark, the separator of the country, carriage returns, and cells that begin with a capital.
    rows = [
        ("server", "stratum", "servers_in_stratum", "truth"),
        ("10.0.0.1", "all", "9", "Clinical"),
        ("10.0.0.2", "all", "9", "clinical"),
    ]
    text = "\ufeff" + "".join(separator.join(row) + "\r\n" for row in rows)

    assert read_answers(text, where="x").counts == {"all": {"clinical": 2}}


def test_a_matrix_comes_back_from_a_spreadsheet() -> None:
    text = "\ufefftruth;a;b\r\na;5;1\r\nb;2;9\r\n"

    assert read_confusion(text, where="x").counts == ((5, 1), (2, 9))


def test_a_list_may_have_commas_before_its_strata() -> None:
    lines = ["\ufeff10.0.0.1,clinic", "2001:db8::7 ; cloud", "10.0.0.3  two words"]

    assert list(names_and_strata(lines, where="x")) == [
        ("10.0.0.1", "clinic"),
        ("2001:db8::7", "cloud"),
        ("10.0.0.3", "two words"),
    ]


def test_a_matrix_is_read_in_any_order_of_rows() -> None:
    found = read_confusion("truth,demo,clinical\nclinical,1,9\ndemo,8,2\n", where="m.csv")

    assert found.classes == ("demo", "clinical")
    assert found.counts == ((8, 2), (1, 9))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "truth,a\na,1\n",
        "x,a,b\na,1,2\nb,3,4\n",
        "truth,a,b\na,1,2\n",
        "truth,a,b\na,1\nb,3,4\n",
        "truth,a,b\na,1,-2\nb,3,4\n",
        "truth,a,a\na,1,2\na,1,2\n",
    ],
)
def test_a_matrix_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        read_confusion(text, where="m.csv")


def test_a_list_has_servers_and_perhaps_strata() -> None:
    lines = ["# found yesterday\n", "192.0.2.1\n", "[2001:db8::1]:104  hospital # ours\n", "\n"]

    assert list(names_and_strata(lines, where="-")) == [
        ("192.0.2.1", "all"),
        ("[2001:db8::1]:104", "hospital"),
    ]


@pytest.mark.parametrize("line", ["=cmd()", "a\x1b[31m", "a b\u202ec", "x" * 300])
def test_a_line_that_is_no_server_is_refused(line: str) -> None:
    with pytest.raises(ConfigError, match=r"^-, line 1"):
        list(names_and_strata([line], where="-"))


# ---- words


@pytest.mark.parametrize(
    ("share", "says"),
    [
        (0, "0 %"),
        (1, "100 %"),
        (0.9999, "99.9 %"),
        (0.26, "26 %"),
        (0.0998, "10.0 %"),
        (0.0123, "1.2 %"),
        (0.00123, "0.12 %"),
    ],
)
def test_a_share_is_said_with_the_digits_that_it_has(share: float, says: str) -> None:
    assert percent(share) == says


@pytest.mark.parametrize(
    ("low", "high", "says"),
    [
        (0.0197, 0.0203, "1.97 % to 2.03 %"),
        (0.26131, 0.26139, "26.131 % to 26.139 %"),
        (0.01, 0.26, "1.0 % to 26 %"),
        (0.5, 0.5, "50 % to 50 %"),
    ],
)
def test_the_ends_of_an_interval_are_told_apart(low: float, high: float, says: str) -> None:
    assert span(Interval(low, high)) == says


def test_one_server_is_spoken_of_as_one() -> None:
    assert quote(proportion(0, 1), drawn=False).startswith("1 server was reviewed; none held")
    assert quote(proportion(1, 1, 1), drawn=False) == "The only server was reviewed; 1 held private data."


def test_what_may_be_quoted_does_not_claim_chance_where_there_was_none() -> None:
    found = proportion(2, 25, 3806)

    assert "nothing says that they were" in quote(found, drawn=False)
    assert "between 1 % and 26 %" in quote(found, drawn=False)
    assert "nothing says" not in quote(found, drawn=True)
    assert "drawn at random" in quote(found, drawn=True)


def test_selection_is_said_of_a_sample_of_which_nobody_said_that_it_was_drawn() -> None:
    found = proportion(2, 25, 3806)
    undrawn = " ".join(str(line) for line in texts.for_proportion(found, drawn=False))
    drawn = " ".join(str(line) for line in texts.for_proportion(found, drawn=True))

    assert "leaves out selection" in undrawn
    assert "The first 25" in undrawn
    assert "selection" not in drawn


def test_who_looked_at_all_of_them_speaks_of_no_chance_and_no_selection() -> None:
    found = proportion(7, 40, 40)
    words = " ".join(str(line) for line in texts.for_proportion(found, drawn=False))

    assert quote(found, drawn=False) == "All 40 servers were reviewed; 7 held private data."
    assert "selection" not in words


def test_results_are_json_whatever_they_hold() -> None:
    value = {
        frozenset({"b", "a"}): (Interval(0, float("inf")), Hint.PORT),
        (("a", "b"), ("b", "c")): {"x"},
        (): 1,
    }

    assert json.loads(json.dumps(as_json(value))) == {
        "a+b": [{"low": 0, "high": None, "width": None}, "port"],
        "a+b b+c": ["x"],
        "none": 1,
    }


# ---- figures

shares = st.floats(0, 1, allow_nan=False)


@given(st.lists(st.tuples(shares, shares, shares), max_size=8), st.text(max_size=40), st.booleans())
def test_any_figure_is_drawn_within_its_frame(
    rows: list[tuple[float, float, float]], label: str, is_share: bool
) -> None:
    made = tuple(
        Row(label, Interval(low, high), middle if first < 0.5 else None, label)
        for first, (low, middle, high) in ((row[0], sorted(row)) for row in rows)
    )
    drawn = ET.fromstring(svg(Figure(label, made, label, is_share=is_share)))
    width, height = float(drawn.attrib["width"]), float(drawn.attrib["height"])

    for dot in drawn.iter(f"{SVG}circle"):
        assert 230 <= float(dot.attrib["cx"]) <= 560
        assert 0 < float(dot.attrib["cy"]) < height
    for box in drawn.iter(f"{SVG}rect"):
        assert float(box.attrib.get("x", 0)) + float(box.attrib["width"]) <= width
    assert len(list(drawn.iter(f"{SVG}circle"))) + len(list(drawn.iter(f"{SVG}rect"))) == len(rows) + 1


def test_what_a_file_says_is_text_in_a_figure() -> None:
    drawn = svg(Figure("<script>x</script>", (Row("<b>", Interval(0, 1), 0.5, "&"),)))

    assert "<script>" not in drawn
    assert "&lt;b&gt;" in drawn


# ---- a census and a study

EVEN = dict.fromkeys(Kind, 1 / 6)
CLINICAL = {kind: 0.75 if kind is Kind.CLINICAL else 0.05 for kind in Kind}


def seen(
    access: Access,
    *,
    dicom: bool = True,
    natures: dict[Kind, float] = EVEN,
    settled: bool = False,
    demands: bool = False,
    identity: bytes | None = None,
) -> Seen:
    return Seen(access, dicom, natures, settled, demands, (), identity)


def server(address: str, *endpoints: tuple[int, Seen], place: str = "here") -> Server:
    return Server(address, tuple(Endpoint(port, place, each) for port, each in endpoints))


SERVERS = (
    server("192.0.2.1", (104, seen(Access.ASSOCIATES)), (11112, seen(Access.ANSWERS_QUERY))),
    server("192.0.2.2", (104, seen(Access.CLOSED, dicom=False))),
    server("192.0.2.3", (104, seen(Access.ASSOCIATES, natures=CLINICAL, settled=True, identity=b"x" * 16))),
    server("192.0.2.4", (104, seen(Access.ASSOCIATES, natures=CLINICAL, settled=True, identity=b"x" * 16))),
    server("192.0.2.5", (443, seen(Access.DEMANDS_LOGIN, dicom=False))),
    server("192.0.2.6", (2762, seen(Access.DEMANDS_CERTIFICATE, dicom=False, demands=True))),
    server(
        "192.0.2.7",
        (104, seen(Access.ASSOCIATES)),
        (8443, seen(Access.DEMANDS_CERTIFICATE, dicom=False, demands=True)),
    ),
)


def test_servers_are_counted_and_not_endpoints() -> None:
    found = census(SERVERS)

    assert (found.addresses, found.servers, found.identities) == (7, 4, 3)
    assert found.access == {Access.ANSWERS_QUERY: 1, Access.ASSOCIATES: 3}
    assert found.hints == {Hint.PORT: 1, Hint.BESIDE: 1}


def test_kinds_have_an_expected_number_and_bounds_that_do_not_rest_on_the_prior() -> None:
    clinical = census(SERVERS).kinds[Kind.CLINICAL]

    assert clinical.sum == pytest.approx(2 / 6 + 1.5)
    assert clinical.bounds == Interval(2, 4)
    assert census(SERVERS).kinds[Kind.DEMO].bounds == Interval(0, 2)


def test_a_server_seen_from_two_places_is_one_with_both() -> None:
    both = Server(
        "192.0.2.1",
        (
            Endpoint(104, "berlin", seen(Access.ASSOCIATES)),
            Endpoint(104, "tokyo", seen(Access.FILTERED, dicom=False)),
            Endpoint(11112, "tokyo", seen(Access.ASSOCIATES)),
        ),
    )

    assert census([both]).histories == {frozenset({"berlin", "tokyo"}): 1}


def test_places_that_saw_nothing_in_common_leave_the_rest_of_a_study_standing() -> None:
    apart = [
        server("192.0.2.1", (104, seen(Access.ASSOCIATES)), place="berlin"),
        server("192.0.2.2", (104, seen(Access.ASSOCIATES)), place="tokyo"),
    ]

    assert "cannot be said: no server is on two lists" in as_html(study(SUBJECT, census(apart)))


SUBJECT = Subject("A <b>study</b>", "01J", "then", "", "s", "owner: #x", "outside", (), "associate", "0.1")


def test_a_study_says_its_methods_its_limits_and_what_others_found() -> None:
    made = as_html(study(SUBJECT, census(SERVERS)))

    for words in (
        "Methods",
        "What this study cannot say",
        "Beside published surveys",
        "not finished",
        "Aplite",
    ):
        assert words in made
    assert "<b>study" not in made
    assert "192.0.2" not in made


def test_a_sample_of_other_servers_is_told_from_one_of_the_scan() -> None:
    counted = census(SERVERS)
    own, other = ({"demo": stratified([StratumCount("all", 1, 1, size)])} for size in (counted.servers, 2000))

    assert "drawn from 2,000 servers, and the scan counted" in as_html(study(SUBJECT, counted, (other, 0)))
    assert "not the same servers" not in as_html(study(SUBJECT, counted, (own, 0)))


def test_a_study_of_nothing_is_written_too() -> None:
    assert "0 speak DICOM" in as_html(study(SUBJECT, Census()))


def test_text_reaches_the_typesetter_as_data() -> None:
    source, inputs = as_typst(study(SUBJECT, census(SERVERS)))

    assert "owner" not in source
    assert json.loads(inputs["study"])["basis"] == "owner: #x"


def test_every_published_survey_has_a_source_and_says_what_it_lacks() -> None:
    assert len(published()) >= 7
    assert all(row.source and row.lacks and row.rule for row in published())
    assert [row.year for row in published()] == sorted(row.year for row in published())

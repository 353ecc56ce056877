"""Fronts as nobody would write them: read or refused in one line, and a fix never opens what was closed."""

from __future__ import annotations

from typing import cast

from hypothesis import example, given
from hypothesis import strategies as st
from tests.source import ROOT

from leadglass.configs.fronts.nginx_reader import NGINX
from leadglass.configs.fronts.nginx_syntax import Block, parse
from leadglass.configs.fronts.patterns import matches
from leadglass.configs.fronts.readers import READERS
from leadglass.configs.kinds import Reader
from leadglass.configs.reading import Reading
from leadglass.configs.source import Source, edited
from leadglass.errors import ConfigError

FIXTURES = [path.read_text() for path in sorted((ROOT / "tests/fixtures/configs/fronts").glob("*.conf"))]

ASKS = (
    "", "auth_basic a;", "auth_basic off;", "auth_basic_user_file u;", "auth_basic a; auth_basic_user_file u;",
    "auth_request /ok;", "auth_request off;", "satisfy any;", "allow 10.0.0.0/8;", "deny all;", "allow all;",
    "ssl_verify_client optional;", "internal;", "return 403;", "if ($http_x_key != abc) { return 403; }",
    "if ($cookie_a = '') { return 403; }", "limit_except GET { auth_basic a; auth_basic_user_file u; }",
    "add_header Access-Control-Allow-Origin *;", "proxy_set_header Authorization 'Basic YWJjOmRlZg==';",
)  # fmt: skip
MODIFIERS = ("", "= ", "^~ ", "~ ", "~* ")
PATHS = ("/", "/dicom-web/", "/dicom-web", "/wado", "/x")


@st.composite
def servers(draw: st.DrawFn) -> str:
    """A server of nginx with some locations before an archive."""
    asks = st.lists(st.sampled_from(ASKS), max_size=3).map("\n".join)
    listens = draw(st.lists(st.sampled_from(("80", "443 ssl", "127.0.0.1:81")), max_size=3, unique=True))
    parts = [f"listen {listen};" for listen in listens]
    # What only a server may say is said there; what it may not is left to locations.
    parts.append(
        "ssl_client_certificate ca;\n" + draw(asks).replace("internal;", "").replace("return 403;", "")
    )
    for _ in range(draw(st.integers(0, 4))):
        where = draw(st.sampled_from(MODIFIERS)) + draw(st.sampled_from(PATHS))
        parts.append(f"location {where} {{\n{draw(asks)}\nproxy_pass http://orthanc:8042;\n}}")
    parts.append(
        draw(st.sampled_from(("", "location = /ok { return 204; }", "location = /ok { internal; }")))
    )
    return "server {\n" + "\n".join(parts) + "\n}\n"


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """A good file in which pieces were changed, taken out, put in or repeated."""
    text = draw(st.sampled_from(FIXTURES))
    for _ in range(draw(st.integers(1, 5))):
        at, size = draw(st.integers(0, len(text))), draw(st.integers(0, 40))
        put = draw(
            st.text(max_size=10)
            | st.just(text[at : at + 200])
            | st.sampled_from(('"', "{", "}", ";", "<", "\\\n"))
        )
        text = text[:at] + put + text[at + size :]
    return text


def read(text: str) -> Reading:
    return NGINX.read(Source("front.conf", text), {})


def tried(reader: Reader, source: Source) -> tuple[Reading | None, str]:
    """What the reader makes of it, or what it says against it."""
    try:
        return reader.read(source, {}), ""
    except ConfigError as error:
        return None, str(error)


def open_paths(reading: Reading) -> set[str]:
    return set(cast("tuple[str, ...]", reading.facts["open_paths"]))


def edits_of(reading: Reading) -> str:
    return edited(reading.source.text, [edit for finding in reading.findings for edit in finding.edits])


@given(damaged() | st.text())
@example("server { \x00 }")
@example("<a\n>")
@example("\\\n")
@example("a\n\x0c\n")
@example("<Location />\n</\\\nlocation\\\nx>\n")
def test_any_text_is_read_or_refused_in_one_line(text: str) -> None:
    source = Source("front.conf", text)
    for reader in READERS:
        reader.recognises(source)
        reading, refused = tried(reader, source)
        assert refused.startswith("front.conf:") == (reading is None)
        assert "\n" not in refused
        if reading is None:
            continue
        assert len({listener.name + listener.service for listener in reading.listeners}) == len(
            reading.listeners
        )
        for finding in reading.findings:
            assert source.offset(finding.place.line, finding.place.column) <= len(text)
        edits_of(reading)


@given(servers())
def test_fixes_never_open_a_path_and_come_to_an_end(text: str) -> None:
    reading = read(text)
    # One that begins to ask is an example for the one beside it, so that another round may have more to do.
    for _ in range(4):
        before, reading = reading, read(edits_of(reading))
        assert open_paths(reading) <= open_paths(before)
    assert edits_of(reading) == reading.source.text


@given(servers())
def test_whoever_gets_through_is_said_of_the_listener_too(text: str) -> None:
    reading = read(text)
    open_ports = {path.partition(" ")[0] for path in open_paths(reading)}

    assert {str(one.port) for one in reading.listeners if str(one.exposure) == "answers-query"} >= open_ports
    assert bool(open_paths(reading)) == any(
        str(finding.exposure) == "answers-query" for finding in reading.findings
    )


@given(st.sampled_from(FIXTURES[6:]))
def test_every_directive_stands_where_it_is_said_to(text: str) -> None:
    if "VirtualHost" in text or "ProxyPass" in text:
        return
    todo: list[Block] = [parse(Source("front.conf", text))]
    while todo:
        for directive in todo.pop().directives:
            assert text[directive.start :].lstrip("\"'").startswith(directive.name)
            assert text[directive.end - 1] == (";" if directive.block is None else "}")
            assert all(text[word.start : word.end].strip("\"'") == word.text for word in directive.words)
            todo += [directive.block] if directive.block else []


@given(st.text("ab*+?(|)[]{}.^$\\12,", max_size=60), st.text("ab/", max_size=60))
def test_a_pattern_is_tried_in_no_time_or_not_at_all(pattern: str, path: str) -> None:
    assert matches(pattern, path) in {True, False, None}

"""nginx's language: what ends a word, what opens a block, and where everything stands."""

from __future__ import annotations

import pytest

from leadglass.configs.fronts.nginx_syntax import Block, parse
from leadglass.configs.source import Source
from leadglass.errors import ConfigError


def read(text: str) -> Block:
    return parse(Source("front.conf", text))


def one(text: str) -> tuple[str, ...]:
    (directive,) = read(text).directives
    return (directive.name, *directive.arguments)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("listen 80;", ("listen", "80")),
        ("listen\n80\t;", ("listen", "80")),
        ("listen 80;\r\n", ("listen", "80")),
        ("# a; {\nlisten 80; # }", ("listen", "80")),
        ("set $a b#c;", ("set", "$a", "b#c")),
        ('add_header A "b; { } # c";', ("add_header", "A", "b; { } # c")),
        ("add_header A 'b \"c\"';", ("add_header", "A", 'b "c"')),
        (r'add_header A "b \"c\" \\ \d";', ("add_header", "A", r'b "c" \ \d')),
        (r"rewrite ^/a\;b /c;", ("rewrite", r"^/a\;b", "/c")),
        ("proxy_pass http://${HOST}:8042;", ("proxy_pass", "http://${HOST}:8042")),
        ("a b}c;", ("a", "b}c")),
        ("\ufefflisten 80;", ("listen", "80")),
        ('return 200 "";', ("return", "200", "")),
        ('if ($a = "") {}', ("if", "($a", "=", "", ")")),
    ],
)
def test_words_are_what_nginx_takes_them_for(text: str, words: tuple[str, ...]) -> None:
    assert one(text) == words


def test_blocks_stand_in_blocks_with_their_places() -> None:
    text = "http {\n  server { listen 80; }\n}\n"
    (http,) = read(text).directives
    assert http.block is not None
    (server,) = http.block.directives

    assert text[http.start : http.end] == text.rstrip("\n")
    assert text[server.start : server.end] == "server { listen 80; }"
    assert server.block is not None
    assert text[server.block.start : server.block.end] == " listen 80; "


@pytest.mark.parametrize(
    "lua",
    [
        "ngx.say('}')",
        'ngx.say("\\"}")',
        "local a = { b = {} }",
        "-- it's }\n",
        "--[[ } ' ]]",
        "local a = [==[ } ]] } ]==]",
        "if a then b() end",
    ],
)
def test_lua_is_skipped_by_its_own_rules(lua: str) -> None:
    found = read(f"location / {{ access_by_lua_block {{ {lua} }} deny all; }}").directives[0].block

    assert found is not None
    assert [directive.name for directive in found.directives] == ["access_by_lua_block", "deny"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("listen 80", "front.conf:1:1: the directive 'listen' has no end; end it with ;"),
        ("server { listen 80 }", "front.conf:1:10: the directive 'listen' has no end; end it with ;"),
        ("a;\nserver {", "front.conf:2:8: the block opened here is never closed; close it with }"),
        ("a; }", "front.conf:1:4: a } that closes nothing"),
        ("; a", "front.conf:1:1: a ; where a directive is expected"),
        ("{ }", "front.conf:1:1: a { where a directive is expected"),
        ('a "b', "front.conf:1:3: a quote is opened and never closed"),
        ('a "b"c;', "front.conf:1:6: a quoted word runs into the next; put a space between"),
        ("a b\\", "front.conf:1:4: a backslash with nothing after it"),
        ("a_by_lua_block { '", "front.conf:1:16: the block of Lua opened here has no end"),
        ("a { " * 60, "front.conf:1:204: more than 50 blocks within each other"),
    ],
)
def test_what_nginx_would_not_read_is_one_line_with_its_place(text: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(text)

    assert str(caught.value) == says


@pytest.mark.parametrize(
    "text",
    ["a;" * 60_000, "a " * 6000 + ";", '"' * 1_000_000, '\\"' * 100_001, "x_by_lua_block {" + "{" * 200_000],
)
def test_what_is_too_much_is_refused(text: str) -> None:
    with pytest.raises(ConfigError):
        read(text)

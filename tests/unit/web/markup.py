"""Reads pages as strictly as XML is read: what is open, what is named, and where links lead."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import NoReturn

__all__ = ["Markup", "read"]

_VOID = frozenset({"meta", "link", "input", "img", "br", "source", "hr", "use"})
_ELSEWHERE = ("http:", "https:", "//", "data:", "javascript:")
_REFERS = ("aria-labelledby", "aria-describedby", "for", "list")


class Markup(HTMLParser):
    """A page taken apart; ``AssertionError`` for what no page of ours may hold."""

    def __init__(self) -> None:
        super().__init__()
        self.title = ""
        self.links: list[str] = []
        """Where its links and forms lead, in their order."""
        self.sources: list[str] = []
        """What it loads."""
        self.text: list[str] = []
        self.ids: list[str] = []
        self.referred: list[str] = []
        self.forms: list[list[dict[str, str]]] = []
        """The fields of each form, by their attributes."""
        self._open: list[str] = []

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        assert len(given) == len(attrs), f"<{tag}> says something twice: {attrs}"
        assert tag != "style", "a style in the page"
        assert tag != "script" or given.get("src"), "a script in the page"
        inline = [name for name in given if name == "style" or name.startswith("on")]
        assert not inline, f"<{tag}> has {inline}"
        self._look(tag, given)
        if tag == "form":
            self.forms.append([])
        elif tag == "input" and "form" in self._open:
            self.forms[-1].append(given)
        if tag not in _VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            assert self._open, f"</{tag}> ends nothing"
            assert self._open.pop() == tag, f"</{tag}> ends something else, at {self.getpos()}"

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "title":
            self.title += data
        self.text.append(data)

    def close(self) -> None:
        super().close()
        assert self._open == []
        assert sorted(set(self.ids)) == sorted(self.ids), "an id stands twice"
        assert set(self.referred) <= set(self.ids), f"nothing is called {set(self.referred) - set(self.ids)}"

    def error(self, message: str) -> NoReturn:
        raise AssertionError(message)

    def _look(self, tag: str, given: dict[str, str]) -> None:
        for name in ("href", "src", "action", "srcset"):
            if name not in given:
                continue
            assert not given[name].startswith(_ELSEWHERE), f"<{tag} {name}={given[name]}>"
            is_link = (tag == "a" and name == "href") or (name == "action" and given.get("method") != "post")
            (self.links if is_link else self.sources).append(given[name])
        self.ids += [given["id"]] if "id" in given else []
        for name in _REFERS:
            self.referred += given.get(name, "").split()
        if tag == "a" and given.get("href", "").startswith("#"):
            self.referred.append(given["href"][1:])


def read(page: str) -> Markup:
    """The page, taken apart."""
    markup = Markup()
    markup.feed(page)
    markup.close()
    return markup

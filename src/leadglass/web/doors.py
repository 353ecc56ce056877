"""The only way to declare a route: with the rule that says who may pass.

So the table (method, path) -> rule exists by construction, and ``app.create`` refuses a route that is not in it.
A rule is asked before anything of the request's body is looked at, but for the token of a form.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute

from leadglass.web.admission import admitted
from leadglass.web.rules import Declared, Rule, Who

__all__ = ["Door", "Doors", "Rule", "Who"]

_F = TypeVar("_F", bound=Callable[..., Any])


class Door(APIRoute):
    """A route that lets nobody pass whom its rule does not."""

    def __init__(self, declared: Declared) -> None:
        self.rule = declared.rule
        """Who may pass."""
        self.declared = declared
        super().__init__(declared.path, declared.endpoint, methods=[declared.method], **declared.options)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, behind its rule."""
        return admitted(self.declared, super().get_route_handler())


class Doors:
    """Routes that belong together."""

    def __init__(self, prefix: str = "", **common: Any) -> None:
        """``prefix`` goes before each path; ``common`` are options of each route, as ``APIRoute`` has them."""
        self._prefix = prefix
        self._common = common
        self._declared: list[Declared] = []
        self._made: list[Door] = []

    def get(self, path: str, rule: Rule, action: str = "", **options: Any) -> Callable[[_F], _F]:
        """Declare that ``path`` is read by whom ``rule`` lets pass; ``action`` as of ``post``, if it does something."""
        return self._declare("GET", path, rule, action, options)

    def post(self, path: str, rule: Rule, action: str, **options: Any) -> Callable[[_F], _F]:
        """Declare what posting to ``path`` does; ``action`` is what the audit calls it."""
        return self._declare("POST", path, rule, action, options)

    def put(self, path: str, rule: Rule, action: str, **options: Any) -> Callable[[_F], _F]:
        """Declare what putting does."""
        return self._declare("PUT", path, rule, action, options)

    def patch(self, path: str, rule: Rule, action: str, **options: Any) -> Callable[[_F], _F]:
        """Declare what patching does."""
        return self._declare("PATCH", path, rule, action, options)

    def delete(self, path: str, rule: Rule, action: str, **options: Any) -> Callable[[_F], _F]:
        """Declare what deleting does."""
        return self._declare("DELETE", path, rule, action, options)

    def routes(self) -> Sequence[Door]:
        """The routes, in the order of their declaration; made once, for all applications."""
        if len(self._made) != len(self._declared):
            self._made = [Door(each) for each in self._declared]
        return self._made

    def _declare(
        self, method: str, path: str, rule: Rule, action: str, options: dict[str, Any]
    ) -> Callable[[_F], _F]:
        fresh, has_form = options.pop("fresh", False), options.pop("has_form", False)

        def declare(endpoint: _F) -> _F:
            merged = {**self._common, **options}
            self._declared.append(
                Declared(method, self._prefix + path, rule, action, fresh, has_form, endpoint, merged)
            )
            return endpoint

        return declare

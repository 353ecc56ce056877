"""A conversation that was had before is not worked out again.

Most servers of one make answer the first question with the same bytes. What the conversation does
with given bytes depends on nothing else, so it is kept as a tree: from each input (bytes, silence,
an end) to the step that follows it. A known path costs a look-up an input; the first unknown input
brings in a real conversation, which is told what was said so far and goes on, learned along the way.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from typing import TypeAlias

from leadglass.model.evidence import Evidence
from leadglass.model.rung import Rung
from leadglass.ports.conversation import Loss, Step
from leadglass.probe.associate import AssociateConversation

__all__ = ["Memory", "RememberedConversation"]

_NODES = 8192
"""Steps remembered; then everything is forgotten and learned anew."""
_LONGEST = 2048
"""Bytes of one input that are worth remembering: with the limit above, 16 MB at the very most."""


class _Call(enum.Enum):
    __hash__ = object.__hash__  # as for ``Loss``

    CONNECTED = enum.auto()
    WOKEN = enum.auto()
    STOPPED = enum.auto()


_CONNECTED, _WOKEN, _STOPPED = _Call  # to fetch one from its class takes as long as the look-up


_Input: TypeAlias = bytes | Loss | _Call


class _Node:
    """Where one path has led to."""

    __slots__ = (
        "after",
        "before",
        "by",
        "close",
        "conversation",
        "endings",
        "send",
        "step",
        "told_at",
        "wait",
    )

    def __init__(self, before: _Node | None, by: _Input, step: Step, now: float) -> None:
        self.before = before
        self.by = by
        self.send = step.send
        self.wait = None if step.wake_at is None else step.wake_at - now
        self.close = step.close
        self.step = step
        self.told_at = now
        self.after: dict[_Input, _Node] = {}
        self.conversation: AssociateConversation | None = None
        """The conversation that ended here, once one did."""
        self.endings: dict[Rung, tuple[Evidence, ...]] = {}
        """All the evidence of visits that had nothing more to ask after this, by how deep they might go."""

    def path(self) -> Iterator[_Input]:
        """The inputs that led here."""
        if self.before is not None:
            yield from self.before.path()
            yield self.by


class Memory:
    """What association conversations with one request do with the answers they get."""

    def __init__(self, make: Callable[[], AssociateConversation], nodes: int = _NODES) -> None:
        self._make = make
        self._limit = nodes
        self._forget()

    def replayed(self, node: _Node, now: float) -> AssociateConversation:
        """A real conversation that has come to ``node``."""
        conversation = self._make()
        for what in node.path():
            _tell(conversation, what, now)
        return conversation

    def keep(self, node: _Node) -> None:
        """Remember ``node`` as what follows its input."""
        if isinstance(node.by, bytes) and len(node.by) > _LONGEST:
            return
        self._nodes += 1
        if self._nodes > self._limit:
            self._forget()
        elif node.before is not None:
            node.before.after[node.by] = node

    def _forget(self) -> None:
        self.root = _Node(None, b"", Step(), 0.0)
        """Before the first input."""
        self._nodes = 0


class RememberedConversation:
    """An ``AssociateConversation`` to the engine, which uses what is remembered and adds to it.

    ``conversation`` is the real one, once it has ended.
    """

    __slots__ = ("_live", "_memory", "_node")

    rung = Rung.ASSOCIATE

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self._node = memory.root
        self._live: AssociateConversation | None = None

    @property
    def conversation(self) -> AssociateConversation:
        """The real conversation at the point this one has come to: shared, to be read only."""
        node = self._node
        if node.conversation is None:
            node.conversation = self._live or self._memory.replayed(node, 0.0)
        return node.conversation

    @property
    def endings(self) -> dict[Rung, tuple[Evidence, ...]]:
        """What visits that ended with this conversation had seen; see ``_Node``."""
        return self._node.endings

    def connected(self, now: float) -> Step:
        """Send the A-ASSOCIATE-RQ, whole."""
        return self.received(_CONNECTED, now)

    def received(self, data: _Input, now: float) -> Step:
        """Do what was done with these bytes before, or with whatever else it was that happened."""
        node = self._node.after.get(data)
        if node is None or self._live is not None:
            node = self._learned(data, now)
        self._node = node
        if node.told_at != now and node.wait is not None:  # Many connections hear the same in one turn.
            node.step, node.told_at = Step(node.send, now + node.wait, node.close), now
        return node.step

    def woken(self, now: float) -> Step:
        """The answer did not come in time."""
        return self.received(_WOKEN, now)

    def stopped(self, now: float) -> Step:
        """Say goodbye."""
        return self.received(_STOPPED, now)

    def lost(self, loss: Loss, now: float) -> None:
        """The connection ended from the other side."""
        self.received(loss, now)

    def _learned(self, what: _Input, now: float) -> _Node:
        if self._live is None:
            self._live = self._memory.replayed(self._node, now)
        node = _Node(self._node, what, _tell(self._live, what, now), now)
        self._memory.keep(node)
        return node


def _tell(conversation: AssociateConversation, what: _Input, now: float) -> Step:
    if isinstance(what, bytes):
        return conversation.received(what, now)
    if isinstance(what, Loss):
        conversation.lost(what, now)
        return Step()
    if what is _CONNECTED:
        return conversation.connected(now)
    return conversation.woken(now) if what is _WOKEN else conversation.stopped(now)

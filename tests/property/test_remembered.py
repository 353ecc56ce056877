"""A conversation out of memory does step by step what a real one does, whatever the peer sends."""

from __future__ import annotations

from typing import TypeAlias

from hypothesis import given
from hypothesis import strategies as st
from tests.property.test_probes import VALID

from leadglass.model.evidence import Evidence
from leadglass.ports.conversation import Conversation, Loss, Step
from leadglass.probe.associate import AssociateConversation
from leadglass.probe.remembered import Memory, RememberedConversation, _Node

Inputs: TypeAlias = list[bytes | Loss | None]
NOW = 1000.0

PIECES = st.one_of(
    st.sampled_from(VALID),
    st.sampled_from(VALID).flatmap(lambda whole: st.integers(1, len(whole)).map(lambda n: whole[:n])),
    st.sampled_from(VALID).flatmap(lambda whole: st.integers(0, len(whole) - 1).map(lambda n: whole[n:])),
    st.binary(min_size=1, max_size=12),
)
TALKS = st.lists(st.one_of(PIECES, PIECES, PIECES, st.sampled_from([*Loss, None])), max_size=6)


def associate() -> AssociateConversation:
    return AssociateConversation("ANY-SCP", "LEADGLASS")


def had(conversation: Conversation, talk: Inputs) -> list[Step]:
    """The conversation against a peer that does what ``talk`` says: bytes, an end, silence (None)."""
    steps = [conversation.connected(NOW)]
    for number, what in enumerate(talk):
        if steps[-1].close:
            break
        if isinstance(what, Loss):
            conversation.lost(what, NOW + number)
            break
        steps.append(
            conversation.woken(NOW + number) if what is None else conversation.received(what, NOW + number)
        )
    else:
        if not steps[-1].close:
            conversation.lost(Loss.EOF, NOW)
    return steps


def seen(memory: Memory, talk: Inputs) -> tuple[list[Step], Evidence]:
    remembered = RememberedConversation(memory)
    steps = had(remembered, talk)
    return steps, remembered.conversation.evidence


@given(st.lists(TALKS, min_size=1, max_size=8), st.sampled_from([1, 3, 8192]))
def test_remembered_and_real_conversations_cannot_be_told_apart(talks: list[Inputs], nodes: int) -> None:
    memory = Memory(associate, nodes)
    for talk in [*talks, *talks]:
        real = associate()

        assert seen(memory, talk) == (had(real, talk), real.evidence)


def test_a_known_answer_is_not_worked_out_again() -> None:
    made = []

    def make() -> AssociateConversation:
        made.append(associate())
        return made[-1]

    memory = Memory(make)
    first = seen(memory, [VALID[4]])

    assert [seen(memory, [VALID[4]]) for _ in range(10)] == [first] * 10
    assert len(made) == 1


def test_what_is_remembered_is_bounded() -> None:
    memory = Memory(associate, nodes=50)
    for number in range(1000):
        seen(memory, [number.to_bytes(9, "big")])

    assert sum(1 for _ in nodes_of(memory)) <= 50


def nodes_of(memory: Memory) -> list[_Node]:
    todo, found = [memory.root], list[_Node]()
    while todo:
        node = todo.pop()
        found.append(node)
        todo += node.after.values()
    return found[1:]

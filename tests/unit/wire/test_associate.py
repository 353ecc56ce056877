"""Association requests and answers: what is forgiven, what is not, and how much is too much."""

from __future__ import annotations

import pytest
from tests.unit.wire import build

from leadglass.errors import LocalProtocolError, RemoteProtocolError
from leadglass.wire import pdu, uids
from leadglass.wire.limits import Limits

RQ, AC = 0x01, 0x02
MINIMAL_RQ = build.rq(build.application_context(), build.context_rq(), build.user_information())
MINIMAL_AC = build.ac(build.application_context(), build.context_ac(), build.user_information())


def request(*items: bytes, limits: Limits | None = None) -> pdu.AAssociateRQ:
    decoded = pdu.decode(RQ, build.rq(*items), limits or Limits())
    assert isinstance(decoded, pdu.AAssociateRQ)
    return decoded


def answer(*items: bytes, limits: Limits | None = None) -> pdu.AAssociateAC:
    decoded = pdu.decode(AC, build.ac(*items), limits or Limits())
    assert isinstance(decoded, pdu.AAssociateAC)
    return decoded


def information(*items: bytes, limits: Limits | None = None) -> pdu.UserInformation:
    return answer(build.context_ac(), build.user_information(*items), limits=limits).user_information


# ---- the faults of other readers


def test_well_formed_items_are_not_reported_short() -> None:
    decoded = request(
        build.application_context(),
        *(build.context_rq(context_id, 3) for context_id in range(1, 256, 2)),
        build.user_information(),
    )

    assert [context.context_id for context in decoded.presentation_contexts] == list(range(1, 256, 2))


@pytest.mark.parametrize("kind", [RQ, AC])
def test_a_truncated_item_is_an_error(kind: int) -> None:
    body = MINIMAL_RQ if kind == RQ else MINIMAL_AC

    with pytest.raises(RemoteProtocolError, match="cut short") as caught:
        pdu.decode(kind, body[:-1])

    assert caught.value.abort_reason == 6


@pytest.mark.parametrize(("kind", "body"), [(RQ, MINIMAL_RQ), (AC, MINIMAL_AC)])
def test_a_byte_that_is_not_ascii_is_never_another_error(kind: int, body: bytes) -> None:
    for at in range(len(body)):
        for byte in (0x80, 0xC3, 0xFF):
            damaged = body[:at] + bytes((byte,)) + body[at + 1 :]
            try:
                decoded = pdu.decode(kind, damaged)
            except RemoteProtocolError:
                continue
            assert pdu.decode(kind, pdu.encode(decoded)[6:]) == decoded


def test_every_length_field_that_lies_is_malformed_or_shows() -> None:
    for at in range(68, len(MINIMAL_RQ)):
        for step in (-1, 1):
            damaged = bytearray(MINIMAL_RQ)
            damaged[at] = (damaged[at] + step) % 256
            try:
                decoded = pdu.decode(RQ, bytes(damaged))
            except RemoteProtocolError:
                continue
            assert decoded != pdu.decode(RQ, MINIMAL_RQ) or at in reserved(MINIMAL_RQ)


def reserved(body: bytes) -> set[int]:
    """Where the reserved bytes of MINIMAL_RQ's items are."""
    context = body.index(b"\x20\0\0\x2e")
    kinds = [b"\x10\0\0\x15", b"\x20\0\0\x2e", b"\x30\0\0\x11", b"\x40\0\0\x11", b"\x50\0\0"]
    kinds += [b"\x51\0\0\4", b"\x52\0\0\6"]
    return {body.index(kind) + 1 for kind in kinds} | set(range(context + 5, context + 8))


# ---- strict


@pytest.mark.parametrize(
    "items",
    [
        pytest.param((build.context_rq(), build.user_information()), id="no application context"),
        pytest.param((build.application_context(), build.user_information()), id="no presentation context"),
        pytest.param((build.application_context(), build.context_rq()), id="no user information"),
    ],
)
def test_a_request_without_a_mandatory_item_is_malformed(items: tuple[bytes, ...]) -> None:
    with pytest.raises(RemoteProtocolError, match="lacks a mandatory item"):
        request(*items)


@pytest.mark.parametrize("kind", [0x10, 0x50])
def test_a_single_item_may_not_come_twice(kind: int) -> None:
    twice = [build.application_context(), build.user_information()]
    twice.append(twice[0] if kind == 0x10 else twice[1])

    with pytest.raises(RemoteProtocolError, match=f"{kind:02X}H occurs 2 times"):
        request(build.context_rq(), *twice)
    with pytest.raises(RemoteProtocolError, match=f"{kind:02X}H occurs 2 times"):
        answer(build.context_ac(), *twice)


@pytest.mark.parametrize("context_id", [0, 2, 254])
def test_a_context_id_must_be_odd(context_id: int) -> None:
    with pytest.raises(RemoteProtocolError, match="is not odd"):
        request(build.application_context(), build.context_rq(context_id), build.user_information())
    with pytest.raises(RemoteProtocolError, match="is not odd"):
        answer(build.context_ac(context_id))


def test_context_ids_must_be_unique() -> None:
    with pytest.raises(RemoteProtocolError, match="same id"):
        request(
            build.application_context(), build.context_rq(3), build.context_rq(3), build.user_information()
        )
    with pytest.raises(RemoteProtocolError, match="same id"):
        answer(build.context_ac(3), build.context_ac(3))


@pytest.mark.parametrize(
    "context",
    [
        pytest.param(build.item(0x20, b"\1\0\0"), id="no room for the id"),
        pytest.param(build.item(0x20, b"\1\0\0\0"), id="nothing proposed"),
        pytest.param(build.item(0x20, b"\1\0\0\0", build.item(0x30, b"1.2")), id="no transfer syntax"),
        pytest.param(build.item(0x20, b"\1\0\0\0", build.item(0x40, b"1.2")), id="no abstract syntax"),
        pytest.param(
            build.item(0x20, b"\1\0\0\0", build.item(0x30, b"1.2") * 2, build.item(0x40, b"1.2")),
            id="two abstract syntaxes",
        ),
    ],
)
def test_a_proposal_needs_one_abstract_syntax_and_a_transfer_syntax(context: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="a proposed presentation context"):
        request(build.application_context(), context, build.user_information())


def test_an_answer_to_one_proposal_has_one_transfer_syntax() -> None:
    with pytest.raises(RemoteProtocolError, match="40H occurs 2 times"):
        answer(build.item(0x21, bytes((1, 0, 0, 0)), build.item(0x40, b"1.2") * 2))


@pytest.mark.parametrize("kind", [0x51, 0x52, 0x53, 0x55, 0x59])
def test_single_user_items_may_not_come_twice(kind: int) -> None:
    payload = {0x51: bytes(4), 0x53: bytes(4), 0x59: bytes(2)}.get(kind, b"2.25.1")

    with pytest.raises(RemoteProtocolError, match=f"{kind:02X}H occurs 2 times"):
        information(build.item(kind, payload), build.item(kind, payload))


def test_an_identity_in_the_wrong_direction_is_unexpected() -> None:
    with pytest.raises(RemoteProtocolError, match="wrong direction") as in_answer:
        information(build.item(0x58, b"\1\0\0\0\0\0"))
    with pytest.raises(RemoteProtocolError, match="wrong direction") as in_request:
        request(
            build.application_context(), build.context_rq(), build.user_information(build.item(0x59, b"\0\0"))
        )

    assert in_answer.value.abort_reason == in_request.value.abort_reason == 5


@pytest.mark.parametrize(
    ("kind", "payload"),
    [
        (0x51, b"\0\0\x40"),
        (0x51, b"\0\0\x40\0\0"),
        (0x53, b"\0\1\0"),
        (0x53, b"\0\1\0\1\0"),
        (0x54, b"\0\3" + b"1.2" + b"\1"),
        (0x54, b"\0\3" + b"1.2" + b"\1\1\1"),
        (0x54, b"\0\x09" + b"1.2" + b"\1\1"),
        (0x56, b"\0"),
        (0x56, b"\0\4" + b"1.2"),
        (0x57, build.uid("1.2") + build.uid("1.3")),
        (0x57, build.uid("1.2") + build.uid("1.3") + b"\0\6" + build.uid("1.4") + b"\0"),
        (0x59, b"\0\2x"),
        (0x59, b"\0\0x"),
    ],
)
def test_a_user_item_whose_fields_do_not_add_up_is_malformed(kind: int, payload: bytes) -> None:
    with pytest.raises(RemoteProtocolError) as caught:
        information(build.item(kind, payload))

    assert caught.value.abort_reason == 6


@pytest.mark.parametrize(
    "payload", [b"", b"\1", b"\1\0\0\1", b"\1\0\0\1x", b"\1\0\0\1x\0", b"\1\0\0\1x\0\1", b"\1\0\0\1x\0\0y"]
)
def test_a_user_identity_whose_fields_do_not_add_up_is_malformed(payload: bytes) -> None:
    with pytest.raises(RemoteProtocolError, match="the user identity"):
        request(
            build.application_context(),
            build.context_rq(),
            build.user_information(build.item(0x58, payload)),
        )


# ---- liberal, because real peers are


def test_an_answer_may_lack_what_a_sloppy_server_forgets() -> None:
    bare = answer()

    assert bare.application_context_name is None
    assert bare.presentation_contexts == ()
    assert bare.user_information == pdu.UserInformation()


@pytest.mark.parametrize("syntax", [b"", build.item(0x40), build.item(0x40, b"\0 ")])
def test_an_answer_without_a_transfer_syntax_says_so(syntax: bytes) -> None:
    decoded = answer(build.item(0x21, bytes((1, 0, 3, 0)), syntax))

    assert decoded.presentation_contexts == (pdu.PresentationContextAC(1, 3, None),)


def test_items_that_no_standard_knows_are_skipped() -> None:
    strange = build.item(0x7F, b"\1\2\3")
    context = build.item(0x20, b"\1\0\0\0", strange, build.item(0x30, b"1.2"), build.item(0x40, b"1.3"))

    decoded = request(strange, build.application_context(), context, build.user_information())

    assert decoded.presentation_contexts == (pdu.PresentationContextRQ(1, "1.2", ("1.3",)),)


def test_user_items_that_no_standard_knows_are_kept() -> None:
    kept = information(build.item(0x60, b"\1"), build.item(0x51, bytes(4)), build.item(0x60, b"\2"))

    assert kept.unknown == ((0x60, b"\1"), (0x60, b"\2"))
    assert kept.item_order == (0x60, 0x51, 0x60)


def test_the_reserved_tail_of_a_common_extended_negotiation_is_not_tested() -> None:
    kept = information(build.item(0x57, build.uid("1.2"), build.uid("1.3"), b"\0\0", b"\xff\xff"))

    assert kept.common_extended_negotiations == (pdu.CommonExtendedNegotiation("1.2", "1.3", ()),)


@pytest.mark.parametrize("kind", [1, 2, 3, 4, 5, 6, 255])
def test_a_user_identity_of_any_type_is_read(kind: int) -> None:
    identity = pdu.UserIdentityRQ(kind, positive_response_requested=False, primary_field=b"x" * 500)
    asked = pdu.AAssociateRQ(
        "ANY-SCP",
        "LEADGLASS",
        (pdu.PresentationContextRQ(1, uids.VERIFICATION, (uids.IMPLICIT_VR_LE,)),),
        pdu.UserInformation(user_identity=identity),
    )

    assert pdu.decode(RQ, pdu.encode(asked)[6:]) == asked


def test_credentials_are_not_in_what_is_printed() -> None:
    secret = pdu.UserIdentityRQ(
        2, positive_response_requested=True, primary_field=b"ada", secondary_field=b"xyzzy"
    )

    assert "ada" not in repr(secret)
    assert "xyzzy" not in repr(secret)
    assert "ticket" not in repr(pdu.UserIdentityAC(b"ticket"))


def test_an_answer_that_may_hold_a_ticket_is_not_remembered() -> None:
    ticket = build.ac(build.context_ac(), build.user_information(build.item(0x59, b"\0\6", b"ticket")))

    assert pdu.decode(AC, MINIMAL_AC) is pdu.decode(AC, MINIMAL_AC)
    assert pdu.decode(AC, ticket) is not pdu.decode(AC, ticket)


# ---- limits


def test_too_many_items_are_refused() -> None:
    strange = build.item(0x7F)

    with pytest.raises(RemoteProtocolError, match="more than 160 items"):
        answer(*[strange] * 161)
    answer(*[strange] * 160)


def test_too_many_contexts_are_refused() -> None:
    three = [build.context_ac(context_id) for context_id in (1, 3, 5)]

    with pytest.raises(RemoteProtocolError, match="more than 2 presentation contexts"):
        answer(*three, limits=Limits(contexts=2))
    answer(*three, limits=Limits(contexts=3))


def test_too_many_transfer_syntaxes_are_refused() -> None:
    def asked(count: int) -> pdu.AAssociateRQ:
        return request(build.application_context(), build.context_rq(1, count), build.user_information())

    assert len(asked(64).presentation_contexts[0].transfer_syntaxes) == 64
    with pytest.raises(RemoteProtocolError, match="more than 65 items"):
        asked(65)


def test_too_many_user_items_are_refused() -> None:
    with pytest.raises(RemoteProtocolError, match="more than 512 items"):
        information(*[build.item(0x7F)] * 513)
    assert len(information(*[build.item(0x7F)] * 512).unknown) == 512


@pytest.mark.parametrize("kind", [0x52, 0x55])
def test_text_that_is_too_long_is_refused(kind: int) -> None:
    with pytest.raises(RemoteProtocolError, match="has 65 bytes, more than 64"):
        information(build.item(kind, b"1" * 65))
    information(build.item(kind, b"1" * 64 + b" \0"))


def test_a_user_identity_that_is_too_large_is_refused() -> None:
    limits = Limits(user_identity=10)
    within, beyond = (b"\1\0" + b"\0\4name" + size.to_bytes(2, "big") + b"x" * size for size in (6, 7))
    around = build.application_context() + build.context_rq()

    request(around, build.user_information(build.item(0x58, within)), limits=limits)
    with pytest.raises(RemoteProtocolError, match="more than 10 bytes"):
        request(around, build.user_information(build.item(0x58, beyond)), limits=limits)
    information(build.item(0x59, b"\0\x0a", b"x" * 10), limits=limits)
    with pytest.raises(RemoteProtocolError, match="more than 10 bytes"):
        information(build.item(0x59, b"\0\x0b", b"x" * 11), limits=limits)


# ---- what we send


def test_a_request_is_encoded_once() -> None:
    asked = pdu.decode(RQ, MINIMAL_RQ)

    assert pdu.encode(asked) is pdu.encode(asked)
    assert pdu.encode(asked)[6:] == MINIMAL_RQ


def test_user_items_are_sent_in_the_order_received_or_else_ascending() -> None:
    received = information(build.item(0x55, b"X"), build.item(0x51, bytes(4)), build.item(0x52, b"2.25.1"))
    made = pdu.UserInformation(0, "2.25.1", "X")

    def order(value: pdu.UserInformation) -> tuple[int, ...]:
        encoded = pdu.encode(pdu.AAssociateAC("A", "B", (), value))
        again = pdu.decode(AC, encoded[6:])
        assert isinstance(again, pdu.AAssociateAC)
        return again.user_information.item_order

    assert made == received
    assert order(received) == (0x55, 0x51, 0x52)
    assert order(made) == (0x51, 0x52, 0x55)


def test_unknown_user_items_keep_their_own_order() -> None:
    made = pdu.UserInformation(0, unknown=((0x5B, b""), (0x5A, b""), (0x5B, b"x")))

    again = pdu.decode(AC, pdu.encode(pdu.AAssociateAC("A", "B", (), made))[6:])

    assert isinstance(again, pdu.AAssociateAC)
    assert again.user_information == made
    assert again.user_information.item_order == (0x51, 0x5B, 0x5A, 0x5B)


def test_what_the_order_does_not_name_is_sent_last() -> None:
    made = pdu.UserInformation(0, "2.25.1", "X", unknown=((0x60, b""),), item_order=(0x55, 0x51, 0x7F))

    again = pdu.decode(AC, pdu.encode(pdu.AAssociateAC("A", "B", (), made))[6:])

    assert isinstance(again, pdu.AAssociateAC)
    assert again.user_information.item_order == (0x55, 0x51, 0x52, 0x60)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(pdu.AAssociateAC("A" * 17, "B", (), pdu.UserInformation()), id="a long title"),
        pytest.param(pdu.AAssociateAC("Ω", "B", (), pdu.UserInformation()), id="a title nobody can read"),
        pytest.param(pdu.AAssociateAC("A", "B", (), pdu.UserInformation(2**32)), id="a large maximum length"),
        pytest.param(pdu.AAssociateAC("A", "B", (), pdu.UserInformation(-1)), id="a negative maximum length"),
        pytest.param(
            pdu.AAssociateAC("A", "B", (pdu.PresentationContextAC(257, 0, "1.2"),), pdu.UserInformation()),
            id="a large context id",
        ),
        pytest.param(
            pdu.AAssociateAC("A", "B", (), pdu.UserInformation(unknown=((0x60, bytes(65536)),))),
            id="a large item",
        ),
        pytest.param(
            pdu.AAssociateAC("A", "B", (), pdu.UserInformation(), None, 65536), id="a large version"
        ),
        pytest.param(pdu.AAssociateRJ(256, 1, 1), id="a large result"),
        pytest.param(pdu.AAbort(-1, 0), id="a negative source"),
        pytest.param(pdu.PDataTF((pdu.PresentationDataValue(256, True, True, b""),)), id="a large id"),
    ],
)
def test_what_does_not_fit_its_field_is_our_own_error(value: pdu.Pdu) -> None:
    with pytest.raises(LocalProtocolError):
        pdu.encode(value)

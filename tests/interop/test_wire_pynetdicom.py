"""Our codec and machine against pynetdicom's: each reads what the other writes, and they hold conversations."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pynetdicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pynetdicom import evt
from pynetdicom import pdu as their_pdu
from tests.interop import wire_theirs as theirs
from tests.property import wire_strategies as some

from leadglass.wire import association as ul
from leadglass.wire import command, dataset, dimse, pdata, pdu, uids
from leadglass.wire.association import Association, Role

pytestmark = pytest.mark.peer("pynetdicom")

PATIENCE = 10.0
IMPLICIT = uids.IMPLICIT_VR_LE

# pynetdicom cannot say everything that we can: it always says 51H and 52H, never a role without a part
# or an item that no standard knows, and knows the types of identity.
roles = st.builds(pdu.RoleSelection, some.uids, st.just(value=True), st.booleans())
identities = st.builds(
    pdu.UserIdentityRQ, st.sampled_from([1, 3, 4, 5]), st.booleans(), st.binary(min_size=1)
) | st.builds(pdu.UserIdentityRQ, st.just(2), st.booleans(), st.binary(min_size=1), st.binary(min_size=1))


def information(identity: st.SearchStrategy[Any]) -> st.SearchStrategy[pdu.UserInformation]:
    return st.builds(
        pdu.UserInformation,
        maximum_length=some.u32,
        implementation_class_uid=some.uids,
        implementation_version_name=st.none() | some.titles,
        asynchronous_operations=st.none() | some.windows,
        role_selections=st.lists(roles, max_size=3).map(tuple),
        extended_negotiations=st.lists(some.extended, max_size=2).map(tuple),
        common_extended_negotiations=st.lists(some.common, max_size=2).map(tuple),
        user_identity=st.none() | identity,
    )


contexts_rq = st.builds(
    pdu.PresentationContextRQ,
    some.odd_ids,
    some.uids,
    st.lists(some.uids, min_size=1, max_size=3, unique=True).map(tuple),
)
contexts_ac = st.builds(pdu.PresentationContextAC, some.odd_ids, st.integers(0, 4), some.uids)
requests = st.builds(
    pdu.AAssociateRQ, some.titles, some.titles, some.of_contexts(contexts_rq, 1), information(identities)
)
answers = st.builds(
    pdu.AAssociateAC,
    some.titles,
    some.titles,
    some.of_contexts(contexts_ac, 1),
    information(st.builds(pdu.UserIdentityAC, st.binary(min_size=1, max_size=40))),
)


def ours(encoded: bytes) -> pdu.Pdu:
    return pdu.decode(encoded[0], encoded[6:])


# ---- the codec


@given(requests)
def test_we_read_the_requests_that_pynetdicom_writes(value: pdu.AAssociateRQ) -> None:
    assert ours(theirs.their_rq(value).encode()) == value


@given(requests)
def test_pynetdicom_reads_the_requests_that_we_write(value: pdu.AAssociateRQ) -> None:
    decoded = their_pdu.A_ASSOCIATE_RQ()
    decoded.decode(pdu.encode(value))

    contexts = [
        (c.context_id, str(c.abstract_syntax), tuple(map(str, c.transfer_syntax)))
        for c in decoded.presentation_context
    ]
    assert theirs.from_their_associate(decoded) == (
        value.application_context_name,
        value.called_ae_title,
        value.calling_ae_title,
        value.user_information,
    )
    assert contexts == [
        (c.context_id, c.abstract_syntax, c.transfer_syntaxes) for c in value.presentation_contexts
    ]


@given(answers)
def test_we_read_the_answers_that_pynetdicom_writes(value: pdu.AAssociateAC) -> None:
    assert ours(theirs.their_ac(value).encode()) == value


@given(answers)
def test_pynetdicom_reads_the_answers_that_we_write(value: pdu.AAssociateAC) -> None:
    decoded = their_pdu.A_ASSOCIATE_AC()
    decoded.decode(pdu.encode(value))

    contexts = [(c.context_id, c.result, str(c.transfer_syntax)) for c in decoded.presentation_context]
    assert theirs.from_their_associate(decoded) == (
        value.application_context_name,
        value.called_ae_title,
        value.calling_ae_title,
        value.user_information,
    )
    assert [c[:2] for c in contexts] == [(c.context_id, c.result) for c in value.presentation_contexts]
    accepted = [c for c in value.presentation_contexts if c.result == 0]  # else not significant
    assert [c[2] for c in contexts if c[1] == 0] == [c.transfer_syntax for c in accepted]


@pytest.mark.parametrize("triple", [(1, 1, 1), (1, 1, 3), (1, 1, 7), (1, 2, 2), (2, 3, 1), (2, 3, 2)])
def test_rejections_are_read_both_ways(triple: tuple[int, int, int]) -> None:
    decoded = their_pdu.A_ASSOCIATE_RJ()
    decoded.decode(pdu.encode(pdu.AAssociateRJ(*triple)))

    assert (decoded.result, decoded.source, decoded.reason_diagnostic) == triple
    assert ours(decoded.encode()) == pdu.AAssociateRJ(*triple)


@pytest.mark.parametrize("pair", [(0, 0), (2, 0), (2, 1), (2, 2), (2, 4), (2, 5), (2, 6)])
def test_aborts_are_read_both_ways(pair: tuple[int, int]) -> None:
    decoded = their_pdu.A_ABORT_RQ()
    decoded.decode(pdu.encode(pdu.AAbort(*pair)))

    assert (decoded.source, decoded.reason_diagnostic) == pair
    assert ours(decoded.encode()) == pdu.AAbort(*pair)


def test_releases_are_read_both_ways() -> None:
    their_pdu.A_RELEASE_RQ().decode(pdu.encode(pdu.AReleaseRQ()))
    their_pdu.A_RELEASE_RP().decode(pdu.encode(pdu.AReleaseRP()))

    assert ours(their_pdu.A_RELEASE_RQ().encode()) == pdu.AReleaseRQ()
    assert ours(their_pdu.A_RELEASE_RP().encode()) == pdu.AReleaseRP()


@given(some.p_data)
def test_data_is_read_both_ways(value: pdu.PDataTF) -> None:
    decoded = their_pdu.P_DATA_TF()
    decoded.decode(pdu.encode(value))
    items = [
        (i.presentation_context_id, i.presentation_data_value) for i in decoded.presentation_data_value_items
    ]

    expected = [(v.context_id, bytes((v.is_command | v.is_last << 1,)) + bytes(v.data)) for v in value.pdvs]
    assert items == expected
    assert ours(decoded.encode()) == value


# ---- live conversations on loopback


class Line:
    """One of our associations on a real socket."""

    def __init__(self, connection: socket.socket, association: Association) -> None:
        self.connection = connection
        self.association = association
        self.connection.settimeout(PATIENCE)
        association.connection_opened(time.monotonic())

    def flush(self) -> None:
        self.connection.sendall(self.association.data_to_send())

    def events(self) -> list[ul.Event]:
        """What the next bytes say."""
        self.flush()
        while not self.association.wants_close:
            data = self.connection.recv(65536)
            now = time.monotonic()
            events = (
                list(self.association.receive(data, now)) if data else self.association.connection_closed(now)
            )
            if events or not data:
                self.flush()
                return events
        return []

    def one(self) -> ul.Event:
        (event,) = self.events()
        return event

    def message(self) -> pdata.Completed:
        """The next message."""
        receiver = pdata.MessageAssembler()
        while True:
            for event in self.events():
                assert isinstance(event, ul.DataReceived), event
                for value in event.pdvs:
                    completed = receiver.feed(value)
                    if completed is not None:
                        return completed

    def say(self, message: dimse.Message, data_set: bytes | None = None, context_id: int = 1) -> None:
        encoded = command.encode_command(message)
        limit = self.association.peer_maximum_length
        self.association.send(pdata.fragment(context_id, encoded, data_set, limit), time.monotonic())


INFORMATION = pdu.UserInformation(16384, uids.IMPLEMENTATION_CLASS_UID, uids.IMPLEMENTATION_VERSION_NAME)
IDENTIFIER = dataset.identifier({dataset.QUERY_RETRIEVE_LEVEL: "STUDY", dataset.STUDY_INSTANCE_UID: "2.25.7"})


def request(*abstract_syntaxes: str) -> pdu.AAssociateRQ:
    contexts = tuple(
        pdu.PresentationContextRQ(2 * at + 1, uid, (IMPLICIT,)) for at, uid in enumerate(abstract_syntaxes)
    )
    return pdu.AAssociateRQ("PEER", "LEADGLASS", contexts, INFORMATION)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)


@contextlib.contextmanager
def their_server(*abstract_syntaxes: str, handlers: Any = (), **options: object) -> Iterator[int]:
    """A pynetdicom server on loopback; its port."""
    entity = pynetdicom.AE(ae_title="PEER")
    for name, value in options.items():
        setattr(entity, name, value)
    for uid in abstract_syntaxes:
        entity.add_supported_context(uid, IMPLICIT)
    server = entity.start_server(("127.0.0.1", 0), block=False, evt_handlers=list(handlers))
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.shutdown()


@contextlib.contextmanager
def called(port: int, asked: pdu.AAssociateRQ) -> Iterator[Line]:
    association = Association(Role.REQUESTOR)
    association.associate(asked, time.monotonic())
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as connection:
        yield Line(connection, association)


def matches(event: Any) -> Iterator[tuple[int, Dataset | None]]:
    assert event.identifier.StudyInstanceUID == "2.25.7"
    for number in range(3):
        found = Dataset()
        found.QueryRetrieveLevel = "STUDY"
        found.StudyInstanceUID = f"2.25.7.{number}"
        found.TextValue = "x" * 40_000  # of unlimited length, so that it takes many fragments
        yield 0xFF00, found
    yield 0x0000, None


def test_our_requestor_echoes_and_releases() -> None:
    with their_server(uids.VERIFICATION) as port, called(port, request(uids.VERIFICATION, "1.2.3")) as line:
        accepted = line.one()
        line.say(dimse.CEchoRQ(1))
        echoed = line.message()
        line.association.release(time.monotonic())
        released = line.one()

    assert isinstance(accepted, ul.AssociateAccepted)
    assert [context.result for context in accepted.pdu.presentation_contexts] == [0, 3]
    assert accepted.pdu.user_information.implementation_version_name == "PYNETDICOM_304"
    assert echoed == (1, dimse.CEchoRSP(1, 0, uids.VERIFICATION), None)
    assert released == ul.Released()
    assert line.association.wants_close


def test_our_requestor_finds_and_takes_matches_in_pieces() -> None:
    with (
        their_server(uids.STUDY_ROOT_FIND, handlers=[(evt.EVT_C_FIND, matches)]) as port,
        called(port, request(uids.STUDY_ROOT_FIND)) as line,
    ):
        line.one()
        line.say(dimse.CFindRQ(4, uids.STUDY_ROOT_FIND), IDENTIFIER)
        receiver, told = pdata.MessageAssembler(), list[pdata.Completed]()
        while not told or told[-1].data_set is not None:
            for event in line.events():
                assert isinstance(event, ul.DataReceived)
                told += [done for value in event.pdvs if (done := receiver.feed(value)) is not None]
        line.association.abort(0, 0, time.monotonic())
        line.flush()

    statuses = [one.command.status for one in told if isinstance(one.command, dimse.CFindRSP)]
    assert statuses == [0xFF00, 0xFF00, 0xFF00, 0x0000]
    assert all(len(one.data_set or b"") > 40_000 for one in told[:-1])


def test_our_requestor_hears_a_rejection() -> None:
    with (
        their_server(uids.VERIFICATION, require_called_aet=True) as port,
        called(
            port,
            pdu.AAssociateRQ(
                "OTHER", "LEADGLASS", request(uids.VERIFICATION).presentation_contexts, INFORMATION
            ),
        ) as line,
    ):
        assert line.one() == ul.AssociateRejected(pdu.AAssociateRJ(1, 1, 7))


def test_our_requestor_hears_an_abort() -> None:
    def aborts(event: Any) -> int:
        event.assoc.abort()
        return 0

    with (
        their_server(uids.VERIFICATION, handlers=[(evt.EVT_C_ECHO, aborts)]) as port,
        called(port, request(uids.VERIFICATION)) as line,
    ):
        line.one()
        line.say(dimse.CEchoRQ(1))

        assert isinstance(line.one(), ul.Aborted)


@contextlib.contextmanager
def our_server(answer: Callable[[Line], None]) -> Iterator[int]:
    """One connection to our acceptor on loopback, served by ``answer`` in a thread; its port."""
    failures: list[BaseException] = []

    def serve() -> None:
        try:
            connection, _ = listener.accept()
            with connection:
                answer(Line(connection, Association(Role.ACCEPTOR)))
        except BaseException as exc:  # noqa: BLE001 - told to the test below, whatever it is
            failures.append(exc)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)
        thread = threading.Thread(target=serve)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(PATIENCE)
    assert failures == []
    assert not thread.is_alive()


def accept_all(line: Line) -> pdu.AAssociateRQ:
    event = line.one()
    assert isinstance(event, ul.AssociateRequested), event
    contexts = tuple(
        pdu.PresentationContextAC(c.context_id, 0, IMPLICIT) for c in event.pdu.presentation_contexts
    )
    answer = pdu.AAssociateAC(event.pdu.called_ae_title, event.pdu.calling_ae_title, contexts, INFORMATION)
    line.association.accept(answer, time.monotonic())
    return event.pdu


def farewell(line: Line) -> None:
    """Answer the release and wait for the peer to close."""
    assert line.one() == ul.ReleaseRequested()
    line.association.release_reply(time.monotonic())
    assert line.events() == []
    assert line.association.wants_close


@contextlib.contextmanager
def calling(port: int, *abstract_syntaxes: str) -> Iterator[Any]:
    """A pynetdicom association with our acceptor."""
    entity = pynetdicom.AE(ae_title="PEER")
    for uid in abstract_syntaxes:
        entity.add_requested_context(uid, IMPLICIT)
    yield entity.associate("127.0.0.1", port, ae_title="LEADGLASS")


def test_our_acceptor_answers_an_echo_and_a_release() -> None:
    seen = []

    def answer(line: Line) -> None:
        seen.append(accept_all(line))
        context_id, echo, _ = line.message()
        assert isinstance(echo, dimse.CEchoRQ)
        line.say(dimse.CEchoRSP(echo.message_id, 0, uids.VERIFICATION), None, context_id)
        farewell(line)

    with our_server(answer) as port, calling(port, uids.VERIFICATION) as association:
        assert association.is_established
        assert association.acceptor.implementation_version_name == uids.IMPLEMENTATION_VERSION_NAME
        assert association.send_c_echo().Status == 0x0000
        association.release()

    assert (seen[0].called_ae_title, seen[0].calling_ae_title) == ("LEADGLASS", "PEER")


def test_our_acceptor_answers_a_query_with_matches() -> None:
    def answer(line: Line) -> None:
        accept_all(line)
        context_id, find, identifier = line.message()
        assert isinstance(find, dimse.CFindRQ)
        assert identifier is not None
        for _ in range(3):
            pending = dimse.CFindRSP(find.message_id, 0xFF00, find.affected_sop_class_uid, dimse.DATA_SET)
            line.say(pending, identifier, context_id)
        line.say(dimse.CFindRSP(find.message_id, 0, find.affected_sop_class_uid), None, context_id)
        farewell(line)

    query = Dataset()
    query.QueryRetrieveLevel = "STUDY"
    query.StudyInstanceUID = "2.25.7"
    with our_server(answer) as port, calling(port, uids.STUDY_ROOT_FIND) as association:
        responses = list(association.send_c_find(query, uids.STUDY_ROOT_FIND))
        association.release()

    assert [status.Status for status, _ in responses] == [0xFF00, 0xFF00, 0xFF00, 0x0000]
    assert all(found.StudyInstanceUID == "2.25.7" for _, found in responses[:-1])


def test_our_acceptor_rejects() -> None:
    def answer(line: Line) -> None:
        line.one()
        line.association.reject(pdu.AAssociateRJ(2, 3, 2), time.monotonic())
        assert line.events() == []

    with our_server(answer) as port, calling(port, uids.VERIFICATION) as association:
        assert association.is_rejected


def test_our_acceptor_hears_an_abort() -> None:
    heard = []

    def answer(line: Line) -> None:
        accept_all(line)
        heard.append(line.one())

    with our_server(answer) as port, calling(port, uids.VERIFICATION) as association:
        association.abort()

    assert [type(event) for event in heard] == [ul.Aborted]

"""Attacks from behind: whatever an archive answers, nobody sees what is hidden, and nobody is left waiting."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.peers.caller import Answer, Caller, contexts, data_set, identifier, request
from tests.peers.clinic import ALPHA, STUDIES, Series, image, images
from tests.peers.guarded import Guard, entry, guard
from tests.peers.guarded_clinic import TITLE, eventually
from tests.peers.scripted_archive import Line, ScriptedArchive, described, scripted_archive

from leadglass.settings.guard import Address
from leadglass.wire import association as ul
from leadglass.wire import dimse, pdata, pdu, uids
from leadglass.wire.command import encode_command
from leadglass.wire.dimse import CEchoRSP, CFindRQ, CFindRSP, CGetRQ, CGetRSP, CStoreRQ, CStoreRSP

FIND, GET, CT = uids.STUDY_ROOT_FIND, uids.STUDY_ROOT_GET, uids.CT_IMAGE_STORAGE
HEAD, KNEE = STUDIES["head"], STUDIES["knee"]
BUSY, UNAVAILABLE = 0xA700, (2, 3, 1)
QUERY = CFindRQ(1, FIND)
ALL = identifier("STUDY", StudyInstanceUID="")
PENDING = CFindRSP(1, 0xFF00, FIND, dimse.DATA_SET)


@dataclass(frozen=True)
class Behind:
    guard: Guard
    archive: ScriptedArchive

    @contextlib.contextmanager
    def caller(self) -> Iterator[Caller]:
        with contextlib.closing(Caller(self.guard.connect("work"))) as made:
            yield made

    @contextlib.contextmanager
    def inside(self, *abstract_syntaxes: str, who: str = "work") -> Iterator[Caller]:
        with contextlib.closing(Caller(self.guard.connect(who))) as made:
            rq = request(
                who.upper(), TITLE, contexts(*abstract_syntaxes), roles=[CT] * (CT in abstract_syntaxes)
            )
            assert made.associate(rq) is not None, made.ended
            yield made


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    entries = (
        entry("work", "WORK", "radiologist", institutions=(ALPHA,)),
        entry("ctroom", "CTROOM", "modality", modalities=("CT",)),
    )
    home = tmp_path_factory.mktemp("behind")
    with (
        scripted_archive() as archive,
        guard(home, Address("127.0.0.1", archive.port), *entries, title=TITLE) as one,
    ):
        yield Behind(one, archive)


@pytest.fixture
def behind(site: Behind) -> Iterator[Behind]:
    yield site
    site.archive.behave()


@pytest.fixture(autouse=True)
def the_guard_makes_no_mistake(site: Behind) -> Iterator[None]:
    yield
    assert "mistake" not in site.guard.log.read_text()


# ---- associations

Accept = Callable[[Line, pdu.AAssociateRQ], None]


def answered(*answers: pdu.PresentationContextAC) -> Accept:
    def accept(line: Line, rq: pdu.AAssociateRQ) -> None:
        said = pdu.UserInformation(maximum_length=16384, implementation_class_uid="2.25.2")
        line.raw(pdu.encode(pdu.AAssociateAC(TITLE, "WORK", answers, said)))

    return accept


ACCEPTS: dict[str, Accept] = {
    "closes": lambda line, rq: line.close(),
    "sends garbage": lambda line, rq: line.raw(b"\xff" * 500),
    "is a web server": lambda line, rq: line.raw(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
    "claims four gigabytes": lambda line, rq: line.raw(b"\x02\0\xff\xff\xff\xf0"),
    "rejects": lambda line, rq: line.raw(pdu.encode(pdu.AAssociateRJ(1, 1, 7))),
    "aborts": lambda line, rq: line.raw(pdu.encode(pdu.AAbort(2, 0))),
    "sends data first": lambda line, rq: line.raw(
        pdata.fragment(1, encode_command(CEchoRSP(1, 0)), None, 16384)
    ),
    "accepts what was not proposed": answered(pdu.PresentationContextAC(251, 0, uids.IMPLICIT_VR_LE)),
    "accepts in another syntax": answered(pdu.PresentationContextAC(1, 0, uids.DEFLATED_EXPLICIT_VR_LE)),
}


@pytest.mark.parametrize("name", ACCEPTS)
def test_an_archive_that_answers_no_association_is_said_to_be_away(behind: Behind, name: str) -> None:
    behind.archive.accept = ACCEPTS[name]
    seen = len(behind.guard.audit())
    # Each proposal differs from those that the guard has seen answered.
    proposed = contexts(FIND, *[uids.VERIFICATION] * (2 + list(ACCEPTS).index(name)))
    with behind.caller() as caller:
        assert caller.associate(request("WORK", TITLE, proposed)) is None
        assert isinstance(caller.ended, ul.AssociateRejected)
        said = caller.ended.pdu
        assert (said.result, said.source, said.reason) == UNAVAILABLE
    assert eventually(lambda: any("unavailable" in event.rules for event in behind.guard.audit()[seen:]))


# ---- answers


def find_response(status: int, **more: str) -> CFindRSP:
    return CFindRSP(1, status, FIND, **more)  # type: ignore[arg-type]


def says(*messages: tuple[dimse.Message, bytes | None]) -> Callable[[Line, Answer], None]:
    def act(line: Line, answer: Answer) -> None:
        for message, data in messages:
            line.send(answer.context_id, message, data)

    return act


def match(data: bytes) -> tuple[dimse.Message, bytes]:
    return PENDING, data


END = (find_response(0), None)


def half_a_match(line: Line, answer: Answer) -> None:
    whole = pdata.fragment(answer.context_id, encode_command(PENDING), described("head"), 64)
    line.raw(whole[:150])
    line.close()


BROKEN: dict[str, Callable[[Line, Answer], None]] = {
    "closes": lambda line, _: line.close(),
    "aborts": lambda line, _: line.raw(pdu.encode(pdu.AAbort(0, 0))),
    "releases": lambda line, _: line.raw(bytes.fromhex("05000000000400000000")),
    "sends garbage": lambda line, _: line.raw(b"\xff" * 500),
    "claims four gigabytes": lambda line, _: line.raw(b"\x04\0\xff\xff\xff\xf0"),
    "answers on an unknown context": lambda line, _: line.send(99, find_response(0)),
    "answers an echo": says((CEchoRSP(1, 0), None)),
    "answers a retrieval": says((CGetRSP(1, 0, GET), None)),
    "answers a retrieval with a match": says(
        (CGetRSP(1, 0xFF00, GET, command_data_set_type=dimse.DATA_SET), described("knee"))
    ),
    "sends half a match and closes": half_a_match,
    "sends a match that is no data set": says(match(b"\x08\0\x52\0\xff\xff\xff\x7f"), END),
    "sends a match of a hundred kilobytes": says(
        match(described("head", OtherPatientNames=["x" * 60] * 1700)), END
    ),
    "sends data without a command": lambda line, answer: line.raw(
        pdata.fragment(answer.context_id, b"", described("knee"), 16384)[12:]
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_query_that_an_archive_breaks_off_is_answered(behind: Behind, name: str) -> None:
    behind.archive.act = BROKEN[name]
    with behind.inside(FIND) as caller:
        began = time.monotonic()
        found = caller.ask(1, QUERY, ALL)
        assert time.monotonic() - began < 2.0
        assert [answer.command.status for answer in found] == [BUSY]  # type: ignore[union-attr]
        assert KNEE.uid.encode() not in caller.heard
        behind.archive.act = says(match(described("head")), END)
        again = caller.ask(1, QUERY, ALL)
        assert [answer.command.status for answer in again] == [0xFF00, 0]  # type: ignore[union-attr]


@pytest.mark.parametrize("name", ["closes", "aborts", "releases"])
def test_a_query_that_crosses_the_end_of_an_idle_association_is_answered(behind: Behind, name: str) -> None:
    def once(line: Line, answer: Answer) -> None:
        leaves, behind.archive.act = BROKEN[name], answers
        leaves(line, answer)

    answers = says(match(described("head")), END)
    behind.archive.act = answers
    with behind.inside(FIND) as caller:
        caller.ask(1, QUERY, ALL)
        before = len(behind.archive.of("WORK"))
        behind.archive.act = once
        found = caller.ask(1, QUERY, ALL)
        assert [answer.command.status for answer in found] == [0xFF00, 0]  # type: ignore[union-attr]
        assert len(behind.archive.of("WORK")) == before + 1


SHOWN: dict[str, tuple[Callable[[Line, Answer], None], list[str]]] = {
    "studies that were not asked for": (
        says(match(described("head")), match(described("knee")), END),
        ["head"],
    ),
    "a study of nobody": (says(match(described("head", StudyInstanceUID="")), END), []),
    "two studies in one": (
        says(match(described("head", StudyInstanceUID=f"{HEAD.uid}\\{KNEE.uid}")), END),
        [],
    ),
    "an answer to another message": (
        says(
            (CFindRSP(9, 0xFF00, FIND, dimse.DATA_SET), described("head")), (CFindRSP(9, 0, FIND), None), END
        ),
        [],
    ),
    "matches after the end": (says(match(described("head")), END, match(described("chest")), END), ["head"]),
    "an object instead": (
        says(
            (CStoreRQ(5, CT, KNEE.instances[0]), data_set(next(images(KNEE)))), match(described("head")), END
        ),
        ["head"],
    ),
    "a deletion instead": (
        says((dimse.NDeleteRQ(5, CT, KNEE.instances[0]), None), match(described("head")), END),
        ["head"],
    ),
    "a report that nobody waits for": (
        says(
            (
                dimse.NEventReportRQ(5, uids.STORAGE_COMMITMENT, "1.2.840.10008.1.20.1.1", 1),
                described("knee"),
            ),
            match(described("head")),
            END,
        ),
        ["head"],
    ),
    "a query of its own": (
        says((CFindRQ(5, FIND), described("knee")), match(described("head")), END),
        ["head"],
    ),
}


@pytest.mark.parametrize("name", SHOWN)
def test_of_what_an_archive_answers_only_what_may_be_seen_is_shown(behind: Behind, name: str) -> None:
    behind.archive.act, names = SHOWN[name]
    with behind.inside(FIND) as caller:
        found = caller.ask(1, QUERY, ALL)
        shown = [answer.data_set or b"" for answer in found[:-1]]
        assert len(shown) == len(names)
        assert all(STUDIES[name].uid.encode() in data for name, data in zip(names, shown, strict=True))
        assert found[-1].command.status == 0  # type: ignore[union-attr]
        assert KNEE.uid.encode() not in caller.heard


def test_an_archives_comments_which_may_name_anybody_stay_with_the_guard(behind: Behind) -> None:
    behind.archive.act = says((find_response(0xC001, error_comment="Ash^Alma has no such study"), None))
    with behind.inside(FIND) as caller:
        (answer,) = caller.ask(1, QUERY, ALL)
        assert answer.command.status == 0xC001  # type: ignore[union-attr]
        assert b"Ash" not in caller.heard
    assert "Ash" not in behind.guard.log.read_text()


# ---- objects

GOT = CGetRSP(1, 0, GET)
OWN = data_set(next(images(HEAD)))
FOREIGN = data_set(image(KNEE, Series(KNEE.series[0].uid, "CT", ()), KNEE.instances[0]))


def brings(uid: str, data: bytes, *, part: int | None = None) -> Callable[[Line, Answer], None]:
    """Send an object as the answer to C-GET, or the first ``part`` of its bytes and no more."""

    def act(line: Line, answer: Answer) -> None:
        store = CStoreRQ(50, CT, uid)
        whole = pdata.fragment(3, encode_command(store), data, 16384)
        line.raw(whole if part is None else whole[:part])
        if part is None:
            line.send(answer.context_id, GOT)
        else:
            line.close()

    return act


@pytest.mark.parametrize(
    ("uid", "data"),
    [
        pytest.param(KNEE.instances[0], FOREIGN, id="an object of a hidden study"),
        pytest.param(HEAD.instances[0], FOREIGN, id="a hidden object under the name of an own one"),
        pytest.param(KNEE.instances[0], OWN, id="an own object under the name of a hidden one"),
        pytest.param(HEAD.instances[0], b"\xff" * 400, id="no data set"),
        pytest.param(HEAD.instances[0], b"", id="nothing"),
    ],
)
def test_an_object_that_was_not_asked_for_is_refused_to_the_archive(
    behind: Behind, uid: str, data: bytes
) -> None:
    behind.archive.act = brings(uid, data)
    with behind.inside(GET, CT) as caller:
        found = caller.ask(1, CGetRQ(1, GET), identifier("STUDY", StudyInstanceUID=HEAD.uid))
        assert [type(answer.command) for answer in found] == [CGetRSP]
        assert KNEE.uid.encode() not in caller.heard
    line = behind.archive.of("WORK")[-1]
    assert eventually(lambda: CStoreRSP in {type(answer.command) for answer in line.heard})
    (refused,) = [answer.command for answer in line.heard if isinstance(answer.command, CStoreRSP)]
    assert refused.status == 0x0124


@pytest.mark.parametrize("manner", ["closes within it", "contradicts itself at its end"])
def test_an_object_that_goes_wrong_on_its_way_ends_the_association(behind: Behind, manner: str) -> None:
    large = image(HEAD, HEAD.series[0], HEAD.instances[0], pixels=512)
    data = data_set(large) + (b"" if manner == "closes within it" else FOREIGN)
    behind.archive.act = brings(
        HEAD.instances[0], data, part=100_000 if manner == "closes within it" else None
    )
    with behind.inside(GET, CT) as caller:
        found = caller.ask(1, CGetRQ(1, GET), identifier("STUDY", StudyInstanceUID=HEAD.uid))
        assert not [answer for answer in found if isinstance(answer.command, CGetRSP)]
        assert caller.ended is not None
        assert KNEE.uid.encode() not in caller.heard


@pytest.mark.parametrize(
    "manner", ["closes", "closes within it", "answers at once and closes", "answers another"]
)
def test_a_device_whose_object_an_archive_does_not_take_is_told_so(behind: Behind, manner: str) -> None:
    def act(line: Line, answer: Answer) -> None:
        if manner == "answers at once and closes":
            line.send(answer.context_id, CStoreRSP(1, BUSY, CT))
        if manner == "answers another":
            line.send(answer.context_id, CStoreRSP(7, 0, CT))
        line.close()

    behind.archive.act = act
    if manner == "closes within it":
        behind.archive.most = 200_000
    made = image(HEAD, HEAD.series[0], HEAD.instances[0], pixels=1024)
    with behind.inside(CT, who="ctroom") as caller:
        assert caller.status(1, CStoreRQ(1, CT, HEAD.instances[0]), data_set(made)) == BUSY


# ---- ends


def test_an_archive_that_never_answers_is_left_when_its_client_leaves(behind: Behind) -> None:
    before = len(behind.archive.of("WORK"))
    with behind.inside(FIND) as caller:
        caller.send(1, QUERY, ALL)
        assert eventually(lambda: any(line.heard for line in behind.archive.of("WORK")[before:]))
        (line,) = behind.archive.of("WORK")[before:]
        assert line.sock.fileno() >= 0
    assert eventually(lambda: line.sock.fileno() < 0, 1.0)


def test_both_may_ask_for_release_at_once(behind: Behind) -> None:
    behind.archive.act = says(END)
    ended: list[ul.Event] = []

    def collide(line: Line) -> None:
        # PS3.8 9.2.3, figure 9-4: both have asked; the requestor of the association replies first.
        line.raw(bytes.fromhex("05000000000400000000"))
        time.sleep(0.1)
        line.raw(bytes.fromhex("06000000000400000000"))
        ended.append(ul.Released())

    behind.archive.released = collide
    with behind.inside(FIND) as caller:
        assert caller.status(1, QUERY, ALL) == 0
        assert isinstance(caller.release(), ul.Released)
        line = behind.archive.of("WORK")[-1]
        assert eventually(lambda: bool(ended))
        assert eventually(lambda: line.sock.fileno() < 0, 4.0)


def held_open(port: int) -> list[str]:
    """Connections of ours to this port whose end we have not seen or answered (established, close-wait)."""
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return [row[1] for row in rows if row[2].endswith(f":{port:04X}") and row[3] in {"01", "08"}]


def test_an_archive_that_ends_each_association_after_an_answer_serves_all_the_same(behind: Behind) -> None:
    def act(line: Line, answer: Answer) -> None:
        number = answer.command.message_id  # type: ignore[union-attr]
        line.send(answer.context_id, CFindRSP(number, 0xFF00, FIND, dimse.DATA_SET), described("head"))
        line.send(answer.context_id, CFindRSP(number, 0, FIND))
        line.close()

    behind.archive.act = act
    with behind.inside(FIND) as caller:
        for number in range(1, 6):
            found = caller.ask(1, CFindRQ(number, FIND), ALL)
            assert [answer.command.status for answer in found] == [0xFF00, 0]  # type: ignore[union-attr]
            # A question that crosses the end of the association would be refused, and not asked again.
            assert eventually(lambda: not held_open(behind.archive.port))

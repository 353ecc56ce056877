"""What the guard remembers of studies: asked once, believed for a minute, never more than fits."""

from __future__ import annotations

import asyncio
import gc

import pytest
from tests.unit.guard.elapsing import turn
from tests.unit.guard.somebody import on_a_loop

from leadglass.errors import TransportError
from leadglass.guard import studies as module
from leadglass.guard.studies import UNKNOWN, Studies
from leadglass.model.access import Study

HEAD = Study("2.25.1", patient_id="P1")


class Asked:
    """An archive that knows one study, and counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.held: asyncio.Future[None] | None = None
        self.away = False
        self.now = 1000.0
        self.studies = Studies(self.study, self.of_patient, self.contains, self.holder, lambda: self.now)

    async def study(self, uid: str) -> Study | None:
        self.asked.append(uid)
        if self.held is not None:
            await self.held
        if self.away:
            raise TransportError("cannot be reached")
        return HEAD if uid == "2.25.1" else None

    async def of_patient(self, patient_id: str, charset: bytes) -> list[Study]:
        self.asked.append(f"{patient_id}/{charset.decode()}")
        return [HEAD]

    async def contains(self, study: str, series: str, instance: str) -> bool:
        self.asked.append(f"{study}/{series}/{instance}")
        return series == "2.25.2"

    async def holder(self, instance: str) -> str | None:
        self.asked.append(instance)
        return "2.25.1" if instance == "2.25.3" else None


@on_a_loop
async def test_a_study_is_asked_for_once_a_minute_and_so_is_one_that_does_not_exist() -> None:
    archive = Asked()
    for _ in range(3):
        assert await archive.studies.study("2.25.1") == HEAD
        assert await archive.studies.study("2.25.404") is None
    assert archive.asked == ["2.25.1", "2.25.404"]
    assert archive.studies.known("2.25.404") is None
    archive.now += 61
    assert archive.studies.known("2.25.1") is UNKNOWN
    await archive.studies.study("2.25.1")
    assert archive.asked == ["2.25.1", "2.25.404", "2.25.1"]


@on_a_loop
async def test_many_who_ask_at_once_put_one_question() -> None:
    archive = Asked()
    archive.held = asyncio.get_running_loop().create_future()
    waiting = [asyncio.create_task(archive.studies.study("2.25.1")) for _ in range(5)]
    await turn()
    waiting[0].cancel()
    await turn()
    archive.held.set_result(None)

    assert await asyncio.gather(*waiting[1:]) == [HEAD] * 4
    assert archive.asked == ["2.25.1"]


@on_a_loop
async def test_a_question_without_answer_is_put_again_and_nothing_is_remembered() -> None:
    archive = Asked()
    archive.away = True
    with pytest.raises(TransportError):
        await archive.studies.study("2.25.1")
    archive.away = False

    assert await archive.studies.study("2.25.1") == HEAD


@on_a_loop
async def test_a_question_that_fails_when_nobody_waits_any_more_is_no_mistake() -> None:
    archive = Asked()
    archive.away, archive.held = True, asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(archive.studies.study("2.25.1"))
    await turn()
    waiting.cancel()
    archive.held.set_result(None)
    for _ in range(5):
        await turn()
    del waiting
    gc.collect()


@on_a_loop
async def test_what_was_asked_before_everything_was_forgotten_is_not_believed_after() -> None:
    archive = Asked()
    archive.held = asyncio.get_running_loop().create_future()
    waiting = asyncio.create_task(archive.studies.study("2.25.1"))
    await turn()
    archive.studies.forget()
    again = asyncio.create_task(archive.studies.study("2.25.1"))
    await turn()
    archive.held.set_result(None)
    await asyncio.gather(waiting, again)

    assert archive.asked == ["2.25.1", "2.25.1"]
    assert archive.studies.known("2.25.1") == HEAD


@on_a_loop
async def test_the_studies_of_a_patient_are_asked_for_each_time_and_remembered_one_by_one() -> None:
    archive = Asked()
    for _ in range(2):
        assert await archive.studies.of_patient("P1", b"ISO_IR 100") == [HEAD]

    assert archive.asked == ["P1/ISO_IR 100"] * 2
    assert archive.studies.known("2.25.1") == HEAD


@on_a_loop
async def test_what_belongs_to_a_study_is_remembered_and_what_does_not_is_asked_again() -> None:
    archive = Asked()
    for _ in range(2):
        assert await archive.studies.contains("2.25.1", "2.25.2", "")
        assert not await archive.studies.contains("2.25.1", "2.25.9", "")

    assert archive.asked == ["2.25.1/2.25.2/", "2.25.1/2.25.9/", "2.25.1/2.25.9/"]


@on_a_loop
async def test_a_stored_study_exists_and_its_object_does_not_overrule_the_archive() -> None:
    archive = Asked()
    told = Study("2.25.1", patient_id="other")
    await archive.studies.study("2.25.404")
    archive.studies.learn_stored(Study("2.25.404", patient_id="P4"))
    archive.studies.learn_stored(told)
    assert archive.studies.known("2.25.404") == Study("2.25.404", patient_id="P4")
    assert archive.studies.known("2.25.1") == told
    archive.studies.learn("2.25.1", HEAD)
    archive.studies.learn_stored(told)
    assert archive.studies.known("2.25.1") == HEAD


@on_a_loop
async def test_the_study_of_an_instance_is_known_since_it_was_stored_or_asked_for() -> None:
    archive = Asked()
    archive.studies.learn_instance("2.25.5", HEAD)

    assert archive.studies.stored("2.25.5") == HEAD
    assert archive.studies.stored("2.25.3") is None
    assert await archive.studies.of_instance("2.25.5") == HEAD
    assert await archive.studies.of_instance("2.25.3") == HEAD
    assert await archive.studies.of_instance("2.25.404") is None
    assert archive.asked == ["2.25.1", "2.25.3", "2.25.404"]


def test_no_more_is_kept_than_fits_and_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("_MOST", "_MOST_MEMBERS", "_MOST_STORED"):
        monkeypatch.setattr(module, name, 3)
    archive = Asked()
    for number in range(5):
        archive.studies.learn(f"2.25.{number}", HEAD)
        archive.studies.learn_instance(f"2.25.{number}", HEAD)

    assert [archive.studies.known(f"2.25.{n}") is UNKNOWN for n in range(5)] == [
        True,
        True,
        False,
        False,
        False,
    ]
    assert [archive.studies.stored(f"2.25.{n}") is None for n in range(5)] == [
        True,
        True,
        False,
        False,
        False,
    ]

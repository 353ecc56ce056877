"""Whatever is changed in whatever order: the state is what the entries come to, and no byte of them changes unseen."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import text, update

from leadglass.errors import UsageError
from leadglass.ledger.verify import Broken, Verified, verify
from leadglass.model.register import Level, System
from leadglass.register.codec import as_change, as_json, register_of
from leadglass.register.fields import COLUMNS, changed
from leadglass.register.risks import level
from leadglass.store.database import Database, open_database
from leadglass.store.register import (
    Change,
    fold,
    head_of,
    lines_of,
    read_state,
    rebuild,
    write_down,
)
from leadglass.store.schema import register_entries

words = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
bodies = st.dictionaries(st.sampled_from(["a", "b"]), words | st.integers(0, 9) | st.none(), max_size=2)
changes = st.builds(
    Change,
    st.sampled_from(["system", "risk"]),
    st.sampled_from(["ct-1", "mr-1", "Zoë"]),
    st.none() | bodies,
    words,
)
batches = st.lists(st.lists(changes, max_size=4), max_size=4)


@contextmanager
def written(batches: Sequence[Sequence[Change]]) -> Iterator[Database]:
    with (
        tempfile.TemporaryDirectory() as folder,
        open_database(str(Path(folder) / "a.sqlite"), lambda: 1.5e9) as database,
    ):
        for batch in batches:
            write_down(database, "ada", batch)
        yield database


@given(batches)
def test_any_sequence_of_changes_folds_to_the_state_that_is_kept(batches: list[list[Change]]) -> None:
    with written(batches) as database:
        kept = read_state(database)
        latest = {change.key: change.now for batch in batches for change in batch}

        assert kept == {key: now for key, now in latest.items() if now is not None}
        assert fold(lines_of(database)) == kept
        assert verify(lines_of(database), head_of(database)) == Verified(head_of(database))

        with database.write() as connection:
            connection.execute(text("DELETE FROM register_state"))
        rebuild(database)
        assert read_state(database) == kept


@given(batches, st.data())
def test_no_character_of_an_entry_changes_unseen(batches: list[list[Change]], data: st.DataObject) -> None:
    assume(any(batches))
    with written(batches) as database:
        lines = [line.decode().removesuffix("\n") for line in lines_of(database)]
        number = data.draw(st.integers(0, len(lines) - 1))
        line = lines[number]
        at = data.draw(st.integers(0, len(line) - 1))
        other = data.draw(st.characters(exclude_categories=["Cs"]))
        assume(other != line[at])
        with database.write() as connection:
            row = update(register_entries).where(register_entries.c.n == number + 1)
            connection.execute(row.values(line=line[:at] + other + line[at + 1 :]))

        assert isinstance(verify(lines_of(database), head_of(database)), Broken)


@given(st.dictionaries(st.sampled_from(sorted(COLUMNS)), st.text(max_size=30), max_size=5))
def test_whatever_is_said_of_a_system_is_refused_in_one_line_or_kept_whole(said: dict[str, str]) -> None:
    try:
        made = changed(System("a"), said, str)
    except UsageError as error:
        refused = str(error)
    else:
        refused = ""
    if refused:
        assert "\n" not in refused
        return
    with written([[as_change(made)]]) as database:
        assert register_of(read_state(database), "here").systems == {"a": made}
        assert as_json(made)["name"] == "a"


@given(st.sampled_from(Level), st.sampled_from(Level), st.sampled_from(Level))
def test_more_likely_or_worse_is_never_less_risk(likely: Level, impact: Level, other: Level) -> None:
    order = list(Level)
    more = max(likely, other, key=order.index)
    worse = max(impact, other, key=order.index)

    assert order.index(level(likely, impact)) <= order.index(level(more, impact))
    assert order.index(level(likely, impact)) <= order.index(level(likely, worse))

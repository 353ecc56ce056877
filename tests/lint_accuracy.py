"""What ``leadglass lint`` says of files that somebody has read by hand, against what was read.

``python -m tests.lint_accuracy FOLDER`` prints the tables of docs/explanation/lint-accuracy.md, and with
``--keep`` writes them there. FOLDER holds configuration files and ``index.csv``: a line a file, its name
under ``file``, then columns that are called as the facts of the reference; an empty cell says nothing.
A compose file may have been kept as a summary, a line a service: ``db: image X ports 5432:5432 user pacs``.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from leadglass.configs.lint import Linted, lint
from leadglass.configs.reading import Fact
from leadglass.configs.source import Source
from leadglass.model.finding import Finding
from leadglass.model.verdict import Severity
from leadglass.wiring.linting import lint_files

__all__ = ["Judged", "compared", "page", "tables", "written_out"]

PAGE = Path(__file__).parents[1] / "docs" / "explanation" / "lint-accuracy.md"
BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"
COLUMNS = (
    *("remote_http", "auth", "cred", "tls_http", "tls_dicom", "check_called_ae", "check_host", "store_any"),
    *("find_any", "unknown_keys", "ports", "verdict", "exposed_http_if_public", "dicom_if_public"),
)
NOTHING = ("", "n/a")
"""Cells of the index that say nothing."""
VERDICT = "verdict"
SERVICE = re.compile(r"(?P<name>[\w.-]+): (?P<words>(?:image|ports|volume) .+)")


@dataclass(frozen=True, slots=True)
class Judged:
    """One file: what was read by hand, and what lint says."""

    name: str
    product: str
    truth: Mapping[str, str]
    said: Mapping[str, str]
    """By column; empty where the file is of no known kind."""
    findings: tuple[Finding, ...]

    @property
    def wrong(self) -> list[str]:
        """The columns in which they differ."""
        return [column for column, true in self.truth.items() if true != self.said.get(column, "")]


def compared(folder: Path) -> list[Judged]:
    """Every file of the index."""
    with (folder / "index.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    # One by one: whoever collected them put servers into one folder that have nothing to do with each other.
    return [_judged(row, _linted(folder / row["file"])) for row in rows]


def written_out(summary: str) -> str | None:
    """The compose file of which a summary was kept; None when it is no summary.

    Where a user stands and no password, the password is the user's name, as the makers' own are.
    """
    lines = [SERVICE.fullmatch(line) for line in summary.strip().splitlines()]
    found = [line for line in lines if line]
    if not found or len(found) < len(lines):
        return None
    return json.dumps({"services": {line["name"]: _service(line["name"], line["words"]) for line in found}})


def tables(files: Sequence[Judged]) -> str:
    """How many cells agree, which verdict was taken for which, and what differs."""
    return (
        "\n\n".join((_per_column(files), _confusion(files), "\n".join(_differences(files)))).rstrip() + "\n"
    )


def page(text: str, made: str) -> str:
    """The page with other tables."""
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{made}\n{END}{rest.partition(END)[2]}"


def _linted(path: Path) -> Linted:
    summary = written_out(path.read_text(encoding="utf-8", errors="replace"))
    return lint_files([str(path)]).linted if summary is None else lint([Source(str(path), summary)])


def _service(name: str, words: str) -> Mapping[str, object]:
    _, *parts = re.split(r"(?:^| )(image|ports|volume|user) ", words)
    said = dict(zip(parts[::2], parts[1::2], strict=True))
    user = said.get("user", "").partition(" ")[0]
    return {
        "image": said.get("image", name),
        "ports": said.get("ports", "").split(),
        "volumes": [f"{volume}:/data" for volume in said.get("volume", "").split()],
        "environment": {"POSTGRES_USER": user, "POSTGRES_PASSWORD": user} if user else {},
    }


def _judged(row: Mapping[str, str], linted: Linted) -> Judged:
    facts = linted.readings[0].facts if linted.readings else {}
    truth = {column: row[column] for column in COLUMNS if row.get(column, "") not in NOTHING}
    said = {column: _spelt(facts[column]) for column in COLUMNS if column in facts}
    return Judged(row["file"], row["product"], truth, said, linted.findings)


def _spelt(fact: Fact) -> str:
    if isinstance(fact, tuple):
        return ",".join(fact)
    return "" if fact is None else str(fact)


def _per_column(files: Sequence[Judged]) -> str:
    rows = []
    for column in COLUMNS:
        told = [file for file in files if column in file.truth]
        right = sum(column not in file.wrong for file in told)
        rows.append((f"`{column}`", str(len(told)), str(right), str(len(told) - right)))
    total = [sum(int(row[i]) for row in rows) for i in (1, 2, 3)]
    return _table(("what was read by hand", "files", "the same", "not"), [*rows, ("all", *map(str, total))])


def _confusion(files: Sequence[Judged]) -> str:
    counted = Counter((file.truth[VERDICT], file.said.get(VERDICT) or "none") for file in files)
    words = sorted({word for pair in counted for word in pair})
    rows = [
        (f"`{true}`", *(str(counted[true, said] or "") for said in words))
        for true in words
        if any(pair[0] == true for pair in counted)
    ]
    return _table(("read by hand \\ lint", *(f"`{word}`" for word in words)), rows)


def _differences(files: Sequence[Judged]) -> Iterator[str]:
    for file in files:
        for column in file.wrong:
            said = file.said.get(column) or "nothing"
            yield f"- {file.product} (`{file.name}`), `{column}`: {file.truth[column]}; lint says {said}"
    closed = [file for file in files if file.truth[VERDICT].startswith("closed")]
    false = sum(
        one.listener == "web" and one.severity.rank <= Severity.MEDIUM.rank
        for file in closed
        for one in file.findings
    )
    yield f"\nClosed over the web by what was read: {len(closed)}; findings of `medium` or worse there: {false}."


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Compare, print, and keep what came out."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--keep", action="store_true", help="write the tables into the page")
    asked = parser.parse_args()
    made = tables(compared(asked.folder))
    print(made)
    if asked.keep:
        PAGE.write_text(page(PAGE.read_text(encoding="utf-8"), made), encoding="utf-8")


if __name__ == "__main__":
    main()

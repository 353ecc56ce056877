"""``leadglass survey plan``: how many servers to review, in which strata, and which ones."""

from __future__ import annotations

import enum
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from leadglass import wiring
from leadglass.cli import fetch
from leadglass.cli.survey_options import (
    DatabaseOption,
    FormatOption,
    LevelOption,
    ScanOption,
    Shape,
    for_survey,
    pairs,
    save,
    tell,
)
from leadglass.cli.terminal import complain
from leadglass.errors import ConfigError, UsageError

__all__ = ["By", "plan"]

_MOST = 100_000
"""Servers drawn; nobody reviews more."""
_SEED_BYTES = 8


class By(enum.StrEnum):
    """What makes the strata of a stored scan."""

    NOTHING = "nothing"
    ACCESS = "access"
    KIND = "kind"


_Precision: TypeAlias = Annotated[
    float, typer.Option(metavar="SHARE", help="How far the interval may reach to each side.")
]
_Sample: TypeAlias = Annotated[
    int | None,
    typer.Option(metavar="N", help="Review so many, whatever the precision.", show_default=False),
]
_Expected: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        metavar="[STRATUM=]SHARE",
        help="The share that is expected, in all or in a stratum; half is the most cautious.",
        show_default=False,
    ),
]
_Servers: TypeAlias = Annotated[
    int | None,
    typer.Option(metavar="N", help="How many there are, if nothing is to be drawn.", show_default=False),
]
_By: TypeAlias = Annotated[By, typer.Option(help="What makes the strata of a scan.")]
_From: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="FILE",
        help="A list of servers, one a line, each followed by its stratum if there are strata; - for a pipe.",
        show_default=False,
    ),
]
_Seed: TypeAlias = Annotated[
    str | None,
    typer.Option(
        metavar="TEXT", help="Draws the same again; made up and printed if not given.", show_default=False
    ),
]
_Output: TypeAlias = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write the sample there, to be filled in: CSV.", show_default=False),
]


def plan(
    precision: _Precision = 0.05,
    sample: _Sample = None,
    expected: _Expected = None,
    servers: _Servers = None,
    scan: ScanOption = None,
    by: _By = By.NOTHING,
    from_: _From = None,
    seed: _Seed = None,
    output: _Output = None,
    database: DatabaseOption = None,
    level: LevelOption = 0.95,
    shape: FormatOption = Shape.TEXT,
) -> None:
    """How many servers to review for a wanted precision; draws them from a scan or a list.

    Example: leadglass survey plan --scan last --precision 0.05 --output sample.csv
    """
    if sum(given is not None for given in (servers, scan, from_)) > 1:
        raise UsageError("--servers, --scan and --from do not go together", then="give one of them")
    if sample is not None and not 1 <= sample <= _MOST:
        raise UsageError(f"nobody reviews {sample:,}", where="--sample", then=f"give 1 to {_MOST:,}")
    if output is not None and output.exists():
        # Somebody may have spent days on filling it in.
        raise UsageError("the file exists already", where=f"--output {output}", then="choose another name")
    shares = _expected(expected or [])
    if scan is None and from_ is None:
        _size_only(precision, sample, servers, shares, level, shape, output)
        return
    chosen = wiring.randomness().token(_SEED_BYTES).hex() if seed is None else seed
    listed = _listed(from_) if scan is None else _from_scan(database, scan, by)
    _draw(listed, (precision, sample, level), shares, chosen, output, shape)


def _expected(words: list[str]) -> dict[str, float]:
    """Shares by stratum; "" is for all that have none."""
    named = [word if "=" in word else f"*={word}" for word in words]
    return pairs(named, "--expected", "[STRATUM=]SHARE", _share)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise UsageError(
            f"this is no share: {text[:40]!r}", where="--expected", then="give 0 to 1, such as 0.3"
        )
    return share


def _size_only(
    precision: float,
    sample: int | None,
    servers: int | None,
    shares: dict[str, float],
    level: float,
    shape: Shape,
    output: Path | None,
) -> None:
    if output is not None or sample is not None:
        raise UsageError("there is nothing to draw from", then="give --scan SCAN or --from FILE")
    if servers is not None and servers < 1:
        raise UsageError("there is no server", where="--servers")
    expected = shares.get("*", 0.5)
    size = for_survey("sampling").sample_size(precision, servers, expected, level)
    of = "an endless population" if servers is None else for_survey("words").count(servers, "server")
    tell(
        "plan",
        {"sample": size, "servers": servers, "precision": precision, "expected": expected, "level": level},
        _sized(size, of, level, precision, expected),
        shape,
    )


def _sized(size: int, of: str, level: float, precision: float, expected: float) -> list[str]:
    points = precision * 100
    reach = f"{points:.3g} percentage {'point' if points == 1 else 'points'}"
    holds = (
        f"The {level * 100:.3g} % interval then reaches {reach} to each side, if the share is {expected:.3g}."
    )
    return [
        f"Review {for_survey('words').count(size, 'server')}, drawn at random from {of}. {holds}",
        "To have them drawn, give --scan SCAN or --from FILE.",
    ]


def _draw(
    listed: Iterable[tuple[str, str]],
    wanted: tuple[float, int | None, float],
    shares: dict[str, float],
    seed: str,
    output: Path | None,
    shape: Shape,
) -> None:
    sampling = for_survey("sampling")
    precision, sample, level = wanted
    most = sample or sampling.sample_size(precision, None, 0.5, level)
    if most > _MOST:
        raise UsageError(
            f"that takes up to {most:,} servers, and nobody reviews so many", where="--precision"
        )
    lots, sizes = _shown(listed, max(most, sampling.SMALLEST), seed, sampling)
    unknown = sorted(set(shares) - set(sizes) - {"*"})
    if unknown:
        raise UsageError(
            f"there is no stratum {unknown[0]!r}", where="--expected", then=f"one of {', '.join(sizes)}"
        )
    strata = tuple(
        sampling.Stratum(name, size, shares.get(name, shares.get("*", 0.5))) for name, size in sizes.items()
    )
    if sample is None:
        # The strata's shares make the sample no larger than that of one share between them.
        mean = sum(stratum.size * stratum.expected for stratum in strata) / sum(sizes.values())
        sample = sampling.sample_size(precision, sum(sizes.values()), mean, level)
    least = sum(min(sampling.SMALLEST, size) for size in sizes.values())
    if sample < least:
        complain(
            f"{least:,} are drawn and not {sample:,}: each stratum gives two servers, so far as it has them"
        )
    taken = sampling.allocate(strata, max(sample, least))
    drawn = [(server, name) for name, number in taken.items() for server in lots[name].drawn(number)]
    _tell(drawn, taken, sizes, seed, output, shape)


def _shown(
    listed: Iterable[tuple[str, str]], most: int, seed: str, sampling: Any
) -> tuple[dict[str, Any], dict[str, int]]:
    """Every server has taken part in the lot of its stratum; how many different ones each has."""
    lots: dict[str, Any] = {}
    seen: set[int] = set()
    sizes: Counter[str] = Counter()
    for server, stratum in listed:
        if stratum not in lots:
            lots[stratum] = sampling.Lot(most, seed)
        mark = hash(server)
        if mark in seen:
            continue
        seen.add(mark)
        sizes[stratum] += 1
        lots[stratum].show(server)
    if not sizes:
        raise ConfigError("there is no server to draw from", then="name another scan or list")
    return lots, dict(sizes)


def _tell(
    drawn: list[tuple[str, str]],
    taken: dict[str, int],
    sizes: dict[str, int],
    seed: str,
    output: Path | None,
    shape: Shape,
) -> None:
    total = sum(sizes.values())
    grid = for_survey("grid").grid
    rows = [(name, f"{number:,}", f"{sizes[name]:,}") for name, number in taken.items()]
    lines: list[object] = [
        f"{len(drawn):,} servers drawn at random from {total:,}, with the seed {seed}",
        "",
        grid([("stratum", "drawn", "servers"), *rows]),
        "",
    ]
    if output is None:
        lines.append(grid(drawn, has_head=False))
    else:
        save(output, for_survey("tables").answers_text(drawn, sizes).encode())
        then = f"leadglass survey estimate --answers {output}"
        lines.append(f"{output} is written: fill in its column truth, and then: {then}")
    result = {
        "seed": seed,
        "servers": total,
        "strata": {name: {"servers": sizes[name], "drawn": number} for name, number in taken.items()},
        "drawn": [{"server": server, "stratum": stratum} for server, stratum in drawn],
    }
    tell("plan", result, lines, shape)


def _from_scan(database: str | None, scan: str, by: By) -> Iterator[tuple[str, str]]:
    with fetch("leadglass.cli.survey_stored").opened(database, scan) as stored:
        for server in stored.servers():
            face = server.face
            if face is not None:
                stratum = {By.NOTHING: "all", By.ACCESS: face.access.value, By.KIND: face.kind.value}[by]
                yield server.address, stratum


def _listed(path: Path | None) -> Iterator[tuple[str, str]]:
    assert path is not None
    tables = for_survey("tables")
    if str(path) == "-":
        yield from tables.names_and_strata(_decoded(sys.stdin), where="standard input")
        return
    try:
        with path.open(encoding="utf-8") as stream:
            yield from tables.names_and_strata(_decoded(stream, str(path)), where=str(path))
    except OSError as exc:
        raise ConfigError(
            f"the file cannot be read ({(exc.strerror or str(exc)).lower()})", where=str(path)
        ) from exc


def _decoded(lines: Iterable[str], where: str = "standard input") -> Iterator[str]:
    try:
        yield from lines
    except UnicodeDecodeError as exc:
        raise ConfigError("this is not UTF-8 text", where=where) from exc

"""How far the shares of a verdict's nature may be believed: on a population that was made up, and on real files.

The population is drawn with *other* shares than those of the tables (each moved on the logit scale, signs and
features of a group drawn together), because nobody knows the true ones: what is shown is whether the reckoning
keeps its promises when its tables are wrong by so much, and not how accurate it is on the internet. The real
files are two sets of pydicom's test data, each put into a real Orthanc and sampled from there: two servers, from
which no accuracy follows.
``python -m bench.nature``; ``--quick`` tries it out and keeps nothing.
"""

from __future__ import annotations

import argparse
import datetime as dt
import io
import math
import random
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pydicom
import pydicom.data
from bench.lib.results import keep, machine, table, version_of
from pydicom.errors import InvalidDicomError
from tests.peers.orthanc import FIND_ALLOWED, load, orthanc
from tests.peers.places import LOOPBACK, free_port
from tests.peers.running import Peer

from leadglass.judge.features import features
from leadglass.judge.nature import prior, weighed
from leadglass.judge.sampled import data_of
from leadglass.judge.signs import as_shown, counted, signs, strongest
from leadglass.model.endpoint import Endpoint, Permit
from leadglass.model.evidence import FeatureCount, Reply, SampleEvidence
from leadglass.model.rung import Rung
from leadglass.model.verdict import Kind
from leadglass.net.engine import Engine
from leadglass.ports.conversation import Conversation, Loss
from leadglass.probe.sample import SampleConversation
from leadglass.wiring import clock

FULL, QUICK = 6000, 600
WRONG = (0.0, 0.7)
"""Standard deviation of what is wrong with each share, on the logit scale: nothing, and twice or half the odds."""
NOT_CLAIMED = """No veterinary practice and no archive of plants or objects was measured by anybody: what stands here about
`non-human` is about the tables alone, and no accuracy on such servers is claimed. No clinic's archive was sampled either:
the real files are two servers of test data, and show that nothing is settled on so few."""
TOGETHER = 0.6
"""Correlation of what one server shows within a group."""


# ---- a population


@dataclass(frozen=True, slots=True)
class Server:
    """What stands behind it, and what is told of it."""

    kind: Kind
    told: Mapping[Kind, float]
    sampled: Mapping[Kind, float]


def population(size: int, wrong: float, seed: int) -> Iterator[Server]:
    """Servers of all kinds, as often as the prior says."""
    chance = random.Random(seed)
    rates = {sign.id: _moved(sign.share, wrong, chance) for sign in signs()}
    shares = {feature.id: _moved(feature.share, wrong, chance) for feature in features()}
    for kind in chance.choices(list(prior()), weights=list(prior().values()), k=size):
        common: dict[str, float] = {}
        vectors = [
            one.vector
            for one in strongest(
                as_shown(sign)
                for sign in signs()
                if _drawn(common.setdefault(sign.group, chance.gauss(0, 1)), rates[sign.id][kind], chance)
            )
        ]
        sample = _sample(kind, shares, chance)
        more = [one.vector for one in strongest(counted(sample))]
        yield Server(kind, weighed(1, vectors), weighed(1, (*vectors, *more)))


def _moved(share: Mapping[Kind, float], wrong: float, chance: random.Random) -> Mapping[Kind, float]:
    return {
        kind: 1 / (1 + math.exp(-(math.log(p / (1 - p)) + chance.gauss(0, wrong))))
        for kind, p in share.items()
    }


def _drawn(common: float, rate: float, chance: random.Random) -> bool:
    """Whether it happens, at this rate, together with others that share ``common``."""
    value = math.sqrt(TOGETHER) * common + math.sqrt(1 - TOGETHER) * chance.gauss(0, 1)
    return 0.5 * (1 + math.erf(value / math.sqrt(2))) < rate


def _sample(kind: Kind, shares: Mapping[str, Mapping[Kind, float]], chance: random.Random) -> SampleEvidence:
    studies = min(200, int(chance.expovariate(1 / 80)))
    counts = []
    for feature in features():
        p = min(max(shares[feature.id][kind], 1e-4), 1 - 1e-4)
        own = chance.betavariate(p * feature.spread, (1 - p) * feature.spread)
        counts.append(FeatureCount(feature.id, sum(chance.random() < own for _ in range(studies))))
    return SampleEvidence(Reply.ANSWERED, windows=40, studies=studies, features=tuple(counts))


# ---- what its shares are worth


def scores(truth: Sequence[Kind], told: Sequence[Mapping[Kind, float]]) -> tuple[float, float, float]:
    """Brier score (0 to 2), expected calibration error of the largest share, and how often that was right."""
    pairs = list(zip(truth, told, strict=True))
    brier = sum(sum((p - (k is kind)) ** 2 for k, p in shares.items()) for kind, shares in pairs) / len(pairs)
    rows = reliability(truth, told)
    ece = sum(count * abs(said - right) for _, count, said, right in rows) / len(pairs)
    hits = sum(max(shares, key=lambda k: shares[k]) is kind for kind, shares in pairs)
    return brier, ece, hits / len(pairs)


def reliability(
    truth: Sequence[Kind], told: Sequence[Mapping[Kind, float]]
) -> list[tuple[str, int, float, float]]:
    """By tenths of the largest share: how many, its mean, and how often it was right."""
    bins: dict[int, list[tuple[float, bool]]] = {}
    for kind, shares in zip(truth, told, strict=True):
        best = max(shares, key=lambda k: shares[k])
        bins.setdefault(min(int(shares[best] * 10), 9), []).append((shares[best], best is kind))
    return [
        (
            f"{low / 10:.1f} to {low / 10 + 0.1:.1f}",
            len(found),
            sum(share for share, _ in found) / len(found),
            sum(right for _, right in found) / len(found),
        )
        for low, found in sorted(bins.items())
    ]


def confusion(truth: Sequence[Kind], told: Sequence[Mapping[Kind, float]]) -> str:
    """What each kind was taken for, in percent of it."""
    taken = Counter(
        (kind, max(shares, key=lambda k: shares[k])) for kind, shares in zip(truth, told, strict=True)
    )
    rows = [
        (kind.value, *(f"{100 * taken[kind, other] / max(1, truth.count(kind)):.0f}" for other in Kind))
        for kind in Kind
    ]
    return table(("is, and is taken for (%)", *(kind.value for kind in Kind)), rows)


def made_up(size: int) -> str:
    """All that there is to say of the population."""
    parts = []
    rows = []
    for wrong in WRONG:
        servers = list(population(size, wrong, seed=4711))
        truth = [server.kind for server in servers]
        for name, told in (
            ("signs", [server.told for server in servers]),
            ("signs and a sample", [server.sampled for server in servers]),
        ):
            brier, ece, right = scores(truth, told)
            rows.append((f"{wrong:g}", name, f"{brier:.3f}", f"{ece:.3f}", f"{right:.0%}"))
    base = scores(truth, [prior()] * len(truth))
    rows.append(("", "the prior alone", f"{base[0]:.3f}", f"{base[1]:.3f}", f"{base[2]:.0%}"))
    head = (
        "tables wrong by",
        "told by",
        "Brier score",
        "expected calibration error",
        "largest share is right",
    )
    parts.append(f"**{size:,} servers that were made up**\n\n{table(head, rows)}")
    sampled = [server.sampled for server in servers]
    lines = [
        (low, str(count), f"{said:.2f}", f"{right:.2f}")
        for low, count, said, right in reliability(truth, sampled)
    ]
    parts.append(
        f"Signs and a sample, tables wrong by {WRONG[-1]:g}:\n\n"
        + table(("largest share", "servers", "its mean", "how often right"), lines)
    )
    parts.append(confusion(truth, sampled))
    return "\n\n".join(parts)


# ---- real files


class OneVisit:
    """Asks one conversation of one endpoint."""

    not_before = 0.0

    def __init__(self, endpoint: Endpoint, conversation: SampleConversation) -> None:
        self.endpoint = endpoint
        self._todo: list[Conversation] = [conversation]

    def next(self, now: float) -> Conversation | None:  # noqa: ARG002 - the contract's signature
        return self._todo.pop() if self._todo else None

    def source(self, address: str) -> None:
        """It opened."""

    def failed(self, loss: Loss) -> None:
        raise RuntimeError(loss)

    def denied(self, why: str) -> None:
        raise RuntimeError(why)


class OpenGate:
    """Permits this bench's own server."""

    def permit(self, endpoint: Endpoint, rung: Rung, moment: float) -> Permit:
        return Permit(endpoint, rung, moment + 60)


SETS = (
    ("pydicom's test files", "*.dcm", "files that people sent to a toolkit's authors: no clinic's archive"),
    (
        "the files of pydicom's DICOMDIR tests",
        "dicomdirtests/**/*",
        "teaching files of people, their names removed",
    ),
)
"""What there is, where it is found, and what it is by its origin, as it was known before anybody asked."""


def real_files() -> str:
    """Each set in a real Orthanc of its own, sampled on all of its days."""
    folder = Path(pydicom.data.__file__).parent / "test_files"
    return "\n\n".join(
        _one_set(name, sorted(path for path in folder.glob(pattern) if path.is_file()), origin)
        for name, pattern, origin in SETS
    )


def _one_set(name: str, paths: Sequence[Path], origin: str) -> str:
    dated = [(path, day) for path in paths if (day := _day(path)) is not None]
    contents = [path.read_bytes() for path, _ in dated]
    dicom, web = free_port(LOOPBACK), free_port(LOOPBACK)
    with (
        TemporaryDirectory(prefix="leadglass-bench-") as home,
        orthanc(LOOPBACK, Path(home) / "orthanc", FIND_ALLOWED, dicom=dicom, http=web) as archive,
    ):
        taken = _loaded(archive, contents)
        today = dt.datetime.now(tz=dt.UTC).date()
        days = sorted({day for _, day in dated})
        probe = SampleConversation("ANY-SCP", "LEADGLASS", days=days, today=today)
        Engine(OpenGate(), clock()).run(
            iter([OneVisit(Endpoint("127.0.0.1", dicom, None), probe)]), lambda _: None
        )
    seen = probe.evidence
    shares = weighed(1, [one.vector for one in strongest(counted(seen))])
    data, _ = data_of([(seen, ())])
    rows = [(count.feature, f"{count.studies} of {seen.studies}") for count in seen.features]
    said = ", ".join(f"{kind} {share:.2f}" for kind, share in shares.items())
    return (
        f"**{taken} of {name} in a real Orthanc**, {seen.studies} studies of {seen.patients} patients; {origin}\n\n"
        f"{table(('feature', 'studies'), rows)}\n\n- nature: {said}\n- data: {data}"
    )


def _day(path: Path) -> dt.date | None:
    try:
        head = pydicom.dcmread(path, stop_before_pixels=True)
        written = str(head.get("StudyDate", ""))
        return dt.datetime.strptime(written, "%Y%m%d").replace(tzinfo=dt.UTC).date()
    except (InvalidDicomError, ValueError, io.UnsupportedOperation):
        return None


def _loaded(archive: Peer, contents: Sequence[bytes]) -> int:
    taken = 0
    for content in contents:
        try:
            load(archive, [content])
            taken += 1
        except AssertionError:
            continue  # Some of them are broken on purpose, and Orthanc says no.
    return taken


def main() -> None:
    parser = argparse.ArgumentParser(description="what the shares of a nature are worth")
    parser.add_argument("--quick", action="store_true", help="try it out; keep nothing")
    quick = parser.parse_args().quick
    parts = [machine(*version_of("Orthanc")), NOT_CLAIMED, made_up(QUICK if quick else FULL)]
    if shutil.which("Orthanc"):
        parts.append(real_files())
    body = "\n\n".join(parts)
    print(body)
    if not quick:
        keep("nature", body)


if __name__ == "__main__":
    main()

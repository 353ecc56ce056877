"""A cable with a server and a scanner at its ends, and the patients planted at the server's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.interop.servers import Stage
from tests.peers import canary, certificates, netns


@pytest.fixture
def pair() -> Iterator[netns.Pair]:
    """Two namespaces of the test's own."""
    with netns.namespace_pair() as made:
        yield made


@pytest.fixture(scope="session")
def canaries() -> canary.Canaries:
    """The patients of this run."""
    return canary.hatch()


@pytest.fixture(scope="session")
def papers(tmp_path_factory: pytest.TempPathFactory) -> certificates.Certificates:
    """A certificate authority, a server certificate for the server's addresses, a client certificate."""
    return certificates.certificates(tmp_path_factory.mktemp("papers"), netns.SERVER, netns.SERVER_IPV6)


@pytest.fixture
def stage(
    pair: netns.Pair, tmp_path: Path, papers: certificates.Certificates, canaries: canary.Canaries
) -> Stage:
    """Where one of ``servers.SERVERS`` is started."""
    return Stage(pair.server, tmp_path / "server", papers, canaries)

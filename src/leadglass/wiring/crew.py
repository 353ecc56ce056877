"""Starts the processes that ask, and carries messages to and from them over their pipes."""

from __future__ import annotations

import queue
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from leadglass.scan.messages import Message, Setup, decode, encode

__all__ = ["GONE", "Processes", "crew_of", "frames", "send_frame"]

GONE = OSError if sys.platform == "win32" else BrokenPipeError
"""What writing to a process that has ended raises: on Windows, an invalid argument as well."""

_WAITING = 256
"""Messages that may wait to be read."""
_PATIENCE = 5.0
"""Seconds that a process has to end after its pipes are closed."""


class Processes:
    """A crew of child processes (``scan.foreman.Crew``)."""

    def __init__(self, setups: list[Setup]) -> None:
        self.size = len(setups)
        self._heard: queue.Queue[tuple[int, bytes | None]] = queue.Queue(_WAITING)
        self._processes = [_started() for _ in setups]
        for number, setup in enumerate(setups):
            self.send(number, setup)
            threading.Thread(target=self._listen, args=(number,), daemon=True).start()

    def send(self, member: int, message: Message) -> None:
        """Tell a member something; one that has gone hears nothing."""
        pipe = self._processes[member].stdin
        assert pipe is not None
        with suppress(OSError, ValueError):
            send_frame(pipe, encode(message))

    def receive(self, timeout: float) -> tuple[int, Message | None] | None:
        """What a member says; see ``scan.foreman.Crew``."""
        try:
            member, data = self._heard.get(timeout=timeout) if timeout else self._heard.get_nowait()
        except queue.Empty:
            return None
        return member, None if data is None else decode(data)

    def close(self) -> None:
        """End what has not ended."""
        for process in self._processes:
            assert process.stdin is not None
            with suppress(OSError):
                process.stdin.close()
        for process in self._processes:
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _listen(self, number: int) -> None:
        pipe = self._processes[number].stdout
        assert pipe is not None
        with pipe:
            for data in frames(pipe):
                self._heard.put((number, data))
        self._heard.put((number, None))


@contextmanager
def crew_of(setups: list[Setup]) -> Iterator[Processes]:
    """A crew with a process for each setup; they end with the block."""
    crew = Processes(setups)
    try:
        yield crew
    finally:
        crew.close()


def send_frame(pipe: IO[bytes], data: bytes) -> None:
    """Write one message with its length before it."""
    pipe.write(len(data).to_bytes(4, "big") + data)
    pipe.flush()


def frames(pipe: IO[bytes]) -> Iterator[bytes]:
    """The messages that come in, until the other side ends, in the middle of one or not."""
    while len(head := pipe.read(4)) == 4:
        length = int.from_bytes(head, "big")
        data = pipe.read(length)
        if len(data) < length:
            return
        yield data


def _started() -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", "leadglass.wiring.member"]
    # A process group of its own: Ctrl-C is for the foreman, who then tells them.
    if sys.platform == "win32":
        return subprocess.Popen(  # noqa: S603 - this Python
            words,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            creationflags=subprocess.CREATE_NEW_PROCESS_GROUP,
        )
    return subprocess.Popen(  # noqa: S603 - this Python
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, process_group=0
    )

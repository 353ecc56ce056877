"""The words behind a DCMTK program's name: its options with their values, and the rest.

How many values an option takes is what ``--help`` of DCMTK 3.6.7 says, with what later releases added.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leadglass.configs.dcmtk.shell import Word

__all__ = ["PROGRAMS", "Given", "Invocation", "invocation"]

_ALL: Mapping[str, int] = {
    **dict.fromkeys(("-ll", "--log-level", "-lc", "--log-config"), 1),
    **dict.fromkeys(("-ta", "--acse-timeout", "-td", "--dimse-timeout", "-ts", "--socket-timeout"), 1),
    **dict.fromkeys(("-to", "--timeout", "-pdu", "--max-pdu", "-aet", "--aetitle"), 1),
    **dict.fromkeys(
        ("+cl", "--compression-level", "-od", "--output-directory", "+C", "--convert-to-charset"), 1
    ),
    **dict.fromkeys(("--sleep-after", "--sleep-during", "--sleep-before", "-fe", "--filename-extension"), 1),
    **dict.fromkeys(("+tls", "--enable-tls", "+p", "--padding-create"), 2),
    **dict.fromkeys(("+pw", "--use-passwd", "+cf", "--add-cert-file", "+cd", "--add-cert-dir"), 1),
    **dict.fromkeys(("+crl", "--add-crl-file", "+cs", "--cipher", "+dp", "--dhparam", "+rs", "--seed"), 1),
    **dict.fromkeys(("+wf", "--write-seed-file", "--rename-pattern"), 1),
}

PROGRAMS: Mapping[str, Mapping[str, int]] = {
    "storescp": {
        **_ALL,
        **dict.fromkeys(("-xf", "--config-file"), 2),
        **dict.fromkeys(("-ss", "--sort-conc-studies", "-su", "--sort-on-study-uid"), 1),
        **dict.fromkeys(("-xcr", "--exec-on-reception", "-xcs", "--exec-on-eostudy"), 1),
        **dict.fromkeys(("-tos", "--eostudy-timeout"), 1),
        # dcm4che has a storescp too.
        **dict.fromkeys(("-b", "--bind", "--directory", "--filepath", "--sop-classes"), 1),
    },
    "dcmrecv": {**_ALL, **dict.fromkeys(("-xf", "--config-file"), 2)},
    "dcmqrscp": {
        **_ALL,
        **dict.fromkeys(("-c", "--config"), 1),
        **dict.fromkeys(("-xf", "--assoc-config-file"), 3),
    },
    "wlmscpfs": {
        **_ALL,
        **dict.fromkeys(("-dfp", "--data-files-path", "-rfp", "--request-file-path"), 1),
        **dict.fromkeys(("-rff", "--request-file-format", "--max-associations"), 1),
    },
    "movescu": {
        **_ALL,
        **dict.fromkeys(("-k", "--key", "-aec", "--call", "-aem", "--move", "+P", "--port"), 1),
        **dict.fromkeys(("--repeat", "--cancel"), 1),
    },
}
"""By program: options that take values, and how many."""


@dataclass(frozen=True, slots=True)
class Given:
    """An option as it was given."""

    name: Word
    values: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Invocation:
    """A program's command line, taken apart."""

    program: Word
    name: str
    options: tuple[Given, ...]
    rest: tuple[Word, ...]

    def last(self, *names: str) -> Given | None:
        """The last of some options: the one that counts."""
        return next((given for given in reversed(self.options) if given.name.text in names), None)

    @property
    def port(self) -> int | None:
        """The first of the rest that is a number; None when it comes from a variable that is not known."""
        numbers = (
            int(word.text) for word in self.rest if word.text.isdecimal() and len(word.text) <= len("65535")
        )
        return next((number for number in numbers if 0 < number < 1 << 16), None)


def invocation(name: str, program: Word, words: Sequence[Word]) -> Invocation:
    """``words`` are those behind the program's name."""
    options: list[Given] = []
    rest: list[Word] = []
    counts, at = PROGRAMS[name], 0
    while at < len(words):
        word, at = words[at], at + 1
        if word.text[:1] not in {"-", "+"} or word.text[1:].isdecimal():
            rest.append(word)
            continue
        taken = counts.get(word.text, 0)
        options.append(Given(word, tuple(words[at : at + taken])))
        at += taken
    return Invocation(program, name, tuple(options), tuple(rest))

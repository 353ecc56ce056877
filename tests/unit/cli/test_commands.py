"""The list of commands says of each what it says of itself, whether it is loaded or not."""

from __future__ import annotations

import importlib
import inspect

import pytest

from leadglass.cli import COMMANDS, main


@pytest.mark.parametrize("name", [name for name in COMMANDS if " " in name])
def test_a_command_that_is_not_loaded_is_described_as_it_describes_itself(name: str) -> None:
    command = COMMANDS[name]
    module = importlib.import_module(command.module)
    if command.group:
        assert command.help == module.app.info.help
        return
    function = getattr(module, command.function or name.rpartition(" ")[2])

    assert command.help == (inspect.getdoc(function) or "").partition("\n\n")[0].replace("\n", " ")


@pytest.mark.parametrize("words", [["scan", "--help"], ["scan", "list", "--help"]])
def test_all_commands_of_a_command_are_listed(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 0
    assert ("status" in capsys.readouterr().out) is (words[1] == "--help")


def test_a_command_is_found_after_the_options_of_the_one_it_belongs_to(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["scan", "--deepest", "connect", "list", "--database", "/nonexistent/file"]) == 2
    said = capsys.readouterr().err
    assert "there is no database here" in said
    assert "/nonexistent/file" in said


@pytest.mark.parametrize("words", [["scan", "--scope", "scope.toml"], ["check", "127.0.0.1:9"]])
def test_nothing_is_asked_by_whoever_wants_no_more_than_the_passive_rung(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*words, "--deepest", "passive"]) == 2
    assert "--deepest: passive sends nothing" in capsys.readouterr().err

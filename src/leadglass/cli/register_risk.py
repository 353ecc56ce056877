"""``leadglass register risk``: what threatens a system, how much, and what is done about it (NIST SP 800-30)."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, TypeAlias

import typer

from leadglass.cli.database import DatabaseOption
from leadglass.cli.register_entering import enter
from leadglass.cli.register_options import (
    ByOption,
    Shape,
    ShapeOption,
    held,
    known_system,
    table,
    who,
    write_csv,
    write_json,
)
from leadglass.cli.terminal import write
from leadglass.errors import UsageError
from leadglass.model.register import Level, Register, Risk, Treatment
from leadglass.register.codec import as_json
from leadglass.register.fields import LONGEST, day, line, member
from leadglass.register.risks import drafts, level, residual
from leadglass.report.safe import visible
from leadglass.report.say import count

__all__ = ["risk"]

_Text: TypeAlias = str | None
_LEVELS = ", ".join(Level)
_COLUMNS = (
    "name", "system", "threat", "vulnerability", "likelihood", "impact", "level", "treatment", "owner",
    "until", "measure", "residual_likelihood", "residual_impact", "residual",
)  # fmt: skip


def risk(
    name: Annotated[str | None, typer.Argument(help="The risk; none: show all.", show_default=False)] = None,
    system: Annotated[_Text, typer.Option(metavar="NAME", help="The system it is to.")] = None,
    threat: Annotated[_Text, typer.Option(help="Who or what may do harm, and how.")] = None,
    vulnerability: Annotated[_Text, typer.Option(help="What lets it happen.")] = None,
    likelihood: Annotated[_Text, typer.Option(metavar="LEVEL", help=f"One of {_LEVELS}.")] = None,
    impact: Annotated[_Text, typer.Option(metavar="LEVEL", help="The same words.")] = None,
    treatment: Annotated[_Text, typer.Option(help=f"One of {', '.join(Treatment)}.")] = None,
    owner: Annotated[_Text, typer.Option(metavar="NAME", help="Who accepts it, or sees to it.")] = None,
    until: Annotated[
        _Text, typer.Option(metavar="DATE", help="How long it is accepted, or when it is to be done.")
    ] = None,
    measure: Annotated[_Text, typer.Option(help="What is done.")] = None,
    residual_likelihood: Annotated[
        _Text, typer.Option(metavar="LEVEL", help="What is left after treatment.")
    ] = None,
    residual_impact: Annotated[
        _Text, typer.Option(metavar="LEVEL", help="What is left after treatment.")
    ] = None,
    draft: Annotated[
        bool, typer.Option("--draft", help="Write down a risk for each exposure that was seen, undecided.")
    ] = False,
    shape: ShapeOption = Shape.TEXT,
    by: ByOption = None,
    database: DatabaseOption = None,
) -> None:
    """Show the risks, write one down or change it, or draft some from what was seen.

    Example: leadglass register risk "archive 104" --treatment accept --owner "Ada, head of IT" --until 2027-01-31
    """
    said = {
        "system": system, "threat": threat, "vulnerability": vulnerability, "likelihood": likelihood,
        "impact": impact, "treatment": treatment, "owner": owner, "until": until, "measure": measure,
        "residual_likelihood": residual_likelihood, "residual_impact": residual_impact,
    }  # fmt: skip
    given = {field: _read(field, text) for field, text in said.items() if text is not None}
    if name is None and given:
        raise UsageError("which risk is meant", where="NAME", then="give it a name before the options")
    if name is not None and draft:
        raise UsageError("a draft names its risks itself", where="--draft", then="leave NAME away")
    with held(database) as book:
        register = book.register
        if draft:
            made = enter(book, who(by), [*drafts(register)], "drafted from what was seen")
            write(
                f"{count(made, 'risk')} drafted; nobody has decided about {'it' if made == 1 else 'them'}.\n"
            )
        elif name is None:
            _show(register, shape)
        else:
            changed = _changed(register, name, given)
            enter(book, who(by), [changed])
            write(
                f"{visible(name)}: {level(changed.likelihood, changed.impact)}, left: {residual(changed)}.\n"
            )


def _read(field: str, text: str) -> Any:
    option = f"--{field.replace('_', '-')}"
    match field:
        case "likelihood" | "impact" | "residual_likelihood" | "residual_impact":
            return member(Level, text, option)
        case "treatment":
            return member(Treatment, text, option)
        case "until":
            return day(text, option)
        case _:
            return line(text, option)


def _changed(register: Register, name: str, given: dict[str, Any]) -> Risk:
    known = register.risks.get(name)
    if known is None:
        missing = [
            f"--{field}"
            for field in ("system", "threat", "vulnerability", "likelihood", "impact")
            if field not in given
        ]
        if missing:
            raise UsageError(f"a new risk needs {', '.join(missing)}", where=name[:64])
        if not line(name, "NAME"):
            raise UsageError(f"a name has 1 to {LONGEST} characters", where="NAME")
        made = Risk(name, **given)
    else:
        made = replace(known, **given)
    known_system(register, made.system)
    if made.treatment is Treatment.ACCEPT and not (made.owner and made.until):
        raise UsageError("a risk is accepted by somebody, until a day", then="give --owner and --until")
    return made


def _show(register: Register, shape: Shape) -> None:
    rows = [
        {**as_json(one), "level": level(one.likelihood, one.impact), "residual": residual(one)}
        for one in register.risks.values()
    ]
    rows.sort(key=lambda row: (-list(Level).index(row["residual"]), row["name"]))
    if shape is Shape.JSON:
        write_json(rows)
    elif shape is Shape.CSV:
        write_csv(_COLUMNS, rows)
    elif not rows:
        write("No risk is written down.\n")
    else:
        head = ("RISK", "SYSTEM", "LIKELIHOOD", "IMPACT", "LEVEL", "TREATMENT", "UNTIL", "LEFT")
        write(table(head, [_line(row) for row in rows]))


def _line(row: dict[str, Any]) -> tuple[str, ...]:
    treated, until = row["treatment"] or "undecided", row["until"] or "-"
    return (
        row["name"], row["system"], row["likelihood"], row["impact"], row["level"], treated, until,
        row["residual"],
    )  # fmt: skip

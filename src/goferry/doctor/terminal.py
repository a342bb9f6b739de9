"""A diagnosis for people at a terminal: the answer first, then what proves it, then what to do, then the rest."""

from collections.abc import Iterable, Iterator
from typing import Final

from goferry.doctor import picture
from goferry.doctor.causes import BY_KEY, CANNOT_TELL, Whose
from goferry.doctor.compare import Change
from goferry.doctor.fixes.plan import Tried
from goferry.doctor.form import Diagnosis
from goferry.doctor.reach import Cell, Reach
from goferry.doctor.rules.scene import go_run, last_words, unfinished, was_at_work
from goferry.doctor.verdict import Certainty, Judgement
from goferry.i18n import N_, _

_CERTAINTY: Final = {
    Certainty.CERTAIN: N_("certain"),
    Certainty.LIKELY: N_("likely"),
    Certainty.POSSIBLE: N_("possible"),
}

WHOSE: Final = {
    Whose.YOU: N_("it is on your side"),
    Whose.NETWORK: N_("it is your network"),
    Whose.MIRROR: N_("it is the server's side: the mirror or whoever runs it"),
    Whose.AUTHOR: N_("it is the module author's side"),
}
"""English keys of the sentence that says whose fault it is."""

_COLUMNS: Final = (
    ("name", N_("name")),
    ("tcp4", N_("IPv4")),
    ("tcp6", N_("IPv6")),
    ("tls", N_("TLS")),
    ("http", N_("HTTP")),
)

_MOST_OTHERS: Final = 5


def headline(diagnosis: Diagnosis) -> str:
    """One line: the verdict."""
    verdict = diagnosis.verdict
    if verdict is None and was_at_work(diagnosis.evidence):
        return _at_work(diagnosis)
    if verdict is None:
        return _("sound: nothing stands in the way of Go downloads here")
    if verdict.cause == CANNOT_TELL and not diagnosis.evidence.settings.go_path:
        return _("could not tell: there is no go command here, and too little else to look at")
    if verdict.cause == CANNOT_TELL:
        return _("could not tell: it fails, and nothing that was looked at explains it")
    sure = _(_CERTAINTY[verdict.certainty])
    return f"{verdict.cause} ({sure}): {_(BY_KEY[verdict.cause].meaning)}"


def _at_work(diagnosis: Diagnosis) -> str:
    """Nothing is wrong so far, and go is not done: what it is at."""
    run = go_run(diagnosis.evidence)
    seconds, size = (round(run.seconds), run.got) if run is not None else (0, 0)
    command = unfinished(diagnosis.evidence)
    if command is None or not command.url:
        return _("sound so far: after {seconds} s go was still downloading ({size} kB had come)").format(
            seconds=seconds, size=size // 1024
        )
    return _("sound so far: after {seconds} s go was still at {program} of {url}").format(
        seconds=seconds, program=command.what, url=command.url
    )


def render(diagnosis: Diagnosis, *, colour: bool = False) -> str:
    """All of it, as lines in the language in use."""
    good = diagnosis.verdict is None
    mark = _paint("32", "✓", colour) if good else _paint("31", "✗", colour)
    lines = [f"{mark} {_paint('1', headline(diagnosis), colour)}", *_last_words(diagnosis), ""]
    lines += ["  " + picture.render(diagnosis.links), ""]
    if diagnosis.judgements:
        lines += _judgement(diagnosis.judgements[0])
        lines += _fixes(diagnosis.tried[0])
        lines += _others(diagnosis)
    lines += _ledger(diagnosis)
    lines += _reach(diagnosis.reach)
    lines += _changes(diagnosis.changes)
    lines += _skipped(diagnosis)
    return "\n".join(lines).rstrip("\n")


def _last_words(diagnosis: Diagnosis) -> Iterator[str]:
    """Where nothing more can be said, what go itself said last."""
    run = go_run(diagnosis.evidence)
    if (
        diagnosis.verdict is not None
        and diagnosis.verdict.cause == CANNOT_TELL
        and run is not None
        and run.exit
    ):
        yield "  " + _("go says: {said}").format(said=last_words(run) or "-")


def _judgement(judgement: Judgement) -> Iterator[str]:
    yield "  " + _("where: {where}").format(where=judgement.where)
    yield f"  {judgement.detail}"
    if judgement.whose is not None:
        yield "  " + _(WHOSE[judgement.whose])
    if judgement.proof is None:
        yield "  " + _("not proven: only the failing side was seen")
    else:
        yield "  " + _("proof, with one thing changed ({variable}):").format(
            variable=judgement.proof.variable
        )
        yield f"    ✗ {judgement.proof.failing}"
        yield f"    ✓ {judgement.proof.passing}"
    yield ""


def _fixes(tried: Iterable[Tried]) -> Iterator[str]:
    plans = list(tried)
    if not plans:
        return
    yield "  " + _("what mends it:")
    for one in plans:
        yield f"  → {one.plan.summary} ({_state(one)})"
        yield from (f"      {command}" for command in one.plan.commands)
        yield from (f"      | {line}" for line in one.plan.contexts.get("message", ()))
    yield ""


def _state(one: Tried) -> str:
    if one.retested:
        return _("tried: go gets what was asked for")
    return _("tried: not enough alone") if one.output else _("not tried")


def _others(diagnosis: Diagnosis) -> Iterator[str]:
    others = diagnosis.judgements[1 : _MOST_OTHERS + 1]
    if not others:
        return
    yield "  " + _("also seen:")
    for other in others:
        yield f"    {other.cause} ({_(_CERTAINTY[other.certainty])}) {other.where}: {other.detail}"
    yield ""


def _ledger(diagnosis: Diagnosis) -> Iterator[str]:
    items = diagnosis.ledger
    if not items:
        return
    total = sum(item.seconds for item in items)
    yield "  " + _("where {total} s went:").format(total=f"{total:.1f}")
    yield from (f"    {item.seconds:6.1f} s  {item.said}" for item in items)
    yield ""


def _reach(rows: Iterable[Reach]) -> Iterator[str]:
    table = [[row.target.host, *(_cell(getattr(row, name)) for name, _heading in _COLUMNS)] for row in rows]
    if not table:
        return
    heads = ["", *(_(heading) for _name, heading in _COLUMNS)]
    widths = [max(len(line[column]) for line in [heads, *table]) for column in range(len(heads))]
    for line in [heads, *table]:
        yield "  " + "  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
    yield ""


def _cell(cell: Cell) -> str:
    if cell.ok is None:
        return "-"
    return f"{'✓' if cell.ok else '✗'} {cell.seconds * 1000:.0f} ms" + ("" if cell.ok else f" {cell.said}")


def change_line(change: Change) -> str:
    """One difference between two runs."""
    nothing = _("nothing")
    return f"{_(change.topic)}: {change.subject}: {change.before or nothing} → {change.after or nothing}"


def _changes(changes: Iterable[Change]) -> Iterator[str]:
    lines = [f"    {change_line(change)}" for change in changes]
    if lines:
        yield from ["  " + _("changed since the saved run:"), *lines, ""]


def _skipped(diagnosis: Diagnosis) -> Iterator[str]:
    for skipped in diagnosis.evidence.skipped:
        yield "  " + _("not looked at: {what}: {why}").format(what=_(skipped.what), why=skipped.why)


def _paint(code: str, text: str, colour: bool) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if colour else text

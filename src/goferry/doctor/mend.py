"""Tries plans before anybody is told to follow them: go runs with each, in a throw-away module cache."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final

from goferry.doctor.base import World
from goferry.doctor.evidence import Evidence, RunSeen, SettingsSeen, Subject
from goferry.doctor.fixes import changes_of, propose
from goferry.doctor.fixes.plan import Plan, Tried
from goferry.doctor.fixes.trial import Trial, ready, trial_of
from goferry.doctor.probes.gorun import run_go
from goferry.doctor.probes.segments import small_segments
from goferry.doctor.rules import scene
from goferry.doctor.verdict import Judgement
from goferry.errors import Unavailable

_JUDGEMENTS: Final = 3
"""The faults whose plans are tried; what stands behind them is "also seen"."""

_MARGIN: Final = 1.0
"""Seconds that a program which was ended at its limit may have taken more."""

_AT_ONCE: Final = 2
_TAIL: Final = 2000

_SILENT: Final = "-"
"""The output of a re-test that failed without a word, as one that reached its time limit does."""


async def mend(
    world: World, evidence: Evidence, judgements: Sequence[Judgement]
) -> tuple[tuple[tuple[Tried, ...], ...], tuple[RunSeen, ...]]:
    """The plans for each judgement, those first that helped; and the runs that were made for it."""
    plans = [[ready(world, plan) for plan in propose(evidence, judgement)] for judgement in judgements]
    deadline = time.monotonic() + _time_left(world, evidence)
    slots = asyncio.Semaphore(_AT_ONCE)
    can_run = bool(evidence.settings.go_path) and _has_room_for_better(evidence, judgements)
    mended: set[int] = set()

    async def tried(plan: Plan, place: int) -> tuple[Tried, RunSeen | None]:
        if not (can_run and plan.can_be_tried and place < _JUDGEMENTS):
            return Tried(plan), None
        async with slots:
            limit = min(world.limits.program, deadline - time.monotonic())
            # One plan that helps is enough: the time is better spent on the other faults.
            if limit <= 0 or place in mended:
                return Tried(plan), None
            trial = await asyncio.to_thread(trial_of, world, plan)
            if trial is None:
                return Tried(plan), None
            world.progress(str(plan.summary), 0, 1)
            run = await _retest(world, evidence.subject, plan, trial, limit)
        if run is None:
            return Tried(plan), None
        helped = is_better(evidence, run)
        if helped:
            mended.add(place)
        return Tried(plan, helped, run.seconds, "" if helped else run.output[-_TAIL:] or _SILENT), run

    async def all_of(place: int, some: Iterable[Plan]) -> list[tuple[Tried, RunSeen | None]]:
        return list(await asyncio.gather(*(tried(plan, place) for plan in some)))

    found = await asyncio.gather(*(all_of(place, some) for place, some in enumerate(plans)))
    runs = tuple(run for some in found for _, run in some if run is not None)
    return tuple(_best_first([one for one, _ in some]) for some in found), runs


def _time_left(world: World, evidence: Evidence) -> float:
    """Seconds for trials. A run that was at work for long, and failed at last, does not take them away."""
    run = scene.go_run(evidence)
    was_long = run is not None and run.seconds > world.limits.program + _MARGIN
    return max(world.limits.whole - evidence.seconds, world.limits.program if was_long else 0.0)


def _has_room_for_better(evidence: Evidence, judgements: Sequence[Judgement]) -> bool:
    """Whether a trial can show anything: go failed, or was slow, or its own module cache was left out of the run."""
    run = scene.go_run(evidence)
    if run is None:
        return False
    return bool(run.exit) or scene.is_slow(evidence) or any(one.step == "disk" for one in judgements)


def is_better(evidence: Evidence, trial: RunSeen) -> bool:
    """Whether a trial shows that its change helps: it works where go did not, or in half the time where go was slow."""
    run = scene.go_run(evidence)
    was_slow = run is not None and run.exit == 0 and scene.is_slow(evidence)
    return trial.exit == 0 and not (was_slow and run is not None and trial.seconds > run.seconds / 2)


async def _retest(world: World, subject: Subject, plan: Plan, trial: Trial, limit: float) -> RunSeen | None:
    """The user's command with the plan; None where it cannot be run so after all."""
    try:
        async with _way_out(world, plan) as variables:
            return await run_go(
                world,
                subject,
                changed={**trial.changed, **variables},
                files=trial.files,
                edits=trial.edits,
                says=changes_of(plan),
                label="retest",
                limit=limit,
            )
    except Unavailable:
        return None


@asynccontextmanager
async def _way_out(world: World, plan: Plan) -> AsyncIterator[Mapping[str, str | None]]:
    """The variables that lead through small packets, where the plan is about those."""
    if not plan.segment:
        yield {}
        return
    async with small_segments(world, plan.segment) as variables:
        yield variables


def _best_first(tried: Sequence[Tried]) -> tuple[Tried, ...]:
    """Those that helped, then those that could not be tried.

    A plan that was tried and did not help is no fix, unless it is all there is: with two faults at once, mending one of
    them is right and not enough.
    """
    helped = [one for one in tried if one.retested]
    untried = [one for one in tried if not one.retested and not one.output]
    return (*helped, *untried) or tuple(tried)


async def works_now(world: World, settings: SettingsSeen, subject: Subject) -> bool:
    """Whether the user's command works, with everything as it is now."""
    if not settings.go_path:
        return False
    limits = world.limits
    run = await run_go(world, subject, label="retest", limit=limits.program, longest=limits.working)
    return run.exit == 0

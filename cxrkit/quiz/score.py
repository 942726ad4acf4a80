"""The score of a quiz: readings and marks, the learner's and the network's on the same cases."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from cxrkit.metrics import Interval, wilson_interval
from cxrkit.quiz.judging import Outcome, Read
from cxrkit.quiz.question import LEVELS, LOCATED, READINGS, Level, is_positive

Who = Literal["learner", "network"]


@dataclass(frozen=True)
class Tally:
    """How often one of them was right on some cases of one task.

    Attributes:
        cases: how many.
        right: share of readings that were right, with Wilson's 95 % interval.
        inside: share of the regions, where they are known, that the mark was in; None where none is known.
        regions: how many regions are known, without those of cases whose mark lies on an image of which nobody knows
            the region.
        beside: marks of the learner where there is nothing to mark; None of tasks that ask for no place, and of the
            network, whose heatmap always has a strongest point.
        error: mean absolute error of bone ages in months; None of other tasks.
        sensitivity, specificity: share of right readings among positive and among negative cases; None where one kind
            does not occur, and of bone ages.
    """

    cases: int
    right: Interval
    inside: Interval | None
    regions: int
    beside: int | None
    error: float | None
    sensitivity: Interval | None
    specificity: Interval | None


@dataclass(frozen=True)
class ScoreRow:
    """Both on the same cases.

    Attributes:
        task: name.
        level: None = of all levels.
        learner, network: their tallies.
    """

    task: str
    level: Level | None
    learner: Tally
    network: Tally


def score(outcomes: Sequence[Outcome]) -> tuple[ScoreRow, ...]:
    """Of each task all cases together, then by level where there are several; the tasks as they were first met."""
    rows = []
    for task in dict.fromkeys(outcome.task for outcome in outcomes):
        own = [outcome for outcome in outcomes if outcome.task == task]
        rows.append(_row(task, None, own))
        levels = [level for level in LEVELS if any(outcome.level == level for outcome in own)]
        if len(levels) > 1:
            rows += [_row(task, level, [outcome for outcome in own if outcome.level == level]) for level in levels]
    return tuple(rows)


def first_answers(outcomes: Sequence[Outcome]) -> tuple[Outcome, ...]:
    """Without those of cases that the same learner had answered before: their truth was known."""
    first: dict[tuple[str, str], Outcome] = {}
    for outcome in outcomes:
        first.setdefault((outcome.nickname, outcome.question), outcome)
    return tuple(first.values())


def _row(task: str, level: Level | None, outcomes: Sequence[Outcome]) -> ScoreRow:
    return ScoreRow(task, level, tally(outcomes, "learner"), tally(outcomes, "network"))


def tally(outcomes: Sequence[Outcome], who: Who) -> Tally:
    """Count one of them.

    Args:
        outcomes: of one task, at least one.
        who: the learner or the network.

    Raises:
        InputError: no outcome.
    """
    reads = [(outcome, _read(outcome, who)) for outcome in outcomes]
    known = [read for outcome, read in reads if outcome.region and not _beyond_truth(read)]
    found = sum(read.mark is not None and read.mark.inside for read in known)
    errors = [abs(read.error) for _, read in reads if read.error is not None]
    places = who == "learner" and outcomes[0].task in LOCATED
    kinds = [(is_positive(outcome.task, str(outcome.truth)), read) for outcome, read in reads if _has_kinds(outcome)]
    return Tally(
        cases=len(reads),
        right=wilson_interval(sum(read.right for _, read in reads), len(reads)),
        inside=wilson_interval(found, len(known)) if known else None,
        regions=len(known),
        beside=sum(read.marked for positive, read in kinds if not positive) if places else None,
        error=sum(errors) / len(errors) if errors else None,
        sensitivity=_share_right([read for positive, read in kinds if positive]),
        specificity=_share_right([read for positive, read in kinds if not positive]),
    )


def _read(outcome: Outcome, who: Who) -> Read:
    return outcome.learner if who == "learner" else outcome.network


def _beyond_truth(read: Read) -> bool:
    """Whether a place was marked that nobody can hold to a region: of own pairs only the follow-up has one."""
    return read.marked and read.mark is None


def _has_kinds(outcome: Outcome) -> bool:
    return bool(READINGS[outcome.task])


def _share_right(reads: Sequence[Read]) -> Interval | None:
    return wilson_interval(sum(read.right for read in reads), len(reads)) if reads else None

"""Two runs on the same cases: their figures beside each other, how sure the difference is, and where they differ."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from cxrkit.checks import Bools, Floats, Integers
from cxrkit.errors import InputError
from cxrkit.review.compare_pairs import Pairs, joint_truth
from cxrkit.review.compare_tests import Tested, auc_difference, mean_difference
from cxrkit.review.table import ReviewSet


@dataclass(frozen=True, eq=False)
class Compared:
    """M cases with one label, as both runs see them.

    Attributes:
        truth: [M] 0 or 1, or months; NaN = not known.
        first, second: [M] scores in [0, 1], or months; NaN = the run failed on it.
        owners: [M] numbers of the patients.
        thresholds: of the first and second run, from which the label is called; None where none is called.
    """

    truth: Floats
    first: Floats
    second: Floats
    owners: Integers
    thresholds: tuple[float, float] | None

    @property
    def both(self) -> Bools:
        """[M] whether both runs answered."""
        return ~np.isnan(self.first) & ~np.isnan(self.second)

    def called(self) -> tuple[Bools, Bools]:
        """[M] whether each run calls the label.

        Raises:
            InputError: there is no threshold.
        """
        if self.thresholds is None:
            raise InputError("This label has no threshold, so it is not called.")
        return self.first >= self.thresholds[0], self.second >= self.thresholds[1]


@dataclass(frozen=True)
class Difference:
    """One figure of both runs.

    Attributes:
        name: such as "AUC".
        found: with interval and p; None where it is undefined.
        reason: why, as a sentence; "" otherwise.
    """

    name: str
    found: Tested | None
    reason: str = ""


def compare(
    first: ReviewSet, second: ReviewSet, pairs: Pairs, label: str, thresholds: tuple[float, float] | None
) -> Compared:
    """What both runs say of the pairs.

    Args:
        first, second: of one task.
        pairs: of their rows.
        label: one of their labels.
        thresholds: as in Compared.

    Raises:
        InputError: there is no such label.
    """
    scores = first.score(label)[pairs.first], second.score(label)[pairs.second]
    return Compared(joint_truth(first, second, pairs, label), *scores, pairs.owners, thresholds)


def differences(compared: Compared, ages: bool) -> tuple[Difference, ...]:
    """The figures of both runs, on the cases that both answered.

    Of ages the MAD. Of others the AUC, and where there are thresholds sensitivity, specificity, accuracy and the share
    that is called, each at its run's own.

    Args:
        compared: the cases.
        ages: whether scores and truths are months.
    """
    figures = _age_figures(compared) if ages else _score_figures(compared)
    return tuple(_work_out(name, figure) for name, figure in figures)


def most_different(compared: Compared, *, calls_only: bool = False) -> Integers:
    """Positions of the cases whose two scores differ, the furthest apart first; equal ones in their order.

    Args:
        compared: the cases; those that one run failed on are left out.
        calls_only: only those that one run calls and the other does not; InputError without thresholds.
    """
    apart = np.where(compared.both, np.abs(compared.first - compared.second), 0.0)
    differs = apart > 0
    if calls_only:
        one, other = compared.called()
        differs &= one != other
    order = np.argsort(-apart, kind="stable")
    return np.asarray(order[differs[order]], dtype=np.int64)


def _work_out(name: str, figure: Callable[[], Tested]) -> Difference:
    try:
        return Difference(name, figure())
    except InputError as error:
        return Difference(name, None, str(error))


_Figures = Iterator[tuple[str, Callable[[], Tested]]]


def _age_figures(compared: Compared) -> _Figures:
    used = compared.both & ~np.isnan(compared.truth)
    first, second = (np.abs(ages[used] - compared.truth[used]) for ages in (compared.first, compared.second))
    yield "MAD, months", partial(mean_difference, first, second, compared.owners[used])


def _score_figures(compared: Compared) -> _Figures:
    truth, both = compared.truth, compared.both
    known = both & ~np.isnan(truth)
    scores = compared.first[known], compared.second[known]
    yield "AUC", partial(auc_difference, truth[known], *scores, compared.owners[known])
    if compared.thresholds is None:
        return
    one, other = compared.called()
    positive = truth == 1
    shares = (
        ("sensitivity", one, other, known & positive),
        ("specificity", ~one, ~other, known & ~positive),
        ("accuracy", one == positive, other == positive, known),
        ("share called", one, other, both),
    )
    for name, first, second, used in shares:
        yield name, partial(mean_difference, first[used], second[used], compared.owners[used])

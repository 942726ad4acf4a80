"""Two runs on the same cases: which row of one belongs to which row of the other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrkit.checks import Bools, Floats, Integers
from cxrkit.errors import InputError
from cxrkit.review.owners import PATIENT, owners_of, share_patients
from cxrkit.review.table import ReviewSet

_Key = tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Pairs:
    """M cases that both runs have, and what became of the others.

    Attributes:
        first, second: [M] rows in the two tables, in the order of the first.
        owners: [M] numbers of the patients; each case has its own where patients are not known.
        only_first: cases that the second run lacks; of the rows that were asked for.
        only_second: cases that the first run lacks.
        repeated: rows left out because the same case stands further up.
        other_truth: cases left out because the tables, or two rows of one, say different truths.
    """

    first: Integers
    second: Integers
    owners: Integers
    only_first: int
    only_second: int
    repeated: int
    other_truth: int

    @property
    def by_patient(self) -> bool:
        """Whether a patient has several cases, which are not independent then."""
        return share_patients(self.owners)


def pair_cases(first: ReviewSet, second: ReviewSet, rows: NDArray[np.int64] | None = None) -> Pairs:
    """Match cases by their files and what the network was told of the patient; a truth that one table lacks fits all.

    Args:
        first, second: of one task.
        rows: of the first; None = all.

    Raises:
        InputError: the tasks differ, or no case is in both.
    """
    if first.task.name != second.task.name:
        raise InputError(
            f"The other table holds predictions of {second.task.title}; this one of {first.task.title}. Two runs are "
            "compared on one task."
        )
    told = [name for name in first.task.context if name in first.table and name in second.table]
    keys = _keys(first, told)
    asked = _groups(keys, rows)
    others = _groups(_keys(second, told))
    shared = [key for key in asked if key in others]
    if not shared:
        columns = " and ".join(first.task.file_columns)
        raise InputError(
            f"No case is in both tables. Cases are matched by the column {columns}: load the predictions of the same "
            "files, written in the same way."
        )
    agree = _agree(first, second, [(asked[key], others[key]) for key in shared])
    alike, known = [key for key, holds in zip(shared, agree, strict=True) if holds], set(keys)
    pairs = np.array([[asked[key][0], others[key][0]] for key in alike], dtype=np.int64).reshape(-1, 2)
    return Pairs(
        first=pairs[:, 0],
        second=pairs[:, 1],
        owners=_owners(first, second, pairs),
        only_first=len(asked) - len(shared),
        only_second=sum(key not in known for key in others),
        repeated=sum(len(asked[key]) + len(others[key]) - 2 for key in alike),
        other_truth=len(shared) - len(alike),
    )


def joint_truth(first: ReviewSet, second: ReviewSet, pairs: Pairs, label: str) -> Floats:
    """[M] truth of each pair, by the first table, or the second where the first does not know it; NaN = neither."""
    one, other = first.truth(label)[pairs.first], second.truth(label)[pairs.second]
    return np.where(np.isnan(one), other, one)


def _keys(review: ReviewSet, told: Sequence[str]) -> list[_Key]:
    columns = [review.table[name].astype(str).str.strip() for name in (*review.task.file_columns, *told)]
    return list(zip(*columns, strict=True))


def _groups(keys: Sequence[_Key], rows: NDArray[np.int64] | None = None) -> dict[_Key, list[int]]:
    """Rows of each case, in their order."""
    found: dict[_Key, list[int]] = {}
    for row in range(len(keys)) if rows is None else np.sort(rows):
        found.setdefault(keys[row], []).append(int(row))
    return found


def _truths(review: ReviewSet) -> Floats:
    """[N, labels]."""
    return np.stack([review.truth(label) for label in review.labels()], axis=1)


def _agree(first: ReviewSet, second: ReviewSet, shared: Sequence[tuple[list[int], list[int]]]) -> Bools:
    """[cases] whether all rows of a case have one truth; `shared` are its rows in both tables."""
    one, other = _truths(first), _truths(second)
    # At once for the cases that stand in each table once, which are most.
    found = _one_truth(np.stack([one[[rows[0] for rows, _ in shared]], other[[rows[0] for _, rows in shared]]]))
    for place, (rows, others) in enumerate(shared):
        if len(rows) + len(others) > 2:
            found[place] = _one_truth(np.concatenate([one[rows], other[others]])[:, None])[0]
    return found


def _one_truth(said: Floats) -> Bools:
    """[cases] whether rows [n, cases, labels] say the same of a case, as far as they say anything."""
    unknown = np.isnan(said)
    low, high = np.where(unknown, np.inf, said).min(axis=0), np.where(unknown, -np.inf, said).max(axis=0)
    return np.asarray((low >= high).all(axis=-1))


def _owners(first: ReviewSet, second: ReviewSet, pairs: NDArray[np.int64]) -> Integers:
    """Whose each case is, by whichever table has the column of patients, else by the files."""
    sides = ((first, pairs[:, 0]), (second, pairs[:, 1]))
    found = owners_of(*next((side for side in sides if PATIENT in side[0].table), sides[0]))
    return np.arange(len(pairs), dtype=np.int64) if found is None else found

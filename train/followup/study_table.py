"""The table of a study: figures of every cell, DeLong's test against its reference."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cxrkit.errors import InputError
from cxrkit.metrics import auc, confusion, delong_interval, delong_test
from train.studies import MEASURED_ON, REFERENCE, Row, words

Margins = Mapping[str, NDArray[np.float64]]
"""Of one cell: part -> [repeats, N], score less threshold."""

UNDEFINED = "undefined"


@dataclass(frozen=True, eq=False)
class Measured:
    """One cell as it was measured.

    Attributes:
        name: of the cell.
        margins: see Margins.
        settings: columns that say how it was trained.
    """

    name: str
    margins: Margins
    settings: Row


def table_of(cells: Sequence[Measured], reference: str, truth: Mapping[str, NDArray[np.int64]]) -> list[Row]:
    """One row a part and cell; all cells of a part stand together.

    Scores of repeats are averaged before anything is measured, so that there is one test with one p-value. The AUC of
    each repeat stands beside it: their spread is what chance in training does.

    Args:
        cells: measured on the same parts.
        reference: name of the cell that the others are tested against.
        truth: part -> [N] 1 = change, which is the positive class, or 0.
    """
    against = next(cell for cell in cells if cell.name == reference)
    rows = []
    for part, change in truth.items():
        for cell in cells:
            other = None if cell is against else against.margins[part]
            named = {"network": cell.name, MEASURED_ON: part}
            rows.append(named | figures(change, cell.margins[part], other) | cell.settings)
    return rows


def figures(
    change: NDArray[np.int64], margins: NDArray[np.float64], reference: NDArray[np.float64] | None
) -> dict[str, str]:
    """Figures of one part in words; what cannot be computed is "undefined".

    Args:
        change: [N] 0 or 1.
        margins: [repeats, N], score less threshold; change is called from 0.
        reference: those of the cell to test against; None for that cell itself.
    """
    mean = margins.mean(axis=0)
    counts = confusion(change, (mean >= 0).astype(np.int64))
    return {
        "AUC": _told(lambda: words(delong_interval(change, mean))),
        "AUC of each repeat": _told(lambda: ", ".join(f"{auc(change, one):.3f}" for one in margins)),
        "p of AUC (DeLong, two-sided)": REFERENCE if reference is None else _told(lambda: _p(change, mean, reference)),
        "sensitivity": _told(lambda: words(counts.sensitivity)),
        "specificity": _told(lambda: words(counts.specificity)),
        "accuracy": _told(lambda: words(counts.accuracy)),
    }


def _told(figure: Callable[[], str]) -> str:
    try:
        return figure()
    except InputError:
        return UNDEFINED


def _p(change: NDArray[np.int64], mean: NDArray[np.float64], reference: NDArray[np.float64]) -> str:
    p = delong_test(change, mean, reference.mean(axis=0)).p
    return "< 0.001" if p < 0.001 else f"{p:.3f}"

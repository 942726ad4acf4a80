"""Which cases of a table are looked at: conditions on its columns, all of which have to hold."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

MOST_VALUES = 60
"""Values of a text column that are offered one by one; of more, such as file names, a part is searched for."""

FEW_NUMBERS = 8
"""Up to so many different numbers are offered one by one, as of a class index."""

EMPTY = "not stated"
"""How an empty cell is shown."""


@dataclass(frozen=True)
class OneOf:
    """Cells that are one of these, as `shown` writes them; none chosen = all are kept."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Between:
    """Numbers from low to high, both included; empty cells only where `empty`."""

    low: float
    high: float
    empty: bool = False


@dataclass(frozen=True)
class Holds:
    """Text that has this in it, in any case of letters; "" = all are kept."""

    part: str


Condition = OneOf | Between | Holds


def in_words(name: str, condition: Condition) -> str:
    """What a column has to hold; "" where everything is kept."""
    match condition:
        case OneOf(values):
            return f"{name} {' or '.join(values)}" if values else ""
        case Between(low, high, empty):
            return f"{name} from {low:g} to {high:g}{f' or {EMPTY}' if empty else ''}"
        case Holds(part):
            return f"{name} with “{part}” in it" if part else ""


@dataclass(frozen=True)
class Offer:
    """What may be asked of a column.

    Attributes:
        name: of the column.
        values: its values in order, where they are offered one by one; () otherwise.
        low, high: its least and greatest number; None of text.
        empty: whether cells are empty.
    """

    name: str
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    empty: bool = False


def offers(table: pd.DataFrame) -> tuple[Offer, ...]:
    """The columns that can tell cases apart, in the table's order."""
    found = (_offer(name, table[name]) for name in table)
    return tuple(offer for offer in found if offer is not None)


def _offer(name: Any, column: "pd.Series[Any]") -> Offer | None:
    kinds = column.nunique(dropna=False)
    if kinds < 2:
        return None
    numeric = pd.api.types.is_numeric_dtype(column)
    empty = bool(column.isna().any() or (not numeric and (column == "").any()))
    if kinds <= (FEW_NUMBERS if numeric else MOST_VALUES):
        return Offer(str(name), _values(column), empty=empty)
    if numeric:
        return Offer(str(name), (), float(column.min()), float(column.max()), empty)
    return Offer(str(name), empty=empty)


def _values(column: "pd.Series[Any]") -> tuple[str, ...]:
    """Its values as shown, in their order; the empty one last."""
    values = column.dropna().unique().tolist()
    written = [shown(value) for value in sorted(values) if value != ""]
    return (*written, EMPTY) if len(written) < column.nunique(dropna=False) else tuple(written)


def shown(value: object) -> str:
    """A cell as the screen says it: 3 for 3.0, EMPTY for nothing; whole numbers with all their digits."""
    if isinstance(value, float | np.floating):
        return EMPTY if np.isnan(value) else f"{value:.15g}"
    return str(value) or EMPTY


def as_shown(column: "pd.Series[Any]") -> "pd.Series[Any]":
    """All cells as the screen says them."""
    return column.map(shown, na_action=None)


def kept(table: pd.DataFrame, conditions: Mapping[str, Condition]) -> NDArray[np.int64]:
    """Positions of the rows of which all conditions hold, in order.

    Args:
        table: any.
        conditions: by column; one that the table lacks is no condition.
    """
    holds = np.ones(len(table), dtype=bool)
    for name, condition in conditions.items():
        if name in table:
            holds &= _holds(table[name], condition)
    return np.flatnonzero(holds)


def _holds(column: "pd.Series[Any]", condition: Condition) -> NDArray[np.bool_]:
    if isinstance(condition, Holds):
        return column.astype(str).str.contains(condition.part, case=False, regex=False).to_numpy(dtype=bool)
    if isinstance(condition, OneOf):
        if not condition.values:
            return np.ones(len(column), dtype=bool)
        # Each value is written once, not each cell: a table has few values and many cells.
        wanted = [value for value in column.unique().tolist() if shown(value) in condition.values]
        return column.isin(wanted).to_numpy(dtype=bool)
    inside = column.between(condition.low, condition.high).to_numpy(dtype=bool)
    return inside | column.isna().to_numpy(dtype=bool) if condition.empty else inside


def cohorts(column: "pd.Series[Any]", most: int = 12) -> tuple[tuple[str, NDArray[np.int64]], ...]:
    """Divide cases by a column: by its values, or into quarters of its numbers.

    Args:
        column: of the cases.
        most: values; of more the most frequent ones are kept and the others put together.

    Returns:
        (name, positions in the column), numbers in their order, text by frequency, the empty ones last.
    """
    if pd.api.types.is_numeric_dtype(column) and column.nunique() > FEW_NUMBERS:
        return _quarters(column)
    written = as_shown(column).to_numpy()
    counts = pd.Series(written).value_counts()
    names = [name for name in counts.index if name != EMPTY]
    if pd.api.types.is_numeric_dtype(column):
        names.sort(key=float)
    first = names if len(names) <= most else names[: most - 1]
    found = [(str(name), np.flatnonzero(written == name)) for name in first]
    if len(names) > len(first):
        found.append(("all others", np.flatnonzero(np.isin(written, names[len(first) :]))))
    if EMPTY in counts:
        found.append((EMPTY, np.flatnonzero(written == EMPTY)))
    return tuple(found)


def _quarters(column: "pd.Series[Any]") -> tuple[tuple[str, NDArray[np.int64]], ...]:
    values = column.to_numpy(dtype=np.float64)
    inner = np.unique(np.nanquantile(values, (0.25, 0.5, 0.75)))
    group = np.searchsorted(inner, values, side="right")  # NaN goes behind the last, and is told apart below
    found = []
    for number in range(inner.size + 1):
        members = np.flatnonzero((group == number) & ~np.isnan(values))
        if members.size:
            found.append((f"{values[members].min():g} to {values[members].max():g}", members))
    missing = np.flatnonzero(np.isnan(values))
    return (*found, (EMPTY, missing)) if missing.size else tuple(found)

"""Cells as the screen says them and as filters choose them."""

import pandas as pd

from cxrkit.review.filters import EMPTY, OneOf, cohorts, kept, offers, shown


def test_long_numbers_stay_apart() -> None:
    table = pd.DataFrame({"code": [1234567.0, 1234568.0, 12345678.0, float("nan")] * 2})
    (offer,) = offers(table)
    assert offer.values == ("1234567", "1234568", "12345678", EMPTY)
    assert list(kept(table, {"code": OneOf(("1234568",))})) == [1, 5]
    assert [name for name, _ in cohorts(table["code"])] == ["1234567", "1234568", "12345678", EMPTY]


def test_short_numbers_are_said_as_before() -> None:
    assert [shown(value) for value in (3.0, 0.1, 0.1 + 0.2, 2.5e-7, 70)] == ["3", "0.1", "0.3", "2.5e-07", "70"]

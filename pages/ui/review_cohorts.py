"""The figures of several groups of cases side by side, divided by a column."""

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cxrkit.review.figures_cohorts import Cohort, side_by_side
from cxrkit.review.filters import cohorts
from cxrkit.review.owners import owners_of, share_patients
from cxrkit.review.table import ReviewSet
from pages.ui.review_filters import cohort_columns
from pages.ui.review_load import KEY
from pages.ui.review_scores import in_words

_SCORES = ("AUC", "sensitivity", "specificity", "PPV", "NPV", "accuracy")
_AGES = ("mean absolute difference", "bias", "lower limit of agreement", "upper limit of agreement")


def show_cohorts(review: ReviewSet, rows: NDArray[np.int64], label: str, threshold: float | None) -> None:
    """A table with a row for each group; made when opened.

    Args:
        review: whose cases.
        rows: [M] that are kept.
        label: that is reviewed.
        threshold: called at score >= threshold; None of ages.
    """
    section = st.expander("Cohorts side by side", icon=":material/groups:", key=f"{KEY}.cohorts", on_change="rerun")
    columns = cohort_columns(review)
    if not section.open:
        return
    with section:
        if not columns:
            st.info("No column of this table divides its cases.", icon=":material/groups:")
            return
        column = st.selectbox("Divide by", columns, key=f"{KEY}.cohort_column", persist_state="session")
        groups = cohorts(review.table[column].iloc[rows])
        truth, score, owners = review.truth(label)[rows], review.score(label)[rows], owners_of(review, rows)
        found = side_by_side(groups, truth, score, threshold, owners)
        st.dataframe(
            [_row(cohort, threshold is None) for cohort in found], hide_index=True, width="stretch", placeholder="–"
        )
        over = _over(threshold is None, share_patients(owners))
        st.caption(
            f"95 % intervals in brackets, {over}. Groups whose intervals overlap may differ by chance; of many groups "
            "some always stand out." + (" Months." if threshold is None else "")
        )


def _over(ages: bool, several: bool) -> str:
    """What the intervals are over; `several`: a patient has several cases."""
    if not several:
        return "over cases"
    return "over patients" if ages else "of the AUC over patients, of the shares over cases"


def _row(cohort: Cohort, ages: bool) -> dict[str, object]:
    row: dict[str, object] = {"Group": cohort.name, "Cases": cohort.cases}
    if cohort.positives is not None:
        row["With the label"] = cohort.positives
    for name in _AGES if ages else _SCORES:
        figure = cohort.figure(name)
        title = name[:1].upper() + name[1:]
        row[title] = "undefined" if figure is None else in_words(figure, 1 if ages or name == "AUC" else 100)
    return row

"""Predicted against reference ages: the figures, and Bland and Altman's plot, of which each point is a case."""

from dataclasses import replace
from functools import partial

import numpy as np
import streamlit as st

from cxrkit.review.figures_age import Agreement, agreement
from pages.ui.charts import show_figure
from pages.ui.review_age_plot import MOST_POINTS, bland_altman_plot
from pages.ui.review_choice import choose_points
from pages.ui.review_load import KEY
from pages.ui.review_scores import figure_list


def show_ages(rows: np.ndarray, truth: np.ndarray, age: np.ndarray, owners: np.ndarray | None) -> None:
    """Everything about the cases that are kept.

    Args:
        rows: [M] of the table.
        truth: [M] reference ages in months; NaN = unknown.
        age: [M] predicted; NaN = failed.
        owners: [M] whose hands they are; None = not known.

    Raises:
        InputError: fewer than two cases have both, or all those that have are of one patient.
    """
    found = _agreement(truth, age, owners)
    chart = f"{KEY}.bland_altman"
    left, right = st.columns([3, 2], gap="medium")
    with left:
        show_figure(
            bland_altman_plot(replace(found, rows=rows[found.rows])),
            key=chart,
            on_select=partial(choose_points, chart),
            alt="Differences of predicted and reference ages over their means, with bias and limits of agreement.",
        )
    with right:
        st.markdown("**In months**")
        figure_list(found.figures, found.undefined, 1)
    left_out = f" Of {found.rows.size:,} points {MOST_POINTS:,} are drawn, the most distant ones among them."
    patients = "; patients have several cases here, so whole patients are resampled" if found.by_patient else ""
    st.caption(
        "Bands: 95 % intervals of the bias and of the limits within which 95 % of differences lie (Bland and Altman "
        f"1986, 1999{patients}). Click a point to see its case below."
        + (left_out if found.rows.size > MOST_POINTS else "")
    )


@st.cache_resource(scope="session", max_entries=12, ttl=3600, show_spinner=False)
def _agreement(truth: np.ndarray, age: np.ndarray, owners: np.ndarray | None) -> Agreement:
    return agreement(truth, age, owners)

"""Review: what a network said of many cases beside what is true of them; which it gets wrong, and why."""

import numpy as np
import streamlit as st

from cxrkit.review.owners import owners_of
from cxrkit.review.table import ReviewSet
from pages.ui.errors import errors_shown
from pages.ui.finding_words import name_of
from pages.ui.review_ages import show_ages
from pages.ui.review_cohorts import show_cohorts
from pages.ui.review_filters import ask_filters
from pages.ui.review_gallery import show_gallery
from pages.ui.review_load import KEY, load_review
from pages.ui.review_notes_keys import filter_by_notes
from pages.ui.review_scores import ask_threshold, show_scores, undefined_shown
from pages.ui.shell import page

TITLE = "Review"
SUMMARY = (
    "Many cases at once: how often the network is right, which cases it gets wrong, and what they look like. Agree or "
    "disagree with each, write down why, and take it all with you as a report."
)


def review_cases(review: ReviewSet) -> None:
    """Filters on top, figures of what they keep, then the cases themselves, and what is made of them."""
    label = choose_label(review)
    truth, score = review.truth(label), review.score(label)
    count_in_words(review, truth, score)
    rows = filter_by_notes(review, ask_filters(review), label)
    threshold, owners = None, owners_of(review, rows)
    if review.task.values:
        with undefined_shown():
            show_ages(rows, truth[rows], score[rows], owners)
    else:
        threshold = ask_threshold(review, label)
        show_scores(review, label, rows, threshold, owners)
    show_cohorts(review, rows, label, threshold)
    show_gallery(review, rows, label, threshold)
    further(review, rows, label, threshold)


def choose_label(review: ReviewSet) -> str:
    """The label that is reviewed, where there are several."""
    labels = review.labels()
    if len(labels) == 1:
        return labels[0]
    return st.selectbox("Label", labels, format_func=name_of, key=f"{KEY}.label", persist_state="session", width=320)


def count_in_words(review: ReviewSet, truth: np.ndarray, score: np.ndarray) -> None:
    """How many cases there are, and how many of them cannot be judged."""
    failed, unknown = int(np.isnan(score).sum()), int((np.isnan(truth) & ~np.isnan(score)).sum())
    parts = [f"**{review.task.title}:** {len(review.table):,} cases"]
    parts += [f"{failed:,} without an answer"] if failed else []
    parts += [f"{unknown:,} without a truth that can be read"] if unknown else []
    st.markdown(f"{'; '.join(parts)}.")


def further(review: ReviewSet, rows: np.ndarray, label: str, threshold: float | None) -> None:
    """Another run on the same cases, and the report; made when opened."""
    compared = st.expander(
        "Compare with another run", icon=":material/compare_arrows:", key=f"{KEY}.compare", on_change="rerun"
    )
    if compared.open:
        from pages.ui.review_compare import show_comparison

        with compared, errors_shown():
            show_comparison(review, rows, label)
    exported = st.expander("Export", icon=":material/download:", key=f"{KEY}.export", on_change="rerun")
    if exported.open:
        from pages.ui.review_export import show_export

        with exported, errors_shown():
            show_export(review, rows, label, threshold)


with page(TITLE, SUMMARY):
    review = load_review()
    if review is not None:
        with errors_shown():
            review_cases(review)

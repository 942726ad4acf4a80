"""Three honesty checks of a comparison: the order swapped, the anatomy matched, one image laid over the other."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import streamlit as st

from cxrkit.card import Card
from cxrkit.task import Task
from pages.ui.pair_reading import PairReading
from pages.ui.presenter import explain
from pages.ui.visits import Visit
from pages.ui.words import listed, percent, points, share

if TYPE_CHECKING:
    from cxrkit.registration import Registration

MATCHING_TABLE = "Matching of two images, by stage"
"""Of the card: the usual range of the cosine in each stage on pairs of one patient."""

HARDLY_COMPARABLE = "told to be hardly comparable"
SAME, ANOTHER = "real pairs of one patient", "another patient's radiograph of the same set at follow-up"
"""Of the card: how often two are said to be hardly comparable, and of which pairs."""

_LARGEST_SHIFT = 0.1
"""In score; above it the order of the images decides too much."""

_LONGEST = 640


def honesty_checks(
    task: Task, card: Card, visits: tuple[Visit, Visit], reading: PairReading, fit: "Registration"
) -> None:
    """The three checks, one below the other on a phone."""
    st.subheader("Can this answer be trusted?", anchor=False)
    swapped, matched = st.columns(2, gap="medium")
    with swapped.container(border=True, height="stretch"):
        _order_swapped(task, reading)
    with matched.container(border=True, height="stretch"):
        _matching(card, reading)
    with st.container(border=True):
        _registered(visits, fit)


def _order_swapped(task: Task, reading: PairReading) -> None:
    there, back = (each.scores[task.positive] for each in (reading.prediction, reading.swapped))
    st.markdown("**The order swapped**")
    st.markdown(
        f"With baseline and follow-up exchanged the score for {task.positive} is **{share(back)}** in place of "
        f"{share(there)} ({points(back - there)}). A change is a change both ways."
    )
    _warn(order_warning(task, reading))


def _warn(text: str) -> None:
    if text:
        st.warning(text, icon=":material/warning:")


def warnings_of_checks(task: Task, card: Card, reading: PairReading, fit: "Registration") -> list[str]:
    """What the three checks say against the answer, for what is taken away."""
    found = (order_warning(task, reading), matching_warning(card, reading), registration_warning(fit))
    return [text for text in found if text]


def order_warning(task: Task, reading: PairReading) -> str:
    """What is odd about the answer with both images exchanged; "" for nothing."""
    there, back = (each.scores[task.positive] for each in (reading.prediction, reading.swapped))
    if reading.prediction.label != reading.swapped.label:
        return (
            f"With the order swapped the label turns into “{reading.swapped.label}”: this answer depends on the order "
            "of the images and deserves little trust."
        )
    if abs(back - there) > _LARGEST_SHIFT:
        return "The order of the images alone moves the score by more than 10 points."
    return ""


def _matching(card: Card, reading: PairReading) -> None:
    st.markdown("**The anatomy matched**")
    scores = reading.prediction.matching
    if not scores:
        st.markdown("This network has no anatomy matching.")
        return
    rows = []
    for stage, (score, usual) in enumerate(zip(scores, _usual(card, reading), strict=True), start=1):
        inside = usual is None or usual[0] <= score
        rows.append(
            {
                "Stage": stage,
                "Cosine": f"{score:.3f}",
                "Usual": "not measured" if usual is None else f"{usual[0]:.3f} to {usual[1]:.3f}",
                "": "" if usual is None else "usual" if inside else "lower than usual",
            }
        )
    st.table(rows, hide_index=True, border="horizontal")
    _warn(matching_warning(card, reading))
    st.caption(
        "How alike what the network found in either image is, from its finest stage to its coarsest. Usual: 95 % of "
        "real pairs of one patient. A usual match doesn't prove that it is one patient; the card says how often "
        "others match as well."
    )


def matching_warning(card: Card, reading: PairReading) -> str:
    """Whether the two match less than usual, by the card; "" where they do not, or where nothing is known of it."""
    scores = zip(reading.prediction.matching, _usual(card, reading), strict=True)
    odd = [stage for stage, (score, usual) in enumerate(scores, start=1) if usual is not None and score < usual[0]]
    if not odd:
        return ""
    return (
        f"These two may not be comparable: they match less than usual in {_stages(odd)}.{_how_often(card)} Another "
        "view, another patient or another part of the body would look like this; so may a large change."
    )


def _usual(card: Card, reading: PairReading) -> list[tuple[float, float] | None]:
    return usual_ranges(card.tables.get(MATCHING_TABLE, []), len(reading.prediction.matching))


def _stages(odd: Sequence[int]) -> str:
    return f"stage {odd[0]}" if len(odd) == 1 else f"stages {listed([str(stage) for stage in odd])}"


def _how_often(card: Card) -> str:
    """How many pairs of one patient, and of two, are told the same, by the card; nothing where it does not say."""
    told = {metric.part: metric.value for metric in card.metrics if metric.name == HARDLY_COMPARABLE}
    if not {SAME, ANOTHER} <= told.keys():
        return ""
    return f" So do {percent(told[SAME])} of real pairs of one patient, and {percent(told[ANOTHER])} of two patients."


def usual_ranges(rows: Sequence[dict[str, Any]], stages: int) -> list[tuple[float, float] | None]:
    """(low, high) of each stage out of the card's table; None where it has none."""
    by_stage = {row["stage"]: (float(row["low"]), float(row["high"])) for row in rows if "stage" in row}
    return [by_stage.get(stage) for stage in range(1, stages + 1)]


def _registered(visits: tuple[Visit, Visit], fit: "Registration") -> None:
    st.markdown("**One laid over the other**")
    if not fit.converged:
        _warn(f"{registration_warning(fit)} The viewer shows them by their frames only.")
        return
    st.markdown(
        f"{fit_in_words(fit)} Residual **{fit.residual:.2f}** ({_residuals()}); {percent(fit.overlap)} of the baseline "
        "is covered. No network reads this preview; “Align” in the viewer uses it."
    )
    with st.container(horizontal=True, gap="medium"):
        for title, picture in registered_pictures(visits, fit):
            with st.container(width=280):
                st.image(picture, caption=title, width=280, output_format="PNG", alt=title)
    explain(
        "Difference: gray where both are alike, white where the follow-up is brighter, black where the baseline is, "
        "after both got one histogram. Ribs and borders that did not fit exactly show as pairs of lines.",
        "followup.difference",
    )


def registration_warning(fit: "Registration") -> str:
    """Where the follow-up cannot be laid over the baseline; else ""."""
    if fit.converged:
        return ""
    return (
        f"No shift, turn and scale lays the follow-up over the baseline (residual {fit.residual:.2f}; {_residuals()}). "
        "These two may not be comparable: another view, another patient, or a very different posture."
    )


def _residuals() -> str:
    """What the residuals of a registration mean."""
    from cxrkit.registration import LARGEST_RESIDUAL  # brings OpenCV, which the first page has no need of

    return (
        f"0 is a perfect fit; unrelated images have 0.6 to 0.9, and above {LARGEST_RESIDUAL:.2f} nothing is said to fit"
    )


def fit_in_words(fit: "Registration") -> str:
    """What has to be done to the follow-up so that it fits: the inverse of how it differs from the baseline."""
    right, down = fit.shift_share
    way = "counter-clockwise" if fit.rotation_degrees > 0 else "clockwise"
    return (
        f"The follow-up fits the baseline best when it is shifted by {percent(abs(right))} of its longer side to the "
        f"{'left' if right > 0 else 'right'} and {percent(abs(down))} {'up' if down > 0 else 'down'}, turned by "
        f"{abs(fit.rotation_degrees):.1f}° {way} and taken {1 / fit.scale:.2f} times as large."
    )


@st.cache_data(scope="session", max_entries=4, ttl=3600, show_spinner=False)
def _pictures(baseline: str, follow_up: str, _visits: tuple[Visit, Visit], _fit: "Registration") -> list[np.ndarray]:
    from cxrkit.pixels import resize
    from cxrkit.registration import difference, warp

    first, second = (visit.image.windowed() for visit in _visits)
    moved, known = warp(second, _fit, (first.shape[0], first.shape[1]))
    signed = difference(first, moved, known)
    scale = min(1.0, _LONGEST / max(first.shape))
    size = (max(1, round(first.shape[1] * scale)), max(1, round(first.shape[0] * scale)))
    return [
        np.round(np.clip(resize(np.asarray(values, np.float32), *size), 0, 1) * 255).astype(np.uint8)
        for values in (first, moved, signed / 2 + 0.5)
    ]


def registered_pictures(visits: tuple[Visit, Visit], fit: "Registration") -> list[tuple[str, np.ndarray]]:
    """Baseline, the follow-up in its frame, and their difference, as [H, W] uint8 with their captions."""
    titles = (visits[0].name, f"{visits[1].name}, laid over it", "Difference")
    pictures = _pictures(visits[0].image.sha256, visits[1].image.sha256, visits, fit)
    return list(zip(titles, pictures, strict=True))

"""A comparison on the screen: scores, the reading in words, and both images with their overlay."""

from typing import TYPE_CHECKING

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cxrkit.card import Card
from cxrkit.report import figure
from cxrkit.task import Task
from pages.ui.export import FAINTEST
from pages.ui.pair_reading import PairReading, speaks_of_change
from pages.ui.presenter import explain
from pages.ui.results import display_pixels
from pages.ui.viewer import Pane, viewer
from pages.ui.visits import Visit
from pages.ui.words import place, share

if TYPE_CHECKING:
    from cxrkit.explain import Method
    from cxrkit.explain_pair import Overlay

ABNORMAL, MORE = "abnormal", "more"
_POINTING = "pointing game, "


def pair_cards(task: Task, card: Card, visits: tuple[Visit, Visit], reading: PairReading) -> None:
    """Change, normal or abnormal of either image, the reading in words, and the direction."""
    prediction = reading.prediction
    columns = st.columns(1 + len(visits))
    with columns[0].container(border=True, height="stretch"):
        score = prediction.scores[task.positive]
        st.metric(f"Score for {task.positive}", share(score))
        st.markdown(
            f"{place(score, prediction.threshold).capitalize()}. Label at this threshold: **{prediction.label}**."
        )
    limit = card.thresholds.get(ABNORMAL)
    for column, visit, name in zip(columns[1:], visits, ("baseline", "follow-up"), strict=True):
        answer = prediction.further.get(name)
        if answer is None or limit is None:
            continue
        with column.container(border=True, height="stretch"):
            st.metric(f"{visit.name}: score for {ABNORMAL}", share(answer[ABNORMAL]))
            called = ABNORMAL if answer[ABNORMAL] >= limit else "normal"
            st.markdown(f"{place(answer[ABNORMAL], limit).capitalize()}: **{called}**.")
    st.markdown(f"**Reading.** {reading_in_words(card, reading, visits)} {direction_in_words(task, reading)}")
    for warning in prediction.warnings:
        st.warning(of_these(warning, visits), icon=":material/warning:")


def of_these(text: str, visits: tuple[Visit, Visit]) -> str:
    """A sentence on baseline and follow-up as one on these two, which may be any of a timeline's."""
    words = text
    for name, visit in zip(("Baseline", "Follow-up"), visits, strict=True):
        words = words.replace(name, visit.name).replace(name.lower(), visit.name.lower())
    return words


def reading_in_words(card: Card, reading: PairReading, visits: tuple[Visit, Visit]) -> str:
    """One of the four classes: normal or abnormal at either time, with or without change."""
    prediction = reading.prediction
    limit = card.thresholds.get(ABNORMAL)
    states = [prediction.further[name][ABNORMAL] for name in ("baseline", "follow-up") if name in prediction.further]
    changed = prediction.label == "change"
    if limit is None or len(states) < 2:
        return f"{prediction.label.capitalize()}."
    before, after = ("abnormal" if state >= limit else "normal" for state in states)
    if before == after:
        both = f"Both images read as {before}"
        return f"{both}, **with change** between them." if changed else f"{both}, **without change**."
    states_read = f"{visits[0].name} reads as {before}, {visits[1].name.lower()} as {after}"
    if changed:
        return f"{states_read}: **change**."
    return (
        f"{states_read}, yet **no change** is called: the two answers contradict each other, so trust neither without "
        "looking."
    )


def direction_in_words(task: Task, reading: PairReading) -> str:
    """Less or more abnormality at follow-up; that it isn't given where there is no change, or no ground to trust it."""
    if reading.prediction.label != task.positive:
        return "A direction is not given, because no change is called."
    answer = reading.prediction.further.get("direction")
    if answer is None:
        return (
            "Whether it is better or worse is not given: by its card this was not shown to beat chance on real pairs."
        )
    more = answer[MORE]
    called, score = ("more", more) if more >= 0.5 else ("less", 1 - more)
    return f"Direction: **{called} abnormality** at follow-up (score {share(score)})."


def pair_images(
    task: Task,
    card: Card,
    visits: tuple[Visit, Visit],
    reading: PairReading,
    key: str,
    matrix: NDArray[np.float64] | None,
) -> None:
    """The linked viewer with both images.

    Args:
        task: that compares.
        card: of the network.
        visits: baseline and follow-up.
        reading: of the two.
        key: of the viewer.
        matrix: [2, 3] from the baseline's pixel coordinates to the follow-up's; None where they do not fit.
    """
    panes = []
    for index, (visit, heatmap) in enumerate(zip(visits, reading.heatmaps, strict=True)):
        pixels, window = display_pixels(visit.image)
        remark = "" if visit.truth is None else " (simulated)"
        nothing = f": no evidence for “{reading.maps.label}”, no heatmap" if heatmap.empty else ""
        panes.append(
            Pane(
                title=f"{visit.name}{remark}{nothing}",
                pixels=pixels,
                window=window,
                spacing_mm=visit.image.spacing_mm,
                heatmap=None if heatmap.empty else heatmap.values,
                heatmap_box=None if heatmap.empty else heatmap.box,
                heatmap_label=overlay_label(reading),
                heatmap_signed=reading.overlay.signed,
                masks=visit.truth or (),
                digest=visit.image.sha256,
                window_step=visit.image.window_step,
                to_first=matrix if index else None,
            )
        )
    viewer(panes, key=key, compare=True)
    measured = ""
    if speaks_of_change(task, reading):
        measured = pointing_in_words(card, reading.overlay, reading.maps.method)
    explain(f"{_overlay_caption(reading, visits)}{measured}{_faint(reading)}", f"{key}.overlay")


def overlay_label(reading: PairReading) -> str:
    """What the legend says of the colours."""
    if reading.overlay.of_lesions:
        return f"{reading.overlay}, probability"
    return f"{reading.overlay}, {reading.maps.method} for {reading.maps.label}"


def overlay_meaning(overlay: "Overlay") -> str:
    """What an overlay shows, as sentences."""
    from cxrkit.explain_pair import Overlay

    meaning = {
        Overlay.INTERSECTION: "Where both images' maps are strong: the pixelwise minimum.",
        Overlay.OWN: "On each image its own map.",
        Overlay.UNION: "Where either image's map is strong: the pixelwise maximum.",
        Overlay.PRODUCT: "The product of both maps.",
        Overlay.SIGNED_DIFFERENCE: "Red where the follow-up's map is stronger, blue where the baseline's is.",
        Overlay.LESION_CHANGE: "Red where the network sees a lesion at follow-up and saw none at baseline, blue where "
        "it sees one no more: the difference of its probabilities.",
        Overlay.LESIONS: "On each image where the network sees a lesion: its probability.",
    }[overlay]
    scaled = (
        "It is not scaled: 1 is certain."
        if overlay.of_lesions
        else "Each map is scaled from its own minimum to its own maximum first, so a weak map looks as strong as a "
        "strong one."
    )
    return f"{meaning} {scaled}"


def _overlay_caption(reading: PairReading, visits: tuple[Visit, Visit]) -> str:
    first, second = (f"{maximum:.3g}".replace("-", "−") for maximum in reading.maps.maxima)
    meaning = overlay_meaning(reading.overlay)
    joined = "Both are joined in the frame of what the network read, the square around the lungs."
    if reading.overlay.of_lesions:
        return f"{meaning} {joined} These maps are ours, not the source's."
    return (
        f"{meaning} Raw maxima: {visits[0].name.lower()} {first}, {visits[1].name.lower()} {second}; near 0 they mean "
        f"little, and below it nothing in that image speaks for “{reading.maps.label}”. {joined}"
    )


def pointing_in_words(card: Card, overlay: "Overlay", method: "Method") -> str:
    """How often this overlay's strongest point lay on what had changed, by the card; nothing where it was not measured.

    Args:
        card: of the network.
        overlay: the one shown.
        method: of the maps.
    """
    from cxrkit.explain_pair import INTERSECTION_BY_METHOD, Overlay

    figures = {metric.name: metric for metric in reversed(card.metrics) if metric.name.startswith(_POINTING)}
    told = {one: figure(figures[name]) for one in Overlay if (name := _POINTING + one.lower()) in figures}
    rows = card.tables.get(INTERSECTION_BY_METHOD, [])
    by_method = {str(row["method"]): str(row["all"]) for row in rows}
    if method in by_method:
        told[Overlay.INTERSECTION] = by_method[method]
    chance = figures.get(f"{_POINTING}chance")
    if overlay not in told or chance is None:
        return ""
    better = ""
    if overlay == Overlay.INTERSECTION and Overlay.LESION_CHANGE in told:
        better = f"; that of “{Overlay.LESION_CHANGE}” in {told[Overlay.LESION_CHANGE]}"
    return (
        f" On {chance.cases} pairs made of radiographs set aside, with a lesion that came, went, grew or shrank, its "
        f"strongest point lay on that lesion in **{told[overlay]}** of them{better}; by chance {chance.value:.2f}."
    )


def _faint(reading: PairReading) -> str:
    """A word where the viewer starts by hiding all of the overlay, as it does where two maps hardly meet."""
    strongest = max(float(np.abs(heatmap.values).max()) for heatmap in reading.heatmaps)
    if strongest >= FAINTEST or all(heatmap.empty for heatmap in reading.heatmaps):
        return ""
    reason = "nothing of it is near certain" if reading.overlay.of_lesions else "the two maps hardly meet"
    return (
        f" **The strongest point of this overlay is only {strongest:.2f}**: {reason}. Lower “Hide "
        "below” to see it, or choose another overlay."
    )

"""Findings on the screen: bars with thresholds, what is called, heatmaps side by side, what each label rests on."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.card import Card
from cxrkit.finding_reading import FindingsReading
from cxrkit.image import Radiograph
from cxrkit.lungs import heat_share
from cxrkit.task import Task
from pages.ui.charts import show_figure, shown_height
from pages.ui.finding_plot import score_figure, score_height
from pages.ui.finding_question import open_label
from pages.ui.finding_view import FindingsView, Shown
from pages.ui.finding_words import (
    NOT_RISK,
    called_in_words,
    interval_in_words,
    name_of,
    names,
    never_called_in_words,
    support_rows,
    weakly_told_in_words,
)
from pages.ui.presenter import explain
from pages.ui.results import pane
from pages.ui.truth import Truth
from pages.ui.viewer import Pane, viewer
from pages.ui.words import edits_in_words, percent, place, points, share

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator

    from cxrkit.rollout import Rollout


def called_findings(views: Sequence[FindingsView], card: Card) -> None:
    """What is called, and which of it rests on little; what the edits moved; warnings.

    Args:
        views: the unedited one, and the edited one where there are edits.
        card: of the network.
    """
    reading = views[-1].findings
    _cards(reading)
    if weak := weakly_told_in_words(reading, card):
        st.markdown(weak)
    if len(views) > 1:
        st.markdown(movement_in_words(views[0].findings, reading))
        st.caption(f"Edits: {edits_in_words(views[-1].edits)}.")
    for warning in views[-1].prediction.warnings:
        st.warning(warning, icon=":material/warning:")


def place_for_bars(reading: FindingsReading) -> "DeltaGenerator":
    """A place as high as the bars, which `score_bars` fills, and below it how to read them."""
    place = st.container(height=shown_height(score_height(reading)), border=False)
    st.markdown(NOT_RISK)
    explain(
        "Sorted by how far a score lies above its threshold. Whiskers: the 95 % interval of the share of images with "
        f"the label among those of this score, by the calibration images alone. {never_called_in_words(reading)}",
        "nih14.bars",
    )
    return place


def score_bars(task: Task, views: Sequence[FindingsView]) -> None:
    """The bars, of which a click opens the label.

    A browser takes a third of a second to draw them: the radiograph should be there by then.

    Args:
        task: of the page.
        views: as of `called_findings`.
    """
    chart = f"{task.name}.bars"
    show_figure(
        score_figure(views[-1].findings, views[0].findings if len(views) > 1 else None),
        key=chart,
        on_select=partial(open_label, task, chart),
        alt="Score of each label with its threshold and interval; the table below holds the same numbers.",
    )


def _cards(reading: FindingsReading) -> None:
    """How many labels are called, and the first of the bars."""
    may = [finding for finding in reading.findings if finding.threshold is not None]
    first = reading.by_excess()[0]
    where = (
        f"Never called: {first.remark}."
        if first.threshold is None
        else f"{place(first.score, first.threshold).capitalize()}."
    )
    cards = (
        ("Called labels", f"{len(reading.called)} of {len(may)}", called_in_words(reading)),
        (f"Score for {name_of(first.label).lower()}", share(first.score), f"The first of the bars. {where}"),
    )
    for column, (title, value, words) in zip(st.columns(len(cards)), cards, strict=True):
        with column.container(border=True, height="stretch"):
            st.metric(title, value)
            st.markdown(words)


def movement_in_words(before: FindingsReading, after: FindingsReading) -> str:
    """What the edits did: the score that moved most, and the calls that changed."""
    moved = {b.label: a.score - b.score for b, a in zip(before.findings, after.findings, strict=True)}
    most = max(moved, key=lambda label: abs(moved[label]))
    came = [label for label in after.called if label not in before.called]
    went = [label for label in before.called if label not in after.called]
    parts = [f"The edits move {name_of(most).lower()} most, by {points(moved[most])}."]
    parts += [f"Now called: **{names(came)}**."] if came else []
    parts += [f"No longer called: **{names(went)}**."] if went else []
    return " ".join(parts if came or went else [*parts, "What is called stays the same."])


@st.fragment
def score_table(task: Task, reading: FindingsReading) -> None:
    """The bars' numbers; made when opened."""
    section = st.expander("Scores as a table", icon=":material/table:", key=f"{task.name}.table", on_change="rerun")
    if section.open:
        section.dataframe(score_rows(reading), hide_index=True, width="stretch", placeholder="–")


def score_rows(reading: FindingsReading) -> list[dict[str, str]]:
    """A row a label in the order of the bars."""
    return [
        {
            "Label": name_of(finding.label),
            "Score": share(finding.score),
            "95 % interval": interval_in_words(finding),
            "Called from": "never" if finding.threshold is None else share(finding.threshold),
            "Called": "yes" if finding.called else "no",
            "Remark": finding.remark,
        }
        for finding in reading.by_excess()
    ]


def label_images(
    image: Radiograph, shown: Sequence[Shown], rollout: "Rollout | None", key: str, truth: Truth | None
) -> None:
    """The viewer with a pane for each label, and one for the rollout; the crop box lies on the first.

    Args:
        image: in full.
        shown: a view of it for each label.
        rollout: of the same view; None = it is not asked for.
        key: of the viewer.
        truth: what lies where in a simulated image; None of an upload.
    """
    st.markdown(
        "**Display** – what you change here changes only what you see, apart from the crop box, which is model input."
    )
    remark = "" if truth is None else " (simulated)"
    panes = []
    for index, each in enumerate(shown):
        crop = None if index else each.prepared.placements[0].box
        panes.append(pane(image, each, f"{name_of(each.heatmap.label)}{remark}", masks=truth or (), crop=crop))
    if rollout is not None:
        panes.append(_rollout_pane(panes[0], rollout, remark))
    viewer(panes, key=key, crop_enabled=True)
    if rollout is not None:
        explain(
            "Attention rollout: from which patches the transformer's answer token gathers, through all blocks, from "
            f"its weakest to its strongest patch; the strongest has {rollout.strongest:.1f} times an even share. It is "
            "the same for all labels. Attention is no evidence for a finding.",
            f"{key}.rollout",
        )


def _rollout_pane(first: Pane, rollout: "Rollout", remark: str) -> Pane:
    return replace(
        first,
        title=f"Attention rollout{remark}",
        heatmap=rollout.values,
        heatmap_box=rollout.box,
        heatmap_label="Attention rollout, all labels",
        crop=None,
    )


def where_the_heat_lies(shown: Shown) -> None:
    """Share of the heat inside the lungs, where they were looked for and found."""
    field, box = shown.prepared.lungs[0], shown.heatmap.box
    if field is None or shown.heatmap.empty:
        return
    shape = shown.prepared.placements[0].image_shape
    heat = heat_share(field, shown.heatmap.values, box, shape)
    even = heat_share(field, shown.heatmap.values * 0 + 1, box, shape)
    if heat is not None and even is not None:
        st.markdown(
            f"Inside the lungs: **{percent(heat)}** of this heat; spread evenly it would be {percent(even)}. The "
            "heart, the pleura's edge and the diaphragm lie outside of what counts as lungs here."
        )


def label_support(task: Task, card: Card) -> None:
    """What each label rests on, as a table."""
    rows = support_rows(card)
    if not rows:
        st.markdown("The card of these weights says nothing of single labels.")
        return
    st.markdown(
        "**What each label rests on.** The AUC was measured on patients that the network had not learned from; 0.5 is "
        "chance. Where the interval reaches down to 0.5, the score may be worth nothing."
    )
    st.dataframe(rows, hide_index=True, width="stretch", placeholder="–", key=f"{task.name}.support")

"""Are the findings right? For simulated chests, of which it is known what is there, and for what the user knows."""

import streamlit as st

from cxrkit.finding_labels import NO_FINDING
from cxrkit.finding_reading import FindingsReading
from cxrkit.finding_truth import LABEL_OF_LESION, Comparison, compare_findings, labels_of_lesions
from cxrkit.image import Radiograph
from cxrkit.localisation import localise
from cxrkit.task import Task
from pages.ui.finding_view import Shown
from pages.ui.finding_words import name_of, names
from pages.ui.presenter import explain
from pages.ui.truth import Truth, sentence
from pages.ui.words import listed

_OUTCOMES = {
    "right": "✓ right",
    "missed": "✗ missed",
    "extra": "✗ extra",
    "never called": "– never called by this network",
}


def against_truth(image: Radiograph, truth: Truth, reading: FindingsReading, shown: list[Shown]) -> None:
    """Actual against called findings, and whether the heatmaps on the screen lie on what is there.

    Args:
        image: simulated.
        truth: every lesion of it.
        reading: what was said of it.
        shown: the views on the screen.
    """
    st.subheader("Is it right?", anchor=False)
    actual, without = labels_of_lesions(lesion for lesion, _ in truth)
    st.markdown(_in_words(actual, without, reading))
    _table(actual, reading)
    for each in shown:
        _where(image, truth, each)
    st.caption(
        "A simulated chest is drawn from rules: an error on one says little about the error on a patient. In "
        "ChestX-ray14 the same shadow may be labelled consolidation, infiltration or pneumonia, so an extra one of "
        "these beside a consolidation is no plain error."
    )


def against_known(task: Task, image_sha256: str, reading: FindingsReading) -> None:
    """Ask what is there, which no answer needs, and hold the called findings against it.

    Args:
        task: of the page.
        image_sha256: of the image; what is known of one is not known of the next.
        reading: what was said of it.
    """
    st.subheader("Is it right?", anchor=False)
    known: list[str] = st.multiselect(
        "Findings that are known to be there",
        (NO_FINDING, *task.labels),
        format_func=lambda label: label if label == NO_FINDING else name_of(label),
        max_selections=len(task.labels),  # without it all of them at once are offered, which no chest has
        key=f"{task.name}.known.{image_sha256[:16]}",
        placeholder="If you know them, from a report or a label",
        persist_state="session",
    )
    if not known:
        return
    if NO_FINDING in known and len(known) > 1:
        st.warning(f"“{NO_FINDING}” and findings cannot both be right. Take one of them out.", icon=":material/rule:")
        return
    actual = frozenset(known) - {NO_FINDING}
    st.markdown(_in_words(actual, (), reading))
    _table(actual, reading)
    explain(
        "Labels of ChestX-ray14 were read out of reports by a program, and one shadow may be labelled consolidation, "
        "infiltration or pneumonia. One image says little about a network: its figures are below.",
        f"{task.name}.known",
    )


def _table(actual: frozenset[str], reading: FindingsReading) -> None:
    rows = compare_findings(actual, reading)
    if rows:
        st.dataframe([_row(one) for one in rows], hide_index=True, width="stretch", placeholder="–")


def _in_words(actual: frozenset[str], without: tuple[str, ...], reading: FindingsReading) -> str:
    order = [finding.label for finding in reading.findings if finding.label in actual]
    there = f"**Actual findings:** {names(order)}." if order else "**Actual findings:** none of the 14 labels."
    unnamed = f" A {listed(without)} is there, for which there is no label." if without else ""
    called = f"**Called:** {names(reading.called)}." if reading.called else "**Called:** nothing."
    return f"{there}{unnamed} {called}"


def _row(one: Comparison) -> dict[str, str]:
    return {
        "Finding": name_of(one.label),
        "Actual": "there" if one.actual else "not there",
        "Network": "called" if one.called else "not called",
        "Outcome": _OUTCOMES[one.outcome],
    }


def _where(image: Radiograph, truth: Truth, shown: Shown) -> None:
    """Heat of a label against the lesions that carry it."""
    heatmap, spacing = shown.heatmap, image.spacing_mm
    title = f"Heatmap for {name_of(heatmap.label).lower()}"
    masks = [(lesion, mask) for lesion, mask in truth if LABEL_OF_LESION.get(lesion) == heatmap.label]
    if heatmap.empty:
        st.markdown(f"**{title}.** No positive evidence: there is no heat to compare.")
    elif not masks:
        st.markdown(f"**{title}.** This finding is not there, so nothing that the map marks is a sign of it.")
    for lesion, mask in masks if not heatmap.empty else ():
        found = localise(heatmap.values, heatmap.box, mask)
        st.markdown(sentence(f"{title}, {lesion}", found, spacing and spacing[0]))

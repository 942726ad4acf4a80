"""What the threshold means: sensitivity, specificity, ROC and predictive values, from the scores beside the weights."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from string import ascii_uppercase

import streamlit as st

from cxrkit.card import Card
from cxrkit.errors import WeightsError
from cxrkit.metrics import Interval
from cxrkit.operating_point import (
    WHO_TRIAGE,
    Crowd,
    OperatingPoint,
    PartCurve,
    carries_over,
    crowds,
    differ_widely,
    operating_point,
    part_curve,
    screening,
)
from cxrkit.scores import FILE, ScoredPart, read_scores
from cxrkit.task import Task
from pages.ui import models
from pages.ui.charts import show_figure
from pages.ui.roc_plot import Plotted, roc_figure
from pages.ui.words import percent, percent_interval, share

OPTIMISTIC = "optimistic: same archives as training"
PREVALENCES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5)


@dataclass(frozen=True, eq=False)
class _Judged:
    """A part, cross-family ones first, with a letter for its name."""

    letter: str
    part: ScoredPart
    curve: PartCurve


def operating_point_of(task: Task, card: Card, threshold: float) -> None:
    """The section: figures at the threshold, ROC, predictive values at a prevalence.

    Args:
        task: whose scores are judged.
        card: of its weights, for the temperature.
        threshold: as chosen on the page, in [0, 1].
    """
    st.subheader("Operating point", anchor=False)
    try:
        judged = _judged(task)
    except WeightsError as error:
        st.info(
            f"The operating point is unknown: sensitivity and specificity at a threshold cannot be shown. {error} "
            f"Make them with: `{task.train_command}`",
            icon=":material/help:",
        )
        return
    points = [operating_point(each.part, threshold) for each in judged]
    st.markdown(
        f"Sensitivity and specificity where {task.positive} is called from a score of **{share(threshold)}**, on "
        "images with known answers. Figures follow the threshold above; 95 % intervals in brackets."
    )
    for column, each, point in zip(st.columns(len(judged), border=True), judged, points, strict=True):
        column.markdown(_card(task, each, point))
    _say_whether_it_carries_over(judged, points)
    _roc(task, judged, points)
    _prevalence(task, judged, points)
    st.caption(_small_print(task, card))


def _judged(task: Task) -> tuple[_Judged, ...]:
    file = models.WEIGHTS / task.name / FILE
    digest = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
    return _judge(digest, task)


@st.cache_resource(max_entries=8, show_spinner=False)
def _judge(scores_sha256: str, _task: Task) -> tuple[_Judged, ...]:
    # The digest names the content, so it is the whole key.
    parts = sorted(read_scores(models.WEIGHTS / _task.name), key=lambda part: part.optimistic)
    return tuple(_Judged(ascii_uppercase[index], part, part_curve(part)) for index, part in enumerate(parts))


def _card(task: Task, judged: _Judged, point: OperatingPoint) -> str:
    """Everything about one part at the threshold."""
    counts = point.counts
    badge = f":orange-badge[{OPTIMISTIC}]\n\n" if judged.part.optimistic else ""
    auc = judged.curve.auc
    return (
        f"**{judged.letter}.** {judged.part.name[:1].upper()}{judged.part.name[1:]}\n\n{badge}"
        f"Sensitivity **{percent_interval(point.sensitivity)}**  \n"
        f"{counts.tp:,} of {counts.tp + counts.fn:,} images with {task.positive} called\n\n"
        f"Specificity **{percent_interval(point.specificity)}**  \n"
        f"{counts.tn:,} of {counts.tn + counts.fp:,} images without it not called\n\n"
        f"Area under the ROC curve **{auc.value:.3f}** ({auc.low:.3f} to {auc.high:.3f})\n\n"
        f"{WHO_TRIAGE.name}: {_target(judged, point)}"
    )


def _target(judged: _Judged, point: OperatingPoint) -> str:
    if point.surely_meets(WHO_TRIAGE):
        return "**met** at this threshold, also by the lower ends of both intervals."
    if point.meets(WHO_TRIAGE):
        return "**met** at this threshold, but an interval reaches below it."
    if judged.curve.reaches(WHO_TRIAGE):
        return "**not met** at this threshold. Another one, picked on these same images, would meet it."
    return "**not met** at this threshold, nor at any other."


def _say_whether_it_carries_over(judged: Sequence[_Judged], points: Sequence[OperatingPoint]) -> None:
    """Does one threshold do the same on all archives? Of cross-family parts, if there are two."""
    pairs = [(each, point) for each, point in zip(judged, points, strict=True) if not each.part.optimistic]
    if len(pairs) < 2:
        pairs = list(zip(judged, points, strict=True))
    if len(pairs) < 2:
        return
    found = "; ".join(
        f"{each.letter} has {percent_interval(point.sensitivity, ends=False)} sensitivity and "
        f"{percent_interval(point.specificity, ends=False)} specificity"
        for each, point in pairs
    )
    if carries_over([point for _, point in pairs]):
        st.markdown(f"At this threshold the parts agree roughly: {found}.")
        return
    why = (
        "Where one rises the other falls: the scores as a whole are shifted from archive to archive."
        if any(_shifted(a, b) for (_, a), (_, b) in combinations(pairs, 2))
        else "The images of some archives are harder for the network than those of others."
    )
    st.warning(
        f"This threshold does not carry over from archive to archive: {found}. {why} Find a threshold on your own "
        "images before you count anything.",
        icon=":material/swap_vert:",
    )


def _shifted(a: OperatingPoint, b: OperatingPoint) -> bool:
    """One threshold does something else, and what one share gains the other loses."""
    apart = differ_widely(a.sensitivity, b.sensitivity) or differ_widely(a.specificity, b.specificity)
    gain = (a.sensitivity.value - b.sensitivity.value) * (a.specificity.value - b.specificity.value)
    return apart and gain < 0


@st.fragment
def _roc(task: Task, judged: Sequence[_Judged], points: Sequence[OperatingPoint]) -> None:
    """The curves, made when they are asked for: the browser takes a second to load what draws them."""
    title = f"ROC curves, with the {WHO_TRIAGE.name} marked"
    section = st.expander(title, icon=":material/show_chart:", key=f"{task.name}.roc.open", on_change="rerun")
    if not section.open:
        return
    plotted = [
        Plotted(each.letter, each.part.optimistic, each.curve, point)
        for each, point in zip(judged, points, strict=True)
    ]
    with section:
        show_figure(
            roc_figure(plotted, WHO_TRIAGE, task.positive),
            key=f"{task.name}.roc",
            alt="ROC curves of all parts, the present threshold on each, and the WHO target; the figures stand above.",
        )


@st.fragment
def _prevalence(task: Task, judged: Sequence[_Judged], points: Sequence[OperatingPoint]) -> None:
    """Predictive values; the control reruns this part of the page alone."""
    prevalence = st.select_slider(
        f"Prevalence: how many of the people screened have {task.positive}",
        PREVALENCES,
        value=0.01,
        format_func=_prevalence_in_words,
        key=f"{task.name}.prevalence",
        persist_state="session",
    )
    people = crowds(points, prevalence)
    for column, each, point, many in zip(st.columns(len(judged), gap="medium"), judged, points, people, strict=True):
        note = f" :orange-badge[{OPTIMISTIC}]" if each.part.optimistic else ""
        column.markdown(
            f"**{each.letter}.**{note} {_crowd(task, many, prevalence)}\n\n{_values(task, point, prevalence)}"
        )
    st.caption(
        "PPV and NPV: positive and negative predictive value. A confirmatory test, such as a sputum culture or a "
        "molecular test, is counted for everyone called. Their intervals hold both sensitivity and specificity at the "
        "ends of theirs, so they are rather too wide than too narrow; the prevalence counts as exact."
    )


def _prevalence_in_words(prevalence: float) -> str:
    return f"{100 * prevalence:g} %"


def _crowd(task: Task, people: Crowd, prevalence: float) -> str:
    return (
        f"Of {people.people:,} people screened at {_prevalence_in_words(prevalence)} prevalence, {people.diseased:,} "
        f"have {task.positive}. The network would call **{people.called:,}** people: **{people.found:,}** of the "
        f"{people.diseased:,} who have {task.positive}; it would miss **{people.missed:,}**."
    )


def _values(task: Task, point: OperatingPoint, prevalence: float) -> str:
    found = screening(point, prevalence)
    ppv = (
        "- PPV: undefined, nobody is called"
        if found.ppv is None
        else f"- PPV **{percent_interval(found.ppv)}** of those called have {task.positive}"
    )
    npv = (
        "- NPV: undefined, everybody is called"
        if found.npv is None
        else f"- NPV **{percent_interval(found.npv)}** of those not called do not have it"
    )
    if found.tests_per_case is None or found.screened_per_case is None:
        return f"{ppv}\n{npv}\n- No case is found, so there are no tests per case found"
    return (
        f"{ppv}\n{npv}\n- Tests per case found **{_count(found.tests_per_case)}**\n"
        f"- People screened per case found **{_count(found.screened_per_case)}**"
    )


def _count(interval: Interval) -> str:
    """ "3.1 (1.8 to 5.9)"; "3.1 (1.8 upwards)" where there is no upper end."""
    digits = 1 if interval.value < 100 else 0
    end = f"to {interval.high:,.{digits}f}" if interval.high != float("inf") else "upwards"
    return f"{interval.value:,.{digits}f} ({interval.low:,.{digits}f} {end})"


def _small_print(task: Task, card: Card) -> str:
    return (
        "Intervals are over images, not over patients or hospitals: another hospital can lie outside all of them. "
        "“Cross-family” parts were scored by networks of the same recipe that saw none of the images they were "
        "tested on; one archive may still feed several sets (see the notes under “About this model”). The network of "
        "this page was trained on the training parts of all of these sets. Scores are temperature-scaled "
        "probabilities: the "
        f"network's outputs are divided by the card's temperature, {card.temperature:.3f}, and say nothing about a "
        f"person's risk of {task.positive} at another prevalence. {WHO_TRIAGE.name}: sensitivity at least "
        f"{percent(WHO_TRIAGE.sensitivity)} and specificity at least {percent(WHO_TRIAGE.specificity)}. "
        f"{WHO_TRIAGE.source}."
    )

"""A question that has been answered: truth, network and learner side by side, and a sentence for each."""

from dataclasses import replace
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.quiz.judging import Mark, Outcome, Read, hotter_than, judge
from cxrkit.quiz.pack_case import PackCase
from cxrkit.quiz.question import Material, Question, is_positive
from pages.ui.models import load_libraries
from pages.ui.presenter import explain
from pages.ui.quiz_case import NEXT, plain_panes
from pages.ui.quiz_network import NetworkAnswer, ask_network, guard_words
from pages.ui.quiz_state import KEY, VIEWER, Given, Run, go_on, record
from pages.ui.quiz_words import short_reading, truth_in_words, verdict, where
from pages.ui.viewer import Pane, viewer
from pages.ui.words import percent

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def show_answer(run: Run, question: Question, material: Material, given: Given) -> None:
    """Ask the network now, and hold both answers to the truth.

    Raises:
        WeightsError: weights are missing, altered or do not fit.
        InputError: the network needs something that is not known.
    """
    load_libraries()
    with st.spinner("The network reads the case …"):
        network = ask_network(question, material)
    learner = judge(question, material, given.reading, given.mark)
    judged = judge(question, material, network.reading, network.point)
    record(_outcome(run, question, material, network, learner, judged))
    if len(material.images) == 2:
        viewer(_pair_panes(question, material, given, network), key=VIEWER, compare=True)
    else:
        viewer(_panes(question, material, given, network), key=VIEWER)
    _sentences(question, material, given, network, learner, judged)
    last = run.place + 1 == len(run.questions)
    st.button(
        "To the score" if last else "Next case",
        key=f"{KEY}.next",
        type="primary",
        icon=":material/scoreboard:" if last else ":material/arrow_forward:",
        shortcut=NEXT,
        on_click=go_on,
    )
    if legend := _legend(material, given, network):
        explain(legend, f"{KEY}.legend")


def _outcome(
    run: Run, question: Question, material: Material, network: NetworkAnswer, learner: Read, judged: Read
) -> Outcome:
    return Outcome(
        question=question.key,
        quiz=run.name,
        task=question.task,
        number=question.number,
        level=question.level,
        truth=question.truth,
        region=any(region is not None for region in material.regions),
        score=network.score,
        learner=learner,
        network=judged,
        nickname=run.nickname,
        weights=network.weights,
    )


def _panes(question: Question, material: Material, given: Given, network: NetworkAnswer) -> list[Pane]:
    """One image three times: with the truth, with the network's heatmap, with the learner's mark."""
    (plain,) = plain_panes(material)
    outlined = replace(plain, masks=_masks(question, material, 0))
    mark = None if given.mark is None else (given.mark.x, given.mark.y)
    return [
        replace(outlined, title=f"Truth: {short_reading(question.truth)}"),
        _with_heat(outlined, network, 0, f"Network: {short_reading(network.reading)}"),
        replace(
            outlined,
            title=f"You: {short_reading(given.reading)}{'' if mark else ', nothing marked'}",
            mark=mark,
        ),
    ]


def _pair_panes(question: Question, material: Material, given: Given, network: NetworkAnswer) -> list[Pane]:
    """Baseline and follow-up, each with everything on it."""
    panes = []
    for number, plain in enumerate(plain_panes(material)):
        marked = given.mark if given.mark is not None and given.mark.image == number else None
        pane = replace(
            plain,
            masks=_masks(question, material, number),
            mark=None if marked is None else (marked.x, marked.y),
        )
        panes.append(_with_heat(pane, network, number, plain.title))
    return panes


def _with_heat(pane: Pane, network: NetworkAnswer, number: int, title: str) -> Pane:
    heatmap = network.heatmap(number)
    if heatmap is None:
        return replace(pane, title=f"{title}: no evidence, no heatmap")
    return replace(
        pane,
        title=title,
        heatmap=heatmap.values,
        heatmap_box=heatmap.box,
        heatmap_label=network.legend,
        heatmap_signed=network.signed,
    )


def _masks(question: Question, material: Material, number: int) -> "tuple[tuple[str, NDArray[np.bool_]], ...]":
    region = material.regions[number]
    return () if region is None else ((_what(question), region),)


def _what(question: Question) -> str:
    """The region's name on the legend."""
    simulated = not isinstance(question.source, PackCase)
    return question.what if simulated and question.what else "what is to be found"


def _sentences(
    question: Question, material: Material, given: Given, network: NetworkAnswer, learner: Read, judged: Read
) -> None:
    """Truth, learner and network, one card each."""
    pack = isinstance(question.source, PackCase)
    cards = (
        ("The truth", truth_in_words(question), _truth(question), question.what if pack else ""),
        ("You", verdict(learner), _learner(question, material, given, network, learner), ""),
        ("The network", verdict(judged), _network(question, network, judged), ""),
    )
    for column, (title, head, words, note) in zip(st.columns(3), cards, strict=True):
        with column.container(border=True, height="stretch"):
            st.markdown(f"{title}")
            st.subheader(head[:1].upper() + head[1:], anchor=False)
            st.markdown(words)
            if note:
                st.text(note)  # a stranger's: as Markdown it could fetch an address
    if pack:
        for reasons in guard_words(question, material):
            st.warning(f"{reasons} The network's answer means little.", icon=":material/warning:")


def _truth(question: Question) -> str:
    if isinstance(question.source, PackCase):
        return f"As the pack says, row {question.source.row} of its table."
    level = {"easy": "Easy", "medium": "Medium", "hard": "Hard"}.get(question.level or "", "")
    return f"{level}. Simulated: no patient."


def _learner(question: Question, material: Material, given: Given, network: NetworkAnswer, read: Read) -> str:
    parts = [f"You read **{short_reading(given.reading)}**."]
    if read.mark is not None:
        parts.append(f"Your mark {where(read.mark, _region(question))}.")
    elif question.located:
        parts.append(_unplaced(question, given))
    if given.mark is not None:
        parts.append(_heat_at(given.mark, material, network))
    return " ".join(parts)


def _heat_at(mark: Mark, material: Material, network: NetworkAnswer) -> str:
    """How strong the network's evidence is where the learner marked; "" where it has none at all."""
    heatmap = network.heatmap(mark.image)
    if heatmap is None:
        return ""
    height, width = material.images[mark.image].values.shape
    share = hotter_than(network.strength(mark.image), heatmap.box, (height, width), mark)
    if share is None:
        return "The network did not read the place of your mark."
    if share == 0:
        return "The network has no heat at your mark."
    return f"The network's heat at your mark is stronger than on {percent(share)} of what it read."


def _network(question: Question, network: NetworkAnswer, read: Read) -> str:
    parts = [network.words]
    if network.point is None:
        parts.append("There is no evidence to show, so no heatmap.")
    elif read.mark is not None:
        parts.append(f"The heatmap's strongest point {where(read.mark, _region(question))}.")
    elif question.located:
        parts.append(
            "Where it is, is not known."
            if is_positive(question.task, str(question.truth))
            else "There is nothing to mark here, so no place that the heatmap marks is right."
        )
    return " ".join(parts)


def _unplaced(question: Question, given: Given) -> str:
    """A place that was not marked, or a mark that cannot be held to a region."""
    there = is_positive(question.task, str(question.truth))
    if given.mark is None:
        return (
            "You marked nothing; there is something to mark." if there else "You marked nothing, and nothing is there."
        )
    return "Whether your mark is right is not known." if there else "You marked a place where nothing is to be found."


def _region(question: Question) -> str:
    return "what has changed" if question.task == "followup" else "it" if question.task == "nih14" else "the lesion"


def _legend(material: Material, given: Given, network: NetworkAnswer) -> str:
    parts = []
    if any(network.heatmap(number) is not None for number in range(len(material.images))):
        parts.append(network.meaning)
    if any(region is not None for region in material.regions):
        parts.append("Dashes outline the truth.")
    if given.mark is not None:
        parts.append("The ring is your mark.")
    return " ".join(parts)

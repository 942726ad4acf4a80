"""NIH chest findings: choose an image, read 14 scores, open the heatmaps of labels side by side."""

import streamlit as st

from cxrkit.image import Radiograph
from cxrkit.task import ModelInput
from cxrkit.tasks.nih14 import NIH14 as TASK
from pages.ui.about import about_model
from pages.ui.answer_first import answer_first
from pages.ui.errors import errors_shown
from pages.ui.finding_export import finding_downloads
from pages.ui.finding_question import ask_findings
from pages.ui.finding_results import (
    called_findings,
    label_images,
    label_support,
    place_for_bars,
    score_bars,
    score_table,
    where_the_heat_lies,
)
from pages.ui.finding_training import training_for_teaching
from pages.ui.finding_truth import against_known, against_truth
from pages.ui.finding_view import read_findings_of, rollout_of, show_label
from pages.ui.finding_words import pointing_in_words
from pages.ui.model_input import model_input
from pages.ui.models import load, read_task_card
from pages.ui.one_image import one_image
from pages.ui.presenter import explain
from pages.ui.results import file_facts, what_was_read
from pages.ui.samples import CHESTS
from pages.ui.shell import page
from pages.ui.tabs import kept_tabs
from pages.ui.truth import Truth

VIEWER = f"{TASK.name}.viewer"
TABS = ("What each label rests on", "How the network learned")


def analyse(image: Radiograph, truth: Truth | None) -> None:
    """What is called on top, heatmaps on the left, bars and controls on the right; the controls run first."""
    from cxrkit.rollout import has_attention  # brings torch

    loaded = load(TASK)
    above = st.container()
    left, right = st.columns([2, 1], gap="medium")
    views = [read_findings_of(loaded, image, ModelInput())]
    with right:
        bars = place_for_bars(views[0].findings)
        question = ask_findings(TASK, image.sha256, views[0].findings, attention=has_attention(loaded))
        edits = model_input(TASK, image, views[0].prepared.placements[0].box, VIEWER)
    if edits != ModelInput():
        views.append(read_findings_of(loaded, image, edits))
    with above:
        called_findings(views, loaded.card)
    shown = [show_label(loaded, image, views[-1], label, question.method) for label in question.labels]
    with left:
        rollout = rollout_of(loaded, image, views[-1]) if question.rollout else None
        label_images(image, shown, rollout, VIEWER, truth)
        if words := pointing_in_words(loaded.card):
            explain(words, f"{TASK.name}.pointing")
        answer_first(TASK.name, image.sha256)
        with bars:
            score_bars(TASK, views)
        if truth is not None:
            against_truth(image, truth, views[-1].findings, shown)
        else:
            against_known(TASK, image.sha256, views[-1].findings)
        first = [show_label(loaded, image, view, question.labels[0], question.method) for view in views]
        what_was_read(first, where_the_heat_lies)
    score_table(TASK, views[-1].findings)
    finding_downloads(TASK, loaded.card, image, views, shown[0], truth)
    file_facts(TASK, image)


with page(TASK.title, TASK.summary):
    card = read_task_card(TASK)
    with errors_shown():
        chosen = one_image(TASK, "Frontal chest radiograph", CHESTS, VIEWER)
        if chosen is not None:
            analyse(chosen.image, chosen.truth)
    support, training = kept_tabs(TABS, f"{TASK.name}.tabs")
    if support.open:
        with support:
            label_support(TASK, card)
    if training.open:
        with training:
            training_for_teaching(TASK)
    about_model(TASK, card)

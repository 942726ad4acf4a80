"""Tuberculosis screening: choose an image, read score and heatmap, edit what the network reads."""

import streamlit as st

from cxrkit.image import Radiograph
from cxrkit.task import ModelInput
from cxrkit.tasks.tuberculosis import TUBERCULOSIS as TASK
from pages.ui.about import about_model
from pages.ui.analysis import read_with
from pages.ui.answer_first import answer_first
from pages.ui.errors import errors_shown
from pages.ui.export import downloads
from pages.ui.model_input import model_input
from pages.ui.models import load, read_task_card
from pages.ui.one_image import one_image
from pages.ui.question import ask
from pages.ui.results import file_facts, images, inside_the_lungs, score_cards, what_was_read
from pages.ui.samples import CHESTS
from pages.ui.shell import page
from pages.ui.truth import Truth, heatmap_check

VIEWER = f"{TASK.name}.viewer"


def analyse(image: Radiograph, truth: Truth | None) -> None:
    """Scores on top, images on the left, controls on the right; the controls run first."""
    from pages.ui.operating_point import operating_point_of  # brings SciPy's statistics, which take a while

    loaded = load(TASK)
    above = st.container()
    left, right = st.columns([2, 1], gap="medium")
    with right:
        question = ask(TASK, loaded.card)
        asked = (question.threshold, question.label, question.method)
        readings = [read_with(loaded, image, ModelInput(), *asked)]
        edits = model_input(TASK, image, readings[0].prepared.placements[0].box, VIEWER)
    if edits != ModelInput():
        readings.append(read_with(loaded, image, edits, *asked))
    with above:
        score_cards(TASK, readings)
    with left:
        images(image, readings, readings[-1].prepared.placements[0].box, VIEWER, truth)
        answer_first(TASK.name, image.sha256)
        if truth is not None:
            heatmap_check(TASK, truth, readings, image.spacing_mm)
        what_was_read(readings, inside_the_lungs)
    operating_point_of(TASK, loaded.card, question.threshold)
    downloads(TASK, loaded.card, image, readings, truth)
    file_facts(TASK, image)


with page(TASK.title, TASK.summary):
    card = read_task_card(TASK)
    with errors_shown():
        chosen = one_image(TASK, "Frontal chest radiograph", CHESTS, VIEWER)
        if chosen is not None:
            analyse(chosen.image, chosen.truth)
    about_model(TASK, card)

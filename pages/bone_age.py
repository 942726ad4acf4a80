"""Bone age: choose a hand, say what is known of the child, read age, interval, SD score and heatmap."""

import streamlit as st

from cxrkit.task import ModelInput
from cxrkit.tasks.bone_age import BONE_AGE as TASK
from pages.ui.about import about_model
from pages.ui.age_export import age_downloads
from pages.ui.age_map import ask_map
from pages.ui.age_question import ask_child
from pages.ui.age_reading import read_hand
from pages.ui.age_results import against_truth, age_cards, distribution, where_the_heat_lies
from pages.ui.answer_first import answer_first
from pages.ui.atlas import atlas_strip
from pages.ui.errors import errors_shown
from pages.ui.growth import several_visits
from pages.ui.hand_samples import HANDS, settings_of
from pages.ui.model_input import model_input
from pages.ui.models import load, read_task_card
from pages.ui.one_image import one_image
from pages.ui.results import file_facts, images, what_was_read
from pages.ui.shell import page
from pages.ui.uploads import Chosen

VIEWER = f"{TASK.name}.viewer"
ONE, SEVERAL = "One radiograph", "Several visits"


def analyse(chosen: Chosen) -> None:
    """The child, then the answer on top, images on the left, controls on the right; the controls run first."""
    loaded, image = load(TASK), chosen.image
    settings = None if chosen.sample is None else settings_of(chosen.sample)
    context = ask_child(TASK.name, image).context
    above = st.container()
    left, right = st.columns([2, 1], gap="medium")
    with right:
        asked = ask_map(TASK)
        readings = [read_hand(loaded, image, ModelInput(), context, *asked)]
        edits = model_input(TASK, image, readings[0].prepared.placements[0].box, VIEWER)
    if edits != ModelInput():
        readings.append(read_hand(loaded, image, edits, context, *asked))
    with above:
        age_cards(readings, loaded.card)
        if settings is not None:
            against_truth(settings, readings[-1].age)
    with left:
        # Outlines of all bones would hide what lies on them.
        images(image, readings, readings[-1].prepared.placements[0].box, VIEWER, None if settings is None else ())
        answer_first(TASK.name, image.sha256)
        distribution(TASK.name, readings[-1].age, None if settings is None else settings.age_months)
        what_was_read(readings, lambda reading: where_the_heat_lies(reading, chosen.truth))
    atlas_strip(TASK, image, readings[-1])
    age_downloads(TASK, loaded.card, image, readings, settings)
    file_facts(TASK, image)


with page(TASK.title, TASK.summary):
    card = read_task_card(TASK)
    mode = st.segmented_control(
        "What to read",
        (ONE, SEVERAL),
        default=ONE,
        required=True,
        key=f"{TASK.name}.mode",
        label_visibility="collapsed",
        persist_state="session",
    )
    with errors_shown():
        if mode == SEVERAL:
            several_visits(TASK, card)
        else:
            chosen = one_image(TASK, "Radiograph of one hand", HANDS, VIEWER)
            if chosen is not None:
                analyse(chosen)
    about_model(TASK, card)

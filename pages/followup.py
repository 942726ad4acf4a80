"""Follow-up comparison: choose two or more images of one patient, read the change and where it lies."""

import streamlit as st

from cxrkit.errors import InputError
from cxrkit.task import check_shape
from cxrkit.tasks.followup import FOLLOW_UP as TASK
from pages.ui.about import about_model
from pages.ui.answer_first import answer_first
from pages.ui.errors import errors_shown
from pages.ui.guard import passes_guard
from pages.ui.models import load, read_task_card
from pages.ui.pair_checks import honesty_checks
from pages.ui.pair_export import pair_downloads
from pages.ui.pair_reading import overlay_names, read_pair, registered
from pages.ui.pair_results import pair_cards, pair_images
from pages.ui.pair_truth import overlay_check
from pages.ui.question import ask
from pages.ui.real_samples import offer_real, real_visits
from pages.ui.results import file_facts, show_soon
from pages.ui.shell import page
from pages.ui.timeline import timeline
from pages.ui.visits import Visit, choose_visits, days_in_words

VIEWER = f"{TASK.name}.viewer"


def analyse(visits: list[Visit]) -> None:
    """Timeline of three and more on top; then scores, images on the left, controls on the right, and the checks."""
    loaded = load(TASK)
    above = st.container()
    left, right = st.columns([3, 1], gap="medium")
    with right:
        question = ask(TASK, loaded.card)
        with st.container(border=True):
            overlay = st.selectbox(
                "Overlay",
                overlay_names(loaded),
                key=f"{TASK.name}.overlay_mode",
                persist_state="session",
                help="How the maps of both images are joined; or where the network itself sees lesions.",
            )
    with above:
        chosen = (
            timeline(TASK, loaded.card, loaded, visits, question.threshold)
            if len(visits) > 2
            else (visits[0], visits[1])
        )
    baseline, follow_up = (visit.image for visit in chosen)
    show_soon((baseline, follow_up), VIEWER)
    reading = read_pair(loaded, baseline, follow_up, question.threshold, question.label, question.method, overlay)
    fit = registered(baseline.sha256, follow_up.sha256, baseline, follow_up)
    with above:
        st.markdown(days_in_words(chosen))
        pair_cards(TASK, loaded.card, chosen, reading)
    with left:
        pair_images(TASK, loaded.card, chosen, reading, VIEWER, fit.matrix if fit.converged else None)
        answer_first(TASK.name, f"{baseline.sha256}.{follow_up.sha256}")
        overlay_check(TASK, chosen, reading)
    honesty_checks(TASK, loaded.card, chosen, reading, fit)
    pair_downloads(TASK, loaded.card, chosen, reading, fit)
    for visit in chosen:
        file_facts(TASK, visit.image, visit.name)


def large_enough(visit: Visit) -> bool:
    """Whether the network can read an image at all, also where the user insisted on it; says why not."""
    height, width = visit.image.values.shape
    try:
        check_shape((height, width))
    except InputError as error:
        st.error(f"**{visit.name}.** {error}", icon=":material/error:")
        return False
    return True


with page(TASK.title, TASK.summary):
    card = read_task_card(TASK)
    visits: list[Visit] = []
    with errors_shown():
        visits = real_visits(TASK.name) or choose_visits(TASK.name)
        # All of them are looked at, so that two wrong images are both named at once.
        passed = [visit for visit in visits if passes_guard(TASK, visit.image, visit.name) and large_enough(visit)]
        # A later image that was stopped or is tiny costs itself alone; days count from the first one.
        if len(passed) > 1 and passed[0] is visits[0]:
            analyse(passed)
        elif len(visits) > 2:
            st.info("Nothing is compared: that takes the baseline and one later image.", icon=":material/compare:")
    if not visits:
        offer_real(TASK.name)
    about_model(TASK, card)

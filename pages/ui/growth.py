"""Several visits of one child: bone age against the child's own age, growth between visits, a table to export."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.bone_age import SD_SOURCE, Sex, check_sex
from cxrkit.card import Card
from cxrkit.task import ModelInput, Task
from pages.ui.age_question import SEX_NAMES
from pages.ui.age_reading import read_hand
from pages.ui.age_results import where_the_heat_lies
from pages.ui.charts import show_figure
from pages.ui.errors import errors_shown
from pages.ui.growth_course import Visit, in_order, remarks, step_rows, steps, visit_rows
from pages.ui.growth_export import growth_csv
from pages.ui.growth_images import choose_sources
from pages.ui.growth_plot import growth_figure, visit_in_words
from pages.ui.growth_reading import Hand, hands_of, read_visit, title_of
from pages.ui.growth_table import ask_ages, begin_ages
from pages.ui.models import load
from pages.ui.presenter import explain
from pages.ui.results import file_facts, pane, what_was_read
from pages.ui.several_uploads import is_simulated
from pages.ui.viewer import viewer

if TYPE_CHECKING:
    from cxrkit.weights import LoadedModel


def several_visits(task: Task, card: Card) -> None:
    """Choose the images of one child, state sex and ages, see the course.

    Args:
        task: that reads an age.
        card: of its weights.

    Raises:
        WeightsError: weights are missing, altered or do not fit.
    """
    key = f"{task.name}.growth"
    sources = choose_sources(key)
    if not sources:
        return
    child = f"{key}.simulated" if is_simulated(key) else key
    _begin_child(child, {source.key for source in sources}, "M" if is_simulated(key) else "")
    sex = _ask_sex(child)
    hands = hands_of(task, sources, key)
    if not hands:
        return
    ages = ask_ages(child, hands)
    loaded = load(task)
    read = []
    for number, (hand, age) in enumerate(zip(hands, ages, strict=True), start=1):
        # An image that the user insisted on may be too small for the network; it costs itself alone.
        with errors_shown(title_of(hand.source)), st.spinner(f"Reading image {number} of {len(hands)} …"):
            read.append((hand, read_visit(loaded, hand, sex, age.months)))
    if not read:
        return
    visits = [visit for _, visit in read]
    _course(key, visits, sex)
    _tables(key, card, visits)
    _show_one(task, loaded, key, [hand for hand, _ in read], visits)


def _begin_child(key: str, images: set[str], sex: str) -> None:
    """Where none of the images is left that a child began with, it is another one, to whom nothing stated applies.

    An image that came later may be the first of another child already.
    """
    known: set[str] = st.session_state.get(f"_child_of.{key}", set()) & images
    if not known:
        st.session_state[f"{key}.sex"] = sex
        begin_ages(key)
    st.session_state[f"_child_of.{key}"] = known or images


def _ask_sex(key: str) -> Sex | None:
    stated = st.segmented_control(
        "Sex of the child",
        list(SEX_NAMES),
        required=True,
        format_func=SEX_NAMES.__getitem__,
        help="For all images. Without it there is neither an SD band nor a score, because the tables are by sex.",
        key=f"{key}.sex",
        persist_state="session",
    )
    return check_sex(stated)


def _course(key: str, visits: Sequence[Visit], sex: Sex | None) -> None:
    st.subheader("Bone age against own age", anchor=False)
    if sex is None:
        st.info(
            "The sex is not stated: there is no SD band and no SD score, because the tables are by sex, and each bone "
            "age weighs both sexes by what the network reads off the image. State it above.",
            icon=":material/info:",
        )
    if all(visit.age is None for visit in visits):
        st.markdown("The figure comes with the first own age.")
        return
    if len(visits) == 1:
        st.info("This is one visit. Add another image of the child to see a course.", icon=":material/info:")
    show_figure(
        growth_figure(visits, sex),
        key=f"{key}.figure",
        alt=_in_words(visits),
    )
    explain(
        (
            ""
            if sex is None
            else f"Band: two standard deviations by the {SD_SOURCE}; it steps from one tabulated age to "
            "the next and ends with the table. An orange diamond lies outside of it. "
        )
        + "Bars: the interval of each bone age.",
        f"{key}.band",
    )


def _in_words(visits: Sequence[Visit]) -> str:
    return "; ".join(visit_in_words(visit).replace("<br>", ", ") for visit in in_order(visits) if visit.age is not None)


def _tables(key: str, card: Card, visits: Sequence[Visit]) -> None:
    st.subheader("Visits", anchor=False)
    st.dataframe(visit_rows(visits), hide_index=True, width="stretch", placeholder="–")
    st.caption("In the order of the child's own age; the numbers are those of the images. y: years, m: months.")
    for sentence in remarks(visits):
        st.warning(sentence, icon=":material/warning:")
    st.download_button(
        "Table (CSV)",
        partial(growth_csv, visits, card.sha256),
        file_name="bone_age-visits.csv",
        mime="text/csv",
        key=f"{key}.csv",
        icon=":material/table:",
        on_click="ignore",
        help="In months. No file name, date or header of a person is in it.",
    )
    found = steps(visits)
    if found:
        st.subheader("Growth between visits", anchor=False)
        st.dataframe(step_rows(found), hide_index=True, width="stretch", placeholder="–")
        st.caption(
            "1 year of bone age a year is expected. By the intervals: the slowest and fastest growth if both bone ages "
            "lie anywhere in their intervals. Where 1 lies between them, this step cannot be told from usual growth."
        )


def _show_one(task: Task, loaded: "LoadedModel", key: str, hands: Sequence[Hand], visits: Sequence[Visit]) -> None:
    """The radiograph of a visit with its heatmap."""
    st.subheader("One visit", anchor=False)
    numbers = [visit.number for visit in visits]
    if st.session_state.get(f"{key}.show") not in numbers:
        st.session_state[f"{key}.show"] = numbers[0]
    number = st.selectbox(
        "Show",
        numbers,
        format_func=lambda number: f"Image {number}",
        key=f"{key}.show",
        persist_state="session",
        width=240,
    )
    hand, visit = next(pair for pair in zip(hands, visits, strict=True) if pair[1].number == number)
    with errors_shown():
        image = hand.source.image()
        reading = read_hand(loaded, image, ModelInput(), {"sex": visit.reading.sex, "age_months": visit.age})
        st.markdown(visit_in_words(visit).replace("<br>", "; ") + ".")
        left, right = st.columns([2, 1], gap="medium")
        with left:
            name = f"Image {visit.number}{'' if visit.truth is None else ' (simulated)'}"
            viewer([pane(image, reading, name)], key=f"{key}.viewer")
        with right:
            what_was_read([reading], where_the_heat_lies)
        file_facts(task, image, f"Image {number}")

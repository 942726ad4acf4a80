"""Teaching: a quiz in which the learner answers before the network does, and a lesson on heatmaps."""

import streamlit as st

from pages.ui.lesson import show_lesson
from pages.ui.presenter import presenter_toggle
from pages.ui.quiz_page import show_quiz
from pages.ui.quiz_state import keep_link
from pages.ui.shell import page
from pages.ui.tabs import kept_tabs

TABS = ("Quiz", "Is the heatmap right?")

keep_link()
with page("Teaching", "Read the case yourself first, then see the truth and what the network made of it."):
    with st.container():  # one place whatever it holds: what is below would be built anew, and lose what is being typed
        presenter_toggle()
    quiz, lesson = kept_tabs(TABS, "teaching.tabs")
    if quiz.open:
        with quiz:
            show_quiz()
    if lesson.open:
        with lesson:
            show_lesson()

"""A page of nothing but the notes of one case, for AppTest: the review stands in the session."""

import streamlit as st

from pages.ui.errors import errors_shown
from pages.ui.review_notes import show_notes
from pages.ui.review_notes_keys import filter_by_notes

review, row = st.session_state["review"], st.session_state["row"]
with errors_shown():
    left = filter_by_notes(review, review.table.index.to_numpy(), review.labels()[0])
    st.text(f"left: {left.tolist()}")
show_notes(review, row, st.session_state.get("label"))

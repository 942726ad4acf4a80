"""A page of nothing but the export of a review, for AppTest: the review stands in the session."""

import numpy as np
import streamlit as st

from pages.ui.errors import errors_shown
from pages.ui.review_export import show_export

review = st.session_state["review"]
with errors_shown():
    show_export(review, np.array(st.session_state["rows"], dtype=np.int64), review.labels()[0], 0.5)

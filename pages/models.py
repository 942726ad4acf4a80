"""Models: every card, what the sources claim and we reach, what the audit of the data found, and how fast it is."""

import streamlit as st

from cxrkit.audit import audit_sections, read_audit
from cxrkit.report import doubts, machine, reproduction_sections, shipped_cards, speed_sections
from cxrkit.speed import read_record
from pages.ui import models
from pages.ui.errors import errors_shown
from pages.ui.model_card import show_model, show_notes, show_sections
from pages.ui.model_choice import choose_model, follow_link, read_shown_card
from pages.ui.shell import page

TITLE = "Models"
SUMMARY = "Everything that was measured, with its limits, and what the sources of these networks claim."
GENERAL, CLAIMS, AUDIT, SPEED = "What was measured", "What the sources claim", "Copies, leaks and confounds", "Speed"
"""README's sections."""

TABS = ("One model", "Claims of the sources", "Copies and leaks in the data", "Speed")


def one_model() -> None:
    """The chosen card."""
    shown = choose_model()
    show_model(shown, read_shown_card(shown))


def claims() -> None:
    """All five systems beside each other."""
    st.markdown(
        "What the five publications claim, the figure of ours that stands beside each, and what an honest figure looks "
        "like. Ours come from the cards of the weights; what no card holds was not measured yet."
    )
    show_sections(reproduction_sections(shipped_cards(models.WEIGHTS)))
    show_notes(GENERAL, CLAIMS)


def data() -> None:
    """What the audit of the data sets found."""
    st.markdown(
        "Patients in two parts, near-identical images, and how well class and source can be told without the lungs, "
        "in the sets that were trained and measured on."
    )
    show_sections(audit_sections(read_audit()))
    show_notes(AUDIT)


def speed() -> None:
    """The record of the benchmarks."""
    record = read_record()
    for doubt in doubts(record):
        st.warning(doubt, icon=":material/warning:")
    show_sections(speed_sections(record))
    st.caption(machine(record))
    show_notes(SPEED)


follow_link()
with page(TITLE, SUMMARY, networks=False):
    for tab, content in zip(
        st.tabs(TABS, key="models.tabs", on_change="rerun"), (one_model, claims, data, speed), strict=True
    ):
        if tab.open:
            with tab, errors_shown():
                content()

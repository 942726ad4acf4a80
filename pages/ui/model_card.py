"""Everything that a card holds, on the models page; and tables as README has them."""

from collections.abc import Iterable

import streamlit as st

from cxrkit.card import Card
from cxrkit.notes import notes
from cxrkit.report import Rows, Section, card_sections, chosen, reproduction
from cxrkit.reproduction import SYSTEMS
from pages.ui.about import data_rows, record
from pages.ui.model_calibration import calibration
from pages.ui.model_choice import Shown


def show_model(shown: Shown, card: Card) -> None:
    """Use and limits, figures, calibration, data, the source's claims, studies."""
    figures, *studies = card_sections(card)
    st.markdown(f"{shown.source}\n\n**Intended use.** {shown.intended_use}")
    limits = dict.fromkeys((*shown.limits, *card.limits))
    st.markdown("**Limits**\n\n" + "\n".join(f"- {limit}" for limit in limits))
    st.subheader("Measured", anchor=False)
    show_table(figures.rows)
    st.markdown(f"**Thresholds.** {chosen(card)}")
    show_notes(shown.title)
    st.subheader("Calibration", anchor=False)
    calibration(shown, card)
    st.subheader("Data and training", anchor=False)
    show_table(data_rows(card))
    st.markdown(f"**Split.** {card.split.rstrip('.')}.\n\n**Started from.** {card.initialisation}.")
    st.caption(record(card))
    for system in SYSTEMS:
        if system.task == shown.name:
            st.subheader("What the source claims, and what we reach", anchor=False)
            show_sections([reproduction(system, card)])
    if studies:
        st.subheader("Studies and further tables", anchor=False)
        show_sections(studies)


def show_notes(*titles: str) -> None:
    """What README says around its tables of these sections."""
    if found := [text for title in titles if (text := notes(title))]:
        st.subheader("What to know of these figures", anchor=False)
        st.markdown("\n\n".join(found))


def show_sections(sections: Iterable[Section]) -> None:
    """Tables with their titles and notes, one below the other, as in README."""
    for section in sections:
        if section.heading:
            st.markdown(section.heading)
        show_table(section.rows)
        if section.note:
            st.markdown(section.note)


def show_table(rows: Rows) -> None:
    """A table whose cells wrap, so that nothing in it is cut off; "None." without rows."""
    if rows:
        st.table(rows, hide_index=True, border="horizontal")
    else:
        st.markdown("None.")

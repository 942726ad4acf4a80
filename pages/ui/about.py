""" "About this model", rendered from the card."""

import streamlit as st

from cxrkit.card import Card, Metric
from cxrkit.report import Rows, as_text, chosen
from cxrkit.task import Task
from pages.ui.words import listed


@st.fragment
def about_model(task: Task, card: Card) -> None:
    """Data, split, figures with intervals, limits and settings of a task's weights; made when opened."""
    section = st.expander("About this model", icon=":material/info:", key=f"{task.name}.about", on_change="rerun")
    if not section.open:
        return
    with section:
        st.markdown(f"{task.source}\n\n**Intended use.** {task.intended_use}")
        limits = dict.fromkeys((*task.limits, *card.limits))
        st.markdown("**Limits**\n\n" + "\n".join(f"- {limit}" for limit in limits))
        st.markdown("**Measured** (value with 95 % interval)")
        measured(card)
        st.markdown("**Trained and measured on**")
        _table(data_rows(card))
        st.markdown(f"**Split.** {card.split.rstrip('.')}.")
        for title, rows in card.tables.items():
            st.markdown(f"**{title}**")
            _table(as_text(rows))
        st.caption(f"{chosen(card)}Started from: {card.initialisation}. {record(card)}")


def data_rows(card: Card) -> Rows:
    """A row for each data set that the weights were trained or measured on."""
    return [
        {
            "Data": source.name,
            "Images": f"{source.images:,}",
            "Kind": "real" if source.real else "simulated",
            "Reference": source.reference,
            "Terms": source.terms,
        }
        for source in card.data
    ]


def measured(card: Card) -> None:
    """The card's figures as a table."""
    _table([_row(metric) for metric in card.metrics])


def _row(metric: Metric) -> dict[str, str]:
    interval = "–" if metric.low is None or metric.high is None else f"{metric.low:.3f} to {metric.high:.3f}"
    return {
        "Figure": metric.name,
        "Value": f"{metric.value:.3f}",
        "95 % interval": interval,
        "Cases": f"{metric.cases:,}",
        "Measured on": metric.part,
        "Note": metric.note,
    }


def _table(rows: Rows) -> None:
    st.dataframe(rows, hide_index=True, width="stretch")


def record(card: Card) -> str:
    """How the network was made and is stored, in sentences."""
    network = listed([f"{name} {value}" for name, value in card.model.items()])
    return (
        f"Temperature {card.temperature:.3f}. Network: {network}. Input {card.input_size} × {card.input_size} pixels. "
        f"Stored as {card.precision}, SHA-256 {card.sha256[:16]}…, code {card.commit[:12]}."
    )

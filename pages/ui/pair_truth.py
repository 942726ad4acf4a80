"""Is the answer right, and the overlay? For simulated pairs, of which it is known what has changed."""

import streamlit as st

from cxrkit.localisation import localise
from cxrkit.task import Task
from pages.ui.pair_reading import PairReading, speaks_of_change
from pages.ui.truth import sentence
from pages.ui.visits import Visit


def overlay_check(task: Task, visits: tuple[Visit, Visit], reading: PairReading) -> None:
    """The call and the heat against the truth; nothing where nobody knows it."""
    if any(visit.truth is None for visit in visits):
        return
    st.subheader("Is it right?", anchor=False)
    if any(visit.of_another for visit in visits):
        st.markdown("These are two simulated patients, so neither “change” nor “no change” is right.")
        return
    changed = any(visit.truth for visit in visits)
    called = reading.prediction.label == task.positive
    outcome = "right" if changed == called else "wrong"
    st.markdown(
        f"Between these simulated images **{'something' if changed else 'nothing'} has changed**, and "
        f"“{reading.prediction.label}” is called: {outcome}."
    )
    if not changed:
        st.markdown("Whatever the overlay marks, it marks no change.")
        return
    if not speaks_of_change(task, reading):
        st.markdown(
            f"This overlay shows evidence for “{reading.maps.label}”. That evidence need not lie on what has changed."
        )
        return
    for visit, heatmap in zip(visits, reading.heatmaps, strict=True):
        heat = reading.strength(heatmap)
        for name, mask in visit.truth or ():
            if not heat.any():
                st.markdown(f"**{visit.name}.** There is no heat to compare with {name}.")
                continue
            found = localise(heat, heatmap.box, mask)
            spacing = visit.image.spacing_mm
            st.markdown(sentence(f"{visit.name}: {name}", found, spacing and spacing[0]))

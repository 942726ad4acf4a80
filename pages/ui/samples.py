"""Simulated chests in place of an upload: ready ones, and new ones with a lesion of choice."""

from collections.abc import Sequence
from typing import Any, get_args

import streamlit as st

from cxrkit.image import Radiograph
from cxrkit.phantoms import LESIONS, SAMPLES, ChestSettings, Lesion, random_chest, simulate_chest
from cxrkit.phantoms.settings import Side, Zone
from pages.ui.simulated import Samples
from pages.ui.truth import Truth
from pages.ui.words import listed

NEW = "new"
"""In place of a sample's name: the user chooses lesion and patient."""

_FIRST = next(sample for sample in SAMPLES if sample.settings.lesions)
_SETTINGS = {sample.name: sample.settings for sample in SAMPLES}
_VIEWS = {"PA": "PA view", "AP": "bedside AP view", "lateral": "lateral view"}
_NO_LESION = "none"
_START = {"kind": _FIRST.settings.lesions[0].kind, "side": "right", "zone": "upper", "strength": 1.0, "seed": 100}


def _make(key: str, name: str) -> tuple[Radiograph, Truth, str]:
    """Image, lesions and settings of a case; for a new one its controls are drawn."""
    settings = _new_patient(key) if name == NEW else _SETTINGS[name]
    return *_simulate(settings), settings_in_words(settings)


CHESTS = Samples(
    titles={NEW: "New patient, lesion of choice"} | {sample.name: sample.title for sample in SAMPLES},
    first=_FIRST.name,
    known="Its lesions are known, so the page can say whether the heatmap is right.",
    make=_make,
)


@st.cache_resource(max_entries=12, ttl=3600, show_spinner="Simulating a radiograph …")
def _simulate(settings: ChestSettings) -> tuple[Radiograph, Truth]:
    """Shared by all sessions: it holds nothing of a person, and nobody changes it."""
    case = simulate_chest(settings)
    # A lesion may lie behind what the image shows; an outline of nothing cannot be drawn.
    return case.radiograph(), tuple((kind, mask) for kind, mask in case.lesions if mask.any())


def settings_in_words(settings: ChestSettings) -> str:
    """ "Man, slender build, PA view, 90 % of a full breath; cavity in the right upper zone; seed 3."."""
    person = {"male": "Man", "female": "Woman"}[settings.sex]
    lesions = listed([_lesion_in_words(lesion) for lesion in settings.lesions]) or "no lesion"
    return (
        f"{person}, {settings.build} build, {_VIEWS[settings.view]}, {100 * settings.breath:.0f} % of a full breath; "
        f"{lesions}; seed {settings.seed}."
    )


def _lesion_in_words(lesion: Lesion) -> str:
    where = {
        "enlarged heart": "",
        "effusion": f" on the {lesion.side}",
        "pneumothorax": f" on the {lesion.side}",
    }.get(lesion.kind, f" in the {lesion.side} {lesion.zone} zone")
    strength = "" if lesion.contrast == 1 else f", {lesion.contrast:.1f} times the usual contrast"
    return f"{lesion.kind}{where}{strength}"


def _new_patient(key: str) -> ChestSettings:
    """Controls of lesion and patient; the seed makes everything else."""
    for name, value in _START.items():
        st.session_state.setdefault(f"{key}.new.{name}", value)
    with st.container(border=True, key=f"{key}.new"):
        columns = st.columns(3)
        kind = _choice(columns[0], "Lesion", (*LESIONS, _NO_LESION), f"{key}.new.kind")
        none = kind == _NO_LESION
        side = _choice(columns[1], "Side of the patient", get_args(Side), f"{key}.new.side", disabled=none)
        zone = _choice(columns[2], "Zone", get_args(Zone), f"{key}.new.zone", disabled=none)
        strength, seed, another = st.columns(3, vertical_alignment="bottom")
        contrast = strength.slider(
            "Contrast, 1 = usual",
            0.1,
            2.0,
            step=0.1,
            format="%.1f",
            key=f"{key}.new.strength",
            disabled=none,
            persist_state="session",
        )
        number = seed.number_input("Patient (seed)", 0, 10**6, step=1, key=f"{key}.new.seed", persist_state="session")
        another.button(
            "Another patient",
            key=f"{key}.new.another",
            icon=":material/casino:",
            on_click=_another_patient,
            args=(key,),
            width="stretch",
        )
    lesions = () if none else (Lesion(kind, side, zone, contrast=round(contrast, 1)),)
    return random_chest(int(number), lesions)


def _choice(column: Any, label: str, options: Sequence[str], key: str, *, disabled: bool = False) -> Any:
    return column.selectbox(
        label, options, format_func=str.capitalize, key=key, disabled=disabled, persist_state="session"
    )


def _another_patient(key: str) -> None:
    seed = f"{key}.new.seed"
    st.session_state[seed] = (st.session_state[seed] + 1) % (10**6 + 1)

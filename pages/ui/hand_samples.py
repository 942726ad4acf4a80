"""Simulated hands in place of an upload; their bone age and sex are known."""

import streamlit as st

from cxrkit.bone_age import in_words
from cxrkit.image import Radiograph
from cxrkit.phantoms import HAND_SAMPLES, HandSettings, simulate_hand
from pages.ui.simulated import Samples
from pages.ui.truth import Truth

PERSON = {"male": "boy", "female": "girl"}
_SETTINGS = {sample.name: sample.settings for sample in HAND_SAMPLES}


def settings_of(name: str) -> HandSettings:
    """What a sample was made from; its age is the skeletal one."""
    return _SETTINGS[name]


def _make(key: str, name: str) -> tuple[Radiograph, Truth, str]:
    """Image, bones and settings of a sample; `key` is not needed, as there are no controls."""
    settings = settings_of(name)
    return *simulate(settings), hand_in_words(settings)


@st.cache_resource(max_entries=24, ttl=3600, show_spinner="Simulating a radiograph …")
def simulate(settings: HandSettings) -> tuple[Radiograph, Truth]:
    """A hand and its bones. Shared by all sessions: it holds nothing of a person, and nobody changes it."""
    hand = simulate_hand(settings)
    return hand.radiograph(), (("bones", hand.bones),)


def hand_in_words(settings: HandSettings) -> str:
    """ "Left hand of a boy with a bone age of 10 years; seed 3."."""
    return (
        f"{settings.side.capitalize()} hand of a {PERSON[settings.sex]} with a bone age of "
        f"{in_words(settings.age_months)}; seed {settings.seed}."
    )


HANDS = Samples(
    titles={sample.name: sample.title for sample in HAND_SAMPLES},
    first="boy_10",
    known="Its bone age, sex and bones are known, so the page can say how far off the answer is.",
    make=_make,
)

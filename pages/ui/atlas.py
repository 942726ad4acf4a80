"""A strip of simulated hands at the ages about the answer, beside what was uploaded, for teaching."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from cxrkit.bone_age import SEXES, Sex, in_words
from cxrkit.image import Radiograph
from cxrkit.phantoms import HandSettings, atlas
from cxrkit.pixels import Gray, resize
from cxrkit.task import ModelInput, Task
from pages.ui.age_question import sex_in_words
from pages.ui.age_reading import HandReading
from pages.ui.compute import computed
from pages.ui.hand_samples import PERSON, simulate
from pages.ui.presenter import explain

_SIDE = 512
"""Of the prepared hand that is shown: more than twice what the network reads, so that growth plates can be seen."""

_COUNT = 5
_WIDTH = 144
"""CSS pixels of a picture: two beside each other on a phone."""

_FROM, _TO = 1.0, 240.0
"""Ages in months that a hand can be simulated at."""

_PERSONS: dict[Sex, str] = {"F": "female", "M": "male"}


@dataclass(frozen=True, eq=False)
class _Shown:
    """A hand of the strip: gray [H, W] uint8, what stands below it, and what a screen reader says."""

    pixels: NDArray[np.uint8]
    caption: str
    alt: str


@st.fragment
def atlas_strip(task: Task, image: Radiograph, reading: HandReading) -> None:
    """The strip; made when opened.

    Args:
        task: whose preparation shows all hands alike.
        image: of the hand.
        reading: of it; the strip is about its expected age.
    """
    section = st.expander(
        "Atlas strip: simulated hands at neighbouring ages",
        icon=":material/view_column:",
        key=f"{task.name}.atlas",
        on_change="rerun",
    )
    if not section.open:
        return
    with section:
        sex, whose = _whose(reading)
        st.markdown(f"{whose} The strip runs from younger to older; the age nearest to the answer is in bold.")
        age = min(max(reading.age.expected, _FROM), _TO)
        strip = atlas(_PERSONS[sex], age, _COUNT)  # type: ignore[arg-type]
        nearest = min(strip, key=lambda settings: abs(settings.age_months - age))
        with st.container(horizontal=True, gap="small"):
            for shown in _equally_high([_own(task, image, reading), *_others(task, strip, nearest)]):
                with st.container(width=_WIDTH):
                    st.image(shown.pixels, width=_WIDTH, output_format="PNG", alt=shown.alt)
                    st.markdown(shown.caption)
        explain(
            "**Simulated** hands: drawn from published ages at which ossification centres appear and fuse, one left "
            "hand at several bone ages. They show what changes, and are no substitute for the atlas of Greulich and "
            "Pyle. All hands are shown as the network reads them, cut out, fingers up and evened in tone.",
            "bone_age.atlas",
        )


def _whose(reading: HandReading) -> tuple[Sex, str]:
    """Sex of the strip, and why."""
    age = reading.age
    if age.sex is not None:
        return age.sex, f"Hands of a {sex_in_words(age.sex)}, as stated."
    sex = SEXES[0] if age.female is None or age.female >= 0.5 else SEXES[1]
    return sex, (
        f"The sex is not stated: these are hands of a **{sex_in_words(sex)}**, which the network finds likelier. State "
        "it above for the right strip."
    )


def _own(task: Task, image: Radiograph, reading: HandReading) -> _Shown:
    pixels = _prepared(image.sha256, task.name, _key(reading.edits), image, task, reading.edits)
    return _Shown(pixels, f"**This hand**, read as {in_words(reading.age.expected)}", "The hand in use")


def _others(task: Task, strip: Sequence[HandSettings], nearest: HandSettings) -> list[_Shown]:
    shown = []
    for settings in strip:
        words = in_words(settings.age_months)
        caption = f"**{words}**" if settings is nearest else words
        alt = f"Simulated hand of a {PERSON[settings.sex]}, bone age {words}"
        shown.append(_Shown(_simulated(settings, task), caption, alt))
    return shown


def _equally_high(strip: Sequence[_Shown]) -> list[_Shown]:
    """With black below those that are wider, so that all captions stand on one line."""
    tallest = max(shown.pixels.shape[0] / shown.pixels.shape[1] for shown in strip)
    padded = []
    for shown in strip:
        height, width = shown.pixels.shape
        padded.append(replace(shown, pixels=np.pad(shown.pixels, ((0, round(tallest * width) - height), (0, 0)))))
    return padded


def _key(edits: ModelInput) -> tuple[object, ...]:
    return (edits.crop, edits.brightness, edits.contrast, edits.sharpness, edits.turn, edits.swap)


@st.cache_resource(scope="session", max_entries=4, ttl=3600, show_spinner=False)
def _prepared(
    image_sha256: str, task: str, edits: tuple[object, ...], _image: Radiograph, _task: Task, _edits: ModelInput
) -> NDArray[np.uint8]:
    return computed(_upright, _image, _task, _edits)


@st.cache_resource(max_entries=64, ttl=3600, show_spinner="Simulating hands …")
def _simulated(settings: HandSettings, _task: Task) -> NDArray[np.uint8]:
    """Shared by all sessions: it holds nothing of a person, and nobody changes it."""
    return computed(_upright, simulate(settings)[0], _task, ModelInput())


def _upright(image: Radiograph, task: Task, edits: ModelInput) -> NDArray[np.uint8]:
    """The hand as the task prepares it, no longer squashed to a square."""
    prepared = task.prepare([image], {}, replace(edits, size=_SIDE))
    left, top, right, bottom = prepared.placements[0].box
    width, height = right - left, bottom - top
    if prepared.placements[0].turn % 2:
        width, height = height, width
    scale = _SIDE / max(width, height)
    view: Gray = resize(prepared.view[0], max(round(width * scale), 1), max(round(height * scale), 1))
    return np.round(np.clip(view, 0, 1) * 255).astype(np.uint8)

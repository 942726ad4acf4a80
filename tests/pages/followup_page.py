"""The follow-up page driven through AppTest: its images, its uploads, and what it says."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import NumberInput

from cxrkit.phantoms import ChestSettings, simulate_chest, simulate_pair
from cxrkit.tasks.followup import FOLLOW_UP
from pages.ui import pair_samples

NAME = FOLLOW_UP.name


@cache
def second_chest() -> np.ndarray:
    return np.round(simulate_chest(ChestSettings(seed=8, size=400)).values * 255)


@pytest.fixture
def page(opened: Callable[[str], AppTest], monkeypatch: pytest.MonkeyPatch) -> AppTest:
    """The page without images; its simulated ones are smaller than people get them."""
    monkeypatch.setattr(pair_samples, "simulate_pair", lambda settings: simulate_pair(replace(settings, size=320)))
    at = opened(NAME)
    at.button(key="acknowledge").click().run()
    return at


def upload(at: AppTest, *files: bytes) -> AppTest:
    for index, data in enumerate(files):
        at.file_uploader(key=f"{NAME}.{index}.upload").upload(f"{index}.png", data, "image/png")
    return at.run()


def days(at: AppTest) -> list[NumberInput]:
    """The fields of days, in the order of the images."""
    return [field for field in at.number_input if str(field.key).startswith(f"{NAME}.day.")]


def texts(at: AppTest) -> str:
    elements = (*at.markdown, *at.caption, *at.warning, *at.info, *at.error, *at.success)
    return "\n".join(str(element.value) for element in elements)

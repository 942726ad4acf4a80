"""Less or more abnormality at follow-up: given only where change is called and the card's figures beat chance."""

from dataclasses import replace

import numpy as np
import pytest

from cxrkit.card import Metric
from cxrkit.image import Radiograph
from cxrkit.phantoms import ChestSettings, simulate_chest
from cxrkit.predict import Prediction, beats_chance, encode, predict
from cxrkit.predictions import prediction_columns
from cxrkit.task import ModelInput
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.weights import LoadedModel
from tests.models_for_tests import small_loaded

GOOD = Metric("direction AUC", "made pairs", 0.9, 0.8, 0.95, 100, "")
POOR = Metric("direction AUC", "nih", 0.46, 0.12, 0.71, 15, "")


def loaded_with(*figures: Metric) -> LoadedModel:
    loaded = small_loaded(FOLLOW_UP)
    return replace(loaded, card=replace(loaded.card, metrics=figures))


def chest(seed: int) -> Radiograph:
    values = simulate_chest(ChestSettings(seed=seed, size=240)).values * np.float32(255)
    return Radiograph(values, (0, 255), None, str(seed), None, {}, ())


def answer(loaded: LoadedModel, seeds: tuple[int, int], threshold: float) -> Prediction:
    images = [chest(seed) for seed in seeds]
    prepared = FOLLOW_UP.prepare(images, {}, ModelInput())
    return predict(loaded, prepared, encode(loaded, prepared), images, threshold)


def test_it_is_given_with_change_and_turns_with_the_order() -> None:
    there, back = (answer(loaded_with(GOOD), seeds, 0.0) for seeds in ((7, 8), (8, 7)))
    assert there.label == back.label == "change"
    assert sum(there.further["direction"].values()) == pytest.approx(1)
    assert there.further["direction"]["more"] == pytest.approx(back.further["direction"]["less"], abs=0.2)


@pytest.mark.parametrize(
    ("figures", "threshold"), [((), 0.0), ((GOOD, POOR), 0.0), ((GOOD,), 1.0)], ids=["no figure", "poor", "no change"]
)
def test_it_is_not_given_without_ground_or_change(figures: tuple[Metric, ...], threshold: float) -> None:
    found = answer(loaded_with(*figures), (7, 8), threshold)
    assert set(found.further) == {"baseline", "follow-up"}
    assert "score_direction_more" in prediction_columns(FOLLOW_UP), "the column stays, and is empty"


def test_every_figure_has_to_beat_chance() -> None:
    assert not beats_chance(loaded_with().card, GOOD.name)
    assert beats_chance(loaded_with(GOOD).card, GOOD.name)
    assert not beats_chance(loaded_with(GOOD, POOR).card, GOOD.name)

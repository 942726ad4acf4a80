"""The weights in this repository on real images that they were not trained on."""

from pathlib import Path

import pandas as pd
import pytest

from cxrkit.evaluate import analyse, load_image
from cxrkit.metrics import auc
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import LoadedModel, load_model


@pytest.fixture(scope="module")
def shipped() -> LoadedModel:
    return load_model(TUBERCULOSIS)


def test_the_card_measures_what_the_confound_calls_for(shipped: LoadedModel) -> None:
    parts = [metric.part for metric in shipped.card.metrics if metric.name == "AUC"]
    assert sum("optimistic" in part for part in parts) == 1
    assert sum(part.startswith("cross-family") for part in parts) == 2
    assert sum(metric.name == "AUC, border-only baseline" for metric in shipped.card.metrics) == 3
    assert all(source.real for source in shipped.card.data)


def test_scores_of_test_images_agree_with_the_card(shipped: LoadedModel, shared_data: Path) -> None:
    table = pd.read_csv(shared_data / "tb" / "labels.csv")
    table = table[table["split"] == "test"].groupby("family").head(15)
    scores = [
        analyse(shipped, [load_image(shared_data / "tb" / file)]).scores["tuberculosis"] for file in table["file"]
    ]
    (stated,) = (m.value for m in shipped.card.metrics if m.name == "AUC" and "optimistic" in m.part)
    assert auc(table["target"], scores) == pytest.approx(stated, abs=0.08)


def test_a_real_inverted_jpeg2000_chest_is_answered(shipped: LoadedModel, shared_data: Path) -> None:
    image = load_image(shared_data / "dicom" / "cr_chest_mono1_jpeg2000.dcm")
    prediction = analyse(shipped, [image])
    assert sum(prediction.scores.values()) == pytest.approx(1)
    assert prediction.warnings == (), "two lungs are found in it"

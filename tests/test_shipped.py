"""The weights in this repository on real images that they were not trained on."""

from pathlib import Path

import pandas as pd
import pytest

from cxrkit.evaluate import analyse
from cxrkit.image_file import load_image
from cxrkit.metrics import auc
from cxrkit.phantoms import ScanKind, random_scan, simulate_scan
from cxrkit.quality import check_image
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.tasks.vq import VQ
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


@pytest.fixture(scope="module")
def shipped_age() -> LoadedModel:
    return load_model(BONE_AGE)


def test_ages_of_hands_that_report_agree_with_the_card(shipped_age: LoadedModel, shared_data: Path) -> None:
    folder = shared_data / "boneage"
    table = pd.read_csv(folder / "labels.csv")
    table = table[(table["split"] == "val") & table["file_512"].notna()].head(40)
    readings = [
        analyse(shipped_age, [load_image(folder / file)], context={"sex": sex}).age
        for file, sex in zip(table["file_512"], table["sex"], strict=True)
    ]
    assert all(reading is not None and reading.interval is not None for reading in readings)
    away = [abs(reading.expected - months) for reading, months in zip(readings, table["age_months"], strict=True)]
    (stated,) = (
        m.value
        for m in shipped_age.card.metrics
        if m.name == "MAD by expectation, months" and m.part.endswith("larger images")
    )
    assert sum(away) / len(away) == pytest.approx(stated, abs=3.5)


def test_a_real_jpeg2000_hand_is_answered(shipped_age: LoadedModel, shared_data: Path) -> None:
    image = load_image(shared_data / "dicom" / "cr_hand_jpeg2000_lossless.dcm")
    reading = analyse(shipped_age, [image], context={"sex": "M", "age_months": 120.0}).age
    assert reading is not None
    assert reading.interval is not None
    assert reading.interval[0] <= reading.expected <= reading.interval[1]
    assert reading.sd is not None
    assert reading.sd.score is not None


def test_types_of_new_simulated_scans_agree_with_the_card() -> None:
    shipped_type, right = load_model(VQ), []
    kinds: tuple[ScanKind, ...] = ("perfusion", "ventilation")
    for seed in range(30_000_000, 30_000_020):
        for kind in kinds:
            image = simulate_scan(random_scan(seed, kind)).radiograph()
            assert check_image(image, VQ.reads).ok
            scores = analyse(shipped_type, [image]).scores
            right.append(max(scores, key=lambda label: scores[label]) == kind)
    (stated,) = (
        m.value
        for m in shipped_type.card.metrics
        if m.name == "accuracy" and m.part == "simulated: more scans of the same kind"
    )
    assert sum(right) / len(right) == pytest.approx(stated, abs=0.12)

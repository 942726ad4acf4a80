"""The weights in this repository on real images that they were not trained on."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from cxrkit.evaluate import analyse
from cxrkit.explain_pair import Overlay, explain_pair, overlays
from cxrkit.image_file import load_image
from cxrkit.metrics import auc
from cxrkit.phantoms import ScanKind, random_scan, simulate_scan
from cxrkit.predict import encode, predict
from cxrkit.quality import check_image
from cxrkit.task import ModelInput
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.tasks.nih14 import NIH14
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


def test_findings_of_images_that_report_agree_with_the_card(shared_data: Path) -> None:
    loaded, folder = load_model(NIH14), shared_data / "nih"
    table = pd.read_csv(folder / "labels.csv")
    table = table[table["split"] == "val"]
    scores = [analyse(loaded, [load_image(folder / file)]).scores for file in table["file"]]
    stated = {metric.name: metric.value for metric in loaded.card.metrics}
    for label in ("Effusion", "Infiltration", "Pneumonia"):
        found = auc([label in text.split("|") for text in table["findings"]], [each[label] for each in scores])
        assert found == pytest.approx(stated[f"AUC, {label}"], abs=0.02), label


def test_abnormal_images_of_pairs_that_report_agree_with_the_card(shared_data: Path) -> None:
    """Each image is read within a pair, here with another neighbour than on the card."""
    loaded, folder = load_model(FOLLOW_UP), shared_data / "nih"
    table = pd.read_csv(folder / "labels.csv")
    table = table[table["split"] == "val"]
    images = [load_image(folder / file) for file in table["file"]]
    scores = []
    for pair in zip(images[::2], images[1::2], strict=True):
        further = analyse(loaded, list(pair)).further
        scores += [further[name]["abnormal"] for name in ("baseline", "follow-up")]
    stated = loaded.card.metric("abnormal: AUC", "nih, given val part: radiographs").value
    assert auc(table["findings"] != "No Finding", scores) == pytest.approx(stated, abs=0.08)


@pytest.mark.parametrize("name", ["hannover", "nih"])
def test_two_real_images_of_one_patient_are_compared_and_explained(name: str, shared_data: Path) -> None:
    loaded, folder = load_model(FOLLOW_UP), shared_data / name
    patients = pd.read_csv(folder / "labels.csv").groupby("patient_id", sort=True)["file"]
    files = next(list(group)[:2] for _, group in patients if len(group) > 1)
    images = [load_image(folder / file) for file in files]
    prepared = FOLLOW_UP.prepare(images, {}, ModelInput())
    encoded = encode(loaded, prepared)
    prediction = predict(loaded, prepared, encoded, images)
    assert prediction.label in FOLLOW_UP.labels
    assert "direction" not in prediction.further, "on real pairs it does not beat chance"
    maps = overlays(explain_pair(loaded, encoded), prepared, Overlay.INTERSECTION)
    assert all(np.isfinite(heatmap.values).all() for heatmap in maps)
    assert [placement.image_shape for placement in prepared.placements] == [image.values.shape for image in images]


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


def test_bone_age_meets_its_bar(shipped_age: LoadedModel) -> None:
    """Nine months on larger images, by expectation."""
    (metric,) = (
        metric
        for metric in shipped_age.card.metrics
        if metric.name == "MAD by expectation, months" and metric.part.endswith("larger images")
    )
    assert metric.value <= 9
    assert metric.high is not None
    assert metric.high <= 9


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

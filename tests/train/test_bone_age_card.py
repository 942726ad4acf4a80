"""The card of bone age: every figure against NumPy, on the part that reports; it can be made again and be loaded."""

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from cxrkit.age_interval import IntervalRule
from cxrkit.card import Card, read_card
from cxrkit.errors import InputError, WeightsError
from cxrkit.image_file import load_image
from cxrkit.predict import encode, predict
from cxrkit.task import ModelInput
from cxrkit.weights import load_model
from tests.train.hand_sets import SIZE, TASK, small_material
from train.bone_age import card as card_module
from train.bone_age.answers import Answers
from train.bone_age.baseline import SHIPPED, TITLE, compare_plain
from train.bone_age.card import GROUPS, make_card, make_weights, measure_again
from train.bone_age.fit import Settings
from train.bone_age.images import Material
from train.bone_age.measure import (
    LARGE,
    SMALL,
    Point,
    alterations,
    choose_point,
    groups_table,
    measure,
    paired_difference,
)
from train.bone_age.networks import NetworkSettings, build
from train.trainer import FitSettings

CPU = FitSettings(accelerator="cpu", precision="32-true")
SETTINGS = Settings(stages=((SIZE, 1, 8),), early_epochs=0, large=(0.5,), batch=2, workers=0, norm_images=8)
RULE = IntervalRule(0.9, True, (), (2.0,), (100,))
MAD = "MAD by expectation, months"


def drawn_answers(count: int = 60) -> Answers:
    """Answers like those of a fair network, and a sex that is mostly read right."""
    random = np.random.default_rng(0)
    months, sex = random.uniform(10, 220, count), random.integers(0, 2, count)
    centre = months[:, None] + random.normal(0, 9, (count, 1)) + np.array([[-4.0, 4.0]])
    ages = -(((3.0 * np.arange(77) - centre[..., None]) / 8) ** 2) / 2
    return Answers(months, sex, ages, np.eye(2)[sex] * 3 + random.normal(0, 1, (count, 2)), 1.3)


def softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    shifted = np.exp(values - values.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True))


def test_figures_against_numpy() -> None:
    found, point = drawn_answers(), Point(1.3, RULE, 0.8)
    figures = {metric.name: metric for metric in measure(found, point, SMALL)}
    rows, ages = np.arange(60), 3.0 * np.arange(77)
    given = softmax(found.ages[rows, found.sex] / 1.3)
    expected = given @ ages
    of_sex = softmax(found.sexes)
    spread = np.sqrt((given * (ages - expected[:, None]) ** 2).sum(axis=1))
    other = of_sex[rows, 1 - found.sex]
    mixed = (of_sex[..., None] * softmax(found.ages / 1.3)).sum(axis=1) @ ages
    of_mixed = (of_sex[..., None] * softmax(found.ages / 1.3)).sum(axis=1)
    mixed_spread = np.sqrt((of_mixed * (ages - mixed[:, None]) ** 2).sum(axis=1))
    wrong = softmax(found.ages[rows, 1 - found.sex] / 1.3) @ ages
    values = {
        MAD: np.abs(expected - found.months).mean(),
        "MAD by arg-max, months": np.abs(ages[given.argmax(axis=1)] - found.months).mean(),
        "bias, months": (expected - found.months).mean(),
        "coverage of the 90% interval": (np.abs(expected - found.months) <= 2 * (spread + 3)).mean(),
        "sex read right": (other < 0.5).mean(),
        "MAD by expectation, sex not stated, months": np.abs(mixed - found.months).mean(),
        "coverage of the interval, sex not stated": (np.abs(mixed - found.months) <= 2 * (mixed_spread + 3)).mean(),
        "MAD by expectation, wrong sex stated, months": np.abs(wrong - found.months).mean(),
        "right sex contradicted": (other >= 0.8).mean(),
        "wrong sex contradicted": (1 - other >= 0.8).mean(),
    }
    low, high = np.clip(expected - 2 * (spread + 3), 0, 228), np.clip(expected + 2 * (spread + 3), 0, 228)
    values["mean width of the 90% interval, months"] = (high - low).mean()
    assert set(figures) == set(values)
    for name, value in values.items():
        metric = figures[name]
        assert metric.value == pytest.approx(value, rel=1e-6), name
        assert metric.low is not None
        assert metric.high is not None
        assert metric.low <= metric.value <= metric.high
        assert (metric.part, metric.cases) == (SMALL, 60)


def test_groups_hold_every_hand_once_by_sex_and_once_by_age() -> None:
    found = drawn_answers()
    rows = groups_table({LARGE: found}, Point(1.3, RULE, 0.8))
    sexes, ages = rows[:2], rows[2:]
    assert [row["group"] for row in sexes] == ["girls", "boys"]
    assert sum(row["hands"] for row in sexes) == sum(row["hands"] for row in ages) == 60
    young = found.chosen(found.months < 48)
    mad = np.abs(young.expected - young.months).mean()
    assert ages[0][MAD].startswith(f"{mad:.2f} (")
    assert [row["group"] for row in ages] == [
        "under 4 years",
        "4 to under 8 years",
        "8 to under 12 years",
        "12 to under 15 years",
        "15 years and over",
    ]


def test_a_paired_difference_is_narrower_than_two_intervals() -> None:
    random = np.random.default_rng(0)
    hard = random.gamma(2, 4, 200)
    found = paired_difference(hard + 1 + random.normal(0, 0.5, 200), hard)
    assert found.value == pytest.approx(1, abs=0.15)
    assert 0.8 < found.low < found.value < found.high < 1.2


def test_alterations() -> None:
    gray = np.random.default_rng(0).random((4, 6)).astype(np.float32)
    made = {one.name: one.make(gray) for one in alterations()}
    np.testing.assert_array_equal(made["mirrored"], gray[:, ::-1])
    for quarters, degrees in enumerate((90, 180, 270), start=1):
        np.testing.assert_array_equal(made[f"turned by {degrees} degrees"], np.rot90(gray, quarters))
    np.testing.assert_allclose(made["inverted"], 1 - gray)
    assert np.ptp(made["low contrast"]) == pytest.approx(0.2 * np.ptp(gray), abs=1 / 255)
    assert all(one.dtype == np.float32 for one in made.values())


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return small_material(tmp_path_factory.mktemp("bone_age"))


@pytest.fixture(scope="module")
def written(material: Material, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Card]:
    """Folder of weights with a random network, and its card."""
    torch.manual_seed(0)
    out = tmp_path_factory.mktemp("weights")
    return out, make_card(build(NetworkSettings()).eval(), material, SETTINGS, "0123456", out)


def as_stored(card: Card) -> object:
    """With lists in the place of tuples."""
    return json.loads(json.dumps(asdict(card)))


def test_the_card_says_what_was_measured_on_which_part(written: tuple[Path, Card], material: Material) -> None:
    out, card = written
    assert as_stored(read_card(out / "bone_age" / "card.json")) == as_stored(card)
    large = [hand for hand in material.parts.reporting if hand.large]
    assert card.metric(MAD, SMALL).cases == len(material.parts.reporting) == 8
    assert card.metric(MAD, LARGE).cases == len(large)
    for altered in alterations():
        assert card.metric(MAD, f"{LARGE}, {altered.name}").cases == len(large)
    assert (card.commit, card.precision, card.initialisation) == ("0123456", "fp16", "random (from scratch)")
    assert card.model == {"cbam": True, "shortcuts": True, "inception": True, "sex_head": True}
    assert card.settings["loss"]["spread"] == SETTINGS.loss.spread
    assert "16 hands trained, 6 chose" in card.split
    assert card.data[0].images == sum(1 + (hand.large is not None) for hand in material.hands.hands)
    assert {row["images"] for row in card.tables[GROUPS]} <= {SMALL, LARGE}


def test_the_app_reads_what_was_measured(written: tuple[Path, Card], material: Material) -> None:
    """The card's MAD and coverage again, through the app's own way from file to answer."""
    out, card = written
    loaded = load_model(TASK, out)
    away, covered = [], []
    for hand in material.parts.reporting:
        image = load_image(material.hands.root / str(hand.small))
        prepared = TASK.prepare([image], {"sex": hand.sex}, ModelInput(size=SIZE))
        age = predict(loaded, prepared, encode(loaded, prepared)).age
        assert age is not None
        assert age.interval is not None
        away.append(abs(age.expected - hand.months))
        covered.append(age.interval[0] <= hand.months <= age.interval[1])
    assert np.mean(away) == pytest.approx(card.metric(MAD, SMALL).value, abs=0.3)
    assert np.mean(covered) == pytest.approx(card.metric("coverage of the 90% interval", SMALL).value)


def test_measuring_again_gives_the_same_card(
    written: tuple[Path, Card], material: Material, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, card = written
    monkeypatch.setattr(card_module, "read_material", lambda *given, **how: material)
    assert as_stored(measure_again(material.hands.root, material.cache, out, TASK)) == as_stored(card)


def test_the_rule_rests_on_the_interval_part_and_the_larger_images(material: Material) -> None:
    torch.manual_seed(0)
    point = choose_point(build(NetworkSettings()).eval(), material, SIZE)
    assert sum(point.rule.counts) == len(material.parts.interval) == 12
    assert point.rule.scaled
    assert point.contradiction is not None
    assert 0.5 <= point.contradiction <= 1
    without = choose_point(build(NetworkSettings(sex_head=False)).eval(), material, SIZE)
    assert without.contradiction is None


def test_training_writes_weights_and_a_plain_network_stands_beside_them(
    material: Material, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(card_module, "read_material", lambda *given, **how: material)
    run, out = tmp_path / "run", tmp_path / "out"
    card = make_weights(material.hands.root, run, material.cache, SETTINGS, CPU, out, TASK)
    assert (out / "bone_age" / "model.safetensors").is_file()
    rows = compare_plain(material, SETTINGS, CPU, tmp_path / "plain", out)
    assert [row["network"] for row in rows] == [SHIPPED, "ResNet-18"]
    assert rows[0][f"100-pixel images: {MAD}"].startswith(f"{card.metric(MAD, SMALL).value:.2f} (")
    assert rows[0]["larger images: difference of MAD (paired bootstrap)"] == "reference"
    assert " to " in rows[1]["larger images: difference of MAD (paired bootstrap)"]
    assert [row["million parameters"] for row in rows] == [5.51, 11.75]
    assert [row["pixels a side"] for row in rows] == [SIZE, SIZE]
    assert read_card(out / "bone_age" / "card.json").tables[TITLE] == rows


def test_what_the_app_could_not_read_is_not_trained(material: Material, tmp_path: Path) -> None:
    given = (material.hands.root, tmp_path, tmp_path)
    with pytest.raises(InputError, match="last stage"):
        make_weights(*given, replace(SETTINGS, stages=((SIZE + 32, 1, 8),)), CPU, tmp_path, TASK)
    with pytest.raises(InputError, match="reads TJ-Net"):
        make_weights(*given, replace(SETTINGS, network=NetworkSettings("resnet18")), CPU, tmp_path, TASK)
    with pytest.raises(WeightsError, match="No trained weights"):
        compare_plain(material, SETTINGS, CPU, tmp_path, tmp_path)


def test_without_the_sex_there_is_no_figure_of_it() -> None:
    found = drawn_answers()
    without = replace(found, sexes=np.zeros((60, 0)))
    names = {metric.name for metric in measure(without, Point(1.0, RULE, None), SMALL)}
    assert MAD in names
    assert not any("sex" in name for name in names)

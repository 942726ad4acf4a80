"""The follow-up network's card: every figure with its part, no patient in two parts, and it can be made again."""

from dataclasses import replace
from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from cxrkit.card import Card, Metric, read_card
from cxrkit.explain import Method
from cxrkit.explain_pair import INTERSECTION_BY_METHOD
from cxrkit.image import read_image
from cxrkit.phantoms import random_chest, simulate_chest
from cxrkit.phantoms.settings import LESIONS
from cxrkit.pixels import Gray
from cxrkit.predict import encode, predict
from cxrkit.report import figure
from cxrkit.task import ModelInput
from cxrkit.tasks.followup import FOLLOW_UP
from tests.models_for_tests import small_loaded
from train.followup import answers as answers_module
from train.followup.answers import Answers, Reader
from train.followup.by_patient import NONE
from train.followup.card import make_card, measure_again
from train.followup.fit import Settings, history, network_settings
from train.followup.held import Held, known_pairs, read_held
from train.followup.made_aside import CONTRASTS, EDGES, plan_changes, plan_natural, plan_unchanged
from train.followup.matching import ANOTHER, LATERAL, MATCHING_TABLE, SAME, read_other
from train.followup.material import read_material
from train.followup.measure import Counts
from train.followup.measure_made import LESION_TABLE, MADE
from train.followup.measure_maps import INTERSECTION, POINTING_TABLE
from train.stored import HISTORY, initialisation

SIZE = 64
SETTINGS = Settings(encoder="cmt_xti", stages=((SIZE, 1, 8),), simulated=0)
COUNTS = Counts(each=1, unchanged=8, natural=4, singles=6, others=2, laterals=1, carved=12)
COURSES = (("No Finding", "Mass"), ("Mass", "Mass"), ("Mass|Effusion", "No Finding"), ("No Finding", "No Finding"))
TRAINED, REPORTING = (0, 2, 0, 2, 0, 2), (0, 1, 2, 3, 0, 2)
"""Course of each patient."""


CHESTS = 3


@cache
def simulated(number: int) -> Gray:
    return simulate_chest(random_chest(700 + number, view="PA", size=192)).values


def draw(root: Path, lines: list[str], files: int) -> Path:
    """Images 0.png ... of a few simulated chests, each at another exposure, and the given labels.csv."""
    root.mkdir()
    for number in range(files):
        values = simulated(number % CHESTS) ** (1 + number / 60)
        cv2.imwrite(str(root / f"{number}.png"), (values * 255).astype(np.uint8))
    (root / "labels.csv").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A set with findings, and one that knows nothing but days; both with a given split."""
    root = tmp_path_factory.mktemp("data")
    alpha, beta = ["file,patient_id,follow_up,findings,split"], ["file,patient_id,offset_days,split"]
    for patient, course in enumerate(TRAINED + REPORTING):
        split = "train" if patient < len(TRAINED) else "val"
        for order, findings in enumerate(COURSES[course]):
            alpha.append(f"{2 * patient + order}.png,p{patient},{order},{findings},{split}")
    beta += [f"{number}.png,q{number},0,train" for number in range(6)]
    beta += [f"{6 + number}.png,r{number // 2},{number % 2},val" for number in range(4)]
    return [draw(root / "alpha", alpha, len(alpha) - 1), draw(root / "beta", beta, len(beta) - 1)]


@pytest.fixture(scope="module")
def hands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    lines = ["file,body_part", "0.png,Hand", "1.png,Chest", "2.png,Knee"]
    return draw(tmp_path_factory.mktemp("others") / "parts", lines, 3)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("run")


@pytest.fixture(scope="module")
def held(data: list[Path], run: Path) -> list[Held]:
    return read_held(data, run / "cache", COUNTS.singles)


@pytest.fixture(scope="module")
def card(data: list[Path], hands: Path, run: Path) -> Card:
    """The card of a random network."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = FOLLOW_UP.build_model(network_settings(SETTINGS)).eval()
    material = read_material(data, 0, run / "cache")
    return make_card(model, material, data, [hands], run, run / "cache", SETTINGS, "0" * 40, run / "out", COUNTS)


def test_every_figure_of_the_card_has_its_interval_and_part(card: Card, run: Path) -> None:
    assert read_card(run / "out" / "followup" / "card.json").metrics == card.metrics
    for metric in card.metrics:
        assert metric.cases > 0
        assert metric.part
        if metric.low is None or metric.high is None:
            undefined = metric.name in ("ECE", "calibration in the large") or metric.note.endswith(NONE)
            assert undefined, "no interval is defined for these"
        else:
            assert metric.low <= metric.value <= metric.high
    assert len({(metric.name, metric.part) for metric in card.metrics}) == len(card.metrics)
    assert set(card.thresholds) == {"change", "abnormal", "more"}
    assert set(card.tables) == {LESION_TABLE, POINTING_TABLE, INTERSECTION_BY_METHOD, MATCHING_TABLE}
    assert [row["method"] for row in card.tables[INTERSECTION_BY_METHOD]] == list(Method)
    intersection = card.metric(f"pointing game, {INTERSECTION}", f"{MADE}, all with change")
    assert card.tables[INTERSECTION_BY_METHOD][0]["all"] == figure(intersection)
    given = "alpha, given val part: pairs of consecutive radiographs"
    assert card.metric("AUC", given).cases == 6
    assert card.metric("order swapped: label turns", given).cases == 6
    assert card.metric("AUC", MADE).cases == len(LESIONS) * len(CONTRASTS) * COUNTS.each + COUNTS.unchanged
    assert card.metric(f"pointing game, {INTERSECTION}", f"{MADE}, all with change").cases > 0
    assert card.metric("told to be hardly comparable", LATERAL).cases == COUNTS.laterals
    assert (
        card.metric("told to be hardly comparable", ANOTHER).cases
        == card.metric("told to be hardly comparable", SAME).cases
    )
    assert "of the training and carved parts" in card.metric("told to be hardly comparable", SAME).note
    rates = [metric for metric in card.metrics if metric.name == "false-change rate"]
    assert [metric.cases for metric in rates] == [COUNTS.natural] * 4, "two sets, untouched and restored"
    assert [row["stage"] for row in card.tables[MATCHING_TABLE]] == [1, 2, 3, 4]
    assert [(source.name, source.images, source.real) for source in card.data] == [
        ("alpha", 24, True),
        ("beta", 10, True),
        ("parts, measured on only: as pictures that must not be compared with a chest", 2, True),
        ("simulated lateral views", COUNTS.laterals, False),
    ]


def test_measuring_again_gives_the_same_card_and_asks_nothing_twice(
    card: Card, data: list[Path], hands: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Answers:
        raise AssertionError("the network was asked again")

    monkeypatch.setattr(answers_module.Reader, "_ask", refuse)
    again = measure_again(data, [hands], run, run / "cache", run / "out", COUNTS)
    assert (again.metrics, again.thresholds, again.commit) == (card.metrics, card.thresholds, card.commit)
    assert again.tables == card.tables


def test_what_reports_has_not_trained_or_chosen(held: list[Held], data: list[Path], run: Path) -> None:
    material = read_material(data, 0, run / "cache")
    learned = {
        str(patient)
        for source in (*material.training, *material.carved)
        if hasattr(source, "sets")
        for sources, rows in source.sets
        for patient in sources.patients[rows]
    }
    aside = {str(patient) for one in held for patient in one.sources.patients}
    assert len(learned) > 5
    assert len(aside) > 5
    assert not learned & aside
    for one in held:
        reports = {case.files[0] for case in one.parts.aside}
        planned = [*plan_changes([one], 1), *plan_unchanged([one], 9), *plan_natural(one, 6)[0]]
        assert {str(pair.sources.files[pair.row]) for pair in planned} <= reports
        assert all({pair.baseline.files[0], pair.follow_up.files[0]} <= reports for pair in known_pairs(one))


def test_one_lesion_changes_and_a_control_differs_by_its_lesion_alone(held: list[Held]) -> None:
    planned = plan_changes(held, 2)
    assert len(planned) == len(LESIONS) * len(CONTRASTS) * 2
    for pair in planned:
        changing = [lesion for lesion in pair.plan.lesions if lesion.changes]
        assert [lesion.kind for lesion in changing] == [pair.kind]
        number = CONTRASTS.index(pair.contrast)
        assert EDGES[number] <= max(changing[0].contrasts) <= EDGES[number + 1]
    for untouched, restored in zip(*plan_natural(held[0], 5), strict=True):
        assert untouched.plan.lesions == ()
        assert restored.plan.control
        assert (untouched.plan.poses, untouched.plan.looks) == (restored.plan.poses, restored.plan.looks)
        assert untouched.row == restored.row


def test_the_reader_says_what_predict_says(data: list[Path], tmp_path: Path) -> None:
    loaded = small_loaded(FOLLOW_UP)
    good = Metric("direction AUC", "made pairs", 0.9, 0.8, 0.95, 100, "")
    loaded = replace(loaded, card=replace(loaded.card, metrics=(good,)))
    images = [read_image((data[0] / f"{number}.png").read_bytes()) for number in (0, 3)]
    prepared = FOLLOW_UP.prepare(images, {}, ModelInput())
    expected = predict(loaded, prepared, encode(loaded, prepared), threshold=0.0)
    pairs = [np.stack(prepared.view), np.stack(prepared.view[::-1])]
    found = Reader(loaded, tmp_path).read(pairs, explain=True)
    assert found.change(loaded.card.temperature)[0] == pytest.approx(expected.scores["change"], abs=1e-5)
    for question, positive in (("baseline", "abnormal"), ("follow-up", "abnormal"), ("direction", "more")):
        scores = found.further(question)
        assert scores is not None
        assert scores[0] == pytest.approx(expected.further[question][positive], abs=1e-5)
    np.testing.assert_allclose(found.matching[0], expected.matching, atol=1e-5)
    assert found.further("direction").sum() == pytest.approx(1, abs=1e-4)  # type: ignore[union-attr]
    assert found.maps.shape[:3] == (2, len(Method), 2)
    assert found.lesions.shape == found.maps[:, 0].shape
    changed = Reader(loaded, tmp_path).read([pairs[0] * 0.9, pairs[1]])
    assert not np.allclose(changed.logits[0], found.logits[0]), "other pixels are read anew"


def test_other_radiographs_leave_chests_out(hands: Path, tmp_path: Path) -> None:
    assert [case.files for case in read_other(hands, 5).cases] == [("0.png",), ("2.png",)]
    assert len(read_other(hands, 1).cases) == 1
    (tmp_path / "labels.csv").write_text("id,file_100,file_512\n1,a.png,\n2,b.png,c.png\n")
    assert [case.files for case in read_other(tmp_path, 5).cases] == [("c.png",)]


def test_the_card_says_what_training_started_from(tmp_path: Path) -> None:
    file = tmp_path / "start.safetensors"
    save_file({"a": torch.zeros(1)}, file, {HISTORY: "labels of single radiographs"})
    assert initialisation(file) == "weights given by --init, after labels of single radiographs"
    save_file({"a": torch.zeros(1)}, file)
    assert "says nothing of" in initialisation(file)
    assert initialisation(None) == "random (from scratch)"
    assert history(replace(SETTINGS, stages=((64, 2, 3000),))) == (
        "pairs (2 x 3,000 at 64 px), started from random (from scratch)"
    )

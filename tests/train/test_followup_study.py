"""Studies of follow-up comparison: their cells, their table, and a tiny one from data to card that goes on."""

import csv
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import timm
from typer.testing import CliRunner

from cxrkit.card import WEIGHTS, read_card
from cxrkit.errors import InputError, WeightsError
from cxrkit.metrics import auc, delong_test
from cxrkit.models.cmt import SIZES, CmtSize
from tests.train.image_sets import chest, write_set
from train.followup import laboratory, study_commands
from train.followup.__main__ import app
from train.followup.fit import Settings
from train.followup.held import read_held
from train.followup.laboratory import Laboratory
from train.followup.moco import MocoSettings
from train.followup.study import (
    BOTH,
    ENCODERS,
    Cell,
    Scale,
    ablation,
    comparison,
    loss_weights,
    scale_of,
    starts,
)
from train.followup.study_commands import read_sizes
from train.followup.study_parts import MADE, reported_parts
from train.followup.study_table import UNDEFINED, Measured, figures, table_of
from train.studies import MEASURED_ON, REFERENCE, Budget, Study, put_on_card
from train.trainer import FitSettings

SMALL = "cmt of this test"
CPU = FitSettings(accelerator="cpu", precision="32-true")
TINY = Scale(
    Settings(encoder=SMALL, direction=False, stages=((64, 1, 8),), batch=2, judged=8, simulated=0, workers=0),
    MocoSettings(encoder=SMALL, size=64, queue=8, epochs=1, batch=4, parts=2, workers=0),
    repeats=1,
    each=1,
)


@pytest.fixture(autouse=True, scope="module")
def small_encoder() -> Iterator[None]:
    """One more member of the family, of which a step takes milliseconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SIZES, SMALL, CmtSize(4, (8, 16, 24, 32), (1, 1, 1, 1), 2.0))  # type: ignore[arg-type]
        yield


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixteen patients with two radiographs each; the last six are the given val part."""
    folder = tmp_path_factory.mktemp("data") / "drawn"
    rows = [
        (f"{patient}_{time}.png", f"p{patient}", time, "Effusion" if (patient + time) % 4 == 0 else "No Finding",
         "train" if patient < 10 else "val")
        for patient in range(16)
        for time in range(2)
    ]  # fmt: skip
    images = {row[0]: chest(number) for number, row in enumerate(rows)}
    write_set(folder, images, ("file", "patient_id", "follow_up", "findings", "split"), rows)
    return folder


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def tiny_study() -> Study[Cell]:
    cells = (
        Cell("both", TINY.settings),
        Cell("plain", replace(TINY.settings, matching="none")),
        Cell("after MoCo v2", TINY.settings, TINY.contrastive),
    )
    return Study("Tiny study", "both", cells)


def test_the_full_budget_has_the_sources_settings() -> None:
    full, small = scale_of(Budget.FULL), scale_of(Budget.SMALL)
    assert (full.settings.image_size, full.settings.batch) == (512, 14)
    assert (full.settings.lambdas.disease, full.settings.lambdas.matching) == (0.1, 0.01)
    assert not full.settings.direction, "the direction is not the source's"
    assert (full.contrastive.queue, full.contrastive.momentum) == (65_536, 0.999)
    assert small.settings.image_size < 512
    assert small.repeats <= full.repeats
    medium = scale_of(Budget.MEDIUM)
    pairs = {budget: sum(epochs * count for _, epochs, count in scale_of(budget).settings.stages) for budget in Budget}
    assert pairs[Budget.SMALL] < pairs[Budget.MEDIUM] < pairs[Budget.FULL]
    ours = (medium.settings.direction, medium.settings.difference, medium.settings.lesions)
    assert ours == (False, False, False)
    medium.contrastive.check()


def test_the_comparison_has_the_sources_encoders_in_one_classifier() -> None:
    study = comparison(scale_of(Budget.SMALL))
    names = [cell.name for cell in study.cells]
    assert len(set(names)) == len(names) == 14
    assert study.reference == BOTH
    assert study.cells[0].name == BOTH
    assert (study.cells[0].settings.matching, study.cells[0].settings.disease) == ("similar", True)
    for cell in study.cells[1:]:
        assert (cell.settings.matching, cell.settings.disease) == ("none", True)
    assert all(timm.is_model(encoder) for encoder in ENCODERS.values())
    moco = [cell for cell in study.cells if cell.contrastive]
    assert [(cell.settings.encoder, cell.contrastive.encoder) for cell in moco] == [("resnet50", "resnet50")]  # type: ignore[union-attr]


def test_encoders_of_timm_can_start_from_imagenet_and_are_named_so() -> None:
    cells = comparison(scale_of(Budget.SMALL), pretrained=True).cells
    started = {cell.name for cell in cells if cell.settings.pretrained}
    assert started == {f"{name}, from ImageNet" for name in ENCODERS}, "of CMT there are no such weights"


def test_the_ablation_and_the_grid_are_the_sources() -> None:
    scale = scale_of(Budget.FULL)
    parts = {cell.name: (cell.settings.matching, cell.settings.disease) for cell in ablation(scale).cells}
    assert parts == {
        BOTH: ("similar", True),
        "CMT-Ti": ("none", False),
        "CMT-Ti + disease head": ("none", True),
        "CMT-Ti + AMM": ("similar", False),
        "CMT-Ti + ACM (difference) + disease head": ("difference", True),
    }
    grid = loss_weights(scale)
    tried = {(cell.settings.lambdas.disease, cell.settings.lambdas.matching) for cell in grid.cells}
    assert tried == {(a, b) for a in (0, 0.1, 1) for b in (0, 0.01, 0.1, 1)}
    chosen = next(cell for cell in grid.cells if cell.name == grid.reference)
    assert chosen.settings == scale.settings, "the reference is the source's and shared with the other studies"


def test_starts_differ_in_nothing_but_the_start(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="does not exist"):
        starts(TINY, tmp_path / "missing.safetensors")
    file = tmp_path / "encoder.safetensors"
    file.touch()
    scratch, supervised, moco = starts(TINY, file).cells
    assert replace(supervised.settings, init=None) == scratch.settings == moco.settings
    assert supervised.settings.init == file
    assert moco.contrastive is not None
    assert moco.contrastive.encoder == SMALL


def test_figures_are_those_of_the_mean_over_repeats() -> None:
    random = np.random.default_rng(0)
    change = np.repeat([0, 1], 30)
    margins, other = random.normal(size=(2, 60)) + change, random.normal(size=(2, 60))
    found = figures(change, margins, other)
    mean = margins.mean(axis=0)
    assert found["AUC"].startswith(f"{auc(change, mean):.3f} (")
    assert found["AUC of each repeat"] == f"{auc(change, margins[0]):.3f}, {auc(change, margins[1]):.3f}"
    assert found["sensitivity"].startswith(f"{np.mean(mean[30:] >= 0):.3f} (")
    assert found["specificity"].startswith(f"{np.mean(mean[:30] < 0):.3f} (")
    assert found["accuracy"].startswith(f"{np.mean((mean >= 0) == change):.3f} (")
    p = delong_test(change, mean, other.mean(axis=0)).p
    assert found["p of AUC (DeLong, two-sided)"] == ("< 0.001" if p < 0.001 else f"{p:.3f}")
    assert figures(change, margins, None)["p of AUC (DeLong, two-sided)"] == REFERENCE
    one_class = figures(np.ones(60, dtype=np.int64), margins, other)
    assert one_class["AUC"] == one_class["p of AUC (DeLong, two-sided)"] == UNDEFINED
    assert one_class["sensitivity"].startswith("0.")
    assert one_class["specificity"] == UNDEFINED


def test_every_cell_but_the_reference_has_a_p_value() -> None:
    random = np.random.default_rng(1)
    change = np.repeat([0, 1], 20)
    margins = {name: random.normal(size=(1, 40)) for name in ("a", "b")}
    cells = [Measured(name, {"part": of, "half": of[:, ::2]}, {"size": 64}) for name, of in margins.items()]
    rows = table_of(cells, "b", {"part": change, "half": change[::2]})
    column = "p of AUC (DeLong, two-sided)"
    assert rows[1][column] == rows[3][column] == REFERENCE
    assert 0 <= float(rows[0][column]) <= 1
    assert [(row["network"], row[MEASURED_ON]) for row in rows] == [(x, y) for y in ("part", "half") for x in "ab"]


def test_only_patients_set_aside_report(drawn: Path, cache: Path) -> None:
    held = read_held([drawn], cache)
    made, real = reported_parts(held, 64, 1, cache)
    assert made.name == MADE
    assert {str(patient) for patient in held[0].sources.patients} <= {f"drawn:p{number}" for number in range(10, 16)}
    assert real.images.shape == (6, 2, 64, 64)
    assert real.change.sum() == 3
    assert 0 < made.change.sum() < len(made.change)
    again = reported_parts(held, 64, 1, cache)[0]
    np.testing.assert_array_equal(made.images, again.images)


def test_a_study_goes_on_shares_its_cells_and_goes_to_the_card(
    drawn: Path, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained: list[Path] = []
    real = laboratory.train_network

    def counted(material: object, settings: Settings, how: FitSettings, run: Path, drawn: Path) -> object:
        if len(trained) == 2:
            trained.append(run)
            raise RuntimeError("killed")
        trained.append(run)
        return real(material, settings, how, run, drawn)  # type: ignore[arg-type]

    monkeypatch.setattr(laboratory, "train_network", counted)
    monkeypatch.setattr(laboratory, "WEIGHTS", tmp_path)
    with pytest.raises(RuntimeError, match="killed"):
        Laboratory([drawn], TINY, tmp_path / "run", cache, CPU).conduct(tiny_study(), Budget.SMALL, 1, card=False)
    lab = Laboratory([drawn], TINY, tmp_path / "run", cache, CPU)
    rows = lab.conduct(tiny_study(), Budget.SMALL, 1, card=False)
    assert len(trained) == 4, "two cells were finished before the kill and are not trained again"
    assert trained[2] == trained[3]
    assert not list((tmp_path / "run" / "cells").glob("*/stage_*/checkpoints"))
    assert json.loads((tmp_path / "run" / "tiny_study_small.json").read_text()) == rows
    with (tmp_path / "run" / "tiny_study_small.csv").open(newline="") as stream:
        assert [row["network"] for row in csv.DictReader(stream)] == ["both", "plain", "after MoCo v2"] * 2
    assert rows[0][MEASURED_ON] == MADE
    assert rows[0]["p of AUC (DeLong, two-sided)"] == REFERENCE
    assert " to " in rows[1]["AUC"]
    assert {row["gentle first stage"] for row in rows} == {""}
    assert laboratory._gentle(scale_of(Budget.MEDIUM).settings) == "contrasts from 0.7, variation x 0.5"
    assert {row["weight of the lesions' loss"] for row in rows} == {TINY.settings.lambdas.lesions}
    assert [row["MoCo v2"] != "" for row in rows] == [False, False, True] * 2
    assert (rows[0]["size"], rows[0]["epochs"], rows[0]["pairs per epoch"], rows[0]["repeats"]) == (64, 1, 8, 1)

    other = Study("Another", "the same", (Cell("the same", TINY.settings),))
    (tmp_path / "followup").mkdir()
    shutil.copy(WEIGHTS / "tuberculosis" / "card.json", tmp_path / "followup" / "card.json")
    shared = lab.conduct(other, Budget.SMALL, 1, card=True)
    assert len(trained) == 4, "a cell that another study has is not trained again"
    assert shared[0]["AUC"] == rows[0]["AUC"]
    assert read_card(tmp_path / "followup" / "card.json").tables["Another (small budget)"] == shared
    images = lab.held[0].images
    lab.held[0] = replace(lab.held[0], images=replace(images, certain=not images.certain))
    lab.conduct(other, Budget.SMALL, 1, card=False)
    assert len(trained) == 5, "labels that are trusted otherwise make another cell"


def test_a_table_replaces_its_earlier_one_and_needs_a_card(tmp_path: Path) -> None:
    card = tmp_path / "card.json"
    with pytest.raises(WeightsError, match="missing"):
        put_on_card("Title", [{"a": 1}], card)
    shutil.copy(WEIGHTS / "tuberculosis" / "card.json", card)
    before = read_card(card).tables
    put_on_card("Title", [{"a": 1}], card)
    put_on_card("Title", [{"a": 2}], card)
    assert read_card(card).tables == {**before, "Title": [{"a": 2}]}


def test_several_devices_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="one device"):
        Laboratory([], TINY, tmp_path, tmp_path, replace(CPU, devices=2))


def test_sizes_are_read_from_text() -> None:
    assert read_sizes("128:12,192:3") == ((128, 12), (192, 3))
    for text in ("128", "128:1:2", "a:b"):
        with pytest.raises(InputError, match="SIZE:EPOCHS"):
            read_sizes(text)


@pytest.mark.parametrize(
    ("command", "title", "further"),
    [
        ("compare", "Comparison of encoders", []),
        ("ablation", "Ablation", []),
        ("lambdas", "Weights of the losses", []),
        ("starts", "Where training starts from", ["--supervised", str(WEIGHTS / "tuberculosis" / "card.json")]),
    ],
)
def test_commands_conduct_their_study(
    command: str, title: str, further: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[object] = []

    class Recorded:
        def __init__(self, data: list[Path], scale: Scale, run: Path, cache: Path, how: FitSettings) -> None:
            told.extend([data, scale, run, cache, how.precision])

        def conduct(self, study: Study[Cell], budget: Budget, repeats: int, *, card: bool) -> list[dict[str, str]]:
            told.extend([study.title, budget, repeats, card])
            return [{"network": study.reference}]

    monkeypatch.setattr(study_commands, "Laboratory", Recorded)
    given = [command, "--data", str(tmp_path), "--run", str(tmp_path), "--budget", "small", "--repeats", "2", "--card"]
    done = CliRunner().invoke(app, [*given, *further, "--precision", "32-true"])
    assert done.exit_code == 0, done.output
    small = scale_of(Budget.SMALL)
    assert told == [[tmp_path], small, tmp_path, tmp_path / "cache", "32-true", title, Budget.SMALL, 2, True]
    assert done.output.startswith("network: ")

"""Training of the follow-up network: the mixture, parts without shared patients, a tiny run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cxrkit.errors import InputError
from cxrkit.models.music_vit import MusicVit
from tests.train.followup_networks import SMALL, TINY, batch, network, small_encoder
from train.epochs import PROGRESS, read_rows, write_row
from train.followup.data import FULL, Difficulty, Draw, Draws, Example, Mixture, PairSource, Random, mixture_loader
from train.followup.drawn import drawn_loader, fits
from train.followup.fit import Settings, network_settings, recorded_loss, train_network
from train.followup.kinds import CONTROL
from train.followup.losses import UNKNOWN, losses
from train.followup.material import Material
from train.followup.progress import CHOICE, Judged, Recorder, draw_judged, figures, judged_logits
from train.stages import read_stages
from train.stored import BEST
from train.trainer import FitSettings

CPU = FitSettings(accelerator="cpu", precision="32-true")

__all__ = ["small_encoder"]


class Squares:
    """Noise twice, with a bright square that comes or goes where there is change."""

    def __init__(self, name: str = "made", count: int = 40, fail_after: int | None = None) -> None:
        self.name, self.weights, self.fail_after = name, np.full(count, 1 / count), fail_after

    @property
    def identity(self) -> object:
        return self.name

    def pair(self, index: int, random: Random, size: int, difficulty: Difficulty = FULL) -> Example:
        del difficulty
        if self.fail_after is not None:
            self.fail_after -= 1
            if self.fail_after < 0:
                raise RuntimeError("killed")
        noise = np.random.default_rng(index).random((size, size)).astype(np.float32) * 0.4
        images = [noise.copy(), noise.copy()]
        change, more = index % 2, int(random.random() < 0.5)
        if change:
            left, top = random.integers(0, size // 2, 2)
            images[more][top : top + size // 2, left : left + size // 2] += 0.6
        way = more if change else UNKNOWN
        return Example(
            (images[0], images[1]), change, (change * (1 - more), change * more), way, kind="square" * change
        )


def material(fail_after: int | None = None) -> Material:
    training: tuple[PairSource, ...] = (Squares(fail_after=fail_after), Squares("real a", 10))
    return Material(training, (Squares(),), {"made": "made", "real a": "real"})


SETTINGS = Settings(
    encoder=SMALL,
    stages=((32, 2, 48), (64, 2, 48)),
    batch=8,
    learning_rate=1e-3,
    shares={"made": 0.6, "real": 0.14},
    judged=24,
    workers=0,
)


def test_swapped_example_has_swapped_labels() -> None:
    first, second = np.zeros((4, 4), np.float32), np.ones((4, 4), np.float32)
    example = Example((first, second), 1, (0, 1), 1, 0.5, "nodule")
    back = example.swapped()
    assert back.images[0] is second
    assert (back.change, back.abnormal, back.direction, back.weight, back.kind) == (1, (1, 0), 0, 0.5, "nodule")
    assert Example((first, second), 0).swapped().direction == UNKNOWN


def test_an_epoch_has_the_shares_and_is_another_one_each_time() -> None:
    sources = [Squares("made", 40), Squares("real", 10)]
    draws = Draws(sources, {"made": 3, "real": 1}, 60, seed=1)
    first, again = list(draws), list(draws)
    assert first == again
    assert len(first) == len(draws) == 60
    assert [draw.source for draw in first].count(1) == 15
    assert {draw.index for draw in first if draw.source == 1} <= set(range(10))
    assert [draw.source for draw in first] != sorted(draw.source for draw in first)
    draws.set_epoch(1)
    assert {draw.seed for draw in draws}.isdisjoint(draw.seed for draw in first)
    assert {draw.seed for draw in Draws(sources, {"made": 3, "real": 1}, 60, seed=2)}.isdisjoint(
        draw.seed for draw in first
    )


def test_shares_of_kinds_are_divided_by_the_root_of_the_number() -> None:
    sources: tuple[PairSource, ...] = (Squares("made"), Squares("real a", 16), Squares("real b", 4))
    three = Material(sources, (), {"made": "made", "real a": "real", "real b": "real"})
    found = three.by_source({"made": 0.7, "real": 0.3, "simulated": 0.2}, sources)
    assert found == pytest.approx({"made": 0.7, "real a": 0.2, "real b": 0.1})


def test_a_pair_depends_on_its_draw_alone() -> None:
    mixture = Mixture([Squares(), Squares("real", 10)], TINY)
    one, same, other = (mixture[draw] for draw in (Draw(0, 3, 5), Draw(0, 3, 5), Draw(0, 3, 6)))
    torch.testing.assert_close(one.pair, same.pair, rtol=0, atol=0)
    assert not torch.equal(one.pair, other.pair)
    assert one.pair.shape == (2, 1, TINY, TINY)
    in_process, by_worker = (
        next(iter(mixture_loader([Squares()], {"made": 1.0}, TINY, 16, 8, seed=0, workers=workers)))
        for workers in (0, 1)
    )
    for mine, its in zip(in_process, by_worker, strict=True):
        assert torch.equal(mine, its)


def test_pairs_drawn_once_are_those_that_each_run_would_draw(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sources, shares = (Squares(), Squares("real", 10)), {"made": 0.7, "real": 0.3}
    plain = mixture_loader(sources, shares, TINY, 24, 8, seed=3, workers=0)
    again = (sources, shares, (TINY, 2, 24), 8, 3, 0, FULL, tmp_path / "drawn")
    for epoch in (1, 0):
        stored = drawn_loader(*again)
        for loader in (plain, stored):
            loader.sampler.set_epoch(epoch)  # type: ignore[attr-defined]
        for mine, its in zip(plain, stored, strict=True):
            for column, found in list(zip(mine, its, strict=True))[1:]:
                torch.testing.assert_close(found, column, rtol=0, atol=0)
            assert float((mine.pair - its.pair).abs().max()) <= 0.51 / 255 / 0.25, "rounded to 256 gray values"
    monkeypatch.setattr(Squares, "pair", None)
    drawn_loader(*again)  # from its files: nothing is drawn again
    with pytest.raises(TypeError):
        drawn_loader(*again[:4], 4, *again[5:])


def test_pairs_that_would_fill_a_disk_are_not_kept() -> None:
    assert fits((160, 8, 10_000))
    assert not fits((512, 50, 4_000))


def test_a_run_on_drawn_pairs_is_that_on_rounded_ones(tmp_path: Path) -> None:
    settings = replace(SETTINGS, stages=((64, 1, 48),))
    first, second = (train_network(material(), settings, CPU, tmp_path / run, tmp_path / "drawn") for run in "ab")
    for one, other in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0)
    assert len(list((tmp_path / "drawn").glob("64-*.npy"))) == 1


def test_recorder_means_by_part_and_source() -> None:
    recorder = Recorder(["made", "real"])
    model, given = network().eval().requires_grad_(False), batch()._replace(source=torch.tensor([0, 0, 0, 1, 1, 1]))
    total = recorded_loss(replace(SETTINGS, smoothing=0.0), recorder)(model, given)
    found, means = losses(model, given), recorder.means()
    assert means["loss"] == pytest.approx(float(total.detach()))
    assert means["change, made"] == pytest.approx(float(found.each[:2].mean()))
    assert means["change, real"] == pytest.approx(float(found.each[3:].mean()))
    recorder.clear()
    assert set(recorder.means()) == {"seconds"}


def test_figures_of_a_perfect_and_of_a_blind_network() -> None:
    change = np.array([1, 1, 0, 0, 1, 0, UNKNOWN])
    judged = Judged(
        images=np.zeros((7, 2, 1, 1), np.uint8),
        change=change,
        direction=np.array([1, 0, UNKNOWN, UNKNOWN, 1, UNKNOWN, UNKNOWN]),
        sources=np.array(["made"] * 4 + ["real"] * 3),
        kinds=np.array(["nodule", "cavity", CONTROL, "", "", "", ""]),
    )
    logits = np.zeros((7, 8))
    logits[:, 1] = change
    logits[:, 7] = [1, -1, 0, 0, -1, 0, 0]
    found = figures(judged, logits, {"made": 0.5, "real": 0.5})
    assert found["AUC made"] == found["AUC made, nodule"] == found["AUC real"] == found[CHOICE] == 1
    assert found["AUC control against other no change"] == 0.5
    assert found["direction right"] == pytest.approx(2 / 3)
    blind = figures(judged, np.zeros((7, 8)), {"made": 1.0})
    assert blind["AUC made"] == blind[CHOICE] == 0.5


def test_a_row_replaces_that_of_the_same_epoch(tmp_path: Path) -> None:
    file = tmp_path / "run" / "progress.csv"
    assert read_rows(file) == []
    write_row(file, {"stage": 0, "epoch": 1, "loss": 0.5})
    write_row(file, {"stage": 0, "epoch": 2, "loss": 0.25})
    write_row(file, {"stage": 0, "epoch": 2, "loss": 0.125, "AUC": 0.75})
    assert read_rows(file) == [
        {"stage": "0", "epoch": "1", "loss": "0.5", "AUC": ""},
        {"stage": "0", "epoch": "2", "loss": "0.125", "AUC": "0.75"},
    ]


@pytest.fixture(scope="module")
def killed_and_finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was killed in the second stage, and went on."""
    run = tmp_path_factory.mktemp("run")
    # An epoch reads 39 pairs of the failing source; the stage before the kill reads two of them.
    with pytest.raises(RuntimeError, match="killed"):
        train_network(material(fail_after=39 * 3 + 5), SETTINGS, CPU, run)
    killed = [(row["stage"], row["epoch"]) for row in read_rows(run / PROGRESS)]
    assert killed == [("0", "1"), ("0", "2"), ("1", "1")]
    train_network(material(), SETTINGS, CPU, run)
    return run


def test_a_killed_run_goes_on(killed_and_finished: Path) -> None:
    rows = read_rows(killed_and_finished / PROGRESS)
    assert [(row["size"], row["epoch"]) for row in rows] == [("32", "1"), ("32", "2"), ("64", "1"), ("64", "2")]
    for row in rows:
        assert 0 < float(row["loss"]) < 10
        assert float(row["change, real a"]) > 0
        assert 0 <= float(row["AUC made, square"]) <= 1


def test_a_finished_run_gives_its_best_epoch_again(killed_and_finished: Path) -> None:
    """Without reading a pair to learn from."""
    model = train_network(material(fail_after=0), SETTINGS, CPU, killed_and_finished)
    assert not model.training
    judged = draw_judged(material().carved, SETTINGS.judged, SETTINGS.image_size, SETTINGS.seed)
    found = figures(judged, judged_logits(model, judged.images), {"made": 1.0})
    last = [float(row[CHOICE]) for row in read_rows(killed_and_finished / PROGRESS) if row["stage"] == "1"]
    assert found[CHOICE] == pytest.approx(max(last), abs=1e-4)
    assert (killed_and_finished / BEST).is_file()
    MusicVit(**network_settings(SETTINGS)).load_state_dict(model.state_dict())


def test_learning_what_is_easy(tmp_path: Path) -> None:
    settings = replace(SETTINGS, stages=((32, 4, 160),), judged=40, learning_rate=3e-3, ema_decay=0.9)
    train_network(material(), settings, CPU, tmp_path)
    rows = read_rows(tmp_path / PROGRESS)
    assert float(rows[-1]["change"]) < 0.6 * float(rows[0]["change"])
    assert float(rows[-1]["AUC made"]) > 0.9
    assert float(rows[-1]["direction right"]) > 0.9


def test_stages_are_read_from_text() -> None:
    assert read_stages("128:5:4000,256:8:1500") == ((128, 5, 4000), (256, 8, 1500))
    for wrong in ("128", "128:5", "a:b:c", "128:5:4000:1"):
        with pytest.raises(InputError, match="SIZE:EPOCHS:PAIRS"):
            read_stages(wrong, "PAIRS")
    with pytest.raises(InputError, match="at least 1"):
        read_stages("128:0:40")

"""GAN, self-supervision and fine-tuning of findings: killed runs go on, and what each leaves starts the next."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from scipy.special import softmax

from cxrkit.errors import InputError, WeightsError
from cxrkit.finding_training import STAGES, read_epochs, read_stages
from cxrkit.models.ssgan_vit import build
from cxrkit.tasks.nih14 import LABELS
from train.epochs import PROGRESS, read_rows
from train.nih14 import fit as fit_module
from train.nih14 import gan as gan_module
from train.nih14.adversary import Adversary
from train.nih14.augment import Change, apply, draw
from train.nih14.data import SETS, UNKNOWN, Findings, Labelled, Material, Pool, TwoViews
from train.nih14.fit import CHOICE, Settings, logits_of, macro_auc, started, train_network, write_epochs
from train.nih14.gan import DISCRIMINATOR, GENERATOR, TRUNK, GanSettings, train_gan
from train.nih14.losses import Reading, Regime
from train.nih14.parts import Parts
from train.nih14.pretrain import VIT, PretrainSettings, pretrain_trunk, pretrain_vit
from train.stored import BEST, HISTORY
from train.trainer import FitSettings

SIZE = 64
CPU = FitSettings(accelerator="cpu", precision="32-true")
GAN = GanSettings(size=64, iterations=4, batch=4, every=2, grids=2)
TAUGHT = PretrainSettings(SIZE, epochs=2, images=8, batch=4, encoder="test_vit", width=8, workers=0)
NETWORK = {"encoder": "test_vit", "fusion": "concat", "trunk_size": 64}
TINY = Settings(NETWORK, SIZE, epochs=2, batch=8, learning_rate=2e-3, ema_decay=0.5, workers=0, judged=16)


class Killed(Exception):
    """In place of a signal."""


def stop_after(calls: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, which raises Killed from a later call on."""
    done = []

    def called(*given: Any, **named: Any) -> Any:
        if len(done) == calls:
            raise Killed
        done.append(given)
        return function(*given, **named)

    return called


def views(count: int, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    small = random.integers(60, 180, (count, 8, 8), dtype=np.uint8)
    return np.stack([cv2.resize(one, (SIZE, SIZE), interpolation=cv2.INTER_CUBIC) for one in small])


def labelled(count: int, seed: int) -> Labelled:
    """Images with the first finding have a bright corner."""
    target = np.zeros((count, len(LABELS)), dtype=np.int64)
    target[::2, 0] = 1
    images = views(count, seed)
    images[::2, :24, :24] = 255
    return Labelled(images, target, np.array([f"p{seed}-{number}" for number in range(count)]))


def material() -> Material:
    return Material("set", Parts((), (), (), True), labelled(16, 1), labelled(16, 2), labelled(16, 3))


def pool() -> Pool:
    own = labelled(8, 1)
    target = np.concatenate([own.target, np.full((12, len(LABELS)), UNKNOWN)])
    return Pool(np.concatenate([own.views, views(12)]), target, {"set": 8, "others": 12})


@pytest.fixture(scope="module")
def gan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished run."""
    run = tmp_path_factory.mktemp("gan")
    train_gan(pool(), GAN, run, "cpu", lambda _: None)
    return run


def test_a_gan_logs_its_stability_and_keeps_images_of_several_stages(gan: Path) -> None:
    rows = read_rows(gan / PROGRESS)
    assert [row["epoch"] for row in rows] == ["2", "4"]
    for name in ("loss of discriminator", "loss of generator", "loss of labels", "loss of rotation"):
        assert all(float(row[name]) > 0 for row in rows)
    assert all(float(row[f"gradient of {side}"]) > 0 for row in rows for side in ("discriminator", "generator"))
    assert all(0 < float(row[f"D of {kind}"]) < 1 for row in rows for kind in ("real", "fake"))
    assert sorted(file.name for file in (gan / "grids").iterdir()) == ["000002.png", "000004.png"]
    stages = read_stages(gan)
    assert stages.images.shape == (2, 8, 64, 64)
    assert stages.iterations == (2, 4)
    grid = cv2.imread(str(gan / "grids" / "000004.png"), cv2.IMREAD_GRAYSCALE)
    np.testing.assert_array_equal(stages.images[1, 5], grid[64:, 64:128])
    assert (gan / STAGES).stat().st_size < 300_000


def test_a_killed_gan_goes_on_as_it_would_have(gan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(gan_module, "_batch", stop_after(3, gan_module._batch))
        with pytest.raises(Killed):
            train_gan(pool(), GAN, tmp_path, "cpu", lambda _: None)
    train_gan(pool(), GAN, tmp_path, "cpu", lambda _: None)
    for name in (DISCRIMINATOR, GENERATOR):
        whole, resumed = load_file(gan / name), load_file(tmp_path / name)
        for key, value in whole.items():
            torch.testing.assert_close(resumed[key], value, rtol=1e-4, atol=1e-5)
    other = pool()
    other.views[0] = 255 - other.views[0]
    for given, settings, words in (
        (pool(), replace(GAN, seed=1), "other settings"),
        (other, GAN, "or images"),
        (pool(), replace(GAN, iterations=2, grids=1), "4 iterations already"),
    ):
        with pytest.raises(InputError, match=words):
            train_gan(given, settings, tmp_path, "cpu", lambda _: None)


def test_wassersteins_regime_and_the_literal_softmax_run(tmp_path: Path) -> None:
    settings = replace(GAN, iterations=1, grids=1, regime=Regime.WGAN_GP, reading=Reading.SOFTMAX)
    train_gan(pool(), settings, tmp_path, "cpu", lambda _: None)
    (row,) = read_rows(tmp_path / PROGRESS)
    assert np.isfinite([float(row[name]) for name in row if name not in ("stage", "epoch")]).all()


@pytest.mark.parametrize("change", [{"size": 96}, {"batch": 2}, {"iterations": 0}])
def test_a_gan_of_impossible_settings_is_refused(change: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(InputError):
        train_gan(pool(), replace(GAN, **change), tmp_path, "cpu")


def test_a_gan_that_diverges_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="diverged"):
        train_gan(pool(), replace(GAN, discriminator_rate=float("inf")), tmp_path, "cpu", lambda _: None)


def test_both_kinds_of_self_supervision_start_a_classifier(gan: Path, tmp_path: Path) -> None:
    trunk = pretrain_trunk(pool(), TAUGHT, CPU, tmp_path, gan)
    vit = pretrain_vit(pool(), TAUGHT, CPU, tmp_path)
    assert (trunk.name, vit.name) == (TRUNK, VIT)
    rows = read_rows(tmp_path / PROGRESS)
    assert [(row["stage"], row["epoch"]) for row in rows] == [
        ("trunk", "1"),
        ("trunk", "2"),
        ("vit", "1"),
        ("vit", "2"),
    ]
    assert all(float(row["loss of contrast"]) > 0 and float(row["loss of rotation"]) > 0 for row in rows[:2])
    assert all(float(row["loss of masked patches"]) > 0 and float(row["loss of triplets"]) > 0 for row in rows[2:])
    settings = replace(TINY, vit=vit, trunk=trunk, gan=gan)
    model = fit_module.network_of(settings)
    own = dict(model.state_dict())
    for file in (vit, trunk):
        for name, value in load_file(file).items():
            torch.testing.assert_close(own[name], value)
    assert "SS-GAN (4 x 4 at 64 px" in started(settings)
    with safe_open(vit, framework="pt") as stored:
        assert json.loads(stored.metadata()[SETS]) == {"set": 8, "others": 12}
        assert "vit" in stored.metadata()[HISTORY]
    before = vit.stat().st_mtime_ns
    pretrain_vit(pool(), TAUGHT, CPU, tmp_path)
    assert vit.stat().st_mtime_ns > before, "a finished run is written again without training"
    assert len(read_rows(tmp_path / PROGRESS)) == 4


def test_a_gans_trunk_starts_a_classifier_where_there_is_no_other(gan: Path) -> None:
    model = fit_module.network_of(replace(TINY, gan=gan))
    discriminator = load_file(gan / DISCRIMINATOR)
    name = "trunk.layers.0.parametrizations.weight.original"
    torch.testing.assert_close(dict(model.state_dict())[f"adversary.{name}"], discriminator[name])
    assert replace(TINY, gan=gan, network={**NETWORK, "fusion": "none"}).starts() == []
    with pytest.raises(WeightsError, match="does not exist"):
        fit_module.network_of(replace(TINY, trunk=gan / "no.safetensors"))


def test_the_adversary_teaches_the_trunk_and_itself_stays_as_it_is(gan: Path) -> None:
    adversary, model = Adversary(gan), build({**NETWORK, "image_size": SIZE}, len(LABELS))
    value = adversary(model, torch.randn(2, 1, SIZE, SIZE).clamp(-2.5, 2.5))
    value.backward()
    assert float(value.detach()) > 0
    assert any(weight.grad is not None for weight in model.adversary.trunk.parameters())
    assert all(weight.grad is None for weight in (*adversary.generator.parameters(), *adversary.head.parameters()))
    with pytest.raises(WeightsError, match="no generator"):
        Adversary(gan / "elsewhere")


def test_the_adversary_tells_as_its_gan_was_taught_to(gan: Path, tmp_path: Path) -> None:
    settings = replace(GAN, iterations=1, grids=1, regime=Regime.WGAN_GP)
    train_gan(pool(), settings, tmp_path, "cpu", lambda _: None)
    assert (Adversary(gan).regime, Adversary(tmp_path).regime) == (Regime.BCE, Regime.WGAN_GP)
    model = build({**NETWORK, "image_size": SIZE}, len(LABELS))
    value = Adversary(tmp_path)(model, torch.randn(2, 1, SIZE, SIZE).clamp(-2.5, 2.5))
    value.backward()
    assert torch.isfinite(value)
    assert any(weight.grad is not None for weight in model.adversary.trunk.parameters())


def test_fine_tuning_keeps_the_best_epoch_and_goes_on(
    gan: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, given = replace(TINY, gan=gan), material()
    model = train_network(given, settings, CPU, tmp_path / "whole")
    rows = read_rows(tmp_path / "whole" / PROGRESS)
    assert [row["epoch"] for row in rows] == ["1", "2"]
    found = macro_auc(given.carved.target, logits_of(model, given.carved.views, SIZE))
    assert found == pytest.approx(max(float(row[CHOICE]) for row in rows), abs=1e-4)
    kept = load_file(tmp_path / "whole" / BEST)
    with monkeypatch.context() as patch:
        patch.setattr(fit_module, "write_row", stop_after(1, fit_module.write_row))
        with pytest.raises(Killed):
            train_network(given, settings, CPU, tmp_path / "killed")
    train_network(given, settings, CPU, tmp_path / "killed")
    assert [row["epoch"] for row in read_rows(tmp_path / "killed" / PROGRESS)] == ["1", "2"]
    assert set(load_file(tmp_path / "killed" / BEST)) == set(kept)
    write_epochs(tmp_path / "whole", tmp_path)
    epochs = read_epochs(tmp_path)
    assert [epoch.number for epoch in epochs] == [0, 1]
    assert [epoch.validation for epoch in epochs] == [float(row[CHOICE]) for row in rows]


def test_the_literal_softmax_trains_a_classifier(tmp_path: Path) -> None:
    model = train_network(material(), replace(TINY, epochs=1, reading=Reading.SOFTMAX), CPU, tmp_path)
    logits = logits_of(model, labelled(2, 5).views, SIZE)
    shares = np.exp(logits_of(model, labelled(2, 5).views, SIZE, Reading.SOFTMAX))
    np.testing.assert_allclose(shares, softmax(logits, axis=1), rtol=1e-5)


def test_an_encoder_with_batch_norm_is_judged_with_statistics_of_its_own(tmp_path: Path) -> None:
    settings = replace(TINY, epochs=1, network={**NETWORK, "encoder": "test_efficientnet"})
    model = train_network(material(), settings, CPU, tmp_path)
    assert logits_of(model, labelled(3, 5).views, SIZE).shape == (3, 14)
    assert logits_of(model, labelled(3, 5).views[:0], SIZE).shape == (0, 14)


def test_macro_auc_is_of_labels_with_enough_images_alone() -> None:
    target = np.zeros((12, 14), dtype=np.int64)
    target[:6, 1], target[:2, 2] = 1, 1
    logits = np.zeros((12, 14))
    logits[:6, 1] = 1
    assert macro_auc(target, logits) == 1
    assert macro_auc(np.zeros((12, 14), dtype=np.int64), logits) == 0.5


def test_augmentation_can_be_replayed_stays_in_its_ranges_and_never_flips() -> None:
    changes = [draw(np.random.default_rng(seed)) for seed in range(200)]
    assert changes[3] == draw(np.random.default_rng(3))
    assert max(abs(change.turn) for change in changes) <= 15
    assert max(abs(part) for change in changes for part in change.shift) <= 0.1
    assert 0.8 <= min(change.scale for change in changes) < max(change.scale for change in changes) <= 1.2
    view = np.zeros((64, 64), dtype=np.float32)
    view[10:20, 10:20] = 1
    np.testing.assert_allclose(apply(view, Change()), view, atol=1e-6)
    down, across = np.nonzero(apply(view, Change(shift=(0.1, 0.05))) == 1)
    assert (across.mean(), down.mean()) == pytest.approx((14.5 + 6.4, 14.5 + 3.2), abs=0.6)
    assert all(
        (apply(view, change)[:, :32] > 0.9).sum() > (apply(view, change)[:, 32:] > 0.9).sum() for change in changes
    )


def test_what_is_drawn_follows_from_its_place_alone() -> None:
    data, pairs = Findings(labelled(4, 1), SIZE), TwoViews(views(4), 32)
    torch.testing.assert_close(data[(1, 7)], data[(1, 7)])
    assert not torch.equal(data[(1, 7)][0], data[(1, 8)][0])
    assert pairs[(2, 5)].shape == (2, 1, 32, 32)
    torch.testing.assert_close(pairs[(2, 5)], pairs[(2, 5)])
    assert not torch.equal(*pairs[(2, 5)])

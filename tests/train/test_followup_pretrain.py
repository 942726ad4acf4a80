"""The supervised start of the encoder: labels, losses, and a tiny run that a pair network can start from."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from cxrkit.models.music_vit import MusicVit
from tests.train.followup_networks import SMALL, small_encoder
from train.followup.parts import divide, read_set
from train.followup.pretrain import (
    FINDINGS,
    UNKNOWN,
    PretrainSettings,
    SingleClassifier,
    SingleImages,
    Singles,
    loss,
    pretrain,
    read_singles,
    start_from,
)
from train.trainer import FitSettings

__all__ = ["small_encoder"]

SIDE = 64


def singles(count: int = 40) -> Singles:
    """Noise, brighter where it is abnormal; every fifth image judges."""
    random = np.random.default_rng(0)
    abnormal = np.arange(count) % 2
    views = random.integers(0, 120, (count, SIDE, SIDE)) + 100 * abnormal[:, None, None]
    nih = np.arange(count) % 4 < 2
    findings = np.where(nih[:, None], np.eye(len(FINDINGS), dtype=np.int64)[np.arange(count) % 14], UNKNOWN)
    return Singles(
        views=views.astype(np.uint8),
        lungs=np.full((count, SIDE, SIDE), 255, np.uint8),
        abnormal=abnormal,
        findings=findings * np.where(findings > 0, abnormal[:, None], 1),
        groups=np.array(
            [f"{'abnormal' if a else 'normal'}/{'nih' if n else 'tb'}" for a, n in zip(abnormal, nih, strict=True)]
        ),
        of_findings=nih,
        carved=np.arange(count) % 5 == 0,
    )


def test_unknown_findings_take_no_part() -> None:
    torch.manual_seed(0)
    model = SingleClassifier(SMALL, SIDE).eval().requires_grad_(False)
    images = torch.randn(3, 1, SIDE, SIDE)
    abnormal = torch.tensor([0, 1, 1])
    findings = torch.randint(0, 2, (3, 14))
    findings[1] = UNKNOWN
    _, found = model(images)
    known = torch.tensor([0, 2])
    expected = torch.nn.functional.binary_cross_entropy_with_logits(found[known], findings[known].float())
    nothing = loss(model, (images, abnormal, torch.full((3, 14), UNKNOWN)))
    whole = loss(model, (images, abnormal, findings))
    assert float(whole - nothing) == pytest.approx(float(expected), rel=1e-4)


def test_drawn_lesions_make_a_normal_view_abnormal_with_unknown_findings() -> None:
    given = singles()
    normal = np.flatnonzero(given.abnormal == 0)
    drawn = SingleImages(given, normal, SIDE, lesions=1.0)
    plain = SingleImages(given, normal, SIDE, lesions=0.0)
    image, ill, findings = drawn[0]
    assert (image.shape, ill) == ((1, SIDE, SIDE), 1)
    assert bool((findings == UNKNOWN).all())
    assert plain[0][1] == 0
    given.lungs[:] = 0
    assert drawn[0][1] == 0, "where no lung is, nothing can be drawn"


def test_a_tiny_run_starts_a_pair_network_of_another_size(tmp_path: Path) -> None:
    settings = PretrainSettings(
        encoder=SMALL, sizes=((32, 1), (64, 1)), images_per_epoch=32, batch=8, learning_rate=1e-3
    )
    file = pretrain(singles(), settings, FitSettings(accelerator="cpu", precision="32-true"), tmp_path)
    assert not any(name.startswith("network.change") for name in load_file(file))
    torch.manual_seed(5)
    started = MusicVit(SMALL, 96, "similar", direction=True, difference=True)
    change = started.change.weight.detach().clone()
    start_from(started, file)
    stored = load_file(file)
    torch.testing.assert_close(started.embed[0].weight, stored["embed.0.weight"])
    torch.testing.assert_close(started.change.weight, change)


def test_an_earlier_network_without_lesions_can_be_gone_on_with(tmp_path: Path) -> None:
    """What it knew stays; what its layers read beside it starts as in a new network."""
    earlier = MusicVit(SMALL, 64, direction=True, difference=True)
    file = tmp_path / "earlier.safetensors"
    save_file(earlier.state_dict(), file)
    model = MusicVit(SMALL, 96, direction=True, difference=True, lesions=True)
    first = model.change.weight.detach().clone()
    start_from(model, file)
    known = earlier.change.weight.shape[1]
    torch.testing.assert_close(model.change.weight[:, :known], earlier.change.weight)
    torch.testing.assert_close(model.change.weight[:, known:], first[:, known:])
    torch.testing.assert_close(model.direction.weight[:, :-1], earlier.direction.weight)
    assert float(model.direction.weight[0, -1].detach()) == 1.0


def test_what_learns_is_what_the_pairs_learn_from(
    shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from train.followup import pretrain as module

    monkeypatch.setattr(module, "prepare_cases", lambda task, cases, *rest: np.zeros((len(cases), 2, 2), np.uint8))
    monkeypatch.setattr(module, "lung_maps", lambda views, cache: views)
    found = read_singles(shared_data / "tb", shared_data / "nih", tmp_path, 2)
    parts = [divide(read_set(shared_data / name), 0) for name in ("tb", "nih")]
    assert int(found.carved.sum()) == sum(len(part.carved) for part in parts)
    assert int((~found.carved).sum()) == sum(len(part.training) for part in parts)
    assert set(found.groups) >= {"abnormal/nih", "normal/nih", "abnormal/mendeley_tb"}
    np.testing.assert_array_equal(found.of_findings, np.char.endswith(found.groups, "/nih"))
    ill = np.char.startswith(found.groups, "abnormal")
    np.testing.assert_array_equal(ill, found.abnormal == 1)

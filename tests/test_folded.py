"""A network without what only training needs gives the reference's maps and logits."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized

from cxrkit.explain import Method, raw_maps
from cxrkit.models.folded import for_prediction
from cxrkit.models.pooled import PooledClassifier
from cxrkit.models.tjnet import TjNet
from cxrkit.predict import encode
from cxrkit.task import ModelInput, Task
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.nih14 import NIH14
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.tasks.vq import VQ
from cxrkit.weights import fixed_sample, load_model
from tests.models_for_tests import busy_norms, write_small_weights


def busy_tjnet(**parts: bool) -> TjNet:
    """Random, with batch norms that do something."""
    torch.manual_seed(1)
    model = TjNet(**parts).eval().requires_grad_(False)
    busy_norms(model)
    return model


@pytest.mark.parametrize("parts", [{}, {"cbam": False, "shortcuts": False, "inception": False, "sex_head": False}])
def test_a_folded_tjnet_is_the_reference(parts: dict[str, bool]) -> None:
    reference, folded = busy_tjnet(**parts), busy_tjnet(**parts)
    for_prediction(folded)
    blocks = [module for module in folded.modules() if isinstance(module, nn.BatchNorm2d)]
    assert len(blocks) == (3 if parts.get("cbam", True) else 0), "those of CBAM follow no convolution of a chain"
    images, sex = torch.randn(2, 1, 192, 192), torch.tensor([0, 1])
    maps = reference.features(images)
    torch.testing.assert_close(folded.features(images), maps, rtol=1e-4, atol=1e-4 * float(maps.abs().max()))
    torch.testing.assert_close(folded(images, sex), reference(images, sex), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("task", [BONE_AGE, NIH14, TUBERCULOSIS, VQ], ids=lambda task: task.name)
def test_what_is_loaded_answers_and_explains_as_it_was_trained(task: Task, tmp_path: Path) -> None:
    root = write_small_weights(tmp_path)
    quick, reference = load_model(task, root), load_model(task, root, fused=False)
    prepared = task.prepare([fixed_sample(task.reads)], {"sex": "F"}, ModelInput())
    ours, expected = encode(quick, prepared), encode(reference, prepared)
    torch.testing.assert_close(ours.maps, expected.maps, rtol=1e-4, atol=1e-4 * float(expected.maps.abs().max()))
    for method in Method:
        for found, plain in zip(
            raw_maps(quick, ours, [0, 1], method), raw_maps(reference, expected, [0, 1], method), strict=True
        ):
            np.testing.assert_allclose(found, plain, rtol=0, atol=1e-3 * np.abs(plain).max())


def test_spectral_norm_is_written_out_for_prediction_alone(tmp_path: Path) -> None:
    root = write_small_weights(tmp_path)
    reference, quick = load_model(NIH14, root, fused=False).model, load_model(NIH14, root).model
    counts = [sum(is_parametrized(m, "weight") for m in model.modules()) for model in (reference, quick)]
    assert counts[0] == 6
    assert counts[1] == 0


@pytest.mark.parametrize("encoder", ["resnet18", "seresnext26d_32x4d"])
def test_of_a_resnet_every_norm_that_follows_a_convolution_is_folded(encoder: str) -> None:
    """The second one's stem is a chain of its own, which stays as it is."""
    torch.manual_seed(0)
    model = PooledClassifier(encoder, 64, 2).eval().requires_grad_(False)
    busy_norms(model)
    images = torch.randn(2, 1, 64, 64)
    before = model(images)
    for_prediction(model)
    left = [name for name, layer in model.named_modules() if isinstance(layer, nn.BatchNorm2d)]
    stem = [f"encoder.network.{name}" for name in ("conv1.1", "conv1.4", "bn1")]
    assert left == ([] if encoder == "resnet18" else stem)
    torch.testing.assert_close(model(images), before, rtol=1e-4, atol=1e-4 * float(before.abs().max()))


def test_other_networks_stay_as_they_are() -> None:
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2)).eval()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for_prediction(model)
    assert model.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())

"""MoCo v2: loss against NumPy, queue, momentum, no gradient for keys; a tiny run that is killed and goes on."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from cxrkit.errors import InputError, ManifestError
from cxrkit.models.cmt import SIZES, CmtSize
from cxrkit.models.music_vit import MusicVit
from cxrkit.pixels import resize
from tests.train.image_sets import chest, encoded, write_set
from train.augment import contrastive
from train.followup import moco
from train.followup.moco import Moco, MocoSettings, Order, TwoViews, contrast, info_nce, read_radiographs
from train.followup.pretrain import start_from
from train.trainer import FitSettings

SMALL = "cmt of this test"
SETTINGS = MocoSettings(
    encoder=SMALL, size=64, width=8, queue=10, momentum=0.9, epochs=3, batch=4, parts=2, workers=0, learning_rate=0.1
)
CPU = FitSettings(accelerator="cpu", precision="32-true")


@pytest.fixture(autouse=True, scope="module")
def small_encoder() -> Iterator[None]:
    """One more member of the family, of which a step takes milliseconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(SIZES, SMALL, CmtSize(4, (8, 16, 24, 32), (1, 1, 1, 1), 2.0))  # type: ignore[arg-type]
        yield


def network(settings: MocoSettings = SETTINGS) -> Moco:
    torch.manual_seed(0)
    return Moco(settings)


def views(count: int = 4) -> Tensor:
    return torch.randn(count, 2, 1, 64, 64, generator=torch.Generator().manual_seed(1))


def prepared(count: int = 12) -> np.ndarray:
    return np.stack([np.uint8(resize(chest(seed), 64, 64) * 255) for seed in range(count)])


def of_length_one(rows: int, columns: int, seed: int) -> np.ndarray:
    drawn = np.random.default_rng(seed).normal(size=(rows, columns))
    return drawn / np.linalg.norm(drawn, axis=1, keepdims=True)


def naive(queries: np.ndarray, keys: np.ndarray, queue: np.ndarray, temperature: float) -> float:
    """Mean over queries of -log of the own key's share, term by term."""
    terms = []
    for query, own in zip(queries, keys, strict=True):
        positive = np.exp(query @ own / temperature)
        negative = sum(np.exp(query @ other / temperature) for other in queue)
        terms.append(-np.log(positive / (positive + negative)))
    return float(np.mean(terms))


def test_the_loss_is_what_plain_numpy_says() -> None:
    queries, keys, queue = of_length_one(5, 8, 0), of_length_one(5, 8, 1), of_length_one(17, 8, 2)
    found = info_nce(torch.tensor(queries), torch.tensor(keys), torch.tensor(queue), 0.2)
    assert float(found) == pytest.approx(naive(queries, keys, queue, 0.2), rel=1e-9)


def test_a_step_asks_the_queue_as_it_was_and_puts_its_keys_there() -> None:
    model = network(replace(SETTINGS, momentum=1.0)).eval()
    before, given = model.queue.clone(), views()
    with torch.no_grad():
        queries, keys = model.query(given[:, 0]), model.key(given[:, 1])
    loss = model(given)
    expected = naive(queries.double().numpy(), keys.double().numpy(), before.double().numpy(), 0.2)
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-5), "parts and shuffling leave the pairs together"
    torch.testing.assert_close(model.queue[:4], keys, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(model.queue[4:], before[4:])
    torch.testing.assert_close(model.queue.norm(dim=1), torch.ones(10))


def test_in_training_keys_meet_other_images_in_batch_norm_than_queries_do() -> None:
    model, seen = network(), []
    model.key.register_forward_pre_hook(lambda _, given: seen.append(given[0][:, 0, 0, 0].tolist()))
    given = views(4)
    torch.manual_seed(0)
    model(given)
    whole = given[:, 1, 0, 0, 0].tolist()
    assert sorted(seen[0] + seen[1]) == sorted(whole)
    assert [len(part) for part in seen] == [2, 2]
    assert seen[0] + seen[1] != whole


def test_the_queue_forgets_its_oldest_keys_and_starts_over_at_its_end() -> None:
    model = network()
    blocks = [torch.full((4, 8), float(number)) for number in (1, 2, 3)]
    for block in blocks:
        model.enqueue(block)
    assert model.queue[:, 0].tolist() == [3, 3, 1, 1, 2, 2, 2, 2, 3, 3]
    assert int(model.place) == 2


def test_the_key_encoder_follows_by_its_momentum() -> None:
    model = network()
    with torch.no_grad():
        for parameter in model.query.parameters():
            parameter.add_(1.0)
    before = [parameter.clone() for parameter in model.key.parameters()]
    model.follow()
    for old, key, query in zip(before, model.key.parameters(), model.query.parameters(), strict=True):
        torch.testing.assert_close(key, 0.9 * old + 0.1 * query)


def test_queries_get_gradients_and_keys_none() -> None:
    model = network()
    model(views()).backward()
    assert all(parameter.grad is None for parameter in model.key.parameters())
    for name, parameter in model.query.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
    assert not model.queue.requires_grad


def test_views_are_drawn_again_from_their_seed_and_are_not_mirrored() -> None:
    y, x = np.mgrid[0:64, 0:64].astype(np.float32) / 63
    image = 0.2 + 0.6 * x * (0.5 + 0.5 * y)
    augment = contrastive(64)
    first = augment(image, 3)
    assert first.shape == (64, 64)
    assert first.dtype == np.float32
    np.testing.assert_array_equal(first, augment(image, 3))
    for seed in range(30):
        view = augment(image, seed)
        assert not np.array_equal(view, augment(image, seed + 1))
        assert 0 <= view.min() <= view.max() <= 1
        assert view[:, 40:].mean() > view[:, :24].mean(), "right stays right"


def test_order_and_views_depend_on_seed_and_epoch_alone() -> None:
    order = Order(12, seed=4)
    first = list(order)
    order.set_epoch(1)
    second = list(order)
    assert sorted(index for index, _ in first) == sorted(index for index, _ in second) == list(range(12))
    assert first != second
    order.set_epoch(0)
    assert list(order) == first
    pair = TwoViews(prepared(), 64)[(3, 5)]
    assert pair.shape == (2, 1, 64, 64)
    assert not torch.equal(pair[0], pair[1])
    torch.testing.assert_close(pair, TwoViews(prepared(), 64)[(3, 5)])


def test_a_killed_run_goes_on_and_training_starts_from_its_encoder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[float] = []

    def counted(*given: Tensor) -> Tensor:
        if len(steps) == 4:
            steps.append(0.0)
            raise RuntimeError("killed")
        value = info_nce(*given)  # type: ignore[arg-type]
        steps.append(float(value.detach()))
        return value

    monkeypatch.setattr(moco, "info_nce", counted)
    with pytest.raises(RuntimeError, match="killed"):
        contrast(prepared(), SETTINGS, CPU, tmp_path)
    file = contrast(prepared(), SETTINGS, CPU, tmp_path)
    assert len(steps) == 4 + 1 + 6, "one of three epochs of three batches was finished before the kill"
    state = load_file(file)
    again = load_file(contrast(prepared(), SETTINGS, CPU, tmp_path))
    assert len(steps) == 11, "a finished run is not trained again"
    assert all(torch.equal(state[name], again[name]) for name in state)
    checkpoint = torch.load(tmp_path / "checkpoints" / "last.ckpt", weights_only=False)
    assert "momentum_buffer" in checkpoint["optimizer_states"][0]["state"][0], "gradient descent as the source has it"
    with safe_open(file, "pt") as stored:
        assert stored.metadata()["queue"] == "10"
    torch.manual_seed(9)
    model = MusicVit(SMALL, 128)
    start_from(model, file)
    wanted = {name for name in model.state_dict() if name.startswith("encoder.")}
    assert set(state) == wanted
    name = next(name for name in state if name.endswith("weight"))
    torch.testing.assert_close(model.state_dict()[name], state[name])
    start = Moco(SETTINGS).query.state_dict()
    assert not torch.equal(start[name], state[name])


def test_the_learning_rate_falls_along_half_a_cosine() -> None:
    model = network()
    optimiser, schedule = moco._optimiser(model, SETTINGS, 10)
    rates = []
    for _ in range(10):
        rates.append(optimiser.param_groups[0]["lr"])
        optimiser.step()
        schedule.step()
    expected = 0.1 * (1 + np.cos(np.pi * np.arange(10) / 10)) / 2
    np.testing.assert_allclose(rates, expected)
    learned = {id(p) for group in optimiser.param_groups for p in group["params"]}
    assert learned == {id(p) for p in model.query.parameters()}


def test_the_defaults_are_the_sources() -> None:
    source = MocoSettings()
    assert (source.queue, source.momentum, source.temperature, source.width) == (65_536, 0.999, 0.2, 128)
    assert (source.epochs, source.batch, source.learning_rate, source.optimiser) == (200, 256, 0.03, "sgd")
    head = Moco(SETTINGS).query.head
    assert [type(layer).__name__ for layer in head] == ["Linear", "ReLU", "Linear"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"queue": 3}, "at least a batch"),
        ({"parts": 3}, "each needs two images"),
        ({"optimiser": "lars"}, "choose sgd or adamw"),
        ({"batch": 10}, None),
    ],
)
def test_settings_that_cannot_be_used_are_refused(changes: dict[str, object], message: str | None) -> None:
    settings = replace(SETTINGS, **changes)  # type: ignore[arg-type]
    if message is None:
        settings.check()
    else:
        with pytest.raises(InputError, match=message):
            settings.check()


def test_too_few_radiographs_and_several_devices_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a batch needs 4"):
        contrast(prepared(3), SETTINGS, CPU, tmp_path)
    with pytest.raises(InputError, match="one device"):
        contrast(prepared(), SETTINGS, replace(CPU, devices=2), tmp_path)


def test_radiographs_of_a_plain_folder_and_of_the_training_part(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    (plain / "deeper").mkdir(parents=True)
    for number in range(3):
        (plain / "deeper" / f"{number}.png").write_bytes(encoded(chest(number)))
    (plain / ".hidden").write_text("no image")
    (plain / "README.txt").write_text("no image either")
    (plain / "metadata.csv").write_text("a table,that is in no known layout\n")
    rows = [(f"{k}.png", k % 2, "test" if k < 4 else "train", f"p{k}") for k in range(24)]
    write_set(
        tmp_path / "given",
        {name: chest(10 + k) for k, (name, *_) in enumerate(rows)},
        ("file", "target", "split", "patient_id"),
        rows,
    )
    found = read_radiographs([plain, tmp_path / "given"], 64, tmp_path / "cache")
    assert found.shape == (3 + 18, 64, 64), "of twenty training images a tenth is carved out"
    assert found.dtype == np.uint8
    (tmp_path / "empty").mkdir()
    with pytest.raises(ManifestError, match="empty"):
        read_radiographs([tmp_path / "empty"], 64, tmp_path / "cache")

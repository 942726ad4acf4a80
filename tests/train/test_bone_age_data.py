"""Pictures are prepared once and go on after a kill; what is drawn and how it is changed can be replayed."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from cxrkit.errors import ManifestError
from cxrkit.image import read_image
from cxrkit.task import ModelInput
from tests.train.hand_sets import SIZE, TASK, write_hands
from train.bone_age import images as images_module
from train.bone_age.augment import Change, Strength, apply, draw
from train.bone_age.data import Pictures, Shares, loader
from train.bone_age.images import Alteration, Shown, prepared_views
from train.bone_age.sources import read_hands

RANDOM = np.random.default_rng(0)
VIEW = RANDOM.integers(0, 256, (40, 40), dtype=np.uint8)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_hands(tmp_path_factory.mktemp("data") / "hands", ["train"] * 5, large=1)


FILES = [f"images100/{number}.png" for number in range(5)]


def test_views_are_what_prepare_gives_whatever_the_number_of_processes(root: Path, tmp_path: Path) -> None:
    views = prepared_views(TASK, FILES, root, SIZE, tmp_path / "one")
    image = read_image((root / FILES[3]).read_bytes())
    expected = TASK.prepare([image], {}, ModelInput(size=SIZE)).view[0]
    np.testing.assert_allclose(views[3] / 255, expected, atol=0.5 / 255 + 1e-6)
    np.testing.assert_array_equal(prepared_views(TASK, FILES, root, SIZE, tmp_path / "two", workers=2), views)


def test_a_killed_preparation_goes_on(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = prepared_views(TASK, FILES, root, SIZE, tmp_path / "whole")
    monkeypatch.setattr(images_module, "_BLOCK", 2)
    read: list[int] = []

    def prepare(*given: object) -> object:
        read.append(len(read))
        if len(read) == 3:
            raise KeyboardInterrupt
        return TASK.prepare(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(images_module, "recorded", lambda task: ())
    with pytest.raises(KeyboardInterrupt):
        prepared_views(replace(TASK, prepare=prepare), FILES, root, SIZE, tmp_path / "killed")
    again = prepared_views(TASK, FILES, root, SIZE, tmp_path / "killed")
    np.testing.assert_array_equal(again, whole)
    assert len(read) == 3, "the first block of two was finished before the kill"
    assert sorted(path.suffix for path in (tmp_path / "killed").iterdir()) == [".npy"]


def test_an_image_that_cannot_be_used_stops_with_a_sentence(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"training does not start.*not in the root folder"):
        prepared_views(TASK, [*FILES, "missing.png"], root, SIZE, tmp_path)
    (root / "text.png").write_text("no image")
    with pytest.raises(ManifestError, match=r"training does not start.*not an image"):
        prepared_views(TASK, ["text.png"], root, SIZE, tmp_path)


def test_an_altered_image_is_altered_before_it_is_prepared(root: Path, tmp_path: Path) -> None:
    mirror = Alteration("mirrored", lambda gray: np.ascontiguousarray(gray[:, ::-1]))
    plain = prepared_views(TASK, FILES[:1], root, SIZE, tmp_path)
    mirrored = prepared_views(TASK, FILES[:1], root, SIZE, tmp_path, altered=mirror)
    back, as_it_is = (np.corrcoef(view.ravel(), plain[0].ravel())[0, 1] for view in (mirrored[0, :, ::-1], mirrored[0]))
    assert back > 0.85
    assert as_it_is < 0.7


def test_small_and_large_pictures_of_a_part(root: Path, tmp_path: Path) -> None:
    hands = read_hands(root)
    views = prepared_views(TASK, FILES, root, SIZE, tmp_path)
    shown = Shown(hands.hands, views, np.arange(5), SIZE).of([hands.hands[4], hands.hands[1]])
    np.testing.assert_array_equal(shown.views(0, 2), views[[4, 1]])
    assert shown.months.tolist() == [hands.hands[4].months, hands.hands[1].months]
    assert shown.sex.tolist() == ["FM".index(hands.hands[4].sex), "FM".index(hands.hands[1].sex)]
    image, months, sex = Pictures([shown], TASK)[1]
    np.testing.assert_allclose(image[0] * TASK.std + TASK.mean, views[1] / 255, atol=1e-5)
    assert (float(months), int(sex)) == (shown.months[1], shown.sex[1])
    batch = next(iter(loader(Pictures([shown], TASK, Strength()), Shares([2], [1.0], 2, 0), 2, 0)))
    assert batch.image.shape == (2, 1, SIZE, SIZE)
    assert batch.months.dtype == torch.float32
    assert batch.sex.dtype == torch.int64


def test_each_kind_has_its_share_and_none_comes_twice_before_all_came_once() -> None:
    shares = Shares([100, 10], [0.8, 0.2], 50, seed=3)
    assert (len(shares), shares.each) == (50, [40, 10])
    seen: Counter[int] = Counter()
    for epoch in range(5):
        shares.set_epoch(epoch)
        drawn = list(shares)
        assert sum(place >= 100 for place in drawn) == 10
        seen.update(drawn)
    assert {seen[place] for place in range(100)} == {2}
    assert {seen[place] for place in range(100, 110)} == {5}


def test_an_epochs_draw_follows_from_its_number() -> None:
    first, second = Shares([30], [1.0], 20, seed=1), Shares([30], [1.0], 20, seed=1)
    for epoch in range(3):
        first.set_epoch(epoch)
        drawn = list(first)
    second.set_epoch(2)
    assert list(second) == drawn
    second.set_epoch(1)
    assert list(second) != drawn
    assert Shares([0, 30], [0.5, 0.5], 20, seed=1).each == [0, 20]
    with pytest.raises(ValueError, match="nothing to draw from"):
        Shares([0, 5], [1.0, 0.0], 20, seed=1)


def test_no_change_leaves_a_view_as_it_is() -> None:
    np.testing.assert_allclose(apply(VIEW, Change()), VIEW / 255, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Change(mirrored=True), VIEW[:, ::-1] / 255),
        (Change(inverted=True), 1 - VIEW / 255),
        (Change(quarters=1), np.rot90(VIEW) / 255),
        (Change(gamma=2.0), (VIEW / 255) ** 2),
        (Change(contrast=0.5), VIEW / 510 + 0.25),
        (Change(brightness=0.1), np.clip(VIEW / 255 + 0.1, 0, 1)),
    ],
)
def test_single_changes(change: Change, expected: "np.ndarray[tuple[int, int], np.dtype[np.float64]]") -> None:
    np.testing.assert_allclose(apply(VIEW, change), expected, atol=0.51 / 255)


def test_moves_and_marks() -> None:
    dot = np.zeros((41, 41), dtype=np.uint8)
    dot[20, 30] = 255
    turned = apply(dot, Change(turn=90.0))
    assert np.unravel_index(turned.argmax(), turned.shape) == (10, 20), "anticlockwise"
    moved = apply(dot, Change(shift=(0.0, 4 / 41)))
    assert np.unravel_index(moved.argmax(), moved.shape) == (24, 30)
    larger = apply(dot, Change(scale=(1.5, 1.0)))
    assert np.unravel_index(larger.argmax(), larger.shape) == (20, 35)
    hidden = apply(VIEW, Change(corners=((3, 0.25, 0.5, 1.0),)))
    assert (hidden[-20:, -10:] == 1).all()
    np.testing.assert_allclose(hidden[:20], VIEW[:20] / 255, atol=1e-6)
    assert apply(np.zeros((400, 400), np.uint8), Change(letters=(("L", 0.1, 0.2, 1.0),)))[40:80].max() == 1
    for change in (Change(coarse=0.4), Change(blur=0.05)):
        assert apply(VIEW, change).std() < 0.7 * (VIEW / 255).std()
    noisy = apply(VIEW, Change(noise=0.02, seed=1))
    inner = (VIEW > 40) & (VIEW < 215)
    assert (noisy - VIEW / 255)[inner].std() == pytest.approx(0.02, rel=0.15)


def test_a_draw_can_be_replayed_and_keeps_within_its_strength() -> None:
    strength = Strength(mirrored=1.0, inverted=0.0, quarter=0.0, turn=5.0)
    changes = [draw(strength, np.random.default_rng(seed)) for seed in range(200)]
    assert draw(strength, np.random.default_rng(7)) == changes[7]
    np.testing.assert_array_equal(apply(VIEW, changes[7]), apply(VIEW, changes[7]))
    assert all(change.mirrored and not change.inverted and not change.quarters for change in changes)
    assert max(abs(change.turn) for change in changes) <= 5
    assert 0.1 < np.mean([change.coarse < 1 for change in changes]) < 0.6
    for change in changes[:40]:
        seen = apply(VIEW, change)
        assert seen.dtype == np.float32
        assert 0 <= seen.min() <= seen.max() <= 1
        seen = apply(VIEW, change)
        assert seen.dtype == np.float32
        assert 0 <= seen.min() <= seen.max() <= 1


def test_a_hand_is_prepared_once_and_reduced_to_smaller_sizes(root: Path, tmp_path: Path) -> None:
    hands = read_hands(root)
    views = prepared_views(TASK, FILES, root, SIZE, tmp_path)
    reduced = Shown(hands.hands, views, np.arange(5), SIZE // 2).views(1, 3)
    assert (reduced.shape, reduced.dtype) == ((2, SIZE // 2, SIZE // 2), np.uint8)
    blocks = views[1:3].reshape(2, SIZE // 2, 2, SIZE // 2, 2).mean(axis=(2, 4))
    assert np.abs(reduced - blocks).max() <= 1

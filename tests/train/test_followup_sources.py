"""Sources of made pairs: the frame is that of prepare, images without lungs are left out, the table labels them."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxrkit.image import read_image
from cxrkit.lungs import find_lungs
from cxrkit.phantoms import ChestSettings, simulate_chest
from cxrkit.task import ModelInput
from cxrkit.tasks.chest import prepare_chest
from tests.train.image_sets import write_set
from train.followup.made import draw_plan, make_pair
from train.followup.sources import Sources, choose, join, read_sources, source_cases, wide_view

SIDE = 160


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three chests of two patients and an image without lungs."""
    root = tmp_path_factory.mktemp("sets") / "small"
    images = {f"{seed}.png": simulate_chest(ChestSettings(seed, size=320, marker=False)).values for seed in range(3)}
    images["none.png"] = np.random.default_rng(0).random((200, 200), dtype=np.float32)
    rows = [
        ("0.png", "7", "3", "No Finding", "train"),
        ("1.png", "7", "4", "Effusion|Mass", "train"),
        ("none.png", "8", "0", "No Finding", "train"),
        ("2.png", "8", "1", "Mass", "val"),
    ]
    write_set(root, images, ("file", "patient_id", "follow_up", "findings", "split"), rows)
    return root


@pytest.fixture(scope="module")
def sources(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return read_sources(source_cases(folder), folder, tmp_path_factory.mktemp("cache"), side=SIDE)


def test_images_without_two_lungs_are_left_out_and_counted(sources: Sources) -> None:
    assert (len(sources), sources.left_out) == (3, 1)
    assert list(sources.files) == ["0.png", "1.png", "2.png"]
    assert sources.views.shape == sources.lungs.shape == (3, SIDE, SIDE)
    assert sources.views.dtype == sources.lungs.dtype == np.uint8
    assert list(sources.patients) == ["small:7", "small:7", "small:8"]
    assert list(sources.sets) == ["small"] * 3
    assert list(sources.abnormal) == [0, 1, 1]
    assert list(sources.order) == [3, 4, 1]


def test_other_tables_say_target_or_nothing(tmp_path: Path) -> None:
    chest = simulate_chest(ChestSettings(1, size=256, marker=False)).values
    write_set(tmp_path / "tb", {"a.png": chest}, ("file", "target", "family"), [("a.png", "1", "north")])
    write_set(tmp_path / "plain", {"a.png": chest}, ("file", "offset_days"), [("a.png", "12")])
    tb, plain = (
        read_sources(source_cases(tmp_path / name), tmp_path / name, tmp_path / "cache", side=SIDE)
        for name in ("tb", "plain")
    )
    assert (list(tb.abnormal), list(tb.order), list(tb.sets), list(tb.patients)) == ([1], [-1], ["north"], ["tb:a.png"])
    assert (list(plain.abnormal), list(plain.order), list(plain.sets)) == ([-1], [12], ["plain"])


def test_a_second_call_reads_the_cache(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [case for case in source_cases(folder) if case.split == "val"]
    first = read_sources(cases, folder, tmp_path, side=SIDE)

    def no_reading(data: bytes) -> None:
        raise AssertionError("read again")

    monkeypatch.setattr("train.followup.sources.read_image", no_reading)
    second = read_sources(cases, folder, tmp_path, side=SIDE)
    np.testing.assert_array_equal(first.views, second.views)
    np.testing.assert_array_equal(first.frames, second.frames)
    with pytest.raises(AssertionError, match="read again"):
        read_sources(source_cases(folder), folder, tmp_path, side=SIDE)


def test_without_variation_a_made_image_is_what_prepare_gives(folder: Path, sources: Sources) -> None:
    for index in range(len(sources)):
        radiograph = read_image((folder / str(sources.files[index])).read_bytes())
        wanted = prepare_chest(radiograph, ModelInput(), 128).view
        plan = replace(draw_plan(np.random.default_rng(1), 0.0, strength=0.0), lesions=(), control=False)
        pair = make_pair(sources.views[index], sources.lungs[index], sources.frame(index), plan, 128)
        assert np.corrcoef(pair.baseline.ravel(), wanted.ravel())[0, 1] > 0.98


def test_the_frame_is_the_automatic_crop_and_the_map_lies_on_the_lungs() -> None:
    chest = simulate_chest(ChestSettings(4, size=400, marker=False))
    view, lungs, frame = wide_view(chest.values, find_lungs(chest.values), SIDE)
    placement = prepare_chest(chest.radiograph(), ModelInput(), 128).placement
    left, top, right, bottom = placement.box
    assert (frame[2] - frame[0]) / (frame[3] - frame[1]) == pytest.approx((right - left) / (bottom - top), rel=0.01)
    assert 0 <= frame[0] < frame[2] <= SIDE
    assert 0 <= frame[1] < frame[3] <= SIDE
    assert view[lungs > 127].mean() < view[lungs <= 127].mean() - 20, "lungs are dark"


def test_a_crop_wider_than_the_image_is_filled_by_mirroring() -> None:
    """Lungs as high as an image that is wider than high: the square round them has to leave it."""
    chest = simulate_chest(ChestSettings(5, size=400, marker=False)).values
    field = find_lungs(chest)
    assert field.box is not None
    cut = chest[:, field.box[0] + 30 : field.box[2] - 30]
    narrow = find_lungs(cut)
    assert narrow.box is not None
    view, _, frame = wide_view(cut, narrow, SIDE)
    assert view.shape == (SIDE, SIDE)
    assert view[:, 0].max() > 0
    assert min(frame) >= 0
    assert max(frame) <= SIDE


def test_sets_join_and_are_chosen_from(sources: Sources) -> None:
    both = join([sources, sources])
    assert (len(both), both.left_out) == (6, 2)
    some = choose(both, both.abnormal == 1)
    assert list(some.files) == ["1.png", "2.png"] * 2
    np.testing.assert_array_equal(some.views[0], sources.views[1])


@pytest.mark.data
def test_most_real_radiographs_can_be_used(shared_data: Path, tmp_path: Path) -> None:
    root = shared_data / "nih"
    cases = source_cases(root)[:40]
    found = read_sources(cases, root, tmp_path)
    assert found.left_out < 0.1 * len(cases)
    assert set(found.abnormal) == {0, 1}
    assert {name.split(":")[0] for name in found.patients} == {"nih"}
    for index in range(0, len(found), 10):
        plan = draw_plan(np.random.default_rng(index), 1.0)
        pair = make_pair(found.views[index], found.lungs[index], found.frame(index), plan, 256)
        assert pair.change
        assert all(mask.any() for mask in pair.masks)

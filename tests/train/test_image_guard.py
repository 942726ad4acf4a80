"""The image guard's training: parts that do not mix, poses, pictures, operating points, the card's shares."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from cxrkit.card import WEIGHTS, read_card, write_card
from cxrkit.quality import KINDS, NAME, SIZE, SWAPPED, THUMBNAIL, TURNED, Verdict
from train.image_guard import card
from train.image_guard.augment import varied
from train.image_guard.card import share
from train.image_guard.data import (
    ONE_FLAT,
    OTHERWISE,
    SEVERAL,
    Entry,
    Pool,
    fold,
    read_entries,
    read_thumbnails,
    stretched,
)
from train.image_guard.drawings import LEARNED, UNSEEN, draw_pictures
from train.image_guard.drawings import SIDE as DRAWN_SIDE
from train.image_guard.fit import Settings, Views, posed, train_one, weights_of
from train.image_guard.measure import SWAPPED_CHESTS, as_radiograph
from train.image_guard.threshold import HIGHEST, LOWEST, operating_points


@pytest.fixture(scope="module")
def entries(shared_data: Path) -> list[Entry]:
    return read_entries(shared_data)


def test_no_patient_is_in_two_parts(entries: list[Entry], shared_data: Path) -> None:
    assert len({entry.file for entry in entries}) == len(entries)
    part = {entry.file: entry.part for entry in entries}
    for name in ("nih", "hannover"):
        table = pd.read_csv(shared_data / name / "labels.csv")
        table["part"] = [part[shared_data / name / file] for file in table["file"]]
        assert (table.groupby("patient_id")["part"].nunique() == 1).all()
        assert set(table["part"]) == {"fit", "carve", "aside"}
    hands = [entry for entry in entries if entry.source.startswith("boneage")]
    assert pd.Series([e.part for e in hands]).groupby([e.file.stem for e in hands]).nunique().max() == 1


def test_parts_of_the_data_sets_own_are_kept(entries: list[Entry], shared_data: Path) -> None:
    table = pd.read_csv(shared_data / "tb" / "labels.csv")
    aside = {entry.file for entry in entries if entry.part == "aside"}
    assert {shared_data / "tb" / file for file in table[table["split"] == "test"]["file"]} <= aside
    assert not {shared_data / "tb" / file for file in table[table["split"] == "train"]["file"]} & aside
    chests = [entry for entry in entries if entry.source == "body parts, Chest"]
    assert {entry.part for entry in chests} == {"aside"}
    assert sorted(entry.kind for entry in chests) == ["frontal chest"] * 8 + ["lateral chest"] * 4
    hands = [entry for entry in entries if entry.kind == "hand" and entry.source.startswith("body parts")]
    assert {entry.part for entry in hands} == {"aside"}
    assert Counter(entry.source for entry in hands) == {
        f"body parts, {ONE_FLAT}": 3,
        f"body parts, {OTHERWISE}": 4,
        f"body parts, {SEVERAL}": 4,
    }


def test_thumbnails_are_read_once(entries: list[Entry], tmp_path: Path) -> None:
    chosen = [entry for entry in entries if entry.source in {"lungs", "hannover"}][::60]
    first = read_thumbnails(chosen, tmp_path)
    moved = [Entry(Path("/nowhere") / entry.file.name, entry.source, entry.kind, entry.part) for entry in chosen]
    with pytest.raises(FileNotFoundError):
        read_thumbnails(moved, tmp_path)
    np.testing.assert_array_equal(read_thumbnails(chosen, tmp_path), first)
    assert first.shape == (len(chosen), THUMBNAIL, THUMBNAIL)
    assert (first.min(axis=(1, 2)) == 0).all()
    assert (first.max(axis=(1, 2)) == 255).all()


def test_folds_share_out_the_images() -> None:
    files = [Entry(Path(f"{index}.jpg"), "body parts, Knee", "other radiograph", "fit") for index in range(200)]
    assert 60 < sum(fold(entry, 2) for entry in files) < 140


def test_poses_say_what_they_made() -> None:
    rng = np.random.default_rng(0)
    image = rng.random((THUMBNAIL, THUMBNAIL), dtype=np.float32)
    seen = set()
    for _ in range(200):
        drawn, kind = posed(image, "frontal chest", rng)
        seen.add(kind)
        if kind == "frontal chest":
            assert drawn is image
        elif kind == SWAPPED:
            np.testing.assert_allclose(drawn, 1 - image)
        else:
            assert any(np.array_equal(drawn, np.rot90(image, turns)) for turns in (1, 2, 3))
    assert seen == {"frontal chest", SWAPPED, TURNED}
    assert {posed(image, "hand", rng)[1] for _ in range(50)} == {"hand"}
    laterals = [posed(image, "lateral chest", rng)[0] for _ in range(50)]
    assert all(np.allclose(each, image) or np.allclose(each, 1 - image) for each in laterals)


def test_variations_stay_in_range_and_differ() -> None:
    rng, vary = np.random.default_rng(0), varied()
    image = stretched(draw_pictures({"scene": LEARNED["scene"]}, 1, 0)[0]).astype(np.float32) / 255
    drawn = [vary(image, rng) for _ in range(30)]
    for each in drawn:
        assert each.shape == image.shape
        assert each.dtype == np.float32
        assert 0 <= each.min() <= each.max() <= 1
    assert len({each.tobytes() for each in drawn}) == 30


@pytest.mark.parametrize("name", [*LEARNED, *UNSEEN])
def test_pictures_come_from_their_seed(name: str) -> None:
    draw = (LEARNED | UNSEEN)[name]
    first, again, other = (
        draw_pictures({name: draw}, 2, 1),
        draw_pictures({name: draw}, 2, 1),
        draw_pictures({name: draw}, 1, 2),
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], first[1])
    assert not np.array_equal(first[0], other[0])
    assert first[0].shape == (DRAWN_SIDE, DRAWN_SIDE)
    assert first[0].dtype == np.float32
    assert 0 <= first[0].min() < first[0].max() <= 1


def test_pictures_to_measure_on_are_of_other_routines() -> None:
    assert not LEARNED.keys() & UNSEEN.keys()
    assert not set(LEARNED.values()) & set(UNSEEN.values())


class Brightness(nn.Module):
    """The mean of the input, as the logit of one kind against a second one."""

    def __init__(self, kind: str, other: str) -> None:
        super().__init__()
        self.places = KINDS.index(kind), KINDS.index(other)

    def forward(self, x: Tensor) -> Tensor:
        logits = torch.full((len(x), len(KINDS)), -20.0)
        logits[:, self.places[0]] = 8 * x[:, 0, :8].mean((1, 2))
        logits[:, self.places[1]] = 0
        return logits


def pool_of(kind: str, sources: dict[str, int]) -> Pool:
    rng = np.random.default_rng(0)
    count = sum(sources.values())
    images = rng.integers(0, 256, (count, THUMBNAIL, THUMBNAIL), dtype=np.uint8)
    return Pool(images, (kind,) * count, tuple(name for name, size in sources.items() for _ in range(size)))


def test_the_operating_point_lets_the_least_certain_source_pass() -> None:
    chests, hands = pool_of("frontal chest", {"a": 6, "b": 6}), pool_of("hand", {"c": 6})
    chests.thumbnails[6:, :40] //= 4  # the second source is darker at the top
    pool = Pool(
        np.concatenate([chests.thumbnails, hands.thumbnails]),
        chests.kinds + hands.kinds,
        chests.sources + hands.sources,
    )
    both = operating_points(Brightness("frontal chest", "hand"), pool)
    alone = operating_points(
        Brightness("frontal chest", "hand"),
        Pool(
            np.concatenate([chests.thumbnails[:6], hands.thumbnails]),
            chests.kinds[:6] + hands.kinds,
            chests.sources[:6] + hands.sources,
        ),
    )
    assert LOWEST <= both["frontal chest"] < alone["frontal chest"] <= HIGHEST
    assert both["hand"] == alone["hand"]


def test_kinds_are_drawn_by_their_share_and_large_sources_do_not_drown_small_ones() -> None:
    pool = Pool(
        np.zeros((110, 1, 1), np.uint8),
        ("frontal chest",) * 100 + ("hand",) * 10,
        ("large",) * 81 + ("small",) * 19 + ("hands",) * 10,
    )
    weights = weights_of(pool)
    assert weights[:100].sum() / weights[100:].sum() == pytest.approx(0.45 / 0.14)
    assert weights[:81].sum() / weights[81:100].sum() == pytest.approx((81 / 19) ** 0.5)


def test_a_short_run_trains(tmp_path: Path) -> None:
    pool = pool_of("hand", {"a": 8})
    image, kind = Views(pool)[0]
    assert image.shape == (1, SIZE, SIZE)
    assert kind == KINDS.index("hand")
    settings = Settings(images_per_epoch=32, batch=4, widths=(4, 4, 4, 4, 8))
    model = train_one(pool, settings, 1, tmp_path)
    assert not model.training
    assert model(image[None]).shape == (1, len(KINDS))


def test_a_share_has_its_counts() -> None:
    metric = share("stopped", "part", 2, 100, "at most 2 %")
    assert (metric.value, metric.cases, metric.note) == (0.02, 100, "2 of 100; goal at most 2 %")
    assert metric.low is not None
    assert metric.high is not None
    assert metric.low < 0.02 < metric.high


def test_measuring_again_keeps_what_only_other_networks_can_tell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = read_card(WEIGHTS / NAME / "card.json")
    figures = (share("stopped", "network trained without lungs", 1, 9), share("stopped", "of former weights", 1, 9))
    write_card(replace(shipped, metrics=figures), tmp_path / "card.json")
    monkeypatch.setattr(card, "_CARD", tmp_path / "card.json")
    passes = Verdict(True, SWAPPED, 1.0, ())
    monkeypatch.setattr(
        card, "judge", lambda entries: {SWAPPED_CHESTS: [{"frontal chest": passes, "hand": replace(passes, ok=False)}]}
    )
    card.measure_again([])
    again = read_card(tmp_path / "card.json")
    assert again.sha256 == shipped.sha256
    assert [metric.value for metric in again.metrics] == [0.0, 1.0, 1.0, 1 / 9]
    assert again.metrics[-1].part == "network trained without lungs"


def test_an_array_is_judged_like_its_file() -> None:
    gray = np.linspace(0, 1, 64 * 64, dtype=np.float32).reshape(64, 64)
    np.testing.assert_allclose(as_radiograph(gray).windowed(), gray, atol=0.5 / 255 + 1e-6)

"""No hand, patient or near-identical image is in two parts; the same division every time."""

import shutil
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest

from cxrkit.errors import InputError
from tests.train.hand_sets import hand
from tests.train.image_sets import chest, write_set
from train.bone_age import parts as parts_module
from train.bone_age.parts import Parts, divide, near_identical
from train.bone_age.sources import Hand, read_hands

HANDS = [
    hand(str(n), months=3.0 * (n % 70), sex="FM"[n % 2], large="x.png" if n % 10 == 0 else None, reports=n >= 900)
    for n in range(1000)
]


def drawn(parts: Parts) -> list[tuple[Hand, ...]]:
    return [parts.training, parts.choice, parts.interval, parts.reporting]


def test_a_given_split_is_kept_and_a_tenth_is_carved_out_of_training() -> None:
    parts = divide(HANDS)
    assert parts.reporting == tuple(HANDS[900:])
    assert [len(part) for part in drawn(parts)[:3]] == pytest.approx([810, 45, 45], abs=2)
    for first, second in combinations(drawn(parts), 2):
        assert not {one.identity for one in first} & {one.identity for one in second}
    for part in drawn(parts):
        assert sum(one.large is not None for one in part) / len(part) == pytest.approx(0.1, abs=0.05)
        assert sum(one.sex == "F" for one in part) / len(part) == pytest.approx(0.5, abs=0.1)
    assert not parts.left_out


def test_the_division_depends_on_seed_and_hands_alone() -> None:
    parts = divide(HANDS)
    assert divide(HANDS) == parts
    shuffled = divide(HANDS[::-1])
    assert [{one.identity for one in part} for part in drawn(shuffled)] == [
        {one.identity for one in part} for part in drawn(parts)
    ]
    assert divide(HANDS, seed=1).training != parts.training


def test_patients_and_copies_stay_together() -> None:
    links = [(n, n + 400) for n in range(0, 400, 2)] + [(401, 950)]
    same = [replace(one, patient=f"p{n // 4}") if 800 <= n < 900 else one for n, one in enumerate(HANDS)]
    parts = divide(same, links)
    place = {one.identity: number for number, part in enumerate(drawn(parts)) for one in part}
    for first, second in links[:-1]:
        assert place[str(first)] == place[str(second)]
    for n in range(800, 900, 4):
        assert len({place[str(n + k)] for k in range(4)}) == 1
    assert [one.identity for one in parts.left_out] == ["401"]
    assert place["950"] == 3


def test_without_a_given_split_a_tenth_reports() -> None:
    parts = divide([replace(one, reports=None) for one in HANDS])
    assert [len(part) for part in drawn(parts)] == pytest.approx([810, 45, 45, 100], abs=3)
    with pytest.raises(InputError, match="too few"):
        divide([replace(one, reports=None) for one in HANDS[:3]])


def test_near_identical_images_are_found_and_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = [f"{number}.png" for number in range(6)]
    rows = [(file, 30, "F") for file in files]
    write_set(tmp_path / "hands", {file: chest(n) for n, file in enumerate(files)}, ("file", "age_months", "sex"), rows)
    shutil.copy(tmp_path / "hands/1.png", tmp_path / "hands/4.png")
    hands = read_hands(tmp_path / "hands")
    assert near_identical(hands, tmp_path / "cache") == [(1, 4)]
    monkeypatch.setattr(parts_module, "compare", None)
    assert near_identical(hands, tmp_path / "cache") == [(1, 4)]

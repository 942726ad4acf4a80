"""Scores beside the weights: written, read back, refused when damaged."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cxrkit.errors import InputError, WeightsError
from cxrkit.scores import DECIMALS, FILE, ScoredPart, read_scores, write_scores


def part(name: str, count: int, seed: int, *, optimistic: bool = False) -> ScoredPart:
    generator = np.random.default_rng(seed)
    targets = np.r_[0, 0, 1, 1, generator.integers(0, 2, count - 4)].astype(np.int64)
    return ScoredPart(name, optimistic, targets, generator.beta(1 + 2 * targets, 2))


CROSS = 'cross-family: trained on A, tested on "all" of B'
PARTS = (part(CROSS, 300, 1), part("in-set test part", 90, 2, optimistic=True))


def test_what_was_written_is_read_back_up_to_rounding_and_order(tmp_path: Path) -> None:
    write_scores(PARTS, tmp_path)
    for given, read in zip(PARTS, read_scores(tmp_path), strict=True):
        assert (read.name, read.optimistic) == (given.name, given.optimistic)
        assert (read.targets.dtype, read.scores.dtype) == (np.int64, np.float64)
        for target in (0, 1):
            expected = np.sort(given.scores[given.targets == target])
            np.testing.assert_allclose(read.scores[read.targets == target], expected, atol=0.5 * 10**-DECIMALS)


def test_file_is_deterministic_text_that_forgets_the_order_of_the_images(tmp_path: Path) -> None:
    write_scores(PARTS, tmp_path)
    first = (tmp_path / FILE).read_bytes()
    shuffled = np.random.default_rng(3).permutation(300)
    mixed = replace(PARTS[0], targets=PARTS[0].targets[shuffled], scores=PARTS[0].scores[shuffled])
    write_scores((mixed, PARTS[1]), tmp_path)
    assert (tmp_path / FILE).read_bytes() == first
    assert b"\r" not in first
    assert first.decode("ascii").startswith("part,optimistic,name\n0,0,")


def test_six_thousand_rows_stay_far_below_300_kilobytes(tmp_path: Path) -> None:
    write_scores([part(f"part {number}", 2000, number) for number in range(3)], tmp_path)
    assert (tmp_path / FILE).stat().st_size < 100_000


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": " "}, "name of one line"),
        ({"name": "two\nlines"}, "name of one line"),
        ({"scores": PARTS[0].scores * 2}, r"\[0, 1\]"),
        ({"scores": PARTS[0].scores[1:]}, "299 scores"),
        ({"targets": np.zeros(300, dtype=np.int64)}, "0 positive"),
        ({"targets": np.full(300, 2, dtype=np.int64)}, "0 \\(negative\\) or 1"),
    ],
)
def test_a_part_that_cannot_be_judged_is_refused(change: dict[str, object], words: str) -> None:
    with pytest.raises(InputError, match=words):
        replace(PARTS[0], **change)


def test_no_part_and_two_of_one_name_are_refused(tmp_path: Path) -> None:
    for parts in ((), (PARTS[0], PARTS[0])):
        with pytest.raises(InputError, match="name of its own"):
            write_scores(parts, tmp_path)
    assert not (tmp_path / FILE).exists()


def test_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="missing"):
        read_scores(tmp_path)


DAMAGE = {
    "empty": ("", "columns part, optimistic, name"),
    "no rows": ('part,optimistic,name\n0,0,"A"\n', "columns part, target, score"),
    "other columns": ("part,optimistic,name\n0,0,A\n\npart,target\n0,1\n", "columns part, target, score"),
    "short row": ("part,optimistic,name\n0,0,A\n\npart,target,score\n0,1\n", "columns part, target, score"),
    "no number": ("part,optimistic,name\n0,0,A\n\npart,target,score\n0,1,high\n", "numbers"),
    "not a number": ("part,optimistic,name\n0,0,A\n\npart,target,score\n0,1,nan\n", "not numbers"),
    "out of range": ("part,optimistic,name\n0,0,A\n\npart,target,score\n0,0,0.1\n0,1,1.5\n", "[0, 1]"),
    "third class": ("part,optimistic,name\n0,0,A\n\npart,target,score\n0,0,0.1\n0,2,0.5\n", "0 (negative) or 1"),
    "one class only": ("part,optimistic,name\n0,0,A\n\npart,target,score\n0,1,0.1\n0,1,0.5\n", "0 negative"),
    "part without rows": ("part,optimistic,name\n0,0,A\n1,0,B\n\npart,target,score\n0,1,0.1\n", "There "),
    "row without part": ("part,optimistic,name\n0,0,A\n\npart,target,score\n7,1,0.1\n", "belongs to no part"),
    "numbering": ("part,optimistic,name\n1,0,A\n\npart,target,score\n1,1,0.1\n", "not numbered"),
    "flag": ("part,optimistic,name\n0,yes,A\n\npart,target,score\n0,1,0.1\n", "optimistic"),
    "quotation mark": ('part,optimistic,name\n0,0,"A\n\npart,target,score\n0,1,0.1\n', "columns or numbers"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damage_is_said_in_a_sentence(kind: str, tmp_path: Path) -> None:
    text, words = DAMAGE[kind]
    (tmp_path / FILE).write_text(text)
    with pytest.raises(WeightsError) as caught:
        read_scores(tmp_path)
    assert words in str(caught.value)
    assert "damaged" in str(caught.value)
    assert str(caught.value).endswith(".")


def test_bytes_that_are_no_text_are_damage(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff\xfe\x00")
    with pytest.raises(WeightsError, match="UTF-8"):
        read_scores(tmp_path)

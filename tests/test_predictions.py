"""Writing the table of predictions where something already lies."""

import os
from pathlib import Path

import pytest

from cxrkit.errors import InputError
from cxrkit.predictions import weights_of, write_predictions
from cxrkit.tasks.tuberculosis import TUBERCULOSIS


def leftover_of(path: Path) -> Path:
    """What a run of this process's number leaves that was killed while it wrote."""
    return path.with_name(f".{path.name}.{os.getpid()}.part")


def test_what_a_killed_run_left_does_not_stop_the_next(tmp_path: Path) -> None:
    out = tmp_path / "predictions.csv"
    leftover_of(out).write_text("half a ta")
    write_predictions(TUBERCULOSIS, [], out)
    assert out.read_text().startswith("score_normal,")
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    out, other = tmp_path / "predictions.csv", tmp_path / "other.txt"
    other.write_text("of somebody else")
    leftover_of(out).symlink_to(other)
    write_predictions(TUBERCULOSIS, [], out)
    assert other.read_text() == "of somebody else"
    assert not out.is_symlink()


def test_what_cannot_be_taken_away_is_a_sentence(tmp_path: Path) -> None:
    out = tmp_path / "predictions.csv"
    leftover_of(out).mkdir()
    with pytest.raises(InputError, match="could not be written"):
        write_predictions(TUBERCULOSIS, [], out)


@pytest.mark.parametrize(
    ("column", "weights"),
    [
        (["ab" * 32] * 3, "ab" * 32),
        (["ab" * 32, "cd" * 32], ""),
        (["ab" * 32, ""], ""),
        (["74 kg"] * 3, ""),
        ([], ""),
    ],
)
def test_weights_are_known_where_all_rows_name_the_same(column: list[str], weights: str) -> None:
    assert weights_of(column) == weights

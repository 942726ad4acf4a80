"""Keys of cases: of their images' bytes, and of nothing else."""

from dataclasses import replace
from pathlib import Path

from cxrkit.review.case_key import case_key, case_keys
from cxrkit.review.table import read_predictions
from cxrkit.tasks.followup import FOLLOW_UP


def test_a_key_outlives_another_name_and_tells_pairs_from_their_reverse(tmp_path: Path) -> None:
    one, two = tmp_path / "one.png", tmp_path / "two.png"
    one.write_bytes(b"first")
    two.write_bytes(b"second")
    key, pair = case_key([one]), case_key([one, two])
    assert len({key, pair, case_key([two, one]), case_key([two])}) == 4
    moved = one.rename(tmp_path / "other.png")
    assert (case_key([moved]), case_key([moved, two])) == (key, pair)
    moved.write_bytes(b"other")
    assert case_key([moved]) != key


def test_keys_of_many_cases_are_counted_and_stay_below_the_root(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (root / "baseline.png").write_bytes(b"first")
    (tmp_path / "outside.png").write_bytes(b"second")
    table = "baseline,followup,change,score_no_change,score_change\n"
    table += (
        "baseline.png,baseline.png,0,0.5,0.5\nbaseline.png,../outside.png,1,0.5,0.5\nbaseline.png,none.png,1,0.5,0.5\n"
    )
    review = read_predictions(table.encode(), "run", FOLLOW_UP, root)
    told: list[None] = []
    keys = case_keys(review, range(3), lambda: told.append(None))
    assert keys == {0: case_key([root / "baseline.png"] * 2), 1: None, 2: None}
    assert len(told) == 3
    assert set(case_keys(replace(review, root=None), range(3)).values()) == {None}

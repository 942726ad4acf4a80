"""The audit over small drawn sets with known faults, from tables to README."""

import json
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from cxrkit.errors import InputError, ManifestError
from tests.conftest import REPOSITORY
from tests.train.image_sets import chest, encoded, reframed, saved_anew, write_set
from train.audit_split import outside
from train.audit_split.audit import audit, run
from train.audit_split.copies import OTHER_FAMILY, OTHER_SET, TRAINING_PART, copies_of, read_copies
from train.audit_split.report import with_audit
from train.audit_split.sets import read_pictures, read_sets


@pytest.fixture(scope="module")
def two_sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Set north: 30 chests, of which n5 repeats n0 across parts and n6 repeats n1 across families. South repeats n2."""
    root = tmp_path_factory.mktemp("sets")
    north = {f"n{index}.png": chest(index) for index in range(30)}
    north["n5.png"] = saved_anew(north["n0.png"], 60)
    north["n6.png"] = reframed(north["n1.png"], 5, 5, 5, 5)
    rows = [
        # Patient p3 is in both parts; every other patient has one image.
        (f"n{i}.png", i % 2, "p3" if i in (3, 4) else f"p{i}", "test" if i in (4, 5) else "train", f"f{int(i == 6)}")
        for i in range(30)
    ]
    write_set(root / "north", north, ("file", "target", "patient_id", "split", "family"), rows)
    south = {f"s{index}.png": chest(100 + index) for index in range(6)}
    south["s0.png"] = north["n2.png"]
    write_set(root / "south", south, ("file",), [(name,) for name in south])
    return root / "north", root / "south"


@pytest.fixture(scope="module")
def outputs(two_sets: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with everything that the command writes."""
    out = tmp_path_factory.mktemp("out")
    (out / "README.md").write_text("before\n<!-- audit -->\nold\n<!-- end -->\nafter\n", encoding="utf-8")
    written = [
        f"--{name}={out / file}"
        for name, file in (("copies", "c.csv"), ("pairs", "p.csv"), ("json", "a.json"), ("readme", "README.md"))
    ]
    assert run([*map(str, two_sets), *written]) == 0
    return out


def test_faults_are_counted(outputs: Path) -> None:
    record = json.loads((outputs / "a.json").read_text(encoding="utf-8"))
    north, south = record["sets"]
    assert (north["images"], north["patients"], north["patients_in_two_parts"]) == (30, 29, 1)
    assert north["with_two_lungs"] > 25
    assert {row["question"] for row in record["told_outside_lungs"]} <= {
        row["question"] for row in record["told_from_borders"]
    }
    assert (south["images"], south["patients"], south["patients_in_two_parts"]) == (6, None, None)
    within, none = record["copies_within_sets"]
    assert within == {
        "set": "north", "pairs": 2, "identical": 0, "images": 4, "within_one_part": 1, "between_two_parts": 1,
        "another_patient": 2, "another_class": 2, "another_family": 1,
    }  # fmt: skip
    assert none["pairs"] == 0
    assert record["copies_across_sets"] == [{"sets": "north, south", "pairs": 1, "identical": 1}]


def test_copies_are_listed_for_evaluation(outputs: Path) -> None:
    table = outputs / "c.csv"
    assert copies_of("north", table=table) == {"n1.png", "n2.png", "n5.png", "n6.png"}
    assert copies_of("north", {TRAINING_PART}, table) == {"n5.png"}
    assert copies_of("north", {OTHER_FAMILY}, table) == {"n1.png", "n6.png"}
    assert copies_of("south", {OTHER_SET}, table) == {"s0.png"}
    assert copies_of("unknown", table=table) == frozenset()
    assert {(copy.file, copy.of_set, copy.of_file) for copy in read_copies(table) if copy.set == "south"} == {
        ("s0.png", "north", "n2.png")
    }


def test_pairs_and_readme_are_written(outputs: Path) -> None:
    lines = (outputs / "p.csv").read_text(encoding="utf-8").splitlines()
    assert [line.rsplit(",", 2)[0] for line in lines[1:]] == [
        "north,n0.png,north,n5.png", "north,n1.png,north,n6.png", "north,n2.png,south,s0.png",
    ]  # fmt: skip
    readme = (outputs / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("before\n<!-- audit -->\n| Set |")
    assert readme.endswith("<!-- end -->\nafter\n")
    assert "old" not in readme
    assert "| north, south | 1 | 1 |" in readme
    record = json.loads((outputs / "a.json").read_text(encoding="utf-8"))
    assert with_audit(readme, record) == readme


def test_a_chain_of_copies_leaks(tmp_path: Path) -> None:
    """The test image repeats a training image through a third one; each is left out for its own reason."""
    images = {"a.png": chest(0), "b.jpg": chest(0), "c.png": saved_anew(chest(0), 50)} | {
        f"{index}.png": chest(index) for index in range(1, 4)
    }
    rows = [(name, "test" if name in "c.png" else "train") for name in images]
    write_set(tmp_path / "chain", images, ("file", "split"), rows)
    found = audit([tmp_path / "chain"], confounds=False)
    assert [(copy.file, copy.of_file, copy.reason) for copy in found.copies] == [("c.png", "a.png", TRAINING_PART)]
    assert len(found.pairs) == 3


def test_all_forms_of_a_table_are_read(tmp_path: Path) -> None:
    images = {f"{index}.png": chest(index, 40, 40) for index in range(4)} | {"0b.png": chest(0, 80, 80)}
    rows = [("a", "0.png", "0b.png"), ("b", "1.png", ""), ("c", "", "2.png"), ("d", "", "")]
    write_set(tmp_path / "sizes", images, ("id", "file_100", "file_512"), rows)
    (tmp_path / "list.csv").write_text("file;patient\nsizes/3.png;P\nsizes/absent.png;P\n../out.png;Q\n")
    sizes, listed = read_sets([tmp_path / "sizes", tmp_path / "list.csv"])
    assert [case.files for case in sizes.cases] == [("0.png", "0b.png"), ("1.png",), ("2.png",)]
    assert (sizes.name, sizes.unusable, listed.name) == ("sizes", 1, tmp_path.name)
    pictures = read_pictures([sizes, listed])
    assert [entry.file for entry in pictures.entries] == ["0.png", "0b.png", "1.png", "2.png", "sizes/3.png"]
    assert pictures.unreadable == {"sizes": 0, tmp_path.name: 2}
    assert pictures.entries[0].same_case == pictures.entries[1].same_case != pictures.entries[2].same_case
    assert pictures.entries[4].patient == (tmp_path.name, "P")


def test_two_tables_of_one_folder_are_two_sets(tmp_path: Path) -> None:
    for name in ("train", "test"):
        (tmp_path / f"{name}.csv").write_text("file\nx.png\n")
    sets = read_sets([tmp_path / "train.csv", tmp_path / "test.csv"])
    assert [found.name for found in sets] == [f"{tmp_path.name}/train", f"{tmp_path.name}/test"]
    with pytest.raises(ManifestError, match="same name"):
        read_sets([tmp_path / "train.csv", tmp_path / "train.csv"])


def test_what_cannot_be_audited_is_refused_in_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "x.csv").write_text("file\nabsent.png\nabsent2.png\n")
    with pytest.raises(InputError, match="two images"):
        read_pictures(read_sets([tmp_path / "x.csv"]))
    (tmp_path / "plain.md").write_text("nothing")
    for arguments in (
        [str(tmp_path / "no.csv")],
        [str(tmp_path / "x.csv")],
        [str(tmp_path / "x.csv"), f"--readme={tmp_path / 'plain.md'}"],
        [str(tmp_path / "x.csv"), f"--json={tmp_path / 'no' / 'a.json'}"],
        [],
    ):
        assert run(arguments) == 2
        error = capsys.readouterr().err.splitlines()[-1]
        assert error.startswith("Error: ")
        assert len(error) > 30


def test_unreadable_images_do_not_stop_an_audit(tmp_path: Path) -> None:
    write_set(tmp_path / "set", {f"{i}.png": chest(i) for i in range(3)}, ("file",), [(f"{i}.png",) for i in range(4)])
    (tmp_path / "set" / "3.png").write_bytes(encoded(np.zeros((9, 9), np.float32))[:30])
    found = audit([tmp_path / "set"], confounds=False)
    assert found.record["sets"][0]["unreadable"] == 1
    assert found.pairs == []
    assert found.copies == []


def test_lungs_are_looked_for_in_sets_of_chests_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The image guard decides by the first images; the lung field would see lungs in hands."""
    for folder in ("chests", "hands"):
        write_set(
            tmp_path / folder, {f"{n}.png": chest(n) for n in range(9)}, ("file",), [(f"{n}.png",) for n in range(9)]
        )
    guard, lungs = Mock(side_effect=[Mock(ok=n < 5) for n in range(10)]), Mock(side_effect=outside.find_lungs)
    monkeypatch.setattr(outside, "LOOKED", 5)
    monkeypatch.setattr(outside, "check_image", guard)
    monkeypatch.setattr(outside, "find_lungs", lungs)
    pictures = read_pictures(read_sets([tmp_path / "chests", tmp_path / "hands"]))
    assert (guard.call_count, lungs.call_count) == (10, 9 + 5)
    assert sum(known is not None for known in pictures.outside[:9]) > 5
    assert not any(known is not None for known in pictures.outside[9:])


@pytest.mark.data
def test_shared_images(shared_data: Path, tmp_path: Path) -> None:
    """Real chests: a film scanned twice is found, and no image of another patient is taken for a copy."""
    rows = (shared_data / "nih" / "labels.csv").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in rows[1:] if line.startswith("images/00002658_")]
    others = [line for line in rows[1:] if line not in wanted][:40]
    (tmp_path / "labels.csv").write_text("\n".join([rows[0], *wanted, *others]) + "\n", encoding="utf-8")
    (tmp_path / "images").mkdir()
    for line in wanted + others:
        name = line.split(",")[0]
        (tmp_path / name).write_bytes((shared_data / "nih" / name).read_bytes())
    found = audit([tmp_path], confounds=False)
    files = [{found.pictures.entries[p].file for p in (pair.first, pair.second)} for pair in found.pairs]
    assert files == [{"images/00002658_001.jpg", "images/00002658_002.jpg"}]


def test_readme_shows_what_the_audit_of_the_shared_sets_found() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    record = json.loads((REPOSITORY / "train" / "audit_split" / "audit.json").read_text(encoding="utf-8"))
    assert with_audit(readme, record) == readme

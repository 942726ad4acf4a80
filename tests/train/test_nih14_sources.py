"""Sets of findings in their own layouts, label strings, and divisions that never share a patient."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cxrkit.cases import Case
from cxrkit.errors import InputError, ManifestError
from cxrkit.tasks.nih14 import LABELS
from train.audit_split import copies
from train.nih14.data import Draws, targets
from train.nih14.parts import divide, divide_by_image, leak
from train.nih14.sources import labelled_cases, unlabelled_cases

HEADER = (
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position,"
    "OriginalImage[Width,Height],OriginalImagePixelSpacing[x,y],"
)
ROWS = (
    "00000001_000.png,Cardiomegaly|Effusion,0,1,58,M,PA,2682,2749,0.143,0.143,",
    "00000002_000.png,No Finding,0,2,81,M,PA,2500,2048,0.171,0.171,",
    "00000003_000.png,Hernia,0,3,81,F,PA,2582,2991,0.143,0.143,",
)


def published(root: Path, name: str = "Data_Entry_2017.csv", rows: Sequence[str] = ROWS) -> Path:
    for number in (1, 2):
        (root / f"images_{number:03d}" / "images").mkdir(parents=True, exist_ok=True)
        (root / f"images_{number:03d}" / "images" / f"0000000{number}_000.png").touch()
    (root / name).write_text("\n".join([HEADER, *rows]) + "\n", encoding="utf-8")
    return root


def table(root: Path, *rows: str, header: str = "file,findings,patient_id,split") -> Path:
    root.mkdir(exist_ok=True)
    (root / "labels.csv").write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
    return root


def test_chest_xray14_is_read_as_it_is_published(tmp_path: Path) -> None:
    (tmp_path / "train_val_list.txt").write_text("00000001_000.png\n", encoding="utf-8")
    (tmp_path / "test_list.txt").write_text("00000002_000.png\n00000003_000.png\n", encoding="utf-8")
    cases = labelled_cases(published(tmp_path))
    assert [case.files for case in cases] == [
        ("images_001/images/00000001_000.png",),
        ("images_002/images/00000002_000.png",),
    ], "the third image is not there"
    assert [case.split for case in cases] == ["train", "test"]
    assert [case.patient for case in cases] == ["1", "2"]
    found = targets(cases)
    assert [label for label, there in zip(LABELS, found[0], strict=True) if there] == ["Cardiomegaly", "Effusion"]
    assert not found[1].any()


def test_of_two_tables_the_newer_one_holds(tmp_path: Path) -> None:
    published(tmp_path)
    published(tmp_path, "Data_Entry_2017_v2020.csv", [ROWS[0].replace("Cardiomegaly|Effusion", "Mass")])
    (case,) = labelled_cases(tmp_path)
    assert case.target == "Mass"
    assert case.split is None


def test_a_folder_without_either_table_or_without_images_says_what_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="Data_Entry_2017"):
        labelled_cases(tmp_path)
    (tmp_path / "Data_Entry_2017.csv").write_text("\n".join([HEADER, *ROWS]), encoding="utf-8")
    with pytest.raises(ManifestError, match="images_001"):
        labelled_cases(tmp_path)


def test_findings_may_be_named_twice_and_in_other_writing(tmp_path: Path) -> None:
    (case,) = labelled_cases(table(tmp_path, "a.png,Pleural thickening|Mass|mass,1,train"))
    (found,) = targets([case])
    assert {label for label, there in zip(LABELS, found, strict=True) if there} == {"Pleural_Thickening", "Mass"}


@pytest.mark.parametrize(
    ("findings", "words"),
    [("Cough", "no label"), ("", "empty"), ("Mass|", "no label"), ("No Finding|Mass", "at once")],
)
def test_findings_that_cannot_be_used_stop_training_with_the_row(tmp_path: Path, findings: str, words: str) -> None:
    with pytest.raises(ManifestError, match=words) as caught:
        labelled_cases(table(tmp_path, "a.png,Mass,1,train", f"b.png,{findings},2,train"))
    assert "row 3" in str(caught.value)


def test_without_labels_only_the_training_part_is_learned_from_and_nobody_elsewhere(tmp_path: Path) -> None:
    rows = ("a.png,1,train", "b.png,2,train", "c.png,2,val", "d.png,,train", "e.png,3,test")
    cases = unlabelled_cases(table(tmp_path, *rows, header="file,patient_id,split"))
    assert [case.files[0] for case in cases] == ["a.png", "d.png"]
    bare = unlabelled_cases(table(tmp_path / "bare", "a.png", "b.png", header="file"))
    assert len(bare) == 2


def test_copies_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = copies.Copy("set", "b.png", copies.OTHER_SET, "nih", "x.png")
    monkeypatch.setattr(copies, "read_copies", lambda _: [found])
    folder = table(tmp_path / "set", "a.png,Mass,1,train", "b.png,Mass,2,train")
    assert [case.files[0] for case in unlabelled_cases(folder)] == ["a.png"]
    assert [case.files[0] for case in labelled_cases(folder)] == ["a.png"]


FINDING = st.sampled_from(["No Finding", "Mass", "Effusion|Mass", "Hernia"])
SPLIT = st.sampled_from(["", "train", "val", "test"])
ROW = st.tuples(st.integers(0, 25) | st.none(), FINDING, SPLIT)


def cases_of(rows: Sequence[tuple[int | None, str, str]], *, given_parts: bool) -> list[Case]:
    return [
        Case(
            (f"{number}.png",),
            findings,
            None if patient is None else f"p{patient}",
            row={"file": f"{number}.png", "split": split if given_parts else ""},
        )
        for number, (patient, findings, split) in enumerate(rows)
    ]


@settings(max_examples=80, deadline=None)
@given(st.lists(ROW, min_size=20, max_size=90), st.booleans(), st.integers(0, 9))
def test_no_division_by_patient_shares_a_patient(
    rows: list[tuple[int | None, str, str]], given_parts: bool, seed: int
) -> None:
    cases = cases_of(rows, given_parts=given_parts)
    try:
        parts = divide(cases, seed)
    except InputError:
        return  # too few patients for a carved part
    held = [parts.learned, parts.carved, parts.reporting]
    patients = [{case.patient for case in part} - {None} for part in held]
    assert not patients[0] & patients[1] | patients[0] & patients[2] | patients[1] & patients[2]
    files = [case.files for part in held for case in part]
    assert len(files) == len(set(files)) <= len(cases)
    assert leak(parts) == (0, 0)
    if parts.given:
        assert all(case.split == "train" for case in parts.training)
        assert all(case.split in ("val", "test") for case in parts.reporting)
    else:
        assert len(files) == len(cases)
    assert divide(cases, seed) == parts


def test_a_division_by_image_leaks_and_the_leak_is_counted() -> None:
    rows = [(number % 10, "Mass", "") for number in range(100)]
    parts = divide_by_image(cases_of(rows, given_parts=False))
    patients, images = leak(parts)
    assert 5 <= patients <= 10, "most of ten people with ten images each are on both sides"
    assert images == len(parts.reporting) == pytest.approx(20, abs=1), "and all of them in training"


def test_rare_findings_are_spread_over_the_parts() -> None:
    rows = [(number, "Hernia" if number < 25 else "No Finding", "") for number in range(250)]
    parts = divide(cases_of(rows, given_parts=False))
    shares = [sum(case.target == "Hernia" for case in part) / len(part) for part in (parts.learned, parts.carved)]
    assert shares == pytest.approx([0.1, 0.1], abs=0.03)


def test_every_image_comes_once_before_any_comes_twice_and_draws_can_be_replayed() -> None:
    sampler = Draws(images=10, drawn=6, seed=3)
    drawn = []
    for epoch in range(5):
        sampler.set_epoch(epoch)
        drawn += list(sampler)
    assert len(sampler) == 6
    order = [index for index, _ in drawn]
    assert all(sorted(order[start : start + 10]) == list(range(10)) for start in (0, 10, 20))
    assert len({seed for _, seed in drawn}) == 30
    sampler.set_epoch(1)
    assert list(sampler) == drawn[6:12]


@pytest.mark.data
def test_the_shared_set_has_the_counts_of_the_audit(shared_data: Path) -> None:
    parts = divide(labelled_cases(shared_data / "nih"))
    assert len(parts.reporting) == 108
    assert len(parts.training) in (683, 684)
    assert parts.given
    assert leak(parts) == (0, 0)
    assert targets(parts.reporting).sum(axis=0)[LABELS.index("Pneumonia")] == 63
    assert 0.17 < len(parts.carved) / len(parts.training) < 0.23

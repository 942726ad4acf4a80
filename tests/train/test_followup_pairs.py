"""Readers of follow-up pairs, on tables in the sets' own layouts; and on the real subset where it is there."""

from pathlib import Path

import pytest

from cxrkit.errors import ManifestError
from train.followup.pairs import chest_xray14_pairs, chexpert_pairs, table_pairs
from train.followup.parts import read_set

NIH = """Image Index,Finding Labels,Follow-up #,Patient ID,View Position
a_000.png,No Finding,0,7,PA
a_002.png,Effusion|Mass,2,7,AP
a_001.png,No Finding,1,7,PA
a_003.png,Mass|Effusion,3,7,PA
b_000.png,Mass,0,8,PA
c_000.png,Mass,0,9,PA
gone.png,Mass,1,9,PA
"""
CHEXPERT = """Path,Sex,Age,Frontal/Lateral,AP/PA,No Finding,Cardiomegaly,Edema,Support Devices
CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg,F,68,Frontal,AP,1.0,,,1.0
CheXpert-v1.0-small/train/patient00001/study1/view2_lateral.jpg,F,68,Lateral,,1.0,,,
CheXpert-v1.0-small/train/patient00001/study2/view1_frontal.jpg,F,68,Frontal,AP,,1.0,0.0,
CheXpert-v1.0-small/train/patient00001/study3/view1_frontal.jpg,F,69,Frontal,AP,,1.0,-1.0,
CheXpert-v1.0-small/train/patient00001/study10/view1_frontal.jpg,F,69,Frontal,AP,,0.0,-1.0,
CheXpert-v1.0-small/train/patient00002/study1/view1_frontal.jpg,M,40,Frontal,AP,1.0,,,
CheXpert-v1.0-small/train/patient00002/study2/view1_frontal.jpg,M,41,Frontal,AP,,,,1.0
"""


def test_nih_takes_consecutive_images_of_one_patient(tmp_path: Path) -> None:
    (tmp_path / "Data_Entry_2017_v2020.csv").write_text(NIH)
    for name in ("a_000", "a_001", "a_002", "a_003", "b_000", "c_000"):
        folder = tmp_path / ("images_001" if name < "a_002" else "images_002") / "images"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.png").touch()
    cases = chest_xray14_pairs(tmp_path)
    assert [(case.files[0][-9:], case.files[1][-9:], case.target) for case in cases] == [
        ("a_000.png", "a_001.png", "0"),
        ("a_001.png", "a_002.png", "1"),
        ("a_002.png", "a_003.png", "0"),
    ]
    assert cases[1].files[1] == "images_002/images/a_002.png"
    assert {case.patient for case in cases} == {"7"}
    assert [(c.row["baseline_abnormal"], c.row["followup_abnormal"]) for c in cases] == [
        ("0", "0"),
        ("0", "1"),
        ("1", "1"),
    ]
    assert {case.split for case in cases} == {None}


def test_nih_takes_its_parts_from_the_lists_beside_the_table(tmp_path: Path) -> None:
    (tmp_path / "Data_Entry_2017.csv").write_text(NIH)
    (tmp_path / "images").mkdir()
    for name in ("a_000", "a_001", "c_000", "gone"):
        (tmp_path / "images" / f"{name}.png").touch()
    (tmp_path / "test_list.txt").write_text("a_000.png\na_001.png\n")
    assert [(case.patient, case.split) for case in chest_xray14_pairs(tmp_path)] == [("7", "test"), ("9", "in no list")]
    images = read_set(tmp_path)
    assert {case.patient for case in images.images} == {"7", "9"}
    assert {case.split for case in images.images} == {"test", "in no list"}, "nobody in test_list.txt is learned from"


def test_chexpert_takes_frontals_of_consecutive_studies(tmp_path: Path) -> None:
    folder = tmp_path / "CheXpert-v1.0-small"
    folder.mkdir()
    (folder / "train.csv").write_text(CHEXPERT)
    cases = chexpert_pairs(tmp_path)
    assert [(c.files[0].split("/")[2:4], c.files[1].split("/")[3], c.target) for c in cases] == [
        (["patient00001", "study1"], "study2", "1"),
        # study2 to study3 differs in an uncertain finding alone and is left out.
        (["patient00001", "study3"], "study10", "1"),
        (["patient00002", "study1"], "study2", "0"),
    ]
    assert cases[0].files[0] == "CheXpert-v1.0-small/train/patient00001/study1/view1_frontal.jpg"
    assert cases[1].row["followup_abnormal"] == ""
    assert cases[0].split == "train"
    assert chexpert_pairs(folder)[0].files[0] == "train/patient00001/study1/view1_frontal.jpg"


def test_table_of_pairs(tmp_path: Path) -> None:
    table = tmp_path / "pairs.csv"
    table.write_text("baseline,followup,change,baseline_abnormal\na.png,b.png,1,0\nb.png,c.png,0,1\n")
    cases = table_pairs(table)
    assert [(case.files, case.target) for case in cases] == [(("a.png", "b.png"), "1"), (("b.png", "c.png"), "0")]
    table.write_text("baseline,followup,change,baseline_abnormal\na.png,b.png,1,\n")
    assert table_pairs(table)[0].row["baseline_abnormal"] == "", "not known"
    table.write_text("baseline,followup,change\na.png,b.png,\n")
    with pytest.raises(ManifestError, match="Row 2: change is “”"):
        table_pairs(table)
    table.write_text("baseline,followup,change\na.png,b.png,yes\n")
    with pytest.raises(ManifestError, match="Row 2: change is “yes”"):
        table_pairs(table)


@pytest.mark.parametrize("reader", [chest_xray14_pairs, chexpert_pairs])
def test_other_folders_are_refused(reader, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ManifestError, match="The folder holds n"):
        reader(tmp_path)


def test_pairs_of_the_real_subset(shared_data: Path) -> None:
    folder = shared_data / "nih"
    cases = chest_xray14_pairs(folder)
    assert len(cases) > 200
    changed = sum(case.target == "1" for case in cases) / len(cases)
    assert 0.2 < changed < 0.6
    assert all((folder / file).is_file() for case in cases for file in case.files)

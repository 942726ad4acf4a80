"""Readers of public tuberculosis sets, on empty files with their names."""

from collections import Counter
from pathlib import Path

import pytest

from cxrkit.cases import resolve
from cxrkit.errors import ManifestError
from train.datasets import (
    manifest_cases,
    montgomery_cases,
    rahman_cases,
    shenzhen_cases,
    tuberculosis_cases,
)


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def rahman(root: Path) -> None:
    touch(root, *(f"Normal/Normal-{number}.png" for number in (1, 2, 10)), "Normal.metadata.xlsx")
    touch(root, "Tuberculosis/Tuberculosis-1.png", "Tuberculosis/Thumbs.db", "Tuberculosis/._Tuberculosis-1.png")


def shenzhen(root: Path) -> None:
    touch(root, "CXR_png/CHNCXR_0001_0.png", "CXR_png/CHNCXR_0327_1.png", "CXR_png/Thumbs.db")
    touch(root, "ClinicalReadings/CHNCXR_0001_0.txt", "NLM-ChinaCXRSet-ReadMe.docx")


def montgomery(root: Path) -> None:
    touch(root, "CXR_png/MCUCXR_0001_0.png", "CXR_png/MCUCXR_0104_1.png", "ClinicalReadings/MCUCXR_0001_0.txt")
    touch(root, "ManualMask/leftMask/MCUCXR_0001_0.png", "ManualMask/rightMask/MCUCXR_0001_0.png")


@pytest.mark.parametrize("above", ["", "TB_Chest_Radiography_Database"])
def test_tuberculosis_chest_xray_database(tmp_path, above):
    rahman(tmp_path / above)
    cases = tuberculosis_cases(tmp_path)
    assert cases == rahman_cases(tmp_path)
    assert [Path(case.files[0]).name for case in cases] == [
        "Normal-1.png",
        "Normal-2.png",
        "Normal-10.png",
        "Tuberculosis-1.png",
    ]
    assert [case.target for case in cases] == ["0", "0", "0", "1"]
    assert [case.family for case in cases] == ["rahman_normal"] * 3 + ["rahman_tb"]
    assert {case.patient for case in cases} == {None}
    assert all(resolve(case, tmp_path)[0].is_file() for case in cases)


@pytest.mark.parametrize("above", ["", "ChinaSet_AllFiles"])
def test_shenzhen(tmp_path, above):
    shenzhen(tmp_path / above)
    cases = tuberculosis_cases(tmp_path)
    assert cases == shenzhen_cases(tmp_path)
    assert [(case.target, case.family, case.patient) for case in cases] == [
        ("0", "shenzhen", "shenzhen-0001"),
        ("1", "shenzhen", "shenzhen-0327"),
    ]
    assert cases[0].files == ((Path(above) / "CXR_png" / "CHNCXR_0001_0.png").as_posix(),)
    assert cases[0].row["patient_id"] == "shenzhen-0001"


@pytest.mark.parametrize("above", ["", "MontgomerySet"])
def test_montgomery_without_its_masks(tmp_path, above):
    montgomery(tmp_path / above)
    cases = tuberculosis_cases(tmp_path)
    assert cases == montgomery_cases(tmp_path)
    assert [(case.target, case.patient) for case in cases] == [("0", "montgomery-0001"), ("1", "montgomery-0104")]


def test_both_sets_side_by_side_do_not_share_patients(tmp_path):
    shenzhen(tmp_path / "ChinaSet_AllFiles")
    montgomery(tmp_path / "MontgomerySet")
    cases = tuberculosis_cases(tmp_path)
    assert Counter(case.family for case in cases) == {"shenzhen": 2, "montgomery": 2}
    assert len({case.patient for case in cases}) == 4


def test_sets_that_share_images_are_not_mixed(tmp_path):
    rahman(tmp_path)
    montgomery(tmp_path / "MontgomerySet")
    with pytest.raises(ManifestError, match="share"):
        tuberculosis_cases(tmp_path)


def test_a_table_goes_first(tmp_path):
    rahman(tmp_path)
    (tmp_path / "labels.csv").write_text(
        "file,target,family,split,patient_id\nx.png,tuberculosis,north,test,p1\ny.png,0,,,\n"
    )
    first, second = tuberculosis_cases(tmp_path)
    assert (first.files, first.family, first.split, first.patient) == (("x.png",), "north", "test", "p1")
    assert (second.target, second.family, second.split, second.patient) == ("0", None, None, None)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("file,target\na.png,1\nb.png,2\n", "row 3"),
        ("file,target\n,1\n", "Row 2"),
        ("file,label\na.png,1\n", "'target'"),
    ],
)
def test_training_stops_at_the_first_bad_row(tmp_path, text, sentence):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(ManifestError, match=sentence):
        manifest_cases(tmp_path / "labels.csv")


def test_an_unknown_layout_is_told_what_was_looked_for(tmp_path):
    touch(tmp_path, "images/SECRETNAME.png", "Normal/normal.png")
    for folder in (tmp_path, tmp_path / "absent"):
        with pytest.raises(ManifestError) as caught:
            tuberculosis_cases(folder)
        for hint in ("labels.csv", "Normal-1.png", "CHNCXR_0001_0.png", "MCUCXR_0001_0.png"):
            assert hint in str(caught.value)
        assert "SECRETNAME" not in str(caught.value)


@pytest.mark.data
def test_shared_tuberculosis_images(shared_data):
    root = shared_data / "tb"
    cases = tuberculosis_cases(root)
    assert Counter(case.target for case in cases) == {"1": 1010, "0": 3890}
    assert {case.family for case in cases} == {"mendeley_tb", "mendeley_normal", "rahman_tb", "radiography_normal"}
    assert {case.split for case in cases} == {"train", "test"}
    assert len({path for case in cases for path in resolve(case, root)}) == 4900

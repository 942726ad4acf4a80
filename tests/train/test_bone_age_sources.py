"""Hands with a bone age, read from each published layout; what cannot be used is refused in a sentence."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from cxrkit.errors import ManifestError
from tests.train.hand_sets import write_hands, write_image
from train.bone_age.sources import read_hands

PIXELS = np.zeros((4, 4), dtype=np.float32)


def challenge(root: Path, nested: str = "") -> Path:
    folder = root / "boneage-training-dataset" / nested
    for name in ("1377", "1378"):
        write_image(folder / f"{name}.png", PIXELS)
    (root / "boneage-training-dataset.csv").write_text("id,boneage,male\n1377,180,False\n1378,12,True\n")
    return root


def with_validation(root: Path, name: str) -> Path:
    for number, place in ((1386, "boneage-validation-dataset-1"), (1392, "boneage-validation-dataset-2")):
        write_image(root / place / f"{number}.png", PIXELS)
    (root / name).write_text("Image ID,male,Bone Age (months)\n1386,TRUE,165.6\n1392,FALSE,88\n")
    return root


def test_small_and_large_files_of_one_table(tmp_path: Path) -> None:
    found = read_hands(write_hands(tmp_path / "two_sizes", ["train", "val"], large=2))
    first, second = found.hands
    assert (found.name, found.root) == ("two_sizes", tmp_path / "two_sizes")
    assert (first.small, first.large, first.reports) == ("images100/0.png", "images512/0.png", False)
    assert (second.small, second.large, second.reports) == ("images100/1.png", None, True)
    assert first.patient == first.identity == "0"


@pytest.mark.parametrize("nested", ["", "boneage-training-dataset"])
def test_the_challenge_without_validation_names_no_part(tmp_path: Path, nested: str) -> None:
    first, second = read_hands(challenge(tmp_path, nested)).hands
    assert (first.identity, first.months, first.sex, first.reports) == ("1377", 180, "F", None)
    assert (second.months, second.sex, second.small) == (12, "M", None)
    assert second.large is not None
    assert (tmp_path / second.large).is_file()


@pytest.mark.parametrize("name", ["boneage-validation-dataset.csv", "Validation Dataset.csv"])
def test_the_challenge_with_validation(tmp_path: Path, name: str) -> None:
    hands = read_hands(with_validation(challenge(tmp_path), name)).hands
    assert [(hand.identity, hand.reports) for hand in hands] == [
        ("1377", False),
        ("1378", False),
        ("1386", True),
        ("1392", True),
    ]
    assert (hands[2].months, hands[2].sex, hands[3].sex) == (165.6, "M", "F")
    assert hands[3].large == "boneage-validation-dataset-2/1392.png"


def test_a_plain_table_by_its_file_or_folder(tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    table.write_text("file;age_months;sex;patient_id\na.dcm;30.5;female;p\nb.dcm;31;m;p\n")
    for path in (table, tmp_path):
        first, second = read_hands(path).hands
        assert (first.large, first.small, first.months, first.sex) == ("a.dcm", None, 30.5, "F")
        assert first.patient == second.patient == "p"
        assert first.reports is None


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("file,age_months,sex\na.png,abc,F\n", "Row 2 has no bone age that can be used"),
        ("file,age_months,sex\na.png,nan,F\n", "from 0 to 228"),
        ("file,age_months,sex\na.png,229,F\n", "from 0 to 228"),
        ("file,age_months,sex\na.png,-1,F\n", "from 0 to 228"),
        ("file,age_months,sex\na.png,9,F\nb.png,9,\n", "Row 3 has no sex that can be used"),
        ("file,age_months,sex\n,9,F\n", "Row 2 names no file"),
        ("file,age_months,sex,split\na.png,9,F,later\n", "Row 2 is in an unknown part"),
        ("file,age_months,sex,split\na.png,9,F,train\nb.png,9,F,\n", "filled in some rows"),
        ("file,age_months,sex\na.png,9,F\na.png,9,F\n", "the same hand in two rows"),
        ("file,age_months,sex\na.png,9,F,extra\n", "more cells than"),
        ("file,sex\na.png,F\n", "lacks the column 'age_months'"),
        ("id,age_months,sex,file_100,file_512\n1,9,F,,\n", "Row 2 names no file"),
    ],
)
def test_what_is_wrong_with_a_table(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(ManifestError, match=sentence):
        read_hands(tmp_path)


def test_what_is_wrong_with_the_challenge(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match="no hands in a known layout"):
        read_hands(tmp_path)
    table = challenge(tmp_path) / "boneage-training-dataset.csv"
    table.write_text("id,boneage,male\n1377,180,perhaps\n")
    with pytest.raises(ManifestError, match="whether the child is male"):
        read_hands(tmp_path)
    table.write_text("id,boneage,male\n99,180,True\n")
    with pytest.raises(ManifestError, match="The image of row 2 is missing"):
        read_hands(tmp_path)


def test_the_shared_set(shared_data: Path) -> None:
    hands = read_hands(shared_data / "boneage").hands
    assert Counter((hand.reports, hand.large is not None) for hand in hands) == {
        (False, False): 9138,
        (False, True): 951,
        (True, False): 1139,
        (True, True): 122,
    }
    assert {hand.sex for hand in hands} == {"F", "M"}
    assert (min(hand.months for hand in hands), max(hand.months for hand in hands)) == (1, 228)

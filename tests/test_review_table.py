"""Tables of predictions read for a review: what they hold, and bad ones refused with a sentence."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from cxrkit import tasks
from cxrkit.cases import read_manifest
from cxrkit.errors import InputError, ManifestError
from cxrkit.evaluate import predict_cases
from cxrkit.predictions import write_predictions
from cxrkit.review import table as tables
from cxrkit.review.lesions import MOST_BOXES, known_lesions, read_boxes
from cxrkit.review.table import ReviewSet, read_predictions, reasons_of
from cxrkit.review.thumbnail import SIDE, thumbnail
from cxrkit.task import Task
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.tasks.nih14 import NIH14
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import load_model
from tests.pages.conftest import png
from tests.pages.review_cases import predictions, write_images

GOOD = "file,target,score_normal,score_tuberculosis\na.png,1,0.25,0.75\n"


def read(text: str, task: Task | None = None, root: Path | None = None) -> ReviewSet:
    return read_predictions(text.encode(), "run", task, root)


def test_what_evaluate_writes_is_read(small_weights: Path, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png())
    (tmp_path / "b.png").write_bytes(b"no image")
    manifest = tmp_path / "cases.csv"
    manifest.write_text("file,target,sex\na.png,tuberculosis,F\nb.png,0,M\na.png,,\n")
    rows = predict_cases(load_model(TUBERCULOSIS, small_weights), read_manifest(manifest), tmp_path)
    write_predictions(TUBERCULOSIS, rows, tmp_path / "out.csv", "ab" * 32)
    review = read_predictions((tmp_path / "out.csv").read_bytes(), "out.csv", None, tmp_path)
    assert review.weights == "ab" * 32, "verdicts are kept with them"
    assert review.task is TUBERCULOSIS
    assert review.labels() == ("tuberculosis",)
    assert np.array_equal(review.truth("tuberculosis"), [1, 0, np.nan], equal_nan=True)
    found = rows[0].prediction
    assert found is not None
    assert review.score("tuberculosis")[0] == pytest.approx(found.scores["tuberculosis"])
    assert np.isnan(review.score("tuberculosis")[1])
    assert review.files(1) == ("b.png",)
    assert list(review.table["sex"]) == ["F", "M", ""]
    assert review.open(0)[0].values.shape[0] == 480


def test_columns_of_numbers_are_numbers_and_the_rest_stays_text() -> None:
    text = "file,target,score_normal,score_tuberculosis,age,code,gap,patient_id\n"
    text += "1.png,1,0.2,0.8,70,007,,12\n2.png,0,0.9,0.1,,010,3.5,13\n"
    table = read(text).table
    assert table["age"].tolist()[0] == 70
    assert np.isnan(table["age"].iloc[1])
    assert list(table["code"]) == ["007", "010"]
    assert table["gap"].iloc[1] == 3.5
    assert list(table["patient_id"]) == ["12", "13"]


@pytest.mark.parametrize("separator", [";", "\t"])
def test_other_separators_and_a_byte_order_mark_are_read(separator: str) -> None:
    review = read_predictions(b"\xef\xbb\xbf" + GOOD.replace(",", separator).encode(), "run", None, None)
    assert list(review.score("tuberculosis")) == [0.75]


def test_the_error_is_the_distance_to_the_truth() -> None:
    assert read(GOOD).error("tuberculosis")[0] == pytest.approx(0.25)


def test_scores_that_are_all_0_are_scores() -> None:
    text = "file,target,score_normal,score_tuberculosis\na.png,1,1,0\nb.png,0,1.0,0.0\n"
    assert list(read(text).score("tuberculosis")) == [0, 0]


def test_why_cases_were_not_predicted() -> None:
    head = "file,target,score_normal,score_tuberculosis,error\n"
    text = head + "a.png,1,,,Gone.\nb.png,0,,,Gone.\nc.png,0,0.5,0.5,\nd.png,0,,,Dark.\ne.png,0,,,Torn.\n"
    assert reasons_of(text.encode(), 2) == ("Gone.", "Dark.")
    with pytest.raises(ManifestError, match="lacks the column 'error'"):
        reasons_of(GOOD.encode(), 2)


def test_it_is_known_which_weights_a_run_of_ours_had() -> None:
    assert read(GOOD).weights == ""
    assert read_predictions(GOOD.encode(), "run", None, None, "f" * 64).weights == "f" * 64


def test_ages_findings_and_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    ages = read_predictions(predictions(BONE_AGE, [["a.png"]], ["96"], [101.5]), "run", None, None)
    assert (ages.labels(), ages.error("bone age")[0]) == (("bone age",), 5.5)
    assert ages.context(0) == {"sex": "F"}
    pairs = read_predictions(predictions(FOLLOW_UP, [["a.png", "b.png"]], ["change"], [0.7]), "run", None, None)
    assert pairs.files(0) == ("a.png", "b.png")
    assert pairs.truth("change")[0] == 1
    data = predictions(NIH14, [["a.png"], ["b.png"]], ["Mass|Effusion", "No Finding"], [0.7, 0.1])
    monkeypatch.setattr(tasks, "TASKS", (TUBERCULOSIS, NIH14))
    found = read_predictions(data, "run", None, None)
    assert found.labels() == NIH14.labels
    assert list(found.truth("Mass")) == [1, 0]
    assert list(found.truth("Hernia")) == [0, 0]
    with pytest.raises(InputError, match="no label of this name"):
        found.truth("tuberculosis")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("a,b\n1,2\n", "no scores of any task"),
        ("file,target,score_normal,score_tuberculosis\n", "no row"),
        ("file,file,score_normal\na,b,0.5\n", "same name"),
        ('a,b\n"1,2\n', "cannot be read as CSV"),
        ("a,b\n1,2,3\n", "more cells than the 2 columns"),
        ("target,score_normal,score_tuberculosis\n1,0.2,0.8\n", "lacks the column 'file'"),
        ("file,score_normal,score_tuberculosis\na.png,0.2,0.8\n", "lacks the column 'target' with the truth"),
        ("file,target,score_normal,score_tuberculosis\na.png,,0.2,0.8\n", "both a score and a truth"),
        ("file,target,score_normal,score_tuberculosis\na.png,1,,\n", "No case of this table was predicted"),
        ("file,target,score_normal,score_tuberculosis\na.png,1,x,0.2\n", "no number from 0 to 1"),
        ("file,target,score_normal,score_tuberculosis\na.png,1,0.2,1.5\n", "no number from 0 to 1"),
        ("file,target,score_normal,score_tuberculosis\na.png,1,0.2,inf\n", "no number from 0 to 1"),
    ],
)
def test_bad_tables_are_refused_with_a_sentence(text: str, reason: str) -> None:
    with pytest.raises(ManifestError, match=reason):
        read(text)


def test_a_large_table_is_refused_before_all_of_it_is_a_list() -> None:
    tracemalloc.start()
    try:
        with pytest.raises(ManifestError, match="more than 100,000 rows"):
            read("a\n" * 1_000_000)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 60 * 1024**2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a\n" + "\n" * 1_100_000, "more than 100,000 rows"),
        (",".join(f"c{number}" for number in range(501)) + "\na\n", "more than 500 columns"),
        ("," * 1_000_000 + "a\n", "more than 500 columns"),
        ("a\n" + "," * 1_000_000, "more than 500 columns"),
        (",".join(f"c{number}" for number in range(500)) + "\n" + "a\n" * 10_001, "at most 5,000,000 cells"),
    ],
    ids=["blank rows", "columns", "header", "row", "cells"],
)
def test_a_table_of_another_hostile_form_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ManifestError, match=reason):
        read(text)


def test_other_files_and_other_tasks_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ManifestError, match="not text in UTF-8"):
        read_predictions(png(), "run", None, None)
    for workbook in (b"PK\x03\x04" + bytes(30), b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(30)):
        with pytest.raises(ManifestError, match="workbook of a spreadsheet program"):
            read_predictions(workbook, "run", None, None)
    with pytest.raises(ManifestError, match="does not hold predictions of Bone age"):
        read(GOOD, BONE_AGE)
    both = "file,target,score_normal,score_tuberculosis,score_ventilation,score_perfusion\na,1,0.1,0.9,0.1,0.9\n"
    with pytest.raises(ManifestError, match="several tasks: Tuberculosis and V/Q scan type"):
        read(both)
    assert read(both, TUBERCULOSIS).task is TUBERCULOSIS
    monkeypatch.setattr(tables, "MAX_CASES", 1)
    with pytest.raises(ManifestError, match="more than 1 rows"):
        read(GOOD + "b.png,0,0.5,0.5\n")
    monkeypatch.setattr(tables, "MAX_BYTES", 10)
    with pytest.raises(ManifestError, match="at most 0 MB"):
        read(GOOD)


def test_images_are_opened_below_the_root_alone(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.mkdir()
    (tmp_path / "outside.png").write_bytes(png())
    (root / "link.png").symlink_to(tmp_path / "outside.png")
    names = ["../outside.png", "link.png", str(tmp_path / "outside.png"), "gone.png"]
    review = read_predictions(
        predictions(TUBERCULOSIS, [[name] for name in names], "0101", [0.5] * 4), "run", None, root
    )
    for row, reason in enumerate(("without '..'", "through a link", "is absolute", "not in the root folder")):
        with pytest.raises(InputError, match=reason) as caught:
            review.open(row)
        assert f"row {row + 2}" in str(caught.value)
        assert "outside.png" not in str(caught.value)
    with pytest.raises(InputError, match="Images cannot be opened"):
        read(GOOD).open(0)


def lesioned(tmp_path: Path, columns: str, cells: str) -> ReviewSet:
    (name,) = write_images(tmp_path, 1)
    return read(
        GOOD.replace("a.png", name).replace("\n", f",{columns}\n", 1).replace("0.75\n", f"0.75,{cells}\n"),
        None,
        tmp_path,
    )


def test_masks_and_boxes_are_where_the_table_says(tmp_path: Path) -> None:
    (tmp_path / "mask.png").write_bytes(png(np.pad(np.full((10, 8), 255), ((4, 34), (10, 22)))))
    review = lesioned(tmp_path, "mask,boxes,boxes_side", "mask.png,Big mass 512 0 256 1024 | Edema 0 0 102.4 512,1024")
    (name, mask), (first, left), (second, right) = known_lesions(review, 0, (96, 80))
    assert (name, first, second) == ("mask", "Big mass", "Edema")
    assert mask.sum() == 20 * 16  # twice the resolution
    assert mask[8:28, 20:36].all()
    assert left[:, 40:60].all()
    assert left.sum() == 96 * 20
    assert right.sum() == 48 * 8
    assert known_lesions(lesioned(tmp_path, "mask,boxes", ","), 0, (96, 80)) == ()
    with pytest.raises(InputError, match="do not show the same part"):
        known_lesions(review, 0, (96, 60))


@pytest.mark.parametrize("text", ["Mass 1 2 3", "Mass 1 2 3 x", "1 2 3 4", "Mass 1 2 0 4", "Mass 1 2 nan 4"])
def test_boxes_that_cannot_be_read_are_a_sentence(text: str) -> None:
    with pytest.raises(InputError, match="box of this case"):
        read_boxes(text)


def test_more_boxes_than_anybody_draws_are_a_sentence(tmp_path: Path) -> None:
    boxes = "|".join(["Mass 10 20 30 40"] * MOST_BOXES)
    assert len(known_lesions(lesioned(tmp_path, "boxes", boxes), 0, (96, 80))) == MOST_BOXES
    with pytest.raises(InputError, match="This case has 101 boxes; at most 100 are drawn"):
        known_lesions(lesioned(tmp_path, "boxes", f"{boxes}|Mass 1 2 3 4"), 0, (96, 80))


@pytest.mark.parametrize("number", ["1e308", "-1e308", "1000001", "inf", "nan"])
def test_a_number_that_no_image_has_is_a_sentence(number: str, tmp_path: Path) -> None:
    for place in range(4):
        box = " ".join(number if place == other else "1" for other in range(4))
        with pytest.raises(InputError, match="cannot be read"):
            known_lesions(lesioned(tmp_path, "boxes", f"Mass {box}"), 0, (96, 80))


@pytest.mark.parametrize("side", ["1e-308", "0.5", "0", "-3", "inf", "nan", "x", ""])
def test_a_side_that_no_square_has_is_not_stated(side: str, tmp_path: Path) -> None:
    ((_, mask),) = known_lesions(lesioned(tmp_path, "boxes,boxes_side", f"Mass 10 20 30 40,{side}"), 0, (96, 80))
    assert mask[20:60, 10:40].all()
    assert mask.sum() == 40 * 30


def test_a_mask_is_what_is_white_in_it(tmp_path: Path) -> None:
    (tmp_path / "m.png").write_bytes(png(np.pad(np.full((20, 16), 255), ((8, 68), (20, 44)), constant_values=1)))
    ((_, mask),) = known_lesions(lesioned(tmp_path, "mask", "m.png"), 0, (96, 80))
    assert mask.sum() == 20 * 16
    (tmp_path / "m.png").write_bytes(png(np.zeros((96, 80))))
    assert known_lesions(lesioned(tmp_path, "mask", "m.png"), 0, (96, 80)) == (), "as of a case without a lesion"
    (tmp_path / "m.png").write_bytes(png(np.full((96, 80), 255)))
    with pytest.raises(InputError, match="covers its whole image"):
        known_lesions(lesioned(tmp_path, "mask", "m.png"), 0, (96, 80))


def test_small_pictures_are_jpegs_with_both_images_of_a_pair(tmp_path: Path) -> None:
    import cv2

    review = lesioned(tmp_path, "x", "1")
    images = review.open(0)
    for count in (1, 2):
        drawn = cv2.imdecode(np.frombuffer(thumbnail(images * count), np.uint8), cv2.IMREAD_UNCHANGED)
        assert drawn.shape == (SIDE, SIDE * count)
        assert drawn[:, :10].max() < 10  # beside the image

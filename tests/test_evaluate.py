import csv
import json
import weakref
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score, brier_score_loss, f1_score, recall_score, roc_auc_score

from cxrkit import batch_case
from cxrkit.cases import Case
from cxrkit.errors import ImageError, ImageTooLarge, InputError, ManifestError
from cxrkit.evaluate import Row, analyse, binary_metrics, evaluate, measure, predict_cases
from cxrkit.image import MAX_FILE_BYTES
from cxrkit.image_file import load_image
from cxrkit.predict import Prediction
from cxrkit.predictions import check_columns, write_predictions
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.weights import LoadedModel, fixed_sample
from tests.models_for_tests import small_loaded

NAMES = [
    "AUC",
    "sensitivity",
    "specificity",
    "accuracy",
    "macro F1",
    "ECE",
    "Brier score",
    "calibration slope",
    "calibration intercept",
    "calibration in the large",
]


@pytest.fixture(scope="module")
def small() -> LoadedModel:
    return small_loaded(TUBERCULOSIS)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("root")
    for index in range(3):
        values = np.clip(fixed_sample().values[::4, ::4] * (1 - 0.2 * index), 0, 255)
        Image.fromarray(values.astype(np.uint8)).save(folder / f"{index}.png")
    (folder / "empty.png").touch()
    (folder / "text.png").write_text("no image")
    return folder


def case(file: str, target: str = "1", number: int = 2, **columns: str) -> Case:
    return Case((file,), target, row={"file": file, "target": target, **columns}, number=number)


def row(target: int | None, score: float | None, problem: str = "", **columns: str) -> Row:
    scores = None if score is None else {"normal": 1 - score, "tuberculosis": score}
    prediction = None if scores is None else Prediction(scores, 0.5, "normal", ("One.", "Two."))
    return Row(case("a.png", str(target), **columns), target, prediction, problem)


def simulated(count: int = 300) -> tuple[Any, Any]:
    generator = np.random.default_rng(0)
    target = generator.integers(0, 2, count)
    return target, 1 / (1 + np.exp(-(target * 2 - 1 + generator.normal(0, 1.2, count))))


def test_figures_agree_with_scikit_learn() -> None:
    target, score = simulated()
    called = score >= 0.6
    found = {metric.name: metric for metric in binary_metrics(target, score, 0.6, "part", "a note")}
    assert list(found) == NAMES
    expected = {
        "AUC": roc_auc_score(target, score),
        "sensitivity": recall_score(target, called),
        "specificity": recall_score(target, called, pos_label=0),
        "accuracy": accuracy_score(target, called),
        "macro F1": f1_score(target, called, average="macro"),
        "Brier score": brier_score_loss(target, score),
    }
    assert {name: found[name].value for name in expected} == pytest.approx(expected)
    for name, metric in found.items():
        positives = int(target.sum())
        cases = {"sensitivity": positives, "specificity": 300 - positives}.get(metric.name, 300)
        assert (metric.part, metric.cases) == ("part", cases)
        assert metric.note.startswith("a note")
        assert (metric.low is None) == (metric.high is None) == (name in {"ECE", "calibration in the large"})
        if metric.low is not None and metric.high is not None:
            assert metric.low < metric.value < metric.high
    assert "0.600" in found["sensitivity"].note


def test_several_images_of_one_patient_widen_the_aucs_interval_and_the_others_say_so() -> None:
    generator = np.random.default_rng(2)
    target = np.repeat(np.arange(20) % 2, 5)
    score = np.clip(np.repeat(generator.normal(0.4 + 0.2 * target[::5], 0.2), 5), 0, 1)
    alone, owned = (
        {metric.name: metric for metric in measure(target, score, 0.5, "part", owners=owners)[0]}
        for owners in ([str(number) for number in range(100)], [str(number // 5) for number in range(100)])
    )
    assert owned["AUC"].value == alone["AUC"].value
    widths = [float(one["AUC"].high) - float(one["AUC"].low) for one in (alone, owned)]
    assert widths[1] > 1.5 * widths[0]
    assert owned["AUC"].note == "interval over patients"
    assert "too narrow" in owned["sensitivity"].note
    assert "too narrow" in owned["Brier score"].note
    assert not any("narrow" in metric.note for metric in alone.values())


def test_intervals_repeat_themselves() -> None:
    target, score = simulated(80)
    assert binary_metrics(target, score, 0.5, "part") == binary_metrics(target, score, 0.5, "part")


@pytest.mark.parametrize(
    ("target", "score", "defined"),
    [
        ([], [], set()),
        ([0, 0, 0], [0.1, 0.2, 0.9], {"specificity", "accuracy", "ECE", "Brier score"}),
        ([1, 1, 1], [0.1, 0.2, 0.9], {"sensitivity", "accuracy", "ECE", "Brier score"}),
        ([0, 0, 1, 1], [0.1, 0.2, 0.8, 0.9], set(NAMES[:7])),
    ],
    ids=["no case", "negative only", "positive only", "separated"],
)
def test_a_figure_that_is_undefined_has_a_reason_and_no_value(
    target: Sequence[int], score: Sequence[float], defined: set[str]
) -> None:
    found, missing = measure(np.array(target, dtype=int), np.array(score, dtype=float), 0.5, "part")
    assert {metric.name for metric in found} == defined
    assert {figure.name for figure in missing} == set(NAMES) - defined
    assert all(figure.reason.endswith((".", ")")) for figure in missing)
    assert all(np.isfinite(metric.value) for metric in found)


def test_cases_without_prediction_or_target_are_left_out_and_counted() -> None:
    rows = [row(1, 0.9), row(1, 0.4), row(0, 0.2), row(0, 0.6), row(0, 0.1), row(None, 0.9, "x"), row(1, None, "y")]
    rows = [replace(each, case=case(f"{number}.png")) for number, each in enumerate(rows)]
    found = evaluate(TUBERCULOSIS, rows, 0.5)
    assert (found.cases, found.failed, found.threshold, found.positive) == (7, 2, 0.5, "tuberculosis")
    values = {metric.name: metric.value for metric in found.metrics}
    assert values["AUC"] == pytest.approx(5 / 6)
    assert (values["sensitivity"], values["specificity"], values["accuracy"]) == pytest.approx((1 / 2, 2 / 3, 3 / 5))
    cases = {metric.name: metric.cases for metric in found.metrics}
    assert (cases.pop("sensitivity"), cases.pop("specificity")) == (2, 3), "what they are shares of"
    assert set(cases.values()) == {5}


def test_a_bad_row_does_not_stop_the_run(small: LoadedModel, root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.png"
    outside.write_bytes((root / "0.png").read_bytes())
    cases = [
        case("0.png", "1"),
        case("1.png", "Normal"),
        case("missing.png"),
        case(f"../{tmp_path.name}/outside.png"),
        case(str(outside)),
        case("empty.png"),
        case("text.png"),
        case("2.png", "perhaps"),
        Case(("0.png",), "1", number=9, problem="Row 9 is no good."),
    ]
    rows = predict_cases(small, cases, root)
    assert [found.case for found in rows] == cases
    assert [found.target for found in rows] == [1, 0, 1, 1, 1, 1, 1, None, None]
    assert [found.prediction is None for found in rows] == [False, False, *[True] * 5, False, True]
    assert [bool(found.error) for found in rows] == [False, False, *[True] * 7]
    assert rows[-1].error == "Row 9 is no good."
    assert "out of the root" in rows[3].error
    assert "empty" in rows[5].error


def test_a_case_is_predicted_as_the_page_does(small: LoadedModel, root: Path) -> None:
    (found,) = predict_cases(small, [case("0.png")], root)
    assert found.prediction == analyse(small, [load_image(root / "0.png")])


def test_a_root_that_is_no_folder_is_refused_once(small: LoadedModel, root: Path) -> None:
    with pytest.raises(InputError, match="root folder"):
        predict_cases(small, [case("0.png")], root / "0.png")


def test_only_one_image_is_in_memory_at_a_time(small: LoadedModel, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[weakref.ref[Any]] = []
    alive: list[int] = []

    def watched(path: Path, **options: Any) -> Any:
        alive.append(sum(reference() is not None for reference in seen))
        image = load_image(path, **options)
        seen.append(weakref.ref(image))
        return image

    monkeypatch.setattr(batch_case, "load_image", watched)
    predict_cases(small, [case(f"{index % 3}.png") for index in range(6)], root)
    assert alive == [0] * 6


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "huge.dcm").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    monkeypatch.setattr(Path, "read_bytes", lambda path: pytest.fail("it was read"))
    with pytest.raises(ImageTooLarge, match="64 MB"):
        load_image(tmp_path / "huge.dcm")


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.png", tmp_path):
        with pytest.raises(ImageError, match="no such file"):
            load_image(path)


def test_predictions_have_the_manifests_columns_and_then_ours(tmp_path: Path) -> None:
    rows = [row(1, 0.75, site='Ward "A", north'), row(None, None, "Unreadable.", site="line\nbreak")]
    write_predictions(TUBERCULOSIS, rows, tmp_path / "out.csv", "ab" * 32)
    with (tmp_path / "out.csv").open(newline="", encoding="utf-8") as file:
        found = list(csv.DictReader(file))
    ours = ["score_normal", "score_tuberculosis", "warnings", "error", "weights"]
    assert list(found[0]) == ["file", "target", "site", *ours]
    assert [float(found[0][f"score_{label}"]) for label in TUBERCULOSIS.labels] == [0.25, 0.75]
    assert (found[0]["site"], found[0]["warnings"], found[0]["error"]) == ('Ward "A", north', "One. Two.", "")
    assert found[1]["site"] == "line\nbreak"
    assert [found[1][name] for name in list(found[1])[3:]] == ["", "", "", "Unreadable.", "ab" * 32]


@pytest.mark.parametrize("column", ["score_normal", "score_tuberculosis", "warnings", "error", "weights"])
def test_a_column_that_would_be_overwritten_is_refused(tmp_path: Path, column: str) -> None:
    rows = [row(1, 0.5, **{column: "mine"})]
    with pytest.raises(ManifestError, match=column):
        check_columns(TUBERCULOSIS, [rows[0].case])
    with pytest.raises(ManifestError, match=column):
        write_predictions(TUBERCULOSIS, rows, tmp_path / "out.csv")
    assert not list(tmp_path.iterdir())


def test_a_failure_while_writing_leaves_the_old_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = tmp_path / "out.csv"
    write_predictions(TUBERCULOSIS, [row(1, 0.5)], out)
    before = out.read_bytes()

    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(InputError, match="could not be written"):
        write_predictions(TUBERCULOSIS, [row(0, 0.1)], out)
    assert out.read_bytes() == before
    assert list(tmp_path.iterdir()) == [out]
    monkeypatch.undo()
    write_predictions(TUBERCULOSIS, [row(0, 0.1)], out)
    assert out.read_bytes() != before


def test_figures_fit_into_strict_json() -> None:
    from dataclasses import asdict

    found = evaluate(TUBERCULOSIS, [row(1, 0.9), row(0, 0.1)], 0.5)
    read_back = json.loads(json.dumps(asdict(found), allow_nan=False))
    assert read_back["cases"] == 2
    assert read_back["metrics"][0]["name"] == found.metrics[0].name

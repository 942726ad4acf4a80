"""Model + cases -> table of predictions -> Evaluation: every figure with its 95 % interval."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from cxrkit import metrics
from cxrkit.age_figures import JudgedAge, age_figures
from cxrkit.bone_age import OLDEST
from cxrkit.card import Metric
from cxrkit.cases import Case, class_index, resolve, target_number
from cxrkit.errors import ImageError, ImageTooLarge, InputError, ManifestError
from cxrkit.figures import Figure, Undefined, work_out
from cxrkit.finding_figures import JudgedFindings, findings_figures
from cxrkit.finding_labels import findings_of, several_labels
from cxrkit.image import MAX_FILE_BYTES, Radiograph, read_image
from cxrkit.metrics import Interval
from cxrkit.predict import Prediction, encode, predict
from cxrkit.quality import check_image
from cxrkit.task import ModelInput, ReadFile, Task
from cxrkit.weights import LoadedModel

_ECE_NOTE = "15 bins of equal width; no interval, because resampling inflates it"


@dataclass(frozen=True)
class Row:
    """What became of one case.

    Attributes:
        case: as the manifest gives it.
        target: index of its true class, or its true number where labels are numbers; None if the manifest's target
            cannot be used, and where each label is answered by itself.
        prediction: None if the case could not be read.
        error: why prediction or target is missing, as a sentence; "" otherwise.
        findings: its true labels, where each is answered by itself; None as for `target`.
    """

    case: Case
    target: float | None
    prediction: Prediction | None
    error: str = ""
    findings: frozenset[str] | None = None


@dataclass(frozen=True)
class Evaluation:
    """How well the positive class, a number such as an age, or each of several labels is told on a set of cases.

    Attributes:
        task: identifier of the task.
        positive: the positive class; None where the task calls no class.
        threshold: score from which it is called; None as for `positive`.
        cases: rows of the manifest.
        failed: how many of them were left out, for their image or their target.
        metrics: the figures that are defined, with 95 % intervals.
        undefined: the others, with the reason.
    """

    task: str
    positive: str | None
    threshold: float | None
    cases: int
    failed: int
    metrics: tuple[Metric, ...]
    undefined: tuple[Undefined, ...]


def load_image(path: Path, frame: int | None = None, read: ReadFile | None = None) -> Radiograph:
    """Read a radiograph from disk; a file over the reader's limit is not loaded into memory.

    Args:
        path: a regular file.
        frame: which frame of several, from 1.
        read: the task's own way to read a file; None = `cxrkit.image.read_image`.

    Raises:
        ImageError: as `cxrkit.image.read_image`, or there is no such file, or it may not be read.
    """
    if not path.is_file():
        raise ImageError("There is no such file. Check the path.")
    try:
        size = path.stat().st_size
        if size > MAX_FILE_BYTES:
            raise ImageTooLarge(
                f"The file has {size / 1024**2:,.0f} MB; at most {MAX_FILE_BYTES // 1024**2} MB are read. "
                "Export the image alone, or at a smaller size."
            )
        data = path.read_bytes()
    except OSError:
        raise ImageError("The file could not be opened. Check that you may read it.") from None
    return (read or read_image)(data, path.name, frame)


def analyse(
    loaded: LoadedModel,
    images: Sequence[Radiograph],
    edits: ModelInput | None = None,
    threshold: float | None = None,
    context: Mapping[str, object] | None = None,
) -> Prediction:
    """Prepare and predict one case.

    Args:
        loaded: the network with its card.
        images: as many as the task has inputs, in their order.
        edits: of what the network reads; None = none.
        threshold: in place of the card's.
        context: what is known of the patient, of the task's `context` and `beside`; None = nothing.

    Raises:
        InputError: edits, a threshold or a context that cannot be used.
        WeightsError: weights that the preparation needs are missing.
    """
    prepared = loaded.task.prepare(images, context or {}, ModelInput() if edits is None else edits)
    return predict(loaded, prepared, encode(loaded, prepared), images, threshold)


def predict_cases(loaded: LoadedModel, cases: Sequence[Case], root: Path, progress: bool = False) -> list[Row]:
    """Predict every case, one at a time, so that memory does not grow with their number of pixels.

    A case that cannot be read gives a row with an error and does not stop the others.

    Args:
        loaded: the network with its card.
        cases: with files below root.
        root: folder; nothing outside it is read.
        progress: show a bar on stderr, if that is a terminal.

    Raises:
        InputError: root is no folder.
        WeightsError: weights that the preparation needs are missing.
    """
    if not root.is_dir():
        raise InputError(
            "The root folder does not exist or is no folder. Give the folder that the table's paths start in."
        )
    shown: Iterable[Case] = tqdm(cases, desc=loaded.task.name, unit="case", disable=None if progress else True)
    return [_predict_case(loaded, case, root) for case in shown]


def _predict_case(loaded: LoadedModel, case: Case, root: Path) -> Row:
    task, target, findings, prediction, problems = loaded.task, None, None, None, []
    context = {name: case.row.get(name) for name in task.context}
    try:
        if several_labels(task):
            findings = findings_of(case, task.labels)
        else:
            target = _target(task, case)
    except ManifestError as error:
        problems.append(str(error))
    try:
        images = [load_image(path, read=task.read_file) for path in resolve(case, root)]
        doubts = [reason for image in images for reason in check_image(image, task.reads).reasons]
        found = analyse(loaded, images, context=context)
        # A table of cases is the user's explicit choice, so the image guard warns and stops nothing.
        prediction = replace(found, warnings=(*doubts, *found.warnings))
    except (ImageError, InputError, ManifestError) as error:
        problems.append(str(error))
    # An unusable row is refused twice, with one sentence.
    return Row(case, target, prediction, " ".join(dict.fromkeys(problems)), findings)


def _target(task: Task, case: Case) -> float:
    if task.values:
        return target_number(case, 0, OLDEST, "months")
    return class_index(case, task.labels)


def evaluate(task: Task, rows: Sequence[Row], threshold: float | None, part: str = "manifest") -> Evaluation:
    """Compare predictions with targets: the positive class against all others, numbers with numbers, labels one by one.

    Args:
        task: that was predicted.
        rows: from `predict_cases`; those without prediction or target are left out and counted.
        threshold: positive class is called at score >= threshold; None of a task that calls no class or several labels.
        part: the data and split, in words.
    """
    if several_labels(task):
        return _evaluate_findings(task, rows, part)
    used = [(row.case, row.target, row.prediction) for row in rows if row.target is not None and row.prediction]
    if threshold is None:
        ages = [
            JudgedAge(truth, found.age, case.patient or repr(case.files)) for case, truth, found in used if found.age
        ]
        defined, undefined = work_out(age_figures(ages), part)
    else:
        target = np.array([index == task.positive_index for _, index, _ in used], dtype=np.int64)
        score = np.array([prediction.scores[task.positive] for _, _, prediction in used], dtype=np.float64)
        defined, undefined = measure(target, score, threshold, part)
    return Evaluation(task.name, task.called, threshold, len(rows), len(rows) - len(used), defined, undefined)


def _evaluate_findings(task: Task, rows: Sequence[Row], part: str) -> Evaluation:
    judged = [
        JudgedFindings(row.findings, row.prediction.findings, row.case.patient or repr(row.case.files))
        for row in rows
        if row.findings is not None and row.prediction and row.prediction.findings
    ]
    defined, undefined = work_out(findings_figures(judged, task.labels), part)
    return Evaluation(task.name, None, None, len(rows), len(rows) - len(judged), defined, undefined)


def binary_metrics(
    target: NDArray[Any], score: NDArray[Any], threshold: float, part: str, note: str = ""
) -> tuple[Metric, ...]:
    """The figures of a binary answer that are defined on these cases; see `measure`, which also says what is not.

    Args:
        target: [N] 0 or 1, 1 for the positive class.
        score: [N] probability of the positive class.
        threshold: called positive at score >= threshold.
        part: the data and split, in words.
        note: put on every figure, before the figure's own.
    """
    return measure(target, score, threshold, part, note)[0]


def measure(
    target: NDArray[Any], score: NDArray[Any], threshold: float, part: str, note: str = ""
) -> tuple[tuple[Metric, ...], tuple[Undefined, ...]]:
    """All figures of a binary answer, and which of them are undefined here and why.

    AUC (DeLong); sensitivity, specificity and accuracy at the threshold (Wilson); macro F1 at the threshold and Brier
    score (bootstrap within the classes, 1000 resamples, fixed seed); ECE; calibration slope and intercept (Wald) and
    in-the-large.

    Args:
        target, score, threshold, part, note: as for `binary_metrics`.
    """
    figures = (
        Figure(name, "; ".join(text for text in (note, own_note) if text), len(target), figure)
        for name, own_note, figure in _figures(target, score, threshold)
    )
    return work_out(figures, part)


def _figures(
    target: NDArray[Any], score: NDArray[Any], threshold: float
) -> tuple[tuple[str, str, Callable[[], Interval | float]], ...]:
    """Name, note and way to compute of each figure, in the order of the table."""
    called = (np.asarray(score) >= threshold).astype(np.int64)
    at = f"called from a score of {threshold:.3f}"
    within = partial(metrics.bootstrap_interval, strata=target)
    return (
        ("AUC", "", lambda: metrics.delong_interval(target, score)),
        ("sensitivity", at, lambda: metrics.confusion(target, called).sensitivity),
        ("specificity", at, lambda: metrics.confusion(target, called).specificity),
        ("accuracy", at, lambda: metrics.confusion(target, called).accuracy),
        ("macro F1", at, lambda: within(metrics.macro_f1, target, called)),
        ("ECE", _ECE_NOTE, lambda: metrics.expected_calibration_error(target, score)),
        ("Brier score", "0 is ideal", lambda: within(metrics.brier, target, score)),
        ("calibration slope", "1 is ideal", lambda: metrics.calibration_slope_intercept(target, score).slope),
        ("calibration intercept", "0 is ideal", lambda: metrics.calibration_slope_intercept(target, score).intercept),
        (
            "calibration in the large",
            "0 is ideal; above 0 where scores are too low",
            lambda: metrics.calibration_slope_intercept(target, score).in_the_large,
        ),
    )

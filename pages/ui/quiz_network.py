"""The network's answer to a question of the quiz. Nothing of it is made before the learner has answered."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from cxrkit.bone_age import in_words
from cxrkit.finding_reading import Finding
from cxrkit.finding_truth import LABEL_OF_LESION
from cxrkit.pixels import Gray
from cxrkit.quiz.judging import Mark, strongest_point
from cxrkit.quiz.question import NO_FINDING, Material, Question
from cxrkit.task import ModelInput
from cxrkit.tasks import find_task
from pages.ui.age_reading import read_hand
from pages.ui.analysis import methods, read_with
from pages.ui.compute import computed
from pages.ui.finding_view import read_findings_of, show_label
from pages.ui.finding_words import name_of
from pages.ui.models import load
from pages.ui.pair_reading import overlay_names, read_pair
from pages.ui.pair_results import overlay_label, overlay_meaning
from pages.ui.scan_view import view_scan
from pages.ui.words import place, share

if TYPE_CHECKING:
    from cxrkit.explain import Heatmap
    from cxrkit.weights import LoadedModel


@dataclass(frozen=True, eq=False)
class NetworkAnswer:
    """What the network says of a question.

    Attributes:
        reading: in the question's own readings where it has one for it, else as the network says it; months of an age.
        words: score and label, or age and interval, as a sentence.
        score: of what it calls, in [0, 1]; of findings as heatmaps; None of an age.
        heatmaps: one for each image, also where there is no heat; of findings for the one called most clearly, or with
            the highest score where none is called.
        legend: what their colours are, for the viewer.
        meaning: the same as a sentence.
        weights: SHA-256.
        signed: whether the heatmaps have values below 0 as well, which say as much.
    """

    reading: str | float
    words: str
    score: float | None
    heatmaps: "tuple[Heatmap, ...]"
    legend: str
    meaning: str
    weights: str
    signed: bool = False

    def heatmap(self, image: int) -> "Heatmap | None":
        """The heatmap of one of the images, from 0; None where there is no heat: two maps may have none in common."""
        heatmap = self.heatmaps[image]
        return None if heatmap.empty or float(self.strength(image).max()) <= 0 else heatmap

    def strength(self, image: int) -> Gray:
        """How much the heatmap of one of the images says at each of its places, at least 0."""
        return np.abs(self.heatmaps[image].values)

    @property
    def point(self) -> Mark | None:
        """The strongest point of the heatmap, of a pair that of the follow-up's; None where there is no heat."""
        last = len(self.heatmaps) - 1
        heatmap = self.heatmap(last)
        return None if heatmap is None else strongest_point(self.strength(last), heatmap.box, last)


def ask_network(question: Question, material: Material) -> NetworkAnswer:
    """Read a question's images with the shipped network, or look the answer up.

    Raises:
        WeightsError: weights are missing, altered or do not fit.
        InputError: the network needs the child's sex, and it is not known.
    """
    return _READERS[question.task](load(find_task(question.task)), question, material)


def _tuberculosis(loaded: "LoadedModel", question: Question, material: Material) -> NetworkAnswer:
    del question
    called = loaded.task.positive
    reading = read_with(loaded, material.images[0], ModelInput(), loaded.card.thresholds[called], called, methods()[0])
    prediction = reading.prediction
    found = "abnormal" if prediction.label == called else "normal"
    words = _scored(prediction.scores[called], prediction.threshold, called, prediction.label)
    return _answer(loaded, found, words, prediction.scores[called], (reading.heatmap,), called)


def _followup(loaded: "LoadedModel", question: Question, material: Material) -> NetworkAnswer:
    """With the network's own maps of lesions where it has them: they lie on what has changed far more often."""
    from cxrkit.explain_pair import Overlay

    del question
    called, (baseline, follow_up) = loaded.task.positive, material.images
    threshold = loaded.card.thresholds[called]
    overlay = Overlay.LESION_CHANGE if Overlay.LESION_CHANGE in overlay_names(loaded) else Overlay.INTERSECTION
    reading = read_pair(loaded, baseline, follow_up, threshold, called, methods()[0], overlay)
    prediction = reading.prediction
    words = _scored(prediction.scores[called], prediction.threshold, called, prediction.label)
    answer = _answer(loaded, prediction.label, words, prediction.scores[called], reading.heatmaps, called)
    return replace(answer, legend=overlay_label(reading), meaning=overlay_meaning(overlay), signed=overlay.signed)


def _vq(loaded: "LoadedModel", question: Question, material: Material) -> NetworkAnswer:
    del question
    view = view_scan(loaded, material.images[0], ModelInput(), None, methods()[0])
    prediction, called, scan = view.prediction, loaded.task.positive, view.prediction.scan
    words = _scored(prediction.scores[called], prediction.threshold, called, prediction.label)
    if scan is not None and scan.reason:
        words = scan.reason
    return _answer(loaded, prediction.label, words, prediction.scores[called], (view.heatmap,), view.heatmap.label)


def _bone_age(loaded: "LoadedModel", question: Question, material: Material) -> NetworkAnswer:
    reading = read_hand(loaded, material.images[0], ModelInput(), {"sex": question.sex})
    age = reading.age
    words = in_words(age.expected).capitalize()
    if age.interval is not None:
        words += f", interval {' to '.join(in_words(end) for end in age.interval)}"
    return _answer(loaded, age.expected, f"{words}.", None, (reading.heatmap,), reading.heatmap.label)


def _nih14(loaded: "LoadedModel", question: Question, material: Material) -> NetworkAnswer:
    """Of the labels that the simulator can draw: the called ones joined, with map and score of one of its own choice.

    The map is not the true label's: whoever calls something else may not be given a point on what it has missed.
    """
    view = read_findings_of(loaded, material.images[0], ModelInput())
    drawn = set(LABEL_OF_LESION.values())
    order = [finding for finding in view.findings.by_excess() if finding.label in drawn]
    called = [finding for finding in order if finding.called]
    shown = called[0] if called else max(order, key=lambda finding: finding.score)
    seen = show_label(loaded, material.images[0], view, shown.label, methods()[0])
    reading = ", ".join(sorted(finding.label for finding in called)) or NO_FINDING
    words = _found(shown, order, str(question.truth))
    return _answer(loaded, reading, words, shown.score, (seen.heatmap,), shown.label)


def _found(shown: Finding, drawn: Sequence[Finding], truth: str) -> str:
    """The score of the label whose heatmap is shown, and whether the true one could have been called at all."""
    words = f"Score for {name_of(shown.label).lower()} {share(shown.score)}"
    words += "." if shown.called else ", the highest, and not called."
    never = [finding.remark for finding in drawn if finding.label == truth and finding.threshold is None]
    return f"{words} It can never call {name_of(truth).lower()}: {never[0]}." if never else words


def guard_words(question: Question, material: Material) -> list[str]:
    """What the image guard says against each image, where it says something."""
    from cxrkit.quality import check_image

    reads = find_task(question.task).reads
    verdicts = [computed(check_image, image, reads) for image in material.images]
    return [" ".join(verdict.reasons) for verdict in verdicts if not verdict.ok]


_READERS: "Mapping[str, Callable[[LoadedModel, Question, Material], NetworkAnswer]]" = {
    "tuberculosis": _tuberculosis,
    "followup": _followup,
    "bone_age": _bone_age,
    "vq": _vq,
    "nih14": _nih14,
}


def _scored(score: float, threshold: float, called: str, label: str) -> str:
    return f"Score for {called} {share(score)}, {place(score, threshold)}: called {label}."


def _answer(
    loaded: "LoadedModel",
    reading: str | float,
    words: str,
    score: float | None,
    heatmaps: "tuple[Heatmap, ...]",
    about: str,
) -> NetworkAnswer:
    legend = f"{heatmaps[0].method} for {heatmaps[0].label}, 1 = its own maximum"
    meaning = f"The heatmap shows evidence for “{about}” and is scaled to its own maximum."
    return NetworkAnswer(reading, words, score, heatmaps, legend, meaning, loaded.card.sha256)

"""One case: files -> Radiographs -> Prediction, and what became of it. A batch is many of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cxrkit.bone_age import OLDEST
from cxrkit.cases import Case, class_index, resolve, target_number
from cxrkit.errors import ImageError, InputError, ManifestError
from cxrkit.finding_labels import findings_of, several_labels
from cxrkit.image import Radiograph
from cxrkit.image_file import load_image
from cxrkit.predict import Prediction, encode, predict
from cxrkit.quality import check_image
from cxrkit.task import ModelInput, Prepared, Task
from cxrkit.weights import LoadedModel

_HEX = 64  # digits of a SHA-256; a frame's number may follow


@dataclass(frozen=True)
class Asked:
    """How every case of a batch is analysed.

    Attributes:
        edits: of what the network reads.
        frame: of files with several, from 1; None = the task's own choice.
        context: what is known of every patient; a case's own columns go before it.
        guarded: refuse what the image guard stops. Otherwise its reasons are warnings: a table of cases is the user's
            explicit choice.
    """

    edits: ModelInput = field(default_factory=ModelInput)
    frame: int | None = None
    context: Mapping[str, object] = field(default_factory=dict)
    guarded: bool = False


@dataclass(frozen=True)
class Seen:
    """A file as it was when it was read.

    Attributes:
        size: in bytes.
        modified: time of its last change in ns.
        sha256: of its bytes; None where it could not be read as an image.
    """

    size: int
    modified: int
    sha256: str | None = None


@dataclass(frozen=True, eq=False)
class Opened:
    """A case's images, or why there are none.

    Attributes:
        images: in the order of the task's inputs; () where one could not be read.
        seen: the files, as far as they were found.
        problem: why it cannot be read or prepared, as a sentence; "" otherwise.
        prepared: what the network reads; None = not prepared yet.
        doubts: what the image guard says of it, once it is prepared.
    """

    images: tuple[Radiograph, ...]
    seen: tuple[Seen, ...]
    problem: str = ""
    prepared: Prepared | None = None
    doubts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Answer:
    """What the network says of one case; JSON can hold it (cxrkit.batch_json).

    Attributes:
        prediction: None if there is none.
        error: why not, as a sentence; "" otherwise.
        seen: as in Opened.
    """

    prediction: Prediction | None
    error: str = ""
    seen: tuple[Seen, ...] = ()


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


def guard(task: Task, images: Sequence[Radiograph], stops: bool) -> tuple[str, ...]:
    """What the image guard says of images that are analysed all the same.

    Args:
        task: that is to read them.
        images: as many as it has inputs.
        stops: refuse an image of another kind.

    Raises:
        InputError: an image is not of the kind that the task reads, and that stops.
        WeightsError: the guard's weights are missing or altered.
    """
    doubts, passes = [], True
    for image, name in zip(images, task.inputs, strict=True):
        verdict = check_image(image, task.reads)
        passes = passes and verdict.ok
        which = f"{name.capitalize()}: " if len(images) > 1 else ""
        doubts += [f"{which}{reason}" for reason in verdict.reasons]
    if stops and not passes:
        raise InputError(f"{' '.join(doubts)} Nothing was analysed; give --force to analyse it anyway.")
    return tuple(doubts)


def open_case(task: Task, case: Case, root: Path, asked: Asked) -> Opened:
    """Read a case's images from below root; what keeps them from being read is in the result."""
    seen: tuple[Seen, ...] = ()
    try:
        paths = resolve(case, root)
        seen = tuple(look(path) for path in paths)
        images = tuple(load_image(path, frame=asked.frame, read=task.read_file) for path in paths)
    except (ImageError, InputError, ManifestError) as error:
        return Opened((), seen, str(error))
    digests = [image.sha256[:_HEX] for image in images]
    return Opened(images, tuple(replace(each, sha256=digest) for each, digest in zip(seen, digests, strict=True)))


def essential(task: Task, case: Case) -> Case:
    """A case with what `open_case` and `answer_case` read of it, to be sent: a row of a table may have any length."""
    row = {name: case.row[name] for name in task.context if name in case.row}
    return Case(case.files, "", row=row, number=case.number, problem=case.problem)


def look(path: Path) -> Seen:
    """Size and time of a file, not its content; both -1 of one that is gone."""
    try:
        found = path.stat()
    except OSError:
        return Seen(-1, -1)
    return Seen(found.st_size, found.st_mtime_ns)


def _prepared(task: Task, case: Case, opened: Opened, asked: Asked) -> Opened:
    if opened.problem:
        return opened
    own = {name: case.row[name] for name in task.context if case.row.get(name, "").strip()}
    try:
        doubts = guard(task, opened.images, asked.guarded)
        prepared = task.prepare(opened.images, {**asked.context, **own}, asked.edits)
    except (ImageError, InputError, ManifestError) as error:
        return replace(opened, problem=str(error))
    return replace(opened, prepared=prepared, doubts=doubts)


def answer_case(loaded: LoadedModel, case: Case, opened: Opened, asked: Asked) -> Answer:
    """Guard, prepare and predict a case that was opened; what keeps it from that is in the result.

    Raises:
        WeightsError: weights that the preparation or the guard needs are missing.
    """
    ready = _prepared(loaded.task, case, opened, asked)
    if ready.prepared is None:
        return Answer(None, ready.problem, ready.seen)
    try:
        found = predict(loaded, ready.prepared, encode(loaded, ready.prepared), ready.images)
    except InputError as error:
        return Answer(None, str(error), ready.seen)
    return Answer(replace(found, warnings=(*ready.doubts, *found.warnings)), "", ready.seen)


def row_of(task: Task, case: Case, answer: Answer, judged: bool = True) -> Row:
    """A case with its answer and its truth.

    Args:
        task: that was asked.
        case: its target is read where `judged`.
        answer: what was said of it.
        judged: whether there is a truth; otherwise a row has none, and lacks none.
    """
    target, findings, problems = None, None, []
    try:
        if judged and several_labels(task):
            findings = findings_of(case, task.labels)
        elif judged:
            target = _target(task, case)
    except ManifestError as error:
        problems.append(str(error))
    if answer.error:
        problems.append(answer.error)
    # An unusable row is refused twice, with one sentence.
    return Row(case, target, answer.prediction, " ".join(dict.fromkeys(problems)), findings)


def _target(task: Task, case: Case) -> float:
    if task.values:
        return target_number(case, 0, OLDEST, "months")
    return class_index(case, task.labels)

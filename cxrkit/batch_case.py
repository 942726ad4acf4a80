"""One case: files -> Radiographs -> Prediction, and what became of it. A batch is many of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cxrkit.bone_age import OLDEST
from cxrkit.cases import Case, class_index, resolve, target_number
from cxrkit.errors import ImageError, ImageTooLarge, InputError, ManifestError
from cxrkit.finding_labels import findings_of, several_labels
from cxrkit.image import MAX_FILE_BYTES, Radiograph, read_image
from cxrkit.predict import Prediction, encode, predict
from cxrkit.quality import check_image
from cxrkit.task import ModelInput, ReadFile, Task
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
        problem: why it cannot be read, as a sentence; "" otherwise.
    """

    images: tuple[Radiograph, ...]
    seen: tuple[Seen, ...]
    problem: str = ""


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


def look(path: Path) -> Seen:
    """Size and time of a file, not its content; both -1 of one that is gone."""
    try:
        found = path.stat()
    except OSError:
        return Seen(-1, -1)
    return Seen(found.st_size, found.st_mtime_ns)


def answer_case(loaded: LoadedModel, case: Case, opened: Opened, asked: Asked) -> Answer:
    """Predict a case that was opened; what keeps it from being analysed is in the result.

    Raises:
        WeightsError: weights that the preparation or the guard needs are missing.
    """
    if opened.problem:
        return Answer(None, opened.problem, opened.seen)
    own = {name: case.row[name] for name in loaded.task.context if case.row.get(name, "").strip()}
    try:
        doubts = guard(loaded.task, opened.images, asked.guarded)
        found = analyse(loaded, opened.images, asked.edits, context={**asked.context, **own})
    except (ImageError, InputError, ManifestError) as error:
        return Answer(None, str(error), opened.seen)
    return Answer(replace(found, warnings=(*doubts, *found.warnings)), "", opened.seen)


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

"""Findings as tables write them: labels joined by the bar."""

from collections.abc import Sequence

from cxrkit.cases import Case
from cxrkit.errors import ManifestError
from cxrkit.task import Task

NO_FINDING = "No Finding"
"""What ChestX-ray14 writes where none of the labels is there."""

BAR = "|"


def several_labels(task: Task) -> bool:
    """Whether each label of the task is answered by itself, so that several may be called, or none."""
    return task.activation == "sigmoid"


def findings_of(case: Case, labels: Sequence[str]) -> frozenset[str]:
    """The labels of a case.

    Args:
        case: its target joins labels by the bar, such as "Effusion|Mass", in any order and any case of letters, with
            blanks, hyphens or underscores in them; or it is NO_FINDING. A label named twice counts once.
        labels: all that there are.

    Raises:
        ManifestError: the row is unusable; or its target is empty, has an empty part or a part that is no label, or
            says NO_FINDING beside a label.
    """
    if case.problem:
        raise ManifestError(case.problem)
    where = f"row {case.number}" if case.number else "this case"
    known = {_key(label): label for label in labels}
    parts = [_key(part) for part in case.target.split(BAR)]
    if parts == [_key(NO_FINDING)]:
        return frozenset()
    if parts == [""]:
        raise ManifestError(f"The findings of {where} are empty. Write {NO_FINDING} where none of the labels is there.")
    if _key(NO_FINDING) in parts:
        raise ManifestError(f"The findings of {where} are {NO_FINDING} and others at once. Leave one of them out.")
    if not all(part in known for part in parts):
        raise ManifestError(
            f"The findings of {where} hold something that is no label. Join labels by {BAR}, out of: "
            f"{', '.join(labels)}; or write {NO_FINDING}."
        )
    return frozenset(known[part] for part in parts)


def _key(text: str) -> str:
    return " ".join(text.replace("_", " ").replace("-", " ").split()).casefold()

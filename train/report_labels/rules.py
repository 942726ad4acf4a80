"""Report text -> normal or abnormal, change or no change, by rules; every decision names the words behind it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from train.report_labels import words
from train.report_labels.matching import covered, names_finding, phrases, same, speaks_of_change
from train.report_labels.parts import parts
from train.report_labels.reach import asked, denied, gone, lasting, not_of_the_lesion, supposed

_DENIED = "denied: "


@dataclass(frozen=True)
class Found:
    """A decision.

    Attributes:
        value: what was decided; None where the report does not say.
        words: as they stand in the report, in lower case.
    """

    value: bool | None
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Labels:
    """What two successive reports say.

    Attributes:
        baseline: whether the baseline is abnormal.
        follow_up: whether the follow-up is abnormal.
        change: whether there was a change between them.
    """

    baseline: Found
    follow_up: Found
    change: Found

    @property
    def name(self) -> str:
        """One of the four classes: "normal, no change" ... "abnormal, change"; normal or not is the baseline's."""
        state = "abnormal" if self.baseline.value else "normal"
        return f"{state}, {'change' if self.change.value else 'no change'}"


def label_reports(baseline: str, follow_up: str) -> Labels:
    """Four classes out of two reports.

    Args:
        baseline: text of the first report; without a word for normal it counts as abnormal (source).
        follow_up: text of the second one; without a word for either it keeps the baseline's state.
    """
    first = state(baseline)
    if first.value is None:
        first = Found(True)
    second = state(follow_up)
    changed = change(follow_up)
    if second.value is None or _denies_only_the_pleura(second, first):
        second = Found(first.value)
    if second.value != first.value and not changed.value:
        # From normal to abnormal or back is change even without a keyword.
        changed = Found(True, (*first.words, *second.words))
    return Labels(first, second, Found(bool(changed.value), changed.words))


def state(report: str) -> Found:
    """Whether a report is abnormal; None if it has neither a word for normal nor a finding.

    A finding that is neither denied, gone nor old outweighs "no active lung lesion"; if all are denied or gone, the
    report is normal.
    """
    findings: list[str] = []
    normal: list[str] = []
    for part in parts(report):
        present, absent = _judged(part)
        findings += present
        normal += absent
    if findings:
        return Found(True, tuple(findings))
    return Found(False, tuple(normal)) if normal else Found(None)


def change(report: str) -> Found:
    """Whether a follow-up report speaks of change; None if it says nothing either way.

    A change in one sentence outweighs "no interval change" in another: "Increased effusion. Otherwise no change."
    """
    changed: list[str] = []
    unchanged: list[str] = []
    for part in parts(report):
        apart = covered(part, words.NOT_OF_THE_LESION) | supposed(part)
        missing, before = denied(part) | _change_denied(part), lasting(part)
        unchanged += [_text(part, start, phrase) for start, phrase in phrases(part, words.NO_CHANGE)]
        for index, text in _signs(part):
            if index in apart or not_of_the_lesion(part, index):
                continue
            if index in before:
                unchanged.append(f"as before: {text}")
            elif index in missing:
                unchanged.append(_DENIED + text)
            else:
                changed.append(text)
    if changed:
        return Found(True, tuple(changed))
    return Found(False, tuple(unchanged)) if unchanged else Found(None)


def _denies_only_the_pleura(second: Found, first: Found) -> bool:
    """Whether a follow-up report only denies an effusion or the like that the baseline did not have.

    "No pneumothorax" after a pneumonia does not say that the lungs are normal now.
    """
    had = tuple(stem for stem in words.PLEURAL if any(word.startswith(stem) for word in first.words))
    absent = [word.removeprefix(_DENIED) for word in second.words if word.startswith(_DENIED)]
    elsewhere = all(word.startswith(words.PLEURAL) and not word.startswith(had) for word in absent)
    return second.value is False and len(absent) == len(second.words) and elsewhere


def _judged(part: Sequence[str]) -> tuple[list[str], list[str]]:
    """What in a part speaks for abnormal and what for normal."""
    calls_normal, missing, absent = covered(part, words.NORMAL), denied(part), gone(part)
    present: list[str] = []
    normal = [_text(part, start, phrase) for start, phrase in phrases(part, words.NORMAL)]
    normal += _other_normal(part, missing - calls_normal)
    apart = calls_normal | asked(part)
    for index, word in _findings(part):
        if index in apart:
            continue
        if index in absent:
            normal.append(f"gone: {word}")
        elif index not in missing:
            present += [] if _is_old(part, index) else [word]
        elif not _of_a_change(part, index):
            normal.append(_DENIED + word)
    return present, normal


def _findings(part: Sequence[str]) -> Iterable[tuple[int, str]]:
    for index, word in enumerate(part):
        if names_finding(word):
            yield index, word
    for start, phrase in phrases(part, words.FINDING_PHRASES):
        yield start, _text(part, start, phrase)


def _is_old(part: Sequence[str], index: int) -> bool:
    return any(word in words.OLD for word in part[max(0, index - 3) : index])


def _of_a_change(part: Sequence[str], index: int) -> bool:
    """Whether what is denied is a change of the finding: "no new nodule" says nothing of the known one."""
    changes = {start for start, _ in phrases(part, words.NO_CHANGE)}
    return any(i in changes or speaks_of_change(part[i]) for i in range(index + 1))


def _other_normal(part: Sequence[str], missing: set[int]) -> list[str]:
    """What calls a report normal in too many ways to be listed."""
    normal = []
    if "normal" in part and all(word in words.WHOLE for word in part if word != "normal"):
        normal.append("normal")
    lungs = {"lungs", "fields"} & set(part) or {"both", "lung"} <= set(part)
    if lungs and "clear" in part and part.index("clear") not in missing and not words.ONE_SIDED & set(part):
        normal.append("clear")
    for index in sorted(missing):
        end = next((i for i in range(index + 1, len(part)) if part[i] not in words.ACTIVE_WHERE), index)
        active = any(same(part[index], word) for word in words.ACTIVE)
        if active and any(same(part[end], word) for word in words.DISEASES) and not _of_a_change(part, end):
            normal.append(" ".join(part[index : end + 1]))
    return normal


def _change_denied(part: Sequence[str]) -> set[int]:
    return {i for start, _ in phrases(part, words.CHANGE_DENIALS) for i in range(start, len(part))}


def _signs(part: Sequence[str]) -> Iterable[tuple[int, str]]:
    """Positions and texts of all that speaks of change."""
    for listed in (words.CHANGE_PHRASES, words.GONE, words.NOT_BEFORE):
        for start, phrase in phrases(part, listed):
            yield start, _text(part, start, phrase)
    for index, word in enumerate(part):
        if speaks_of_change(word) or (word in words.COMPARATIVES and _compares_times(part, index)):
            yield index, word


def _compares_times(part: Sequence[str], index: int) -> bool:
    """Whether "larger" is said against an earlier study: not "the larger nodule", not "larger than the left one"."""
    after = part[index + 1 :]
    if "than" in after:
        return not words.NOT_TIMES & set(after[after.index("than") :][:4])
    before = [word for word in part[:index] if not word.endswith("ly") and word != "much"]
    if not before:
        return all(word in words.COMPARISON for word in after)
    return before[-1] in ("now", "not", "no") or before[-1] in words.VERBS


def _text(part: Sequence[str], start: int, phrase: Sequence[str]) -> str:
    return " ".join(part[start : start + len(phrase)])

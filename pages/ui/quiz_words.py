"""Questions, readings and verdicts as the quiz says them."""

from collections.abc import Mapping

from cxrkit.bone_age import in_words
from cxrkit.card import Card
from cxrkit.quiz.judging import NEAR_MONTHS, MarkFound, Read
from cxrkit.quiz.pack_case import PackCase
from cxrkit.quiz.question import NO_FINDING, READINGS, Question
from cxrkit.quiz.settings import QuizLevel
from cxrkit.scan_reading import CANNOT_TELL
from pages.ui.finding_words import name_of
from pages.ui.words import listed, percent

QUESTIONS: Mapping[str, str] = {
    "tuberculosis": "Is this chest normal, or is there a lesion?",
    "followup": "Has anything changed between the two images?",
    "bone_age": "How old is this hand?",
    "vq": "Which scan is this?",
    "nih14": "Which finding is there?",
}

MARK_WHERE: Mapping[str, str] = {
    "tuberculosis": "Mark the lesion.",
    "followup": "Mark what has changed, on either image.",
    "nih14": "Mark the finding.",
    "bone_age": "If you like, mark what your reading rests on.",
    "vq": "If you like, mark what your reading rests on.",
}

HONEST: Mapping[str, str] = {
    "tuberculosis": (
        "Simulated chests hold lesions – nodule, consolidation, cavity or effusion – and no tuberculosis. It is "
        "counted whether the network, which was trained to find tuberculosis, calls the image with a lesion and leaves "
        "the one without."
    ),
    "followup": "Simulated pairs are one patient on two days; a finding appears, goes, grows, shrinks or stays.",
    "bone_age": f"A simulated hand of known bone age; {NEAR_MONTHS:.0f} months off or less count as right.",
    "vq": "Simulated scans, anterior view. “Cannot tell”, which the network may say, counts as not right.",
    "nih14": (
        "One finding at most, of those that the simulator can draw; the network is right where of these labels it "
        "calls the true one alone, or none where none is there. Its heatmap and score are of the finding that it calls "
        "most clearly, or of the one with the highest score where it calls none."
    ),
}

_BESIDE = 0.005
"""Share of the image's width that is not told as a distance."""

LEVEL_MEANS: Mapping[str, str] = {
    "tuberculosis": "Easy: 0.88 to 1.50 times a lesion's usual contrast; medium: 0.51 to 0.88; hard: 0.30 to 0.51.",
    "followup": "Easy: 0.88 to 1.50 times a finding's usual contrast; medium: 0.51 to 0.88; hard: 0.30 to 0.51.",
    "nih14": (
        "Easy: 0.88 to 1.50 times a finding's usual contrast (of an enlarged heart: of its usual enlargement); medium: "
        "0.51 to 0.88; hard: 0.30 to 0.51."
    ),
    "bone_age": "Easy: the hand fills 80 to 100 % of the gray range; medium: 40 to 60 %; hard: 15 to 25 %.",
    "vq": (
        "Easy: neck, stomach and sharpness tell the type, as in clinics; medium: they tell nothing; hard: they mislead."
    ),
}

LEVELS: Mapping[QuizLevel, str] = {"easy": "Easy", "medium": "Medium", "hard": "Hard", "mixed": "Mixed"}

_READINGS = {"abnormal": "Abnormal: a lesion is there", "normal": "Normal: no lesion"}


def never_called(card: Card) -> str:
    """Which findings of the quiz a network cannot call, as a sentence; "" where it may call all, and of other tasks."""
    if card.task != "nih14":
        return ""
    remarked = {support.label for support in card.support if support.remark}
    findings = [label for label in READINGS[card.task] if label != NO_FINDING]
    never = [label for label in findings if label in remarked or label not in card.thresholds]
    if not never:
        return ""
    names = listed([name_of(label).lower() for label in never])
    return (
        f"This network can never call {names}: it has no threshold for them, so it is never right where one is there."
    )


def reading_name(reading: str | float) -> str:
    """A reading as an answer to choose, or an age in words."""
    if not isinstance(reading, str):
        return in_words(reading).capitalize()
    return _READINGS.get(reading, name_of(reading))


def short_reading(reading: str | float) -> str:
    """A reading within a sentence."""
    return in_words(reading) if not isinstance(reading, str) else name_of(reading).lower()


def truth_in_words(question: Question) -> str:
    """ "abnormal – cavity, right upper zone". Without a pack's note: it would be read as Markdown here."""
    what = f" – {question.what}" if question.what and not isinstance(question.source, PackCase) else ""
    sex = {"F": ", a girl", "M": ", a boy"}.get(question.sex or "", "")
    return f"{short_reading(question.truth)}{sex}{what}"


def verdict(read: Read) -> str:
    """ "✓ right", or "✗ wrong"; of an age how far off."""
    if read.reading == CANNOT_TELL:
        return "– cannot tell, counts as not right"
    sign = "✓ right" if read.right else "✗ wrong"
    if read.error is None:
        return sign
    months = round(abs(read.error))
    if not months:
        return f"{sign}: exact to the month"
    return f"{sign}: {months} month{'s' if months > 1 else ''} too {'old' if read.error > 0 else 'young'}"


def where(found: MarkFound, what: str) -> str:
    """Where a mark or a strongest point lies, as the end of a sentence.

    Args:
        found: in a region.
        what: the region, such as "the lesion".
    """
    if found.inside:
        return f"lies inside {what}"
    if found.distance < _BESIDE:
        return f"lies just outside {what}"
    return f"lies {percent(found.distance)} of the image's width away from {what}"

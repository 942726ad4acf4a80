"""What is said of several labels that are answered each by itself: scores, intervals, and which are called."""

from collections.abc import Sequence
from dataclasses import dataclass

from cxrkit.card import Card
from cxrkit.finding_labels import BAR
from cxrkit.finding_support import LabelSupport, sigmoid

NOTHING = "nothing called"
"""In place of labels. Not "normal": a finding may be missed, and most have no label."""

NO_THRESHOLD = "no threshold on the card"


@dataclass(frozen=True)
class Finding:
    """One label's answer.

    Attributes:
        label: of the task.
        score: calibrated where the card says how, in [0, 1].
        interval: 95 %, in which the share of positives among images of this score lies, on the calibration cases'
            archive; None where the score is not calibrated.
        threshold: score from which it is called; None = it is never called.
        remark: why it is never called; "" where it may be.
    """

    label: str
    score: float
    interval: tuple[float, float] | None
    threshold: float | None
    remark: str = ""

    @property
    def called(self) -> bool:
        """At or above its threshold."""
        return self.threshold is not None and self.score >= self.threshold

    @property
    def excess(self) -> float | None:
        """Score above the threshold, below 0 where it is not called; None where it never is."""
        return None if self.threshold is None else self.score - self.threshold


@dataclass(frozen=True)
class FindingsReading:
    """All labels' answers, in the order of the task's labels."""

    findings: tuple[Finding, ...]

    @property
    def called(self) -> tuple[str, ...]:
        """Labels that are called."""
        return tuple(finding.label for finding in self.findings if finding.called)

    @property
    def label(self) -> str:
        """Called labels joined by the bar, or NOTHING."""
        return BAR.join(self.called) or NOTHING

    def by_excess(self) -> tuple[Finding, ...]:
        """Furthest above its threshold first; those that are never called last, the highest score first."""

        def place(finding: Finding) -> tuple[bool, float]:
            return finding.excess is None, -(finding.score if finding.excess is None else finding.excess)

        return tuple(sorted(self.findings, key=place))


def read_findings(logits: Sequence[float], card: Card) -> FindingsReading:
    """The answer for one image.

    Args:
        logits: of the card's labels, in their order.
        card: of the network. A label is called by its threshold there, and never where its support has a remark.
    """
    supports = card.support or tuple(LabelSupport(label, 0) for label in card.labels)
    answers = zip(supports, logits, strict=True)
    return FindingsReading(tuple(_finding(support, logit / card.temperature, card) for support, logit in answers))


def _finding(support: LabelSupport, logit: float, card: Card) -> Finding:
    threshold = None if support.remark else card.thresholds.get(support.label)
    remark = support.remark or ("" if threshold is not None else NO_THRESHOLD)
    fitted = support.calibration
    if fitted is None:
        return Finding(support.label, sigmoid(logit), None, threshold, remark)
    return Finding(support.label, fitted.probability(logit), fitted.interval(logit), threshold, remark)

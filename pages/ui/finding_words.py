"""Labels and what is called, as the screen says them."""

from collections.abc import Sequence

from cxrkit.card import Card
from cxrkit.finding_reading import Finding, FindingsReading
from cxrkit.report import figure
from pages.ui.words import listed, percent, share

_POINTING = "pointing game, "

NOT_RISK = (
    "**A score is not the probability that your patient has the finding.** It is calibrated on images of one public "
    "archive, where findings are more or less frequent than with you, and labels come from reports by text mining. "
    "Compare scores with their thresholds, and with the AUC that stands behind each."
)


def name_of(label: str) -> str:
    """ "Pleural_Thickening" -> "Pleural thickening"."""
    return label.replace("_", " ").capitalize()


def names(labels: Sequence[str]) -> str:
    """ "Effusion, mass and nodule" of labels."""
    return listed([name_of(label) if index == 0 else name_of(label).lower() for index, label in enumerate(labels)])


def called_in_words(reading: FindingsReading) -> str:
    """What is called, as a sentence; where nothing is, that this is no all-clear."""
    if not reading.called:
        return (
            "**No label is called.** That does not mean that the chest is normal: findings are missed, and most "
            "findings in radiology are none of these 14."
        )
    order = [finding.label for finding in reading.by_excess() if finding.called]
    return f"**Called at the card's thresholds:** {names(order)}."


def never_called_in_words(reading: FindingsReading) -> str:
    """Which labels are never called, by reason; "" where all may be."""
    reasons: dict[str, list[str]] = {}
    for finding in reading.findings:
        if finding.threshold is None:
            reasons.setdefault(finding.remark, []).append(finding.label)
    if not reasons:
        return ""
    return f"Gray, and never called: {'; '.join(f'{names(labels)} ({reason})' for reason, labels in reasons.items())}."


def interval_in_words(finding: Finding) -> str:
    """ "0.21 to 0.44", or that the score is not calibrated."""
    if finding.interval is None:
        return "not calibrated"
    low, high = finding.interval
    return f"{share(low)} to {share(high)}"


def weakly_told_in_words(reading: FindingsReading, card: Card) -> str:
    """Which of the called labels the card's AUC does not lift above chance; "" where it does for all of them."""
    weak = [
        f"{name_of(one.label).lower()} (AUC {one.auc:.3f}, {one.low:.3f} to {one.high:.3f})"
        for one in card.support
        if one.label in reading.called
        and one.auc is not None
        and one.low is not None
        and one.high is not None
        and one.low <= 0.5
    ]
    return f"**Not shown to be better than chance:** {listed(weak)}." if weak else ""


def pointing_in_words(card: Card) -> str:
    """How often a heatmap's strongest point lay in a radiologist's box, by the card; "" where it was not measured."""
    told = {metric.name.removeprefix(_POINTING): metric for metric in card.metrics if metric.name.startswith(_POINTING)}
    hits, other, chance = (told.get(name) for name in ("hits", "another image's map", "by chance"))
    if hits is None or other is None or chance is None:
        return ""
    return (
        f"On {hits.cases} images with radiologists' boxes for pneumonia the heatmap's strongest point lay in a box in "
        f"{percent(hits.value)}, that of another image's map in {percent(other.value)}, a random one in "
        f"{percent(chance.value)}."
        + (" **So a heatmap of these weights is no evidence of a place.**" if hits.value <= other.value else "")
    )


def _measured(card: Card, name: str, label: str) -> str:
    return next((figure(metric) for metric in card.metrics if metric.name == f"{name}, {label}"), "–")


def support_rows(card: Card) -> list[dict[str, str]]:
    """What each label rests on: a row a label, for a table."""
    rows = []
    for one in card.support:
        limit = card.thresholds.get(one.label)
        known = one.auc is not None and one.low is not None and one.high is not None
        rows.append(
            {
                "Label": name_of(one.label),
                "Training images with it": f"{one.positives:,}",
                "AUC (95 % interval)": f"{one.auc:.3f} ({one.low:.3f} to {one.high:.3f})" if known else "undefined",
                "Images with it tested": f"{one.tested:,}",
                **{name.capitalize(): _measured(card, name, one.label) for name in ("sensitivity", "specificity")},
                "Calibrated": "no" if one.calibration is None else "yes",
                "Called from": "never" if limit is None or one.remark else share(limit),
                "Remark": one.remark,
            }
        )
    return rows

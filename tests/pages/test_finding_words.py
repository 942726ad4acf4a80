"""What the page says of findings that rest on little, from the card alone."""

from dataclasses import replace

from cxrkit.card import WEIGHTS, Metric, read_card
from cxrkit.finding_reading import read_findings
from cxrkit.tasks.nih14 import LABELS, NIH14
from pages.ui.finding_words import pointing_in_words, support_rows, weakly_told_in_words
from tests.models_for_tests import small_card


def test_called_labels_that_chance_may_explain_are_named() -> None:
    card = read_card(WEIGHTS / "nih14" / "card.json")
    called = read_findings([9.0] * len(LABELS), card)
    said = weakly_told_in_words(called, card)
    weak = [one for one in card.support if one.low is not None and one.low <= 0.5 and one.label in called.called]
    assert weak
    for one in weak:
        assert f"{one.label.lower()} (AUC {one.auc:.3f}" in said
    assert "Pneumonia" not in said
    assert weakly_told_in_words(read_findings([-9.0] * len(LABELS), card), card) == ""


def test_support_holds_what_the_thresholds_cost() -> None:
    card = read_card(WEIGHTS / "nih14" / "card.json")
    rows = {row["Label"]: row for row in support_rows(card)}
    stated = card.metric("specificity, Effusion", "part that reports, other patients")
    assert rows["Effusion"]["Specificity"].startswith(f"{stated.value:.3f}")
    assert rows["Hernia"]["Sensitivity"] == "–"


def test_a_heatmap_no_better_than_another_images_is_said_to_show_no_place() -> None:
    def card_of(hits: float) -> object:
        names = {"hits": hits, "another image's map": 0.2, "by chance": 0.17}
        figures = (Metric(f"pointing game, {name}", "boxes", value, 0.0, 1.0, 33, "") for name, value in names.items())
        return replace(small_card(NIH14), metrics=tuple(figures))

    assert "no evidence of a place" in pointing_in_words(card_of(0.15))  # type: ignore[arg-type]
    assert "no evidence" not in pointing_in_words(card_of(0.5))  # type: ignore[arg-type]
    assert pointing_in_words(small_card(NIH14)) == ""

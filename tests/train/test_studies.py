"""What the studies of all tasks share: their tables and where these go."""

import shutil
from pathlib import Path

from cxrkit.card import WEIGHTS, read_card
from train.laboratory import training_columns
from train.studies import Budget, put_study_on_card


def test_a_larger_budget_replaces_a_smaller_one_and_not_the_other_way(tmp_path: Path) -> None:
    card = tmp_path / "card.json"
    shutil.copy(WEIGHTS / "tuberculosis" / "card.json", card)
    before = set(read_card(card).tables)

    def titles(budget: Budget) -> set[str]:
        put_study_on_card("Ours", budget, [{"a": 1}], card)
        return set(read_card(card).tables) - before

    assert titles(Budget.SMALL) == {"Ours (small budget)"}
    assert titles(Budget.MEDIUM) == {"Ours (medium budget)"}
    assert titles(Budget.SMALL) == {"Ours (medium budget)", "Ours (small budget)"}
    assert titles(Budget.FULL) == {"Ours (full budget)"}


def test_a_table_tells_the_stages_of_training() -> None:
    repeats = [{"million parameters": 1.0, "minutes": minutes} for minutes in (2.0, 3.0)]
    one = training_columns([(64, 4, 100)], "pairs", {"batch": 8}, repeats)
    assert one == {
        "million parameters": 1.0,
        "size": 64,
        "epochs": 4,
        "pairs per epoch": 100,
        "batch": 8,
        "repeats": 2,
        "minutes each": 2.5,
    }
    two = training_columns([(64, 4, 100), (96, 8, 100)], "pairs", {}, repeats)
    assert (two["size"], two["epochs"], two["pairs per epoch"]) == (96, "4 + 8", 100)
    other = training_columns([(64, 4, 100), (96, 8, 50), (96, 2, 100)], "pairs", {}, repeats)
    assert (other["epochs"], other["pairs per epoch"]) == ("4 + 8 + 2", "100 + 50 + 100")

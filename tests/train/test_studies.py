"""What the studies of all tasks share: their tables and where these go."""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from cxrkit.card import WEIGHTS, read_card
from cxrkit.errors import InputError
from train.laboratory import Laboratory, training_columns
from train.studies import Budget, Row, Study, put_study_on_card
from train.trainer import FitSettings


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


@dataclass(frozen=True)
class Named:
    """A cell that needs no training."""

    name: str


class Noted(Laboratory[Named]):
    """Notes what it is asked to measure."""

    def measured(self, cell: Named, repeat: int = 0) -> Row:
        with (self.run / "asked").open("a") as asked:
            asked.write(f"{cell.name}{repeat} ")
        return {}

    def table(self, study: Study[Named], repeats: int) -> list[Row]:
        return [{"network": cell.name} for cell in study.cells]


THREE = Study("Three", "a", (Named("a"), Named("b"), Named("c")))


def test_what_a_study_leaves_out_stands_on_the_card(tmp_path: Path) -> None:
    card = tmp_path / "card.json"
    shutil.copy(WEIGHTS / "tuberculosis" / "card.json", card)
    laboratory = Noted(tmp_path, FitSettings(), card)
    laboratory.conduct(THREE.without(["b"]), Budget.SMALL, 2, card=True)
    assert (tmp_path / "asked").read_text().split() == ["a0", "c0", "a1", "c1"]
    assert json.loads((tmp_path / "three_small.json").read_text()) == [{"network": "a"}, {"network": "c"}]
    assert read_card(card).tables["Three (small budget, without b)"] == [{"network": "a"}, {"network": "c"}]
    laboratory.conduct(THREE, Budget.SMALL, 1, card=True)
    tables = read_card(card).tables
    assert len(tables["Three (small budget)"]) == 3
    assert "Three (small budget, without b)" not in tables


@pytest.mark.parametrize("name", ["a", "d"])
def test_neither_the_reference_nor_an_unknown_network_can_be_left_out(name: str) -> None:
    with pytest.raises(InputError, match=f"cannot leave out “{name}”. It can leave out: b; c."):
        THREE.without([name])

"""README's tables are the cards."""

from pathlib import Path

import pytest

from cxrkit.card import WEIGHTS, Metric, read_card
from cxrkit.commands import run
from cxrkit.errors import InputError, WeightsError
from cxrkit.report import (
    Section,
    as_text,
    card_markdown,
    card_sections,
    figure,
    markdown_table,
    sections_markdown,
    with_cards,
)
from cxrkit.reproduction import SYSTEMS
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from tests.conftest import REPOSITORY
from tests.models_for_tests import small_card


def test_readme_shows_what_the_cards_say() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert with_cards(readme, WEIGHTS) == readme, "run: python -m cxrkit readme"


def test_a_figure_shows_its_interval() -> None:
    assert figure(Metric("AUC", "test", 0.91234, 0.9, 0.93, 100)) == "0.912 (0.900 to 0.930)"
    assert figure(Metric("ECE", "test", 0.05, None, None, 100)) == "0.050"


def test_a_cell_cannot_break_its_table() -> None:
    assert markdown_table([{"a|b": "x|y", "c": 1}]) == "| a/b | c |\n| --- | --- |\n| x/y | 1 |"
    assert markdown_table([]) == ""


def test_what_a_row_lacks_is_empty() -> None:
    assert as_text([{"a": 1, "b": 2}, {"b": 3, "c": 4}]) == [{"a": "1", "b": "2"}, {"a": "", "b": "3"}]
    assert as_text([]) == []


def test_sections_stand_one_below_the_other() -> None:
    sections = [Section([{"a": "1"}], note="how"), Section([], "Title", "(remark)")]
    assert sections_markdown(sections) == "| a |\n| --- |\n| 1 |\n\nhow\n\n**Title** (remark)\n\nNone."


def test_every_table_of_a_card_is_a_section() -> None:
    card = read_card(WEIGHTS / "followup" / "card.json")
    figures, *studies = card_sections(card)
    assert len(figures.rows) == len(card.metrics)
    assert [section.title for section in studies] == list(card.tables)
    assert [len(section.rows) for section in studies] == [len(rows) for rows in card.tables.values()]


def test_claims_are_written_where_the_text_has_a_part_for_them() -> None:
    text = "<!-- card:lung_field -->\n<!-- end -->\n<!-- reproduction -->\nstale words\n<!-- end -->\nafter\n"
    written = with_cards(text, WEIGHTS)
    assert "stale words" not in written
    assert written.endswith("after\n")
    assert all(f"**{system.title}**" in written for system in SYSTEMS)
    assert with_cards(written, WEIGHTS) == written


def test_a_text_without_parts_and_a_missing_card_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="card:NAME"):
        with_cards("nothing here", WEIGHTS)
    with pytest.raises(WeightsError, match="missing"):
        with_cards("<!-- card:unknown -->\nold\n<!-- end -->\n", tmp_path)


def test_the_command_writes_the_file_in_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "text.md"
    file.write_text("before\n<!-- card:lung_field -->\nold\n<!-- end -->\nafter\n", encoding="utf-8")
    assert run(["readme", str(file)]) == 0
    written = file.read_text(encoding="utf-8")
    assert "old" not in written
    assert "Dice" in written
    assert written.startswith("before\n")
    assert written.endswith("after\n")
    assert run(["readme", str(tmp_path / "absent.md")]) == 2
    assert "no such file" in capsys.readouterr().err


def test_what_was_chosen_on_carved_parts_is_said() -> None:
    called = card_markdown(small_card(TUBERCULOSIS))
    assert "Called: tuberculosis from a score of 0.500." in called
    age = card_markdown(small_card(BONE_AGE))
    assert "Called" not in age
    assert "Interval: 90 %, conformal, from 360 carved cases." in age
    assert "A stated sex is contradicted from a probability of 0.900." in age

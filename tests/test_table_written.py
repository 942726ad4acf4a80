"""Tables that are written can be read again, whatever ends of lines their cells hold."""

import ast
import csv
import io
from pathlib import Path

import pytest

from cxrkit.batch_case import Row
from cxrkit.cases import Case
from cxrkit.predictions import write_predictions
from cxrkit.table import LineFeeds, parse_table
from cxrkit.tasks.tuberculosis import TUBERCULOSIS

REPOSITORY = Path(__file__).resolve().parents[1]
CELLS = ["a\rb", "\r", "c\nd", "e\r\nf", "g,h", 'i"j', "plain", "k\r\n"]


def test_every_end_of_a_line_in_a_cell_comes_back() -> None:
    text = io.StringIO()
    csv.writer(LineFeeds(text)).writerows([CELLS, CELLS])
    assert list(csv.reader(io.StringIO(text.getvalue()), strict=True)) == [CELLS, CELLS]


def test_without_a_carriage_return_the_bytes_are_those_of_a_line_feed() -> None:
    rows = [[cell for cell in CELLS if "\r" not in cell], ["", "x y", "é"], [1, 0.5, None], [""]]
    ours, plain = io.StringIO(), io.StringIO()
    csv.writer(LineFeeds(ours)).writerows(rows)
    csv.writer(plain, lineterminator="\n").writerows(rows)
    assert ours.getvalue() == plain.getvalue()
    assert "\r" not in ours.getvalue()


def test_predictions_of_a_table_with_a_carriage_return_are_read_again(tmp_path: Path) -> None:
    case = Case(("a.png",), "1", row={"file": "a.png", "remark": "left\rlung"})
    write_predictions(TUBERCULOSIS, [Row(case, None, None, error="It cannot be read.")], tmp_path / "out.csv")
    header, ((_, cells),) = parse_table((tmp_path / "out.csv").read_bytes(), ("file", "remark"))
    assert cells[header.index("remark")] == "left\rlung"


@pytest.mark.parametrize("part", ["cxrkit", "pages", "train"])
def test_no_table_ends_its_rows_by_itself(part: str) -> None:
    named = [
        f"{path.relative_to(REPOSITORY)}:{node.value.lineno}"
        for path in (REPOSITORY / part).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.keyword) and node.arg == "lineterminator"
    ]
    assert not named, "write to cxrkit.table.LineFeeds instead"

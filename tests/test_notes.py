"""README's prose for the models page."""

import re
from pathlib import Path

from cxrkit.notes import README, notes
from pages.ui.model_choice import MODELS

TEXT = """# Name
First.
## Figures of this
Before: 12 of 30.
<!-- card:one -->
| # | 0.5 |
## 7 is a cell
<!-- end -->


After: 13.
### Below
Other.
"""


def test_prose_around_tables_is_taken_without_them(tmp_path: Path) -> None:
    file = tmp_path / "README.md"
    file.write_text(TEXT, encoding="utf-8")
    assert notes("Figures", file) == "Before: 12 of 30.\n\nAfter: 13."
    assert notes("Below", file) == "Other."
    assert notes("Absent", file) == ""
    assert notes("Figures", tmp_path / "absent.md") == ""


def test_every_section_with_figures_is_one_that_the_models_page_shows() -> None:
    text = README.read_text(encoding="utf-8")
    part = text[text.index("## What was measured") : text.index("## Command line")]
    general = ("What was measured", "What the sources claim", "Copies, leaks", "Speed")
    shown = (*general, *(model.title for model in MODELS.values()))
    headings = [line.lstrip("# ") for line in part.splitlines() if re.match("#{2,3} ", line)]
    assert [heading for heading in headings if not heading.startswith(shown)] == []
    assert "cross-family" in notes("What was measured")
    assert "0.805" in notes("Tuberculosis")

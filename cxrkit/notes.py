"""README's prose around its tables of figures: the models page shows it beside the same tables."""

import re
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"

_HEADING = re.compile(r"^#{2,3} (?P<title>.+)$", re.MULTILINE)
_TABLES = re.compile(r"<!-- [\w:]+ -->\n.*?<!-- end -->", re.DOTALL)


def notes(title: str, readme: Path = README) -> str:
    """The prose of a section, without its heading, its marked tables and the sections below it.

    Args:
        title: words that its heading begins with.
        readme: the file.

    Returns:
        Markdown; "" where there is no such section or no such file, as in an installation without it.
    """
    if not readme.is_file():
        return ""
    # Tables first: a cell may begin like a heading.
    text = _TABLES.sub("", readme.read_text(encoding="utf-8"))
    headings = list(_HEADING.finditer(text))
    for number, heading in enumerate(headings):
        if heading["title"].startswith(title):
            end = headings[number + 1].start() if number + 1 < len(headings) else len(text)
            return re.sub(r"\n{3,}", "\n\n", text[heading.end() : end]).strip()
    return ""

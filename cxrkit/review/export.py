"""What may leave a review: figures, scores and what reviewers said, known by case keys and not by files or patients."""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from cxrkit.review.filters import EMPTY, MOST_VALUES, Condition, in_words, shown
from cxrkit.review.notes import Entry
from cxrkit.review.table import BOXES, MASK, OF_BASELINE, ReviewSet, answer_columns
from cxrkit.table import FORMULA_SIGNS, LineFeeds

_WORDS = frozenset(
    {"id", "ids", "pid", "uid", "mrn", "dob", "time", "no", "nr", "ssn", "url", "row", "pat", "born", "initials"}
)
_PARTS = (
    *("patient", "person", "subject", "name", "file", "path", "folder", "date", "birth", "accession", "address"),
    *(
        "phone",
        "mail",
        "physician",
        "doctor",
        "operator",
        "radiolog",
        "reader",
        "annotat",
        "technic",
        "technolog",
        "timestamp",
        "comment",
        "remark",
        "warning",
        "error",
        "uuid",
        "number",
    ),
    *("radiolog", "reader", "annotat", "technic", "technolog", "timestamp"),
    *("referr", "proband", "kennung", "nummer", "arzt", "datum", "geburt", "telefon", "adresse"),
)
_GLUED = re.compile(r"(image|study|series|case|scan|exam|visit|record)s?(id|no|number)\b")
_DATE = re.compile(r"\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](19|20)?\d\d\b|(19|20)\d{6}")
_MONTH = (
    r"(jan(uary|uar)?|feb(ruary|ruar)?|mar(ch)?|mrz|märz|apr(il)?|may|mai|june?|juni|july?|juli|aug(ust)?|"
    r"sept?(ember)?|o[ck]t(ober)?|nov(ember)?|de[cz](ember)?)(?![^\W\d_])"
)
_DATE_IN_WORDS = re.compile(rf"\d[\s.,/_-]*{_MONTH}|(?<![^\W\d_]){_MONTH}[\s.,/_-]*\d", re.IGNORECASE)
_FILE = re.compile(
    r"(?!\s*n/a\s*$).*([/\\]|\.(dcm|dicom|ima|png|jpe?g|jp2|tiff?|bmp|gif|webp|nii|npy|npz|zip|gz|csv)\s*$)",
    re.IGNORECASE | re.DOTALL,
)
"""A path, or a name that ends as files of images and tables do: folders and files are often called after persons."""

_TELEPHONE = re.compile(r"(\d[\s()/.-]{0,3}){7}")
_AGES = frozenset({"age", "ages", "alter", "year", "years", "month", "months", "jahre", "monate"})
"""Words of a column's name whose whole numbers may all be different: they are as many as there are years of life."""

_LONGEST, _GREATEST = 40, 10_000
"""Of a text, in characters, and of a whole number, that can stand for a group: longer ones tell persons apart."""


@dataclass(frozen=True, eq=False)
class Export:
    """What is exported.

    Attributes:
        review: the set of cases.
        rows: [M] of its table, in the order of the export.
        label: that is reviewed.
        threshold: called at score >= threshold; None of ages.
        keys: case key by row; None where there is none, because an image cannot be read.
        said: the newest entry of each reviewer by case key.
        columns: of the table, as ticked; those that `offered_columns` does not offer are left out.
        conditions: on columns, by which the rows were chosen.
        by_notes: whether they were chosen by verdict or tag as well.
    """

    review: ReviewSet
    rows: NDArray[np.int64]
    label: str
    threshold: float | None
    keys: Mapping[int, str | None]
    said: Mapping[str, tuple[Entry, ...]]
    columns: tuple[str, ...] = ()
    conditions: Mapping[str, Condition] = field(default_factory=dict)
    by_notes: bool = False

    @property
    def chosen_by(self) -> tuple[tuple[str, ...], bool]:
        """How the rows were chosen, in words, and whether by a column besides that could name somebody."""
        task = self.review.task
        free = {*offered_columns(self.review), *answer_columns(task), task.target_column}
        said = {name: words for name, one in self.conditions.items() if (words := in_words(name, one))}
        told = [words for name, words in said.items() if name in free]
        return (*told, *(["verdict or tag"] if self.by_notes else [])), not said.keys() <= free

    @cached_property
    def allowed(self) -> tuple[str, ...]:
        """The ticked columns that may go out."""
        offered = offered_columns(self.review)
        return tuple(name for name in self.columns if name in offered)

    def entries(self, row: int) -> tuple[Entry, ...]:
        """What the reviewers say of a case, newest first."""
        key = self.keys.get(row)
        return () if key is None else self.said.get(key, ())

    def cell(self, name: str, row: int) -> str:
        """A cell of the table as the screen shows it; "" for nothing."""
        text = shown(self.review.table[name].iat[row])
        return "" if text == EMPTY else text


def offered_columns(review: ReviewSet) -> tuple[str, ...]:
    """Columns of the table that a user may tick for an export, in its order.

    Never one whose name speaks of a patient, name, number, date or file (`identifying`), nor one whose values could
    stand for a person: dates, telephone numbers, large numbers, whole numbers (but ages) and texts that are
    mostly different, long texts, paths and names of files. What is left can still identify a person together with other
    data; so none is exported unless it is ticked.
    """
    task = review.task
    others = {*task.file_columns, task.target_column}
    others |= {f"{of}{name}" for of in ("", OF_BASELINE) for name in (MASK, BOXES)}
    table = review.table
    return tuple(
        str(name)
        for name in table
        if name not in others and not identifying(str(name)) and _tells_groups(str(name), table[name])
    )


def identifying(name: str) -> bool:
    """Whether a column's name speaks of a patient, a name or number of one, a date or a file."""
    words = _words(name)
    joined = "".join(words)
    return bool(_WORDS & set(words)) or any(part in joined for part in _PARTS) or bool(_GLUED.search(joined))


def _words(name: str) -> list[str]:
    """Of a column's name, in small letters; those of patientAge apart."""
    return re.split(r"[\W_]+", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).casefold())


def _tells_groups(name: str, column: "pd.Series[Any]") -> bool:
    written = column[column.notna() & (column != "")]
    if written.empty:
        return False
    few = written.nunique() <= min(MOST_VALUES, max(1, len(written) // 2))
    if pd.api.types.is_numeric_dtype(written):
        values = written.to_numpy(dtype=np.float64)
        if np.abs(values).max() >= _GREATEST:
            return False
        if not np.all(values == np.round(values)):
            return True
        return bool(few or bool(_AGES & set(_words(name))))
    return few and not any(_stands_for_one(str(text)) for text in written.unique().tolist())


def _stands_for_one(text: str) -> bool:
    """Whether a text is too long for a group, names a file, or holds a date or a telephone number."""
    if len(text) > _LONGEST or _FILE.match(text):
        return True
    return any(each.search(text) for each in (_DATE, _DATE_IN_WORDS, _TELEPHONE))


def review_csv(export: Export, footer: str, *, words: bool) -> bytes:
    """CSV: a row for each reviewer's newest entry on each case, and one for a case of which nobody said anything.

    In UTF-8 with the byte order mark by which Excel knows it; `cxrkit.table` reads it without.

    Text that a spreadsheet would take for a formula gets an apostrophe in front
    (https://owasp.org/www-community/attacks/CSV_Injection).

    Args:
        export: what goes out.
        footer: a sentence that stands in every row.
        words: with what reviewers wrote: tags, notes, initials and when. Without it they are numbers.
    """
    text = io.StringIO()
    months = "_months" if export.threshold is None else ""
    columns = [f"table_{name}" for name in export.allowed]
    head = ["case_key", "label", f"truth{months}", f"score{months}", *([] if months else ["threshold", "called"])]
    table = csv.writer(LineFeeds(text))
    said = ["verdict", "tags", "note", "reviewer", "written", "weights_seen", "about"]
    table.writerow(safe_cell(name) for name in [*head, *columns, *said])
    table.writerows([safe_cell(cell) for cell in line] for line in _lines(export, footer, words=words))
    return text.getvalue().encode("utf-8-sig")


def _lines(export: Export, footer: str, *, words: bool) -> Iterator[list[str]]:
    truth, score = export.review.truth(export.label), export.review.score(export.label)
    columns = export.allowed
    who: dict[str, str] = {}
    for row in map(int, export.rows):
        case = [export.keys.get(row) or "", export.label, _number(truth[row]), _number(score[row])]
        if export.threshold is not None:
            called = "" if np.isnan(score[row]) else ("yes" if score[row] >= export.threshold else "no")
            case += [_number(export.threshold), called]
        case += [export.cell(name, row) for name in columns]
        for entry in export.entries(row) or (None,):
            said = _said(entry)
            if entry is not None and not words:
                number = who.setdefault(entry.reviewer, f"reviewer {len(who) + 1}")
                said = [said[0], "", "", number, "", said[5]]
            yield [*case, *said, footer]


def _said(entry: Entry | None) -> list[str]:
    if entry is None:
        return [""] * 6
    verdict = "" if entry.verdict is None else entry.verdict.value
    written = f"{entry.written:%Y-%m-%dT%H:%M:%SZ}"
    return [verdict, "; ".join(entry.tags), entry.note, entry.reviewer, written, entry.weights]


def _number(value: float) -> str:
    return "" if np.isnan(value) else f"{value:.6g}"


def safe_cell(text: str) -> str:
    """Text that no spreadsheet runs as a formula; numbers stay numbers."""
    if not text.lstrip(" ").startswith(FORMULA_SIGNS):
        return text
    try:
        float(text)
    except ValueError:
        return f"'{text}"
    return text

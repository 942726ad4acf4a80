"""What leaves a review: nothing that identifies, nothing that runs, and the figures as they are on the page."""

import csv
import datetime
import io
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest

from cxrkit.card import read_card
from cxrkit.finding_auc import auc_by_patient
from cxrkit.metrics import confusion
from cxrkit.review.case_key import case_key, case_keys
from cxrkit.review.compare_tests import BY_PATIENT
from cxrkit.review.export import Export, offered_columns, review_csv, safe_cell
from cxrkit.review.export_report import KEY_DIGITS, Report, pictures_of, review_html, worst_rows
from cxrkit.review.notes import Entry, Verdict
from cxrkit.review.table import AGE_LABEL, ReviewSet, answer_columns, read_predictions
from cxrkit.task import Task
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from tests.small_weights import write_small_weights

CANARY = "Zebedee"
HOSTILE = '<script src="https://evil.example/x.js">alert(1)</script><img src=x onerror=alert(1)>"\'&'
COLUMN = "=<b onclick=alert(1)>"
FOOTER = "For research and teaching only. Not a medical device, not for diagnosis, screening or treatment."
NOW = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
CASES = 12
PATIENTS = [f"{CANARY}{row // 2}" for row in range(CASES)]

SCORES = np.linspace(0.04, 0.97, CASES)
TARGET = np.array([0, 0, 1, 0, 0, 1, 0, 1, 1, 0, 1, 1])


def table_of(task: Task, target: np.ndarray, score: np.ndarray, further: dict[str, list[str]]) -> bytes:
    """A table of predictions with columns that identify, and others."""
    files = {name: [f"{CANARY}_{name}_{row}.png" for row in range(len(target))] for name in task.file_columns}
    answers = {
        name: [f"{value:.4f}" for value in (score if name == called(task) else 1 - score)] for name in answers_of(task)
    }
    columns = {**files, task.target_column: [f"{value:g}" for value in target], **answers, **further}
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode()


def answers_of(task: Task) -> tuple[str, ...]:
    return answer_columns(task)


def called(task: Task) -> str:
    return answer_columns(task)[0 if task.called is None else task.positive_index]


@pytest.fixture
def review(tmp_path: Path) -> ReviewSet:
    """Twelve images of tuberculosis or not; half of the table's columns could identify their patients."""
    generator = np.random.default_rng(0)
    for row in range(CASES):
        cv2.imwrite(str(tmp_path / f"{CANARY}_file_{row}.png"), generator.integers(0, 255, (90, 60), dtype=np.uint8))
    further = {
        "patient_id": PATIENTS,
        "Patient Age": [str(40 + row) for row in range(CASES)],
        "StudyDate": ["20200101"] * CASES,
        "taken": ["2020-01-01"] * CASES,
        "mrn": [str(row) for row in range(CASES)],
        "ward": [f"{CANARY} {row}" for row in range(CASES)],
        "number": [str(1_000_000 + row // 3) for row in range(CASES)],
        "view": ["PA", "AP", "=PA()"] * 4,
        "age": [str(40 + row) for row in range(CASES)],
        COLUMN: ["x", "<img src=x onerror=alert(1)>"] * 6,
    }
    return read_predictions(table_of(TUBERCULOSIS, TARGET, SCORES, further), CANARY, TUBERCULOSIS, tmp_path)


def entry(key: str, number: int = 1, **more: object) -> Entry:
    remark = Entry(
        case_key=key,
        task="tuberculosis",
        label="tuberculosis",
        reviewer="QX",
        verdict=Verdict.MODEL_WRONG,
        tags=("=tag", HOSTILE[:25]),
        note=f"=cmd|' /C calc'!A0 {HOSTILE}",
        weights="f" * 64,
        number=number,
        written=NOW,
    )
    return replace(remark, **more)


@pytest.fixture
def export(review: ReviewSet) -> Export:
    """All cases with all columns ticked, two reviewers on the first."""
    keys = case_keys(review, range(CASES))
    first, second = str(keys[0]), str(keys[2])
    said = {
        first: (entry(first, 3, reviewer="AB", verdict=Verdict.AGREE, tags=(), note="fine"), entry(first)),
        second: (entry(second, 2),),
    }
    return Export(review, np.arange(CASES), "tuberculosis", 0.5, keys, said, tuple(map(str, review.table)))


def cases_csv(export: Export) -> str:
    """The exported table as a spreadsheet reads it."""
    return review_csv(export, FOOTER, words=True).decode("utf-8-sig")


def test_without_the_reviewers_words_the_table_names_nobody(export: Export) -> None:
    rows = list(csv.DictReader(io.StringIO(review_csv(export, FOOTER, words=False).decode("utf-8-sig"))))
    full = list(csv.DictReader(io.StringIO(cases_csv(export))))
    assert [row["verdict"] for row in rows] == [row["verdict"] for row in full]
    assert {row["reviewer"] for row in rows} == {"", "reviewer 1", "reviewer 2"}
    assert {(row["tags"], row["note"], row["written"]) for row in rows} == {("", "", "")}
    assert [row["weights_seen"] for row in rows] == [row["weights_seen"] for row in full]


def report(**more: object) -> Report:
    return replace(Report(worst=5, pictures={}, notes=True, footer=FOOTER, made=NOW), **more)


class Seen(HTMLParser):
    """Elements and text of a page; as a browser reads it."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self.inside = False
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag == "tr":
            self.rows.append([])
        elif tag in {"td", "th"}:
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag: str) -> None:
        self.inside = self.inside and tag not in {"td", "th"}

    def handle_data(self, data: str) -> None:
        if self.inside:
            self.rows[-1][-1] += data

    def row(self, first: str) -> list[str]:
        return next(cells for cells in self.rows if cells and cells[0] == first)


def test_columns_that_could_identify_are_never_offered(review: ReviewSet) -> None:
    assert set(offered_columns(review)) == {"score_normal", "score_tuberculosis", "view", "age", COLUMN}


def test_neither_file_holds_what_identifies(export: Export) -> None:
    for text in (cases_csv(export), review_html(export, None, report())):
        assert CANARY not in text
        assert "2020-01-01" not in text
        assert "20200101" not in text
        assert "1000000" not in text
        assert FOOTER in text
    assert "QX" not in review_html(export, None, report())


def test_every_chosen_case_is_in_the_table_with_each_reviewer(export: Export) -> None:
    rows = list(csv.DictReader(io.StringIO(cases_csv(export))))
    assert len(rows) == CASES + 1
    first, second, third = rows[0], rows[1], rows[2]
    assert (first["reviewer"], first["verdict"], first["note"]) == ("AB", "agree", "fine")
    assert (second["reviewer"], second["verdict"]) == ("QX", "model wrong")
    assert first["case_key"] == second["case_key"] == case_key(export.review.paths(0))
    assert first["written"] == "2026-01-02T03:04:05Z"
    assert (third["verdict"], third["reviewer"], third["called"]) == ("", "", "no")
    assert [float(row["score"]) for row in rows[1:]] == pytest.approx(SCORES, abs=1e-4)
    assert [row["truth"] for row in rows[1:]] == [f"{value:g}" for value in TARGET]
    assert [row["table_age"] for row in rows[1:]] == [str(40 + row) for row in range(CASES)]
    assert {row["about"] for row in rows} == {FOOTER}


def test_no_cell_starts_a_formula(export: Export) -> None:
    for row in csv.reader(io.StringIO(cases_csv(export))):
        assert not [cell for cell in row if cell.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))]
    assert "'=PA()" in cases_csv(export)
    assert "'=cmd" in cases_csv(export)


_FULL_WIDTH = [f"{sign}A1" for sign in "\uff1d\uff0b\uff0d\uff20"]


@pytest.mark.parametrize(
    "text", ["=1+1", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "-", "- dash", *_FULL_WIDTH]
)
def test_formulas_become_text(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("text", ["", "-0.25", "+3", "-1e-5", "a=b", "agree", "12", "a - b"])
def test_numbers_and_words_stay(text: str) -> None:
    assert safe_cell(text) == text


def test_hostile_text_is_shown_and_not_run(export: Export) -> None:
    seen = Seen(review_html(export, None, report(worst=CASES)))
    allowed = {"html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "div", "table", "caption", "thead"}
    drawn = {"figure", "figcaption", "svg", "defs", "clippath", "g", "path", "rect", "use"}
    rest = {"tbody", "tr", "th", "td", "ul", "li", "br", "footer"}
    assert {tag for tag, _ in seen.elements} <= allowed | drawn | rest
    assert not [name for _, attributes in seen.elements for name in attributes if name.startswith("on")]
    shown = seen.row(case_key(export.review.paths(2))[:KEY_DIGITS])
    assert f"=cmd|' /C calc'!A0 {HOSTILE}" in shown
    assert any(COLUMN in cells for cells in seen.rows)
    assert "x" in shown


def test_nothing_is_fetched_from_anywhere(export: Export) -> None:
    pictures = pictures_of(export, worst_rows(export, 5))
    html = review_html(export, None, report(pictures=pictures))
    seen = Seen(html)
    sources = [attributes["src"] for _, attributes in seen.elements if "src" in attributes]
    assert len(sources) == 5
    assert all(str(source).startswith("data:image/jpeg;base64,") for source in sources)
    assert not [attributes for _, attributes in seen.elements if {"href", "srcset", "action", "data"} & set(attributes)]
    assert "url(" not in html
    assert "@import" not in html
    policy = next(each["content"] for _, each in seen.elements if "http-equiv" in each)
    assert str(policy).startswith("default-src 'none'")


def test_pictures_hold_pixels_alone(review: ReviewSet, export: Export) -> None:
    from PIL import Image

    pictures = pictures_of(export, range(CASES))
    assert len(pictures) == CASES
    for data in pictures.values():
        with Image.open(io.BytesIO(data)) as picture:
            assert max(picture.size) <= 168
            assert not picture.getexif()
            assert set(picture.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    review.paths(3)[0].unlink()
    assert set(pictures_of(export, range(CASES))) == set(range(CASES)) - {3}


def test_figures_counts_and_network_are_those_of_the_chosen_cases(export: Export, tmp_path: Path) -> None:
    write_small_weights(TUBERCULOSIS, tmp_path)
    card = read_card(tmp_path / "tuberculosis" / "card.json")
    chosen = replace(export, rows=np.arange(1, CASES))
    seen = Seen(review_html(chosen, card, report()))
    target, score = TARGET[1:], SCORES[1:].round(4)
    area, counts = auc_by_patient(target, score, PATIENTS[1:]), confusion(target, score >= 0.5)
    assert seen.row("AUC")[1:4] == [f"{area.value:.3f}", f"{area.low:.3f} to {area.high:.3f}", str(CASES - 1)]
    assert seen.row("AUC")[4] == BY_PATIENT
    sensitivity = counts.sensitivity
    assert seen.row("sensitivity")[1:3] == [
        f"{sensitivity.value:.3f}",
        f"{sensitivity.low:.3f} to {sensitivity.high:.3f}",
    ]
    assert seen.row("label there")[1:] == [str(counts.tp), str(counts.fn)]
    assert seen.row("label not there")[1:] == [str(counts.fp), str(counts.tn)]
    assert seen.row("model wrong")[1] == "1"
    assert seen.row("agree")[1] == "0"
    assert seen.row("SHA-256 of its weights")[1] == card.sha256
    assert seen.row("Weights that reviewers had before them")[1] == "f" * 64


def test_the_worst_cases_come_first_and_notes_only_when_asked_for(export: Export) -> None:
    worst = worst_rows(export, 3)
    assert worst == np.argsort(-np.abs(SCORES - TARGET), kind="stable")[:3].tolist()
    html = review_html(export, None, report(worst=3, notes=False))
    shown = [cells[0] for cells in Seen(html).rows[-3:]]
    assert shown == [case_key(export.review.paths(row))[:KEY_DIGITS] for row in worst]
    assert "calc" not in html
    assert "=tag" not in html
    assert "=tag" in review_html(export, None, report(worst=3, notes=True))


def test_ages_have_their_own_figures_and_no_confusion(tmp_path: Path) -> None:
    ages = np.linspace(24, 200, CASES)
    further = {"likeliest_age_months": [f"{age:g}" for age in ages]}
    data = table_of(BONE_AGE, ages, ages + np.tile([6.0, -2.0], CASES // 2), further)
    review = read_predictions(data, "run", BONE_AGE, None)
    export = Export(review, np.arange(CASES), AGE_LABEL, None, {}, {})
    seen = Seen(review_html(export, None, report()))
    assert seen.row("mean absolute difference")[1] == "4.000"
    assert seen.row("bias")[1] == "2.000"
    assert "Confusion" not in review_html(export, None, report())
    (first, *_) = csv.DictReader(io.StringIO(cases_csv(export)))
    assert (first["case_key"], first["truth_months"], first["score_months"]) == ("", "24", "30")


def test_cases_that_cannot_give_figures_still_give_a_report(export: Export) -> None:
    html = review_html(replace(export, rows=np.array([0])), None, report())
    assert "Not defined on these cases" in html

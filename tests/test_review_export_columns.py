"""Which columns of a table may leave a review: none that tells persons apart."""

import csv
import io

import numpy as np
import pytest

from cxrkit.review.export import Export, identifying, offered_columns, review_csv
from cxrkit.review.table import ReviewSet, read_predictions
from cxrkit.table import parse_table
from cxrkit.tasks.tuberculosis import TUBERCULOSIS

CASES = 600


def review_with(**columns: list[str]) -> ReviewSet:
    """600 cases with these columns beside scores and truths."""
    rows = range(CASES)
    table = {
        "file": [f"{row}.png" for row in rows],
        "target": [str(row % 2) for row in rows],
        "score_normal": ["0.25"] * CASES,
        "score_tuberculosis": ["0.75"] * CASES,
        **columns,
    }
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(table)
    writer.writerows(zip(*table.values(), strict=True))
    return read_predictions(text.getvalue().encode(), "run", TUBERCULOSIS, None)


def offered(**columns: list[str]) -> set[str]:
    return set(offered_columns(review_with(**columns))) - {"score_normal", "score_tuberculosis"}


@pytest.mark.parametrize(
    "name",
    ["patient_id", "PatientID", "Patient Age", "name", "surname", "ID", "image id", "studyid", "StudyDate", "birthday"],
)
def test_names_that_speak_of_a_person(name: str) -> None:
    assert identifying(name)


@pytest.mark.parametrize("name", ["dob", "FileName", "path", "Image_Index_No", "case no", "acquisition time", "error"])
def test_names_that_speak_of_a_file_or_a_date(name: str) -> None:
    assert identifying(name)


@pytest.mark.parametrize("name", ["age", "sex", "view", "family", "source", "split", "covid", "width", "score_normal"])
def test_names_that_speak_of_a_group(name: str) -> None:
    assert not identifying(name)


@pytest.mark.parametrize(
    "name",
    [
        *("number", "pat", "initials", "born", "proband", "kennung", "fallnummer", "hospital_number", "arzt", "Pat Nr"),
        *("referrer", "referring clinician", "datum", "Aufnahmedatum", "geburtstag", "telefon", "Telefonnummer"),
    ],
)
def test_more_names_that_speak_of_a_person_also_in_german(name: str) -> None:
    assert identifying(name)


def test_whole_numbers_that_tell_persons_apart_are_not_offered_and_ages_are() -> None:
    persons = [str(1000 + row % 500) for row in range(CASES)]
    few = [str(1000 + row // 5) for row in range(CASES)]
    ages = [str(row % 100) for row in range(CASES)]
    assert offered(
        code=persons, group=few, age_years=ages, alter=ages, kvp=[str(60 + row % 40) for row in range(CASES)]
    ) == {
        "age_years",
        "alter",
        "kvp",
    }


@pytest.mark.parametrize(
    "text",
    [
        *("5 Jan 2020", "Jan 5, 2020", "05-DEC-20", "5. März 2020", "Mai 2021", "2020oct5", "31.Oktober"),
        *("+49 30 1234567", "030/1234567", "(555) 123-4567", "0171 234 56 78"),
    ],
)
def test_dates_in_words_and_telephone_numbers_are_not_offered(text: str) -> None:
    assert offered(note=[text, "none"] * (CASES // 2)) == set()


@pytest.mark.parametrize("text", ["PA", "512 x 512", "margin 2", "stage IV", "2.5 mm", "decubitus 2", "maybe 1"])
def test_texts_of_groups_are_offered(text: str) -> None:
    assert offered(view=[text, "none"] * (CASES // 2)) == {"view"}


def test_a_spreadsheet_reads_umlauts_and_so_do_we() -> None:
    review = review_with(view=["Rückseite", "vorn"] * (CASES // 2))
    data = review_csv(Export(review, np.arange(2), "tuberculosis", 0.5, {}, {}, ("view",)), "No device.", words=True)
    assert data.startswith(b"\xef\xbb\xbf"), "without the mark Excel takes UTF-8 for its own code page"
    header, rows = parse_table(data, ("case_key", "table_view"), "The table")
    assert rows[0][1][header.index("table_view")] == "Rückseite"


def test_where_lesions_of_a_pair_lie_is_not_offered() -> None:
    cells = ["left", "right"] * (CASES // 2)
    assert offered(mask=cells, boxes=cells, baseline_mask=cells, baseline_boxes=cells, side=cells) == {"side"}


@pytest.mark.parametrize(
    "text", ["site/jones", "C:\\jones", "/data", "jones.dcm", "jones.PNG ", "jones.nii.gz", "jones\n.jpeg"]
)
def test_paths_and_names_of_files_are_not_offered(text: str) -> None:
    assert offered(source=[text, "none"] * (CASES // 2)) == set()


@pytest.mark.parametrize("text", ["n/a", "N/A", "v1.2", "png", "approx. 3"])
def test_texts_that_are_no_file_are_offered(text: str) -> None:
    assert offered(source=[text, "none"] * (CASES // 2)) == {"source"}

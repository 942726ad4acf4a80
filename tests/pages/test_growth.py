"""Several visits of one child: the band, the rates, the ages as typed, the CSV; values worked by hand."""

import csv
import datetime
import io
import re
from dataclasses import replace

import pytest

from cxrkit.age_reading import AgeReading
from cxrkit.bone_age import Sex, sd_score
from pages.ui.growth_ages import OwnAge, Typed, birth_date, disagreements, from_ages, from_dates, proposed
from pages.ui.growth_course import Visit, in_order, remarks, step_rows, steps, visit_rows
from pages.ui.growth_export import COLUMNS, growth_csv
from pages.ui.growth_plot import growth_figure, sd_band
from pages.ui.growth_samples import CHILD, SimulatedVisit
from pages.ui.several_uploads import in_markdown
from pages.ui.words import short_age

_REPLACED = re.compile(
    r"(https?://|www(?=\.))[-.\w]+|[-.\w+]+@[-\w]+\.|(^|\s)(<->|->|<-|--|>=|<=|~=)(\s|$)|:[\w+-][\w/+-]*:",
    re.IGNORECASE,
)
"""What Streamlit 1.67 makes a link, an arrow or an icon of."""


def visit(
    number: int, age: float | None, bone: float, half: float = 6.0, sex: Sex | None = "M", truth: float | None = None
) -> Visit:
    """A visit whose bone age has an interval of this half width in months."""
    reading = AgeReading(
        probabilities=(),
        expected=bone,
        likeliest=3.0 * round(bone / 3),
        spread=4.0,
        interval=(bone - half, bone + half),
        coverage=0.9,
        sex=sex,
        female=0.5,
        age=age,
        sd=None if age is None else sd_score(bone, age, sex),
        warnings=(),
    )
    return Visit(number, f"{number}.png", reading, (), truth)


def test_the_band_is_two_deviations_of_the_nearest_tabulated_age() -> None:
    band = sd_band("M")
    # 96 months have 9.10, 108 have 9.00; the step lies halfway, at 102.
    assert [corner for corner in band if corner[0] == 102] == [
        (102, pytest.approx(102 - 18.2), pytest.approx(102 + 18.2)),
        (102, pytest.approx(102 - 18.0), pytest.approx(102 + 18.0)),
    ]
    assert band[0] == (3, pytest.approx(3 - 1.38), pytest.approx(3 + 1.38))
    assert (band[-1][0], sd_band("F")[-1][0]) == (204, 192)
    assert sd_band(None) == []


def test_what_lies_on_the_bands_edge_is_normal_and_beyond_it_is_not() -> None:
    for sex in ("F", "M"):
        for age, low, high in sd_band(sex)[1:-1:2]:
            inside = sd_score(low + 0.01, age, sex).score, sd_score(high - 0.01, age, sex).score
            outside = sd_score(low - 0.01, age, sex).score, sd_score(high + 0.01, age, sex).score
            assert [score and score.verdict for score in (*inside, *outside)] == [
                "normal",
                "normal",
                "delayed",
                "advanced",
            ]


def test_rates_are_years_of_bone_age_a_year_with_the_ends_of_the_intervals() -> None:
    first, second, third = visit(1, 84, 80, 3), visit(2, 60, 58, 3), visit(3, 108, 140, 3)
    found = steps([first, second, third])
    assert [(step.first, step.second) for step in found] == [(2, 1), (1, 3)]
    # From 60 to 84 months the bone age goes from 58 to 80: 22 / 24; at the ends 16 / 24 and 28 / 24.
    assert (found[0].own, found[0].bone) == (24, 22)
    assert (found[0].rate, found[0].low, found[0].high) == pytest.approx((22 / 24, 16 / 24, 28 / 24))
    assert found[0].verdict == "within the intervals' noise: 1 fits as well"
    assert (found[1].rate, found[1].low, found[1].verdict) == (2.5, 2.25, "faster than 1")


def test_slow_growth_a_repeated_age_and_missing_intervals_are_said() -> None:
    assert steps([visit(1, 60, 60, 1), visit(2, 84, 66, 1)])[0].verdict == "slower than 1"
    same = steps([visit(1, 60, 60), visit(2, 60, 66)])[0]
    assert (same.rate, same.low, same.verdict) == (None, None, "no rate: the same own age")
    assert step_rows([same])[0]["Years of bone age a year"] == "–"
    bare = [replace(v, reading=replace(v.reading, interval=None)) for v in (visit(1, 60, 60), visit(2, 72, 66))]
    found = steps(bare)[0]
    assert (found.rate, found.low) == (0.5, None)
    assert "no interval" in found.verdict
    assert steps([visit(1, 60, 60), visit(2, None, 66)]) == []


def test_visits_are_listed_by_age_and_those_without_one_last() -> None:
    visits = [visit(1, None, 70), visit(2, 108, 84), visit(3, 60, 58)]
    assert [v.number for v in in_order(visits)] == [3, 2, 1]
    rows = visit_rows(visits)
    assert rows[1] == {
        "Image": "2",
        "Own age": "9 y",
        "Bone age": "7 y",
        "90\N{NO-BREAK SPACE}% interval": "6 y 6 m to 7 y 6 m",
        "Likeliest class": "7 y",
        "SD score": "−2.7",  # (84 - 108) / 9.00
        "Verdict": "delayed",
        "File": "2.png",
    }
    assert (rows[2]["Own age"], rows[2]["Verdict"]) == ("–", "none: own age not known")
    assert visit_rows([visit(1, 60, 58, sex=None)])[0]["Verdict"] == "none: sex not stated"
    assert visit_rows([visit(1, 210, 200)])[0]["Verdict"] == "none: own age outside the table"
    assert visit_rows([visit(1, 60, 58, truth=60)])[0]["True bone age"] == "5 y"


def test_each_warning_is_said_once_with_its_images() -> None:
    first, second = (replace(visit(n, 210, 200), warnings=("Adult.",)) for n in (1, 2))
    said = remarks([first, second])
    assert said[0] == "**Images 1 and 2.** Adult."
    assert "**Images 1 and 2.** There is no SD score, because the table for boys" in said[1]


def test_short_ages_and_rates() -> None:
    assert (short_age(99), short_age(12), short_age(1), short_age(0)) == ("8 y 3 m", "1 y", "1 m", "0 m")
    (row,) = step_rows(steps([visit(1, 60, 60, 1), visit(2, 72, 57, 1)]))
    assert (row["Own age"], row["Bone age"]) == ("+1 y", "−3 m")
    assert row["Years of bone age a year"] == "−0.2"  # -3 / 12
    assert row["By the intervals"] == "−0.4 to −0.1"  # -5 / 12, -1 / 12


def test_the_figure_has_band_points_in_order_and_intervals_in_years() -> None:
    figure = growth_figure([visit(1, 108, 84), visit(2, 60, 58, truth=60), visit(3, None, 70)], "M")
    band, equal, truth, points = figure.data
    assert (band.name, equal.name) == ("within ±2 SD", "bone age = own age")
    assert (list(truth.x), list(truth.y)) == ([5], [5])
    assert list(points.x) == [5, 9]
    assert list(points.y) == pytest.approx([58 / 12, 7])
    assert list(points.error_y.array) == pytest.approx([0.5, 0.5])
    assert list(points.marker.symbol) == ["circle", "diamond"]
    assert "own age 9 years<br>bone age 7 years" in points.customdata[1]
    assert "SD score −2.7, delayed" in points.customdata[1]
    assert len(growth_figure([visit(1, 108, 84, sex=None)], None).data) == 2


def test_the_csv_is_in_months_and_names_no_file() -> None:
    text = growth_csv([visit(2, 108, 84.04), visit(1, None, 58)], "abc")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert tuple(rows[0]) == COLUMNS
    assert [row["visit"] for row in rows] == ["2", "1"]
    assert rows[0] | {"note": ""} == {
        "visit": "2",
        "own_age_months": "108.0",
        "bone_age_months": "84.0",
        "likeliest_months": "84.0",
        "interval_low": "78.0",
        "interval_high": "90.0",
        "sd_score": "-2.66",
        "verdict": "delayed",
        "sex": "M",
        "weights": "abc",
        "note": "",
    }
    assert rows[0]["note"].startswith("For research and teaching only")
    assert (rows[1]["own_age_months"], rows[1]["sd_score"]) == ("", "")
    assert ".png" not in text
    simulated = next(csv.DictReader(io.StringIO(growth_csv([visit(1, 60, 58, truth=60)], "abc"))))
    assert simulated["true_bone_age_months"] == "60.0"
    assert simulated["note"].startswith("Simulated image, no patient.")


@pytest.mark.parametrize(
    ("years", "months", "expected", "problem"),
    [
        ("8", "3", 99, ""),
        ("8,5", "", 102, ""),
        ("", "30", 30, ""),
        ("", " ", None, ""),
        ("eight", "", None, "not a number"),
        ("-8", "", None, "negative"),
        ("8", "-3", None, "negative"),
        ("8", "14", None, "less than 12"),
        ("800", "", None, "not possible"),
        ("nan", "", None, "not a number"),
    ],
)
def test_ages_as_typed(years: str, months: str, expected: float | None, problem: str) -> None:
    found = from_ages(Typed(years, months))
    assert found.months == expected
    assert problem in found.problem
    assert bool(found.problem) == bool(problem)


def test_ages_from_dates() -> None:
    birth, row = datetime.date(2015, 3, 10), Typed(date="2023-06-10")
    assert from_dates(birth, row).months == 99
    assert from_dates(birth, Typed(), datetime.date(2016, 3, 10)).months == 12
    assert from_dates(birth, row, datetime.date(2016, 3, 10)).months == 99
    assert from_dates(None, row) == from_dates(birth, Typed()) == OwnAge(None)
    ahead = (datetime.date.today() + datetime.timedelta(days=40)).isoformat()
    assert "future" in from_dates(birth, Typed(date=ahead)).problem
    assert "future" in from_dates(None, Typed(date=ahead)).problem
    assert "birth is after" in from_dates(birth, Typed(date="2014-01-01")).problem
    assert "cannot be read" in from_dates(birth, Typed(date="10/06/2023")).problem
    assert birth_date(" ") is None


def test_ages_are_proposed_from_the_days_between_and_disagreements_said() -> None:
    rows, days = [Typed("5", "0"), Typed(), Typed("9", "2"), Typed()], [0, 731, 1461, None]
    ages = [from_ages(row) for row in rows]
    # 731 days are 24.02 months; a row with an age, and one without a day, stay as they are.
    assert proposed(rows, ages, days) == [rows[0], Typed("7", "0"), rows[2], rows[3]]
    assert proposed(rows, [OwnAge(None)] * 4, days) == rows
    assert disagreements([1, 2, 3, 4], ages, days) == []  # 50 months stated, 48 dated
    wrong = [OwnAge(60), OwnAge(None), OwnAge(48), OwnAge(None)]
    assert disagreements([1, 2, 3, 4], wrong, days) == [
        "By the dates in the files image 3 was taken 4 years after image 1; by the ages stated here, 1 year before. "
        "Check both ages."
    ]


def test_file_names_are_no_markdown() -> None:
    assert in_markdown("a_b*[c](d).png") == r"a\_b\*\[c\]\(d\)\.png"
    assert in_markdown("one two-3.png") == r"one two\-3\.png"


@pytest.mark.parametrize(
    "name",
    [
        *(
            "https://evil.example/p.png",
            "HTTP://evil.example",
            "www.evil.example",
            "WWW.evil.example",
            "a@evil.example",
        ),
        *("a -> b", "a <- b", "a <-> b", "a -- b", "a >= b", "a <= b", "a ~= b"),
        *(":streamlit:", ":material/home:", ":smile:"),
    ],
)
def test_file_names_are_no_address_arrow_or_icon(name: str) -> None:
    """Streamlit looks for these in what Markdown made of the text, when no escape is left."""
    shown = in_markdown(name).replace("\\", "")
    assert shown.replace("\N{WORD JOINER}", "") == name
    assert not _REPLACED.search(shown)


def test_one_simulated_visit_is_clearly_delayed() -> None:
    scores = [sd_score(each.bone_age, each.age, "M").score for each in CHILD]
    assert [score and score.verdict for score in scores] == ["normal", "normal", "delayed", "normal", "normal"]
    assert CHILD[2] == SimulatedVisit(108, 84)

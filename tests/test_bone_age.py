"""From age classes to words: decoding against plain NumPy, SD scores against values worked by hand."""

import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cxrkit.bone_age import (
    CLASS_AGES,
    SD_TABLES,
    Sex,
    Verdict,
    adult_warnings,
    age_at,
    age_probabilities,
    age_spread,
    check_age,
    check_sex,
    expected_age,
    in_words,
    likeliest_age,
    parse_date,
    sd_score,
    without_sex,
)
from cxrkit.errors import InputError

PUBLISHED_AGES = "3, 6, 9, 12, 18, 24, 30, 36, 42, 48, 54, 60, 72, 84, 96, 108, 120, 132, 144, 156, 168, 180, 192"
PUBLISHED = {
    "M": ".69 1.13 1.43 1.97 3.52 3.92 4.52 5.08 5.40 6.66 8.36 8.79 9.17 8.91 9.10 9.00 9.79 10.09 10.38 10.44 10.72 "
    "11.32 12.86 13.05",
    "F": ".72 1.16 1.36 1.77 3.49 4.64 5.37 5.97 7.48 8.98 10.73 11.65 10.23 9.64 10.23 10.74 11.73 11.94 10.24 10.67 "
    "11.30 9.23 7.31",
}


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_decoding_is_what_plain_numpy_says(rng: np.random.Generator) -> None:
    logits = rng.normal(size=(5, 77)) * 3
    found = age_probabilities(logits, temperature=1.7)
    for row, probability in zip(logits, found, strict=True):
        shares = np.array([np.exp(value / 1.7) for value in row])
        shares /= shares.sum()
        np.testing.assert_allclose(probability, shares)
        mean = sum(3 * k * share for k, share in enumerate(shares))
        assert expected_age(probability) == pytest.approx(mean)
        assert likeliest_age(probability) == 3 * int(np.argmax(row))
        variance = sum(share * (3 * k - mean) ** 2 for k, share in enumerate(shares))
        assert age_spread(probability) == pytest.approx(np.sqrt(variance))
    assert expected_age(found).shape == likeliest_age(found).shape == age_spread(found).shape == (5,)


def test_certain_answers() -> None:
    certain = np.eye(77)
    np.testing.assert_array_equal(expected_age(certain), np.arange(0, 229, 3))
    np.testing.assert_array_equal(likeliest_age(certain), CLASS_AGES)
    np.testing.assert_array_equal(age_spread(certain), np.zeros(77))
    assert likeliest_age(np.full(77, 1 / 77)) == 0
    assert expected_age(np.full(77, 1 / 77)) == pytest.approx(114)
    huge = np.where(np.arange(77) == 4, 1e6, -1e6)
    assert expected_age(age_probabilities(huge)) == 12


def test_unknown_sex_is_the_sum_over_both(rng: np.random.Generator) -> None:
    of_sex, of_age = rng.dirichlet(np.ones(2), size=4), rng.dirichlet(np.ones(77), size=(4, 2))
    found = without_sex(of_sex, of_age)
    for n in range(4):
        for k in range(77):
            assert found[n, k] == pytest.approx(sum(of_sex[n, g] * of_age[n, g, k] for g in range(2)))
    np.testing.assert_allclose(found.sum(axis=1), 1)
    np.testing.assert_array_equal(without_sex([0.0, 1.0], of_age[0]), of_age[0, 1])
    np.testing.assert_allclose(
        expected_age(without_sex(of_sex, of_age)), (of_sex * expected_age(of_age)).sum(axis=1), rtol=1e-12
    )


def test_wrong_shapes_and_broken_networks_are_refused(rng: np.random.Generator) -> None:
    for decode in (age_probabilities, expected_age, likeliest_age, age_spread):
        with pytest.raises(ValueError, match="77 age classes"):
            decode(rng.normal(size=(3, 79)))
        with pytest.raises(ValueError, match="finite"):
            decode(np.full(77, np.nan))
    with pytest.raises(ValueError, match="are not"):
        without_sex(np.ones((3, 2)), np.ones((2, 77)))
    with pytest.raises(ValueError, match="are not"):
        without_sex(np.ones((2, 3)), np.ones((2, 3, 77)))


@pytest.mark.parametrize("sex", ["F", "M"])
def test_tables_are_the_published_ones(sex: Sex) -> None:
    ages = [int(age) for age in PUBLISHED_AGES.split(", ")] + ([204] if sex == "M" else [])
    deviations = [float(value) for value in PUBLISHED[sex].split()]
    assert SD_TABLES[sex] == dict(zip(ages, deviations, strict=True))
    for age, deviation in zip(ages, deviations, strict=True):
        score = sd_score(age + deviation, age, sex).score
        assert score is not None
        assert (score.value, score.table_age) == (pytest.approx(1.0), age)


@pytest.mark.parametrize(
    ("bone_age", "age", "sex", "value", "table_age", "verdict"),
    [
        (100, 120, "M", -20 / 9.79, 120, "delayed"),
        (101, 120, "M", -19 / 9.79, 120, "normal"),
        (130, 120, "F", 10 / 11.73, 120, "normal"),
        (150, 120, "F", 30 / 11.73, 120, "advanced"),
        (100, 125, "M", -25 / 9.79, 120, "delayed"),
        (100, 127, "M", -27 / 10.09, 132, "delayed"),
        (126, 126, "M", 0.0, 120, "normal"),  # halfway: the younger one
        (12, 10.5, "F", 1.5 / 1.36, 9, "normal"),
        (12, 10.6, "F", 1.4 / 1.77, 12, "normal"),
        (3, 3, "F", 0.0, 3, "normal"),
        (192, 204, "M", -12 / 13.05, 204, "normal"),
        (180, 200, "M", -20 / 13.05, 204, "normal"),
        (180, 192, "F", -12 / 7.31, 192, "normal"),
    ],
)
def test_scores_worked_by_hand(
    bone_age: float, age: float, sex: Sex, value: float, table_age: int, verdict: Verdict
) -> None:
    reading = sd_score(bone_age, age, sex)
    assert reading.reason == ""
    assert reading.score is not None
    assert reading.score.value == pytest.approx(value)
    assert (reading.score.table_age, reading.score.verdict) == (table_age, verdict)
    assert reading.score.standard_deviation == SD_TABLES[sex][table_age]


def test_exactly_two_is_normal() -> None:
    table = SD_TABLES["M"]
    for sign in (-1, 1):
        at = sd_score(192 + sign * 2 * table[192], 192, "M").score
        beyond = sd_score(192 + sign * 2.001 * table[192], 192, "M").score
        assert at is not None
        assert beyond is not None
        assert at.verdict == "normal"
        assert beyond.verdict == ("advanced" if sign > 0 else "delayed")


@pytest.mark.parametrize(
    ("age", "sex", "words"),
    [
        (2.9, "M", "for boys is for ages from 3 months to 17 years"),
        (204.1, "M", "for boys"),
        (192.5, "F", "for girls is for ages from 3 months to 16 years"),
        (0, "F", "for girls"),
        (120, None, "none is stated"),
    ],
)
def test_no_score_says_why(age: float, sex: Sex | None, words: str) -> None:
    reading = sd_score(120, age, sex)
    assert reading.score is None
    assert words in reading.reason


@pytest.mark.parametrize("age", [-1, -0.01, 1441, float("nan"), float("inf")])
def test_impossible_ages_are_refused(age: float) -> None:
    with pytest.raises(InputError, match="not possible"):
        check_age(age)
    with pytest.raises(InputError, match="not possible"):
        in_words(age)
    with pytest.raises(InputError, match="not possible"):
        sd_score(120, age, "F")
    with pytest.raises(InputError, match="not possible"):
        sd_score(age, 120, None)
    with pytest.raises(InputError, match="not possible"):
        adult_warnings(120, "F", age)


@pytest.mark.parametrize(
    ("months", "words"),
    [
        (99, "8 years 3 months"),
        (98.5, "8 years 3 months"),
        (99.4, "8 years 3 months"),
        (96, "8 years"),
        (13, "1 year 1 month"),
        (12, "1 year"),
        (11.6, "1 year"),
        (11, "11 months"),
        (1, "1 month"),
        (0.49, "0 months"),
        (228, "19 years"),
    ],
)
def test_words(months: float, words: str) -> None:
    assert in_words(months) == words


@given(st.floats(0, 1440))
def test_words_say_the_age_to_half_a_month(months: float) -> None:
    parts = in_words(months).split()
    said = sum(
        int(count) * (12 if unit.startswith("year") else 1) for count, unit in zip(parts[::2], parts[1::2], strict=True)
    )
    assert abs(said - months) <= 0.5


def test_adults_are_flagged() -> None:
    assert adult_warnings(191.9, "F", 215) == ()
    assert adult_warnings(203, "M") == ()
    (bone,) = adult_warnings(192, "F")
    assert "16 years" in bone
    (bone,) = adult_warnings(204, "M", 200)
    assert "17 years" in bone
    assert adult_warnings(195, None) == adult_warnings(195, "F")
    (own,) = adult_warnings(150, "M", 216)
    assert "18 years old" in own
    assert len(adult_warnings(220, "M", 300)) == 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *(("F", "F"), ("female", "F"), ("Girl", "F"), (" m ", "M"), ("Male", "M"), ("boy", "M")),
        *((text, None) for text in ("", None, "U", "o", "Unknown", "NA", "n/a", float("nan"))),
    ],
)
def test_a_sex_is_read_as_people_write_it(text: object, expected: Sex | None) -> None:
    assert check_sex(text) == expected


@pytest.mark.parametrize("text", ["X", "girls", 0, "FM"])
def test_another_sex_is_refused(text: object) -> None:
    with pytest.raises(InputError, match="F or M"):
        check_sex(text)


@pytest.mark.parametrize(
    ("birth", "examination", "months"),
    [
        ("2010-05-31", "2010-05-31", 0),
        ("2010-05-15", "2015-05-15", 60),
        ("2010-05-15", "2015-05-14", 59 + 29 * 12 / 365.25),
        ("2010-01-31", "2010-03-01", 1 + 1 * 12 / 365.25),
        ("2012-02-29", "2013-02-28", 11 + 30 * 12 / 365.25),
        ("2010-12-20", "2011-01-05", 16 * 12 / 365.25),
    ],
)
def test_dates_become_months(birth: str, examination: str, months: float) -> None:
    found = age_at(datetime.date.fromisoformat(birth), datetime.date.fromisoformat(examination))
    assert found == pytest.approx(months)


@given(
    birth=st.dates(datetime.date(1990, 1, 1), datetime.date(2020, 1, 1)),
    days=st.integers(0, 2000),
)
def test_a_day_more_never_makes_younger(birth: datetime.date, days: int) -> None:
    one, next_day = (birth + datetime.timedelta(days=count) for count in (days, days + 1))
    assert age_at(birth, one) <= age_at(birth, next_day) <= age_at(birth, one) + 0.15
    assert age_at(birth, one) == pytest.approx(days * 12 / 365.25, abs=0.15)


def test_impossible_dates_are_refused() -> None:
    day, today = datetime.timedelta(days=1), datetime.date.today()
    with pytest.raises(InputError, match="after that of the radiograph"):
        age_at(datetime.date(2015, 1, 2), datetime.date(2015, 1, 1))
    with pytest.raises(InputError, match="date of the radiograph lies in the future"):
        age_at(datetime.date(2015, 1, 2), today + 2 * day)
    with pytest.raises(InputError, match="date of birth lies in the future"):
        age_at(today + 2 * day, today + 3 * day)
    with pytest.raises(InputError, match="not possible"):
        age_at(datetime.date(1850, 1, 1), today)


def test_dates_are_read_as_year_month_day() -> None:
    assert parse_date(" 2016-05-31 ", "birth") == datetime.date(2016, 5, 31)
    for text in ("31.05.2016", "2016-13-01", "2016-02-30", "", "yesterday"):
        with pytest.raises(InputError, match="date of birth cannot be read"):
            parse_date(text, "birth")

"""What is known of the child: sex, and the age at the radiograph as a number or out of two dates."""

import datetime
import math
from dataclasses import asdict, dataclass

import streamlit as st

from cxrkit.bone_age import OLDEST, Sex, age_at, check_sex, in_words, parse_date, sex_in_header
from cxrkit.errors import InputError
from cxrkit.image import Radiograph
from pages.ui.words import listed

SEX_NAMES = {"F": "Girl", "M": "Boy", "": "Not stated"}
NO_AGE, AS_AGE, AS_DATES = "Not stated", "In years", "From dates"
_FIELDS = ("years", "months", "birth", "taken")


@dataclass(frozen=True)
class Child:
    """What was stated.

    Attributes:
        sex: None where it was not stated.
        age_months: chronological age at the radiograph; None where it was not stated, or not so that it can be used.
    """

    sex: Sex | None
    age_months: float | None

    @property
    def context(self) -> dict[str, object]:
        """As the task's preparation takes it."""
        return asdict(self)


def ask_child(key: str, image: Radiograph) -> Child:
    """The controls; each image starts with nothing stated, so that no child takes over another one's facts.

    Args:
        key: of the page.
        image: of whom is asked; what its header states is offered, not taken.
    """
    if st.session_state.get(f"_child_of.{key}") != image.sha256:
        st.session_state[f"_child_of.{key}"] = image.sha256
        st.session_state.update({f"{key}.sex": "", f"{key}.age_as": NO_AGE, f"{key}.header_date": False})
        st.session_state.update({f"{key}.{name}": "" for name in _FIELDS})
    with st.container(border=True, key=f"{key}.child"):
        st.subheader("The child", anchor=False)
        with st.container(horizontal=True, gap="large"):
            sex = _ask_sex(key, image)
            age = _ask_age(key, image)
    return Child(sex, age)


def _ask_sex(key: str, image: Radiograph) -> Sex | None:
    with st.container(width="content"):
        stated = st.segmented_control(
            "Sex",
            list(SEX_NAMES),
            format_func=SEX_NAMES.__getitem__,
            required=True,
            key=f"{key}.sex",
            help="The network answers for girls and boys apart. Not stated: it weighs both by what it reads itself.",
            persist_state="session",
        )
        sex = check_sex(stated)
        offered = sex_in_header(image.header)
        if sex is None and offered is not None:
            st.button(
                f"The file's header says {SEX_NAMES[offered].lower()}: use it",
                key=f"{key}.header_sex",
                icon=":material/description:",
                on_click=_state_sex,
                args=(key, offered),
            )
    return sex


def _state_sex(key: str, sex: Sex) -> None:
    st.session_state[f"{key}.sex"] = sex


def _ask_age(key: str, image: Radiograph) -> float | None:
    with st.container(width="content"):
        way = st.segmented_control(
            "Child's own age at the radiograph",
            (NO_AGE, AS_AGE, AS_DATES),
            required=True,
            key=f"{key}.age_as",
            help="For the SD score; the network doesn't read it.",
            persist_state="session",
        )
        if way == NO_AGE:
            return None
        try:
            age = _typed_age(key) if way == AS_AGE else _age_from_dates(key, image)
        except InputError as error:
            st.error(f"{error} The hand is read without the child's own age.", icon=":material/event_busy:")
            return None
        if age is not None:
            st.caption(f"Own age: {in_words(age)} ({age:.1f} months).")
        return age


def _typed_age(key: str) -> float | None:
    with st.container(horizontal=True):
        years, months = (_field(name.capitalize(), f"{key}.{name}", width=110) for name in ("years", "months"))
    return typed_age(years, months)


def _age_from_dates(key: str, image: Radiograph) -> float | None:
    """From two dates; that of the radiograph may come out of the file's header, where the user says so."""
    day = None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        birth = _field("Date of birth", f"{key}.birth", placeholder="2016-05-31", width=150)
        if image.taken is not None and _from_header(key):
            day = image.taken.date()
        else:
            text = _field("Date of the radiograph", f"{key}.taken", placeholder="2024-09-15", width=170)
            day = parse_date(text, "the radiograph") if text.strip() else None
    born = parse_date(birth, "birth") if birth.strip() else None
    if born is not None and day is not None:
        return age_at(born, day)
    today = datetime.date.today()
    # What one date alone gets wrong is said at once: it lies ahead, or the birth too long ago.
    if born is not None:
        age_at(born, max(born, today))
    if day is not None:
        age_at(min(day, today), day)
    missing = [name for name, date in (("birth", born), ("the radiograph", day)) if date is None]
    st.caption(f"Still missing: the date of {listed(missing)}. Write year-month-day.")
    return None


def _from_header(key: str) -> bool:
    return st.checkbox(
        "Take the radiograph's date from the file's header", key=f"{key}.header_date", persist_state="session"
    )


def _field(label: str, key: str, placeholder: str = "", width: int = 150) -> str:
    text: str = st.text_input(
        label, key=key, max_chars=12, placeholder=placeholder, width=width, autocomplete="off", persist_state="session"
    )
    return text


def typed_age(years: str, months: str) -> float | None:
    """Years and the months beyond them, as written, in months; an empty field is 0, both empty are None.

    Raises:
        InputError: no number, a negative one, 12 months or more beyond stated years, or an impossible age.
    """
    if not years.strip() and not months.strip():
        return None
    whole, beyond = (_number(text, what) for text, what in ((years, "years"), (months, "months")))
    if years.strip() and beyond >= 12:
        raise InputError("The months beyond whole years have to be less than 12. Leave the years empty otherwise.")
    if not 0 <= 12 * whole + beyond <= OLDEST:
        raise InputError(f"An age of {whole:g} years and {beyond:g} months is not possible: 0 to {OLDEST // 12} years.")
    return 12 * whole + beyond


def _number(text: str, what: str) -> float:
    if not text.strip():
        return 0.0
    try:
        value = float(text.strip().replace(",", "."))
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise InputError(f"The {what} are not a number. Write one such as 8, or leave the field empty.")
    if value < 0:
        raise InputError(f"The {what} are negative. An age counts from birth: write 0 or more.")
    return value


def sex_in_words(sex: Sex) -> str:
    """ "girl" or "boy"."""
    return SEX_NAMES[sex].lower()

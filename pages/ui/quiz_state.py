"""The quiz of a session: which questions, how far, what was answered. It survives page switches and holds no pixels."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.quiz.drawing import draw_quiz
from cxrkit.quiz.judging import Mark, Outcome
from cxrkit.quiz.question import Question
from cxrkit.quiz.results import clean_nickname
from cxrkit.quiz.settings import QUERY, QuizSettings, asked_by
from pages.ui.viewer import clear_mark

if TYPE_CHECKING:
    from cxrkit.quiz.pack import QuizPack

KEY = "quiz"
VIEWER = f"{KEY}.viewer"
NICKNAME = f"{KEY}.nickname"

_RUN, _LOG, _LINK = f"_{KEY}.run", f"_{KEY}.log", f"_{KEY}.link"


@dataclass
class Given:
    """What the learner said of the question at hand; from then on the network may be asked.

    Attributes:
        reading: one of the question's readings, or months.
        mark: the place marked; None = none.
    """

    reading: str | float
    mark: Mark | None


@dataclass
class Run:
    """A quiz that is being taken, or has been.

    Attributes:
        name: in words of ours, for the screen and the table of results.
        questions: in order.
        nickname: of the learner; "" = none.
        query: of the link that makes the same quiz; {} of a pack, which has none.
        place: index of the question at hand; their number once all are done.
        given: the answer to it, once it is given.
        judged: index of the last question with an outcome; -1 = none.
        outcomes: of the questions so far that the network could answer.
        id: of this run alone; the same cases taken again have another one.
    """

    name: str
    questions: tuple[Question, ...] = field(repr=False)
    nickname: str
    query: Mapping[str, str]
    place: int = 0
    given: Given | None = None
    judged: int = -1
    outcomes: list[Outcome] = field(default_factory=list)
    id: str = field(init=False, default_factory=lambda: secrets.token_hex(4))

    @property
    def question(self) -> Question | None:
        """The question at hand; None once all are done."""
        return self.questions[self.place] if self.place < len(self.questions) else None

    @property
    def key(self) -> str:
        """Of the fields of the question at hand: what was typed elsewhere must not answer it."""
        return f"{KEY}.{self.id}.{self.place}"


def current() -> Run | None:
    """The session's quiz; None where there is none."""
    run: Run | None = st.session_state.get(_RUN)
    return run


def log() -> list[Outcome]:
    """Everything that was answered in this session, in order."""
    answered: list[Outcome] = st.session_state.setdefault(_LOG, [])
    return answered


def start_simulated(settings: QuizSettings) -> None:
    """Begin a simulated quiz; the address of the page becomes its link."""
    name = f"simulated {settings.task}, seed {settings.seed}, {settings.cases} cases, {settings.level}"
    _begin(Run(name, draw_quiz(settings), _typed_nickname(), settings.query()))


def start_pack(pack: "QuizPack") -> None:
    """Begin a quiz of one's own cases."""
    name = f"own cases, pack {pack.sha256[:12]}"
    _begin(Run(name, pack.questions, _typed_nickname(), {}))


def _begin(run: Run) -> None:
    st.session_state[_RUN] = run
    clear_mark(VIEWER)  # the first image may be the one that was marked last
    _set_address(run.query)


def _typed_nickname() -> str:
    """Of the field as it is now, not as it was drawn: an edit and a click may come together."""
    return clean_nickname(st.session_state.get(NICKNAME) or "")


def take_nickname() -> None:
    """Give the quiz the name in the field, also the cases of it that are answered already."""
    run = current()
    if run is None:
        return
    run.nickname = _typed_nickname()
    run.outcomes = [replace(outcome, nickname=run.nickname) for outcome in run.outcomes]
    if run.outcomes:
        log()[-len(run.outcomes) :] = run.outcomes  # nothing is answered outside of the quiz at hand


def end() -> None:
    """End the quiz early: at the score of what was answered; before the first answer there is none."""
    run = current()
    if run is not None and run.outcomes:
        run.place, run.given = len(run.questions), None
    else:
        leave()


def leave() -> None:
    """Put the quiz away; what was answered stays in the session's score."""
    st.session_state.pop(_RUN, None)
    _set_address({})


def start_again() -> None:
    """The same questions from the first one."""
    run = current()
    if run is not None:
        _begin(replace(run, place=0, given=None, judged=-1, outcomes=[]))


def record(outcome: Outcome) -> None:
    """Keep the outcome of the question at hand, once."""
    run = current()
    if run is not None and run.judged < run.place:
        run.judged = run.place
        run.outcomes.append(outcome)
        log().append(outcome)


def go_on() -> None:
    """To the next question; after the last one to the score, if there is anything to score."""
    run = current()
    if run is not None and run.given is not None:
        _next(run)


def skip(place: int) -> None:
    """Past the question of this index, which cannot be read; once, however often it is asked for."""
    run = current()
    if run is not None and run.place == place:
        _next(run)


def _next(run: Run) -> None:
    run.place, run.given = run.place + 1, None
    clear_mark(VIEWER)  # the next image may be the same one
    if run.question is None and not run.outcomes:
        leave()


def keep_link() -> None:
    """Note what the page's address asks for, before a first visitor is sent through the app and loses it."""
    if asked := _address():
        st.session_state[_LINK] = asked


def follow_link() -> None:
    """Begin the quiz that the page's address asks for, unless it is the one at hand; then make it the address.

    Raises:
        InputError: the address asks for a quiz that cannot be made.
    """
    asked = st.session_state.pop(_LINK, None)
    run = current()
    if asked is not None and (run is None or asked != run.query):
        _set_address({})
        settings = asked_by(asked)
        if settings is not None:
            start_simulated(settings)
    run = current()
    _set_address({} if run is None else run.query)


def _address() -> dict[str, str]:
    """What the page's address says of a quiz; {} for nothing."""
    query = {name: st.query_params[name] for name in QUERY if name in st.query_params}
    return query if KEY in query else {}


def _set_address(query: Mapping[str, str]) -> None:
    for name in QUERY:
        if name in query:
            if st.query_params.get(name) != query[name]:
                st.query_params[name] = query[name]
        elif name in st.query_params:
            del st.query_params[name]

"""The score: of the quiz or of the session, the learner's and the network's, and the table of results to take away."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import streamlit as st

from cxrkit.quiz.judging import Outcome, Read
from cxrkit.quiz.question import LOCATED, is_positive
from cxrkit.quiz.results import results_csv
from cxrkit.tasks import find_task
from pages.ui.models import read_task_card
from pages.ui.presenter import explain
from pages.ui.quiz_nickname import ask_nickname
from pages.ui.quiz_state import KEY, Run, leave, log, start_again, take_nickname
from pages.ui.quiz_words import never_called, short_reading, verdict
from pages.ui.shell import FOOTER
from pages.ui.words import percent_interval

if TYPE_CHECKING:
    from cxrkit.metrics import Interval
    from cxrkit.quiz.score import ScoreRow, Tally

QUIZ, SESSION = "This quiz", "All of this session"

_NOTE = f"Simulated images or own cases. {FOOTER}"


def show_score(run: Run) -> None:
    """All cases are answered: figures, the cases, what to do next."""
    from cxrkit.quiz.score import first_answers, score  # brings SciPy's statistics, which take a while

    outcomes: Sequence[Outcome] = run.outcomes
    _head(run)
    own = [outcome for outcome in log() if outcome.nickname == run.nickname]
    if len(own) > len(run.outcomes) and _whole_session():
        outcomes = first_answers(own)
    rows = score(outcomes)
    for row in rows:
        if row.level is None:
            _metrics(row)
    st.dataframe([line for row in rows for line in _lines(row)], hide_index=True, width="stretch", placeholder="–")
    explain(_caveat(rows), f"{KEY}.caveat")
    st.dataframe([_case(outcome) for outcome in outcomes], hide_index=True, width="stretch", placeholder="–")
    _take_away(run, outcomes)


def _head(run: Run) -> None:
    """Whose score it is; a name is somebody's own text and no Markdown."""
    st.subheader("Score", anchor=False)
    if run.nickname:
        st.text(f"of {run.nickname}")
    else:
        ask_nickname(on_change=take_nickname)
    if len(run.outcomes) < len(run.questions):
        st.markdown(f"Scored: {len(run.outcomes)} of {len(run.questions)} cases.")


def _caveat(rows: "Sequence[ScoreRow]") -> str:
    words = (
        "Shares with Wilson's 95 % interval: of a few cases they say little. Marks: inside the region, where one is "
        "known; the network's is the strongest point of its heatmap. Sensitivity and specificity: right readings among "
        "the cases with a finding (V/Q: perfusion scans) and without. A mark on an image of which nobody knows the "
        "region counts neither way."
    )
    limits = [never_called(read_task_card(find_task(row.task))) for row in rows if row.level is None]
    return " ".join(filter(None, [words, *limits]))


def running_score(run: Run) -> str:
    """ "You 2 of 3 right, the network 1 of 3"."""
    done = len(run.outcomes)
    if not done:
        return ""
    learner = sum(outcome.learner.right for outcome in run.outcomes)
    network = sum(outcome.network.right for outcome in run.outcomes)
    return f"So far right: you {learner} of {done}, the network {network} of {done}."


def _whole_session() -> bool:
    chosen = st.segmented_control(
        "Cases", (QUIZ, SESSION), default=QUIZ, required=True, key=f"{KEY}.scope", label_visibility="collapsed"
    )
    if chosen == SESSION:
        explain(
            "All that was answered under the same nickname. A case that was answered twice counts once, with the first "
            "answer.",
            f"{KEY}.session",
        )
    return chosen == SESSION


def _metrics(row: "ScoreRow") -> None:
    title = find_task(row.task).title
    for column, (who, tally) in zip(st.columns(2), (("you", row.learner), ("the network", row.network)), strict=True):
        with column.container(border=True, height="stretch"):
            right = round(tally.right.value * tally.cases)
            st.metric(f"{title}: {who}", f"{right} of {tally.cases} right")
            st.markdown(_metric_words(tally))


def _metric_words(tally: "Tally") -> str:
    parts = [percent_interval(tally.right)]
    if tally.inside is not None:
        parts.append(f"marks inside {round(tally.inside.value * tally.regions)} of {tally.regions}")
    if tally.error is not None:
        parts.append(f"off by {tally.error:.1f} months on average")
    return "; ".join(parts) + "."


def _lines(row: "ScoreRow") -> list[dict[str, str]]:
    return [
        {
            "Task": find_task(row.task).title,
            "Level": row.level or "all",
            "Who": who,
            "Cases": str(tally.cases),
            "Right": percent_interval(tally.right),
            "Marks inside": _or_dash(tally.inside),
            "Marks where nothing is": "–" if tally.beside is None else str(tally.beside),
            "Mean error": "–" if tally.error is None else f"{tally.error:.1f} months",
            "Sensitivity": _or_dash(tally.sensitivity),
            "Specificity": _or_dash(tally.specificity),
        }
        for who, tally in (("you", row.learner), ("network", row.network))
    ]


def _or_dash(interval: "Interval | None") -> str:
    return "–" if interval is None else percent_interval(interval)


def _case(outcome: Outcome) -> dict[str, str]:
    return {
        "Case": str(outcome.number),
        "Level": outcome.level or "–",
        "Truth": short_reading(outcome.truth),
        "You": f"{short_reading(outcome.learner.reading)}, {verdict(outcome.learner)}",
        "Your mark": _mark(outcome, outcome.learner),
        "Network": f"{short_reading(outcome.network.reading)}, {verdict(outcome.network)}",
        "Its strongest point": _mark(outcome, outcome.network),
    }


def _mark(outcome: Outcome, read: Read) -> str:
    if read.mark is not None:
        return "inside" if read.mark.inside else _away(read.mark.distance)
    if outcome.task in LOCATED and not is_positive(outcome.task, str(outcome.truth)):
        return "somewhere, nothing is there" if read.marked else "none, nothing is there"
    return "place not known" if read.marked else "none"


def _away(distance: float) -> str:
    """How far outside the region a mark lies; `distance` is a share of the image's width."""
    percent = round(100 * distance)
    return f"{percent} % of the width away" if percent else "just outside"


def _take_away(run: Run, outcomes: Sequence[Outcome]) -> None:
    with st.container(horizontal=True):
        st.button("Same cases again", key=f"{KEY}.again", icon=":material/replay:", on_click=start_again)
        st.button("Another quiz", key=f"{KEY}.leave", type="primary", icon=":material/quiz:", on_click=leave)
        _table(
            "Results (CSV)",
            "quiz-results.csv",
            outcomes,
            "One row a case. Nothing of a person but the nickname, if one was given; no file name.",
        )
        if len(log()) > len(outcomes):
            _table(
                "All learners (CSV)",
                "class-results.csv",
                list(log()),
                "All that was answered in this session, under any nickname, in the order of answering.",
            )


def _table(words: str, file: str, outcomes: Sequence[Outcome], what: str) -> None:
    """Button for a table of results."""
    st.download_button(
        words,
        partial(results_csv, outcomes, _NOTE),
        file_name=file,
        mime="text/csv",
        key=f"{KEY}.{file}",
        icon=":material/table:",
        on_click="ignore",
        help=what,
    )

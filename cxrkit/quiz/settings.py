"""What a simulated quiz depends on, and the link that stands for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from cxrkit.errors import InputError
from cxrkit.quiz.question import LEVELS, READINGS

QuizLevel = Literal["easy", "medium", "hard", "mixed"]
QUIZ_LEVELS: tuple[QuizLevel, ...] = get_args(QuizLevel)

USUAL_CASES, MOST_CASES, LAST_SEED = 5, 30, 10**6

QUERY = ("quiz", "seed", "cases", "level")
"""Names of the link's parameters."""


@dataclass(frozen=True)
class QuizSettings:
    """The same settings give the same cases in the same order, on any machine.

    Args:
        task: name of the task; a key of READINGS.
        seed: 0 to 1,000,000.
        cases: 1 to 30.
        level: how hard they are; "mixed": each case has its own.

    Raises:
        InputError: a value outside these.
    """

    task: str
    seed: int = 1
    cases: int = USUAL_CASES
    level: QuizLevel = "mixed"

    def __post_init__(self) -> None:
        if self.task not in READINGS:
            raise InputError(f"There is no quiz of that name. There are: {', '.join(READINGS)}.")
        if not 0 <= self.seed <= LAST_SEED:
            raise InputError(f"The seed of a quiz is a whole number from 0 to {LAST_SEED:,}. Choose another one.")
        if not 1 <= self.cases <= MOST_CASES:
            raise InputError(f"A quiz has 1 to {MOST_CASES} cases. Choose another number.")
        if self.level not in QUIZ_LEVELS:
            raise InputError(f"The level of a quiz is one of {', '.join((*LEVELS, 'mixed'))}. Choose one of them.")

    def query(self) -> dict[str, str]:
        """Query parameters of the link to this quiz."""
        return dict(zip(QUERY, (self.task, str(self.seed), str(self.cases), self.level), strict=True))


def asked_by(query: Mapping[str, str]) -> QuizSettings | None:
    """The quiz that a link asks for; None where it asks for none. What it leaves out is as usual.

    Raises:
        InputError: it asks for a quiz that cannot be made.
    """
    if "quiz" not in query:
        return None
    given = {name: query[name] for name in ("seed", "cases") if name in query}
    for name, text in given.items():
        if not (text.isascii() and text.isdigit() and len(text) <= len(str(LAST_SEED))):
            raise InputError(f"The link's {name} is no whole number. Write it in digits, such as {name}=5.")
    numbers = {name: int(text) for name, text in given.items()}
    level: str = query.get("level", "mixed")
    return QuizSettings(query["quiz"], level=level, **numbers)  # type: ignore[arg-type]

import json
from dataclasses import replace
from typing import Any

import pytest

from cxrkit.batch_case import Answer, Asked, Seen
from cxrkit.batch_json import plain, rebuilt
from cxrkit.cases import Case
from cxrkit.evaluate import analyse
from cxrkit.task import ModelInput, Task
from cxrkit.tasks import TASKS
from cxrkit.tasks.nih14 import NIH14
from cxrkit.weights import fixed_sample
from tests.models_for_tests import small_loaded

KNOWN = {"bone_age": {"sex": "F", "age_months": 120.0}}
EVERY = tuple({task.name: task for task in (*TASKS, NIH14)}.values())


def carried(kind: Any, value: Any) -> Any:
    """Through text and back."""
    return rebuilt(kind, json.loads(json.dumps(plain(value))))


@pytest.mark.parametrize("task", EVERY, ids=lambda task: task.name)
def test_an_answer_of_any_task_is_the_same_after_json(task: Task) -> None:
    images = [fixed_sample(task.reads)] * len(task.inputs)
    found = analyse(small_loaded(task), images, context=KNOWN.get(task.name))
    answer = Answer(replace(found, warnings=("One.",)), "", (Seen(12, 1_700_000_000_123_456_789, "0" * 64),))
    assert carried(Answer, answer) == answer


@pytest.mark.parametrize(
    "value",
    [
        Answer(None, "Unreadable.", (Seen(0, 1), Seen(-1, -1))),
        Asked(ModelInput(crop=(1, 2, 30, 40), contrast=1.5, turn=2, swap=False), 3, {"sex": "F"}, True),
        Case(("a.png", "ä b.png"), "1", row={"file": "a.png", "note": "line\nbreak"}, number=7, problem="No."),
    ],
    ids=["answer", "asked", "case"],
)
def test_what_is_sent_is_the_same_after_json(value: Any) -> None:
    assert carried(type(value), value) == value


def test_another_form_is_refused() -> None:
    with pytest.raises(KeyError):
        rebuilt(Seen, {"size": 1})

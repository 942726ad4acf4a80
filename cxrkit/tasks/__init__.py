"""All tasks of the workbench."""

from cxrkit.errors import InputError
from cxrkit.task import Task
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.tasks.nih14 import NIH14
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from cxrkit.tasks.vq import VQ

TASKS: tuple[Task, ...] = (FOLLOW_UP, TUBERCULOSIS, BONE_AGE, VQ, NIH14)
"""In the order of the navigation."""


def find_task(name: str) -> Task:
    """The task of this name.

    Raises:
        InputError: there is none.
    """
    for task in TASKS:
        if task.name == name:
            return task
    known = ", ".join(task.name for task in TASKS)
    raise InputError(f"There is no task called {name!r}. The tasks are: {known}.")

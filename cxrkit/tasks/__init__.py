"""All tasks of the workbench."""

from cxrkit.errors import InputError
from cxrkit.task import Task
from cxrkit.tasks.bone_age import BONE_AGE
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.tasks.tuberculosis import TUBERCULOSIS

TASKS: tuple[Task, ...] = (FOLLOW_UP, TUBERCULOSIS)
"""Those with a page, in the order of the navigation."""

WITHOUT_PAGE: tuple[Task, ...] = (BONE_AGE,)
"""Those that only the command line, the trainer and the evaluation know as yet."""


def find_task(name: str) -> Task:
    """The task of this name, with a page or without.

    Raises:
        InputError: there is none.
    """
    tasks = (*TASKS, *WITHOUT_PAGE)
    for task in tasks:
        if task.name == name:
            return task
    known = ", ".join(task.name for task in tasks)
    raise InputError(f"There is no task called {name!r}. The tasks are: {known}.")

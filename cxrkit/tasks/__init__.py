"""All tasks of the workbench, in the order of the navigation."""

from cxrkit.errors import InputError
from cxrkit.task import Task
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.tasks.tuberculosis import TUBERCULOSIS

TASKS: tuple[Task, ...] = (FOLLOW_UP, TUBERCULOSIS)


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

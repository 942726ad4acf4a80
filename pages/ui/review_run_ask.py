"""What is to be run: the folder, the table of cases, the task that its columns fit, the processes."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from cxrkit import tasks
from cxrkit.errors import ManifestError
from cxrkit.review.folders import checked_file, tables_beneath
from cxrkit.review.run import MOST_WORKERS
from cxrkit.review.run_order import Wanted, check_columns, columns_of, fitting, wanted
from cxrkit.task import Task
from cxrkit.tasks import find_task
from pages.ui import models
from pages.ui.review_upload import kept_table
from pages.ui.words import listed, megabytes

KEY = "review.run"
UPLOAD = "Upload a table"
MOST_BYTES = 64 << 20
"""Of a table of cases."""

_ASKED = "_review.run.asked"
"""Of which table the task was last asked."""


def ask_run(folders: Sequence[str]) -> tuple[Wanted, str, int] | None:
    """What is to be run, its name, and by how many processes; None until a table is chosen.

    Args:
        folders: of cases.

    Raises:
        CxrkitError: what was chosen cannot be used.
    """
    left, right = st.columns([3, 2], gap="medium")
    with left:
        folder = _choose("Folder of cases", folders, f"{KEY}.folder")
        table = _choose("Table of cases", (*_tables(folder), UPLOAD), f"{KEY}.table.{folder}")
        upload = kept_table(KEY, "Table of cases (CSV)", MOST_BYTES) if table == UPLOAD else None
        root = _ask_root(folder, table)
        data = _content(folder, table) if table != UPLOAD else None if upload is None else upload.data
    with right:
        task = _ask_task(data)
        workers = st.segmented_control(
            "Processes",
            range(1, MOST_WORKERS + 1),
            default=1,
            required=True,
            key=f"{KEY}.workers",
            help="Two are quicker where the machine has the cores and memory for two networks.",
            persist_state="session",
        )
    if data is None:
        st.info(
            f"Choose a CSV with the columns {listed(columns_of(task))}. Its paths start in the "
            "folder of cases; images are read from there, not uploaded.",
            icon=":material/upload_file:",
        )
        return None
    check_columns(task, data)
    card = models.read_task_card(task)
    name = f"{table if upload is None else upload.name}, {task.title}, weights {card.sha256[:8]}"
    return wanted(task, root, data, models.WEIGHTS), name, int(workers)


def _choose(label: str, options: Sequence[str], key: str, **more: Any) -> str:
    """A list that starts anew where what was chosen is gone."""
    if st.session_state.get(key) not in options:
        st.session_state[key] = options[0]
    return str(st.selectbox(label, options, key=key, persist_state="session", **more))


def _ask_task(data: bytes | None) -> Task:
    """A table that has just been chosen asks for a task that it fits."""
    key, names = f"{KEY}.task", {task.title: task.name for task in tasks.TASKS}
    digest = None if data is None else hashlib.sha256(data).hexdigest()
    if data is not None and st.session_state.get(_ASKED) != digest:
        st.session_state[_ASKED] = digest
        titles = [task.title for task in fitting(data)]
        if titles and st.session_state.get(key) not in titles:
            st.session_state[key] = titles[0]
    return find_task(names[_choose("Task", list(names), key)])


def _ask_root(folder: str, table: str) -> str:
    """The folder that the table's paths start in: its own, or the folder of cases."""
    own = str((Path(folder) / table).parent)
    if table == UPLOAD or own == folder:
        return folder
    return _choose("Its paths start in", (own, folder), f"{KEY}.root.{folder}.{table}")


@st.cache_data(ttl=10, max_entries=8, show_spinner="Looking for tables of cases …")
def _tables(folder: str) -> tuple[str, ...]:
    return tables_beneath(folder)


def _content(folder: str, table: str) -> bytes:
    path = checked_file(folder, table)
    try:
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ManifestError(f"The table has {megabytes(size)}; at most {MOST_BYTES >> 20} MB are read. Split it.")
        return path.read_bytes()
    except OSError:
        raise ManifestError("The table of cases cannot be opened. Check that the server may read it.") from None

"""A case that ends every worker it reaches: it alone is an error, and those that waited beside it are answered."""

import os
import time
from collections.abc import Iterator
from typing import Any

import pytest

from cxrkit import batch_dask
from cxrkit.batch_case import Answer, Asked
from cxrkit.batch_dask import AHEAD, Cluster
from cxrkit.batch_json import plain
from cxrkit.batch_process import Post
from cxrkit.cases import Case

DEADLY = "deadly.png"


def deadly(post: dict[str, Any], case: dict[str, Any]) -> dict[str, Any]:
    """In place of `answer_posted`: the worker ends over one case, as if killed for its memory."""
    if case["files"] == [DEADLY]:
        time.sleep(1)  # so that others wait at the same worker
        os._exit(9)
    return dict(plain(Answer(None, f"of {case['files'][0]}")))


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A cluster of one worker with one thread that is started anew when it ends, and blamed at once."""
    import dask
    from distributed import LocalCluster

    monkeypatch.setattr(batch_dask, "answer_posted", deadly)
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(1, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster,
    ):
        yield cluster.scheduler_address


def jobs(*names: str) -> Iterator[tuple[int, Case]]:
    for place, name in enumerate(names):
        yield place, Case((name,), "1", row={"file": name}, number=place + 2)


def test_cases_that_only_waited_are_answered(address: str) -> None:
    names = ["0.png", DEADLY, *(f"{index}.png" for index in range(2, 6 + AHEAD))]
    found = list(Cluster(Post("tuberculosis", "", "", "", Asked(), 1), address)(jobs(*names)))
    assert sorted(place for place, _ in found) == list(range(len(names))), "every case once"
    errors = {names[place]: answer.error for place, answer in found}
    assert errors.pop(DEADLY) == batch_dask._DIED
    assert errors == {name: f"of {name}" for name in names if name != DEADLY}
    assert found[0][0] == 0, "what is finished does not wait for those that were set aside"

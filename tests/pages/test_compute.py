"""Threads that compute for all sessions share the cores."""

import os
import threading
from concurrent.futures import Future

import pytest
import streamlit as st
import torch

from pages.ui import compute
from pages.ui.compute import begun, computed, settled


def test_result_and_error_come_back() -> None:
    assert computed(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        computed(divmod, 7, 0)
    assert not compute._ASKED


def test_what_was_begun_goes_on_meanwhile() -> None:
    go_on = threading.Event()
    waits = begun(go_on.wait, 30)
    assert not waits.done()
    assert compute.waiting() == 1
    go_on.set()
    assert waits.result(30) is True
    assert not compute._ASKED


def test_a_beginning_is_kept_and_an_error_is_not() -> None:
    asked: list[int] = []

    def divided(by: int) -> float:
        asked.append(by)
        return 1 / (by * (len(asked) - 1))  # fails the first time

    @st.cache_resource
    def beginning(by: int) -> "Future[float]":
        return begun(divided, by)

    with pytest.raises(ZeroDivisionError):
        settled(beginning, 2)
    assert settled(beginning, 2) == 0.5
    assert settled(beginning, 2) == 0.5
    assert asked == [2, 2]
    beginning.clear()


def test_one_image_has_all_cores_and_two_share_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "_CORES", 4)
    assert computed(torch.get_num_threads) == 4
    begun, go_on = threading.Event(), threading.Event()

    def held() -> None:
        begun.set()
        go_on.wait(30)

    first = threading.Thread(target=computed, args=(held,))
    first.start()
    begun.wait(30)
    try:
        if (os.cpu_count() or 1) > 1:  # a single core computes one by one
            assert computed(torch.get_num_threads) == 2
    finally:
        go_on.set()
        first.join()
    assert computed(torch.get_num_threads) == 4


def test_helpers_of_torch_turn_for_a_moment_and_then_sleep() -> None:
    assert 0 < int(os.environ["GOMP_SPINCOUNT"]) <= 100_000
    assert os.environ["OMP_WAIT_POLICY"]

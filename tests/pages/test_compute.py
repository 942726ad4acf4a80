"""Threads that compute for all sessions share the cores."""

import os
import threading

import pytest
import torch

from pages.ui import compute
from pages.ui.compute import computed


def test_result_and_error_come_back() -> None:
    assert computed(divmod, 7, 2) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        computed(divmod, 7, 0)
    assert not compute._ASKED


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

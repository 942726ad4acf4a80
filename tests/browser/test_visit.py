"""A visit of the benchmarks: timed, and its traffic counted."""

import pytest
from playwright.sync_api import Browser

from benchmarks.server import served
from benchmarks.visit import visit
from benchmarks.workbench import START_HEADING


@pytest.mark.browser
def test_a_visit_is_timed_and_its_traffic_counted(browser: Browser) -> None:
    with served() as server:
        guest = visit(browser)
        guest.count()
        assert 0 < guest.open(server.url, START_HEADING) < 120
        assert sum(guest.traffic) > 100_000  # Streamlit's own scripts alone are more
        guest.page.wait_for_load_state("networkidle")
        quiet = len(guest.traffic)
        guest.page.wait_for_timeout(300)
        assert len(guest.traffic) == quiet
        guest.acknowledge()
        assert len(guest.traffic) >= quiet + 2, "the click goes out and the page's answer comes in"

        late = visit(browser)
        late.open(server.url, START_HEADING)
        assert not late.traffic
        late.count()
        late.acknowledge()
        assert len(late.traffic) >= 2, "also of a websocket that was there before"
        late.close()
        assert server.memory() > 20 * 2**20
        guest.close()
        process = server.process
    assert not process.is_running()

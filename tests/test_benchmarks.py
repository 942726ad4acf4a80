"""The benchmarks' record and its table in README; and that what measures measures."""

import json
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import typer

from benchmarks import __main__ as command
from benchmarks import images, machine
from benchmarks.batch import Watched, archive
from benchmarks.images import dicom, files
from benchmarks.reading import packaged, reading
from benchmarks.timing import FEWEST, interleaved, measured
from cxrkit import speed
from cxrkit.batch_case import Answer
from cxrkit.cases import Case
from cxrkit.commands import run
from cxrkit.errors import InputError
from cxrkit.image import read_image
from cxrkit.quality import Verdict
from cxrkit.report import amount, speed_markdown, with_speed
from cxrkit.speed import RESULTS, Measurement, Record, read_record, write_record
from cxrkit.task import Task
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from tests.conftest import REPOSITORY

RECORD = Record(
    {"cores": "2", "Python": "3.11"},
    ("The machine was busy.",),
    {
        "Steps": (Measurement("time", 36.25, "ms", 40, 41.0, 50.0), Measurement("traffic", 3.0, "bytes", 1, goal=0)),
        "Memory": (Measurement("peak", 1234.4, "MiB", 1),),
    },
)


def test_readme_shows_the_record() -> None:
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert "<!-- bench -->" in readme
    assert speed_markdown(read_record()) in readme, "run: python -m cxrkit readme"
    assert with_speed(readme, RESULTS) == readme


def test_the_record_names_no_machine() -> None:
    text = RESULTS.read_text(encoding="utf-8")
    assert os.uname().nodename not in text
    assert not {"hostname", "node", "user"} & set(read_record().machine)


def test_a_record_is_written_and_read(tmp_path: Path) -> None:
    write_record(RECORD, tmp_path / "results.json")
    assert read_record(tmp_path / "results.json") == RECORD


def test_a_damaged_record_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    with pytest.raises(InputError, match="make bench"):
        read_record(file)
    whole = asdict(RECORD)
    for text in ("[1]", "{", json.dumps(whole | {"sections": {"Steps": [{"what": "time"}]}}), json.dumps({})):
        file.write_text(text, encoding="utf-8")
        with pytest.raises(InputError, match="damaged"):
            read_record(file)


def test_the_table_says_which_goals_were_met() -> None:
    table = speed_markdown(RECORD)
    assert "| time | 36.2 ms | 41.0 ms | 40 | at most 50.0 ms: met |" in table
    assert "| traffic | 3 bytes |  | 1 | at most 0 bytes: missed |" in table
    assert "| What | Median | Runs |\n| --- | --- | --- |\n| peak | 1,234 MiB | 1 |" in table
    assert "**Warning.** The machine was busy." in table
    assert table.endswith("Measured side by side on: cores: 2; Python: 3.11.")


def test_a_goal_may_be_the_least() -> None:
    rows = tuple(Measurement("share", value, "times", 3, goal=0.85, at_least=True) for value in (0.9, 0.8))
    table = speed_markdown(replace(RECORD, sections={"Batch": rows}))
    assert "| share | 0.90 times | 3 | at least 0.85 times: met |" in table
    assert "| share | 0.80 times | 3 | at least 0.85 times: missed |" in table
    assert [row.met for row in rows] == [True, False]
    assert Measurement("share", 1.0, "times", 3).met is None


def test_a_rate_leaves_out_the_first_answers() -> None:
    def executor(jobs):  # type: ignore[no-untyped-def]
        for place, _ in jobs:
            time.sleep(0.2 if place < 2 else 0.01)
            yield place, Answer(None)

    watched = Watched(executor)
    jobs = [(place, Case(("0.png",), "")) for place in range(7)]
    assert [place for place, _ in watched(jobs)] == list(range(7))
    assert len(watched.times) == 7
    assert 10 < watched.rate(2) <= 100
    assert watched.rate(1) < watched.rate(2)


def test_an_archive_holds_the_pictures_at_half_their_size(tmp_path: Path) -> None:
    levels = np.arange(64 * 48, dtype=np.uint16).reshape(64, 48)
    (path,) = archive([levels], tmp_path / "archive")
    np.testing.assert_array_equal(read_image(path.read_bytes()).values, levels[::2, ::2] >> 4)


@pytest.mark.parametrize("unit", ["ms", "s", "times", "MiB", "bytes", "cases/s"])
def test_every_unit_has_its_digits(unit: str) -> None:
    assert amount(1.0, unit).endswith(f" {unit}")


def test_the_command_writes_the_part_from_the_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "a\n<!-- bench -->\nold\n<!-- end -->\nb\n<!-- card:lung_field -->\n<!-- end -->\n"
    assert with_speed(text, tmp_path / "absent.json") == text
    write_record(RECORD, tmp_path / "results.json")
    written = with_speed(text, tmp_path / "results.json")
    assert written == text.replace("old", speed_markdown(RECORD))
    assert with_speed(written, tmp_path / "results.json") == written
    file = tmp_path / "text.md"
    file.write_text(text, encoding="utf-8")
    monkeypatch.setattr(speed, "RESULTS", tmp_path / "results.json")
    assert run(["readme", str(file)]) == 0
    assert speed_markdown(RECORD) in file.read_text(encoding="utf-8")


def test_actions_take_turns_and_the_first_round_does_not_count() -> None:
    calls: list[str] = []

    def slow() -> None:
        calls.append("slow")
        time.sleep(0.02)

    seconds = interleaved({"slow": slow, "quick": lambda: calls.append("quick")}, rounds=3)
    assert calls == ["slow", "quick"] * 4
    assert [len(values) for values in seconds.values()] == [3, 3]
    assert min(seconds["slow"]) >= 0.02 > min(seconds["quick"])


def test_a_row_is_median_and_percentile() -> None:
    values = [5.0, 1.0, 2.0, 3.0, 4.0]
    row = measured("what", values, "s", waiting=True, goal=3)
    assert (row.value, row.runs, row.goal) == (3.0, 5, 3)
    assert row.p95 == pytest.approx(np.percentile(values, 95))
    assert measured("what", values, "s").p95 is None
    assert measured("what", values[: FEWEST - 1], "s", waiting=True).p95 is None


def test_a_busy_machine_gives_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    for load, warned in ((0.9, False), (1.1, True)):
        monkeypatch.setattr(os, "getloadavg", lambda load=load: (load, 0.0, 0.0))
        assert bool(machine.busy_warning()) is warned
        assert machine.facts("1")["load before"] == f"{load:.2f}"


def test_every_format_holds_the_same_image() -> None:
    levels = images._detected(np.linspace(0, 1, 160 * 128, dtype=np.float32).reshape(160, 128), seed=1)
    assert levels.max() > 4000
    for name, data in files(levels).items():
        values = read_image(data).values
        if name == "JPEG, 8 bits":
            assert np.abs(values - (levels >> 4)).mean() < 2
        else:
            np.testing.assert_array_equal(values, levels, err_msg=name)


def test_reading_has_a_row_for_each_file() -> None:
    small = {name: data for name, data in packaged().items() if "CT_small" in name}
    (row,) = reading(small, rounds=1)
    assert row.value > 0
    assert row.note == "39 kB"
    levels = np.zeros((16, 16), dtype=np.uint16)
    assert replace(reading({"DICOM": dicom(levels)}, 1)[0], value=0.0) == Measurement(
        "DICOM", 0.0, "ms", 1, note="1 kB"
    )


def test_only_a_full_run_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []

    def measure(tasks: Sequence[Task], *, quick: bool, growth: bool) -> Iterator[Record]:
        assert growth
        asked.append(quick)
        yield replace(RECORD, sections={"Steps": RECORD.sections["Steps"]})
        yield RECORD

    monkeypatch.setattr(command, "measure", measure)
    readme, results = tmp_path / "README.md", tmp_path / "results.json"
    readme.write_text("<!-- bench -->\nold\n<!-- end -->\n", encoding="utf-8")
    command.main(quick=True, results=results, readme=readme)
    assert "old" in readme.read_text(encoding="utf-8")
    assert not results.exists()
    command.main(quick=False, results=results, readme=readme)
    assert readme.read_text(encoding="utf-8") == f"<!-- bench -->\n{speed_markdown(RECORD)}\n<!-- end -->\n"
    assert read_record(results) == RECORD
    assert asked == [True, False]


def test_one_task_alone_keeps_what_else_was_measured_that_day(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = Record({**RECORD.machine, machine.LOAD: "0.3"}, (), {"Steps": (Measurement("time", 30.0, "ms", 40),)})

    def measure(tasks: Sequence[Task], *, quick: bool, growth: bool) -> Iterator[Record]:
        assert tasks == [TUBERCULOSIS]
        yield now

    monkeypatch.setattr(command, "measure", measure)
    readme, results = tmp_path / "README.md", tmp_path / "results.json"
    readme.write_text("<!-- bench -->\nold\n<!-- end -->\n", encoding="utf-8")
    write_record(RECORD, results)
    command.main(task=["tuberculosis"], results=results, readme=readme)
    kept = read_record(results)
    assert kept.sections == {"Steps": now.sections["Steps"], "Memory": RECORD.sections["Memory"]}
    assert kept.warnings == RECORD.warnings
    assert command.added(replace(RECORD, machine={"cores": "4", "Python": "3.11"}), now) == now


def test_memory_alone_takes_its_rows_place_and_says_where_it_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextmanager
    def chromium() -> Iterator[SimpleNamespace]:
        yield SimpleNamespace(version="1")

    monkeypatch.setattr(command, "chromium", chromium)
    monkeypatch.setattr(command, "chests", lambda count: [])
    monkeypatch.setattr(command, "facts", lambda version: {"date": "2030-01-02", "processor": "Another one"})
    row = Measurement("left behind by 200 uploads", 9.0, "MiB", 1, goal=50.0, note="once forgotten")
    monkeypatch.setattr(command, "measure_growth", lambda task, files: [row])
    readme, results = tmp_path / "README.md", tmp_path / "results.json"
    readme.write_text("<!-- bench -->\nold\n<!-- end -->\n", encoding="utf-8")
    write_record(RECORD, results)
    command.main(only_memory=True, results=results, readme=readme)
    kept = read_record(results)
    assert kept.machine == RECORD.machine
    note = "once forgotten; measured by itself on 2030-01-02, on Another one"
    assert kept.sections == {
        **RECORD.sections,
        "Tuberculosis: memory after many uploads": (replace(row, note=note),),
    }
    assert note in readme.read_text(encoding="utf-8")


def test_an_image_that_the_guard_stops_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    verdict = Verdict(False, "not a radiograph", 0.0, ("This is a text page.",))
    monkeypatch.setattr(command, "check_image", lambda image, reads: verdict)
    with pytest.raises(InputError, match="This is a text page"):
        command._check_guard(TUBERCULOSIS, [np.zeros((16, 16), dtype=np.uint16)])


def test_what_the_user_can_mend_ends_with_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(typer.Exit) as stopped:
        command.main()
    assert stopped.value.exit_code == 2
    assert "apt-get install chromium" in capsys.readouterr().err

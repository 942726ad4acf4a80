"""What was measured of speed and memory: benchmarks/results.json, written by `make bench`, never by hand."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from cxrkit.errors import InputError

RESULTS = Path(__file__).resolve().parents[1] / "benchmarks" / "results.json"


@dataclass(frozen=True)
class Measurement:
    """One row of the table.

    Attributes:
        what: was measured.
        value: median of the runs.
        unit: "ms", "s", "MiB", "bytes", "times" or "cases/s".
        runs: how many times it was measured; those that only warm up do not count.
        p95: 95th percentile of the runs, where people wait for each of them; otherwise None.
        goal: the most that `value` should be, or the least; None where no goal was set.
        note: how to read it; "" if `what` says all.
        at_least: whether the goal is the least.
    """

    what: str
    value: float
    unit: str
    runs: int
    p95: float | None = None
    goal: float | None = None
    note: str = ""
    at_least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether the goal was met; None where none was set."""
        if self.goal is None:
            return None
        return self.value >= self.goal if self.at_least else self.value <= self.goal


@dataclass(frozen=True)
class Record:
    """One run of the benchmarks.

    Attributes:
        machine: fact -> text, without anything that names the machine.
        warnings: sentences about what makes the figures doubtful, such as a busy machine.
        sections: title -> rows.
    """

    machine: Mapping[str, str]
    warnings: tuple[str, ...]
    sections: Mapping[str, tuple[Measurement, ...]]


def write_record(record: Record, path: Path = RESULTS) -> None:
    """Write a record as JSON."""
    path.write_text(json.dumps(asdict(record), indent=1, allow_nan=False) + "\n", encoding="utf-8")


def read_record(path: Path = RESULTS) -> Record:
    """Read a record.

    Raises:
        InputError: the file is missing, is not JSON, or lacks a field.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        sections = {title: tuple(Measurement(**row) for row in rows) for title, rows in raw["sections"].items()}
        return Record(dict(raw["machine"]), tuple(raw["warnings"]), sections)
    except FileNotFoundError:
        raise InputError("There is no record of the benchmarks. Make one with: make bench") from None
    except (json.JSONDecodeError, UnicodeDecodeError, AttributeError, KeyError, TypeError, ValueError):
        raise InputError("The record of the benchmarks is damaged. Make it anew with: make bench") from None

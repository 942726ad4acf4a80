"""A day of lung scans as the page reads it, from the files' bytes to the table's rows, beside the network alone."""

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256

import torch

from benchmarks.timing import interleaved, measured
from cxrkit.phantoms import SCAN_SAMPLES, simulate_scan, write_scan
from cxrkit.scan_facts import read_scan
from cxrkit.speed import Measurement
from cxrkit.task import ModelInput, Task
from cxrkit.weights import load_model
from pages.ui.scan_files import ScanFile
from pages.ui.scan_rows import TOGETHER, Asked, read_files
from pages.ui.uploads import Upload

LEAST = 0.8
"""Share of the network's own rate at which the table should be filled, at least."""


def day_of_scans(count: int) -> list[bytes]:
    """Nuclear medicine files of the samples, taken round and round, each with its own noise."""
    made = []
    for number in range(count):
        sample = SCAN_SAMPLES[number % len(SCAN_SAMPLES)]
        settings = replace(sample.settings, noise=sample.settings.noise + number // len(SCAN_SAMPLES))
        made.append(write_scan(simulate_scan(settings), sample.header))
    return made


def table(task: Task, files: Sequence[bytes], rounds: int) -> list[Measurement]:
    """Seconds that a day takes as the page reads it, and the network alone on the same scans, prepared before.

    Args:
        task: with weights.
        files: of one scan each, all different, of a view that the page finds by itself.
        rounds: both ways once a round.
    """
    loaded = load_model(task)
    asked = [
        Asked(ScanFile(number, Upload(f"{number}.dcm", data, sha256(data).hexdigest())), None, False)
        for number, data in enumerate(files, start=1)
    ]
    tensors = torch.cat(
        [torch.from_numpy(task.prepare([read_scan(data, "", None)], {}, ModelInput()).tensor[0]) for data in files]
    )[:, None]

    def whole() -> None:
        states = {found.state for _, found in read_files(loaded, asked)}
        if states != {"read"}:
            raise RuntimeError(f"The page did not read the benchmarks' own scans: {', '.join(sorted(states))}")

    def alone() -> None:
        with torch.no_grad():
            for batch in torch.split(tensors, TOGETHER):
                loaded.model(batch)

    day, network = f"{len(files)} scans, from files to the table's rows", f"the network alone on {len(files)} scans"
    seconds = interleaved({day: whole, network: alone}, rounds)
    shares = [base / taken for base, taken in zip(seconds[network], seconds[day], strict=True)]
    return [
        *(measured(name, values, "s") for name, values in seconds.items()),
        replace(measured("the table's rate, over the network's own", shares, "times", goal=LEAST), at_least=True),
    ]

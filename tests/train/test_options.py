"""Options of training commands that go together: how they look on the command line, and what a command gets."""

from dataclasses import dataclass
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from train.options import Device, Devices, StudyOptions, StudyRun, grouped
from train.studies import Budget
from train.trainer import FitSettings


@dataclass(frozen=True)
class OwnStudy(StudyOptions):
    run: StudyRun = Path("runs/own")


@pytest.mark.parametrize(
    ("given", "options", "settings"),
    [
        ([], OwnStudy(), FitSettings()),
        (
            [
                *("--run", "a", "--cache", "b", "--budget", "small", "--repeats", "2", "--card"),
                "--precision",
                "16-true",
            ],
            OwnStudy(Path("a"), Path("b"), Budget.SMALL, 2, card=True),
            FitSettings(precision="16-true"),
        ),
    ],
)
def test_fields_of_a_group_are_options(given: list[str], options: OwnStudy, settings: FitSettings) -> None:
    told: list[object] = []
    app = typer.Typer()

    @app.command()
    @grouped
    def command(data: int, options: OwnStudy, *, device: Device) -> None:
        told.extend([data, options, device.settings()])

    done = CliRunner().invoke(app, ["3", *given])
    assert done.exit_code == 0, done.output
    assert told == [3, options, settings]


def test_several_devices_are_passed_on() -> None:
    found = Devices("cpu", "32-true", devices=2, nodes=3, strategy="ddp").settings()
    assert found == FitSettings(accelerator="cpu", precision="32-true", devices=2, nodes=3, strategy="ddp")

"""Options of the training commands: types of single ones, and dataclasses of those that go together."""

import dataclasses
import inspect
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

from train.laboratory import Laboratory
from train.studies import Budget, Row, Study
from train.trainer import FitSettings

Cache = Annotated[Path | None, typer.Option(help="Folder for prepared images; RUN/cache if not given.")]
Init = Annotated[Path | None, typer.Option(help="safetensors file to start from.")]
Out = Annotated[Path, typer.Option(help="Folder that holds a folder of weights for each task.")]
Precision = Annotated[str, typer.Option(help="Lightning's, such as bf16-mixed; auto: what the device is quick at.")]
Pretrained = Annotated[bool, typer.Option(help="Start from timm's ImageNet weights (downloads them).")]
Stages = Annotated[str, typer.Option(help="SIZE:EPOCHS:IMAGES of each, separated by commas.")]
StudyRun = Annotated[Path, typer.Option(help="Folder for cells and tables; studies in one folder share cells.")]
Size = Annotated[Budget, typer.Option(help="The source's settings, what one GPU can do, or what two cores can.")]


@dataclasses.dataclass(frozen=True)
class Device:
    """What one process trains on."""

    accelerator: str = "auto"
    precision: Precision = "auto"

    def settings(self) -> FitSettings:
        """For `train.trainer.fit`."""
        return FitSettings(**dataclasses.asdict(self))


@dataclasses.dataclass(frozen=True)
class Devices(Device):
    """What one or more processes train on."""

    devices: int = 1
    nodes: int = 1
    strategy: str = "auto"


@dataclasses.dataclass(frozen=True)
class StudyOptions:
    """Of every study; a task gives RUN its default."""

    run: StudyRun
    cache: Cache = None
    budget: Size = Budget.FULL
    repeats: Annotated[
        int | None, typer.Option(help="Trainings of each cell with other seeds; the budget's if not given.")
    ] = None
    without: Annotated[
        list[str] | None,
        typer.Option(help="Network to leave out, by its name in the table; again for each."),
    ] = None
    card: Annotated[bool, typer.Option("--card", help="Put the finished table on the card of the shipped weights.")] = (
        False
    )

    def conduct(self, laboratory: Laboratory[Any], study: Study[Any], repeats: int) -> None:
        """Conduct a study and print its table; `repeats` holds where the options say nothing."""
        study = study.without(self.without or [])
        show(laboratory.conduct(study, self.budget, self.repeats or repeats, card=self.card))


def show(rows: list[Row]) -> None:
    """Print a table, one line a row."""
    for row in rows:
        typer.echo("; ".join(f"{name}: {value}" for name, value in row.items()))


def grouped(command: Callable[..., None]) -> Callable[..., None]:
    """Make options of the fields of each parameter that is one of the dataclasses above, and hand it the dataclass."""
    own = inspect.signature(command).parameters
    classes = {name: one.annotation for name, one in own.items() if isinstance(one.annotation, type)}
    groups = {name: one for name, one in classes.items() if dataclasses.is_dataclass(one)}
    fields = {name: inspect.signature(group).parameters for name, group in groups.items()}

    @wraps(command)
    def filled(**given: Any) -> None:
        made = {name: group(**{field: given.pop(field) for field in fields[name]}) for name, group in groups.items()}
        command(**given, **made)

    options = [option for name, one in own.items() for option in fields.get(name, {name: one}).values()]
    filled.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [option.replace(kind=inspect.Parameter.KEYWORD_ONLY) for option in options]
    )
    filled.__annotations__ = {option.name: option.annotation for option in options}
    return filled

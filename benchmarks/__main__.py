"""Print a table of medians measured in turn in one run: prediction, heatmaps, reading."""

import time
from collections.abc import Callable, Mapping
from statistics import median

import psutil
import pytorch_grad_cam
import torch
import typer
from pydicom.data import get_testdata_file
from pytorch_grad_cam.utils.model_targets import ClassifierOutputTarget

from cxrkit.explain import explain
from cxrkit.image import read_image
from cxrkit.predict import encode
from cxrkit.report import markdown_table
from cxrkit.task import ModelInput, Task
from cxrkit.tasks import TASKS
from cxrkit.weights import fixed_sample, load_model

SYNTAXES = {
    "explicit little endian": "CT_small.dcm",
    "RLE": "MR_small_RLE.dcm",
    "JPEG lossless": "JPGLosslessP14SV1_1s_1f_8b.dcm",
    "JPEG-LS": "MR_small_jpeg_ls_lossless.dcm",
    "JPEG 2000": "MR_small_jp2klossless.dcm",
}
"""Files that pydicom's own package holds."""


def medians(actions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median seconds of each action, all of them once a round, after one round that does not count."""
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for number in range(rounds + 1):
        for name, action in actions.items():
            start = time.perf_counter()
            action()
            if number:
                seconds[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in seconds.items()}


def prediction(task: Task, rounds: int) -> list[dict[str, object]]:
    """Forward alone; with our maps of all labels; the same maps by the library on the whole network."""
    loaded = load_model(task)
    prepared = task.prepare([fixed_sample()] * len(task.inputs), {}, ModelInput())
    tensor = torch.from_numpy(prepared.tensor[0:1, 0:1])

    def forward() -> None:
        with torch.no_grad():
            loaded.model(tensor)

    def ours() -> None:
        encoded = encode(loaded, prepared)
        explain(loaded, prepared, encoded)

    def ordinary() -> None:
        with pytorch_grad_cam.GradCAM(model=loaded.model, target_layers=list(loaded.model.pyramid.layer_blocks)) as cam:
            for index in range(len(task.labels)):
                cam(tensor.clone().requires_grad_(True), [ClassifierOutputTarget(index)])

    def prepare() -> None:
        task.prepare([fixed_sample()] * len(task.inputs), {}, ModelInput())

    names = {"prepare": prepare, "forward alone": forward, "forward + all maps": ours, "ordinary Grad-CAM": ordinary}
    found = medians(names, rounds)
    base = found["forward alone"]
    return [
        {"Task": task.name, "What": name, "Median ms": f"{1000 * value:.1f}", "x forward": f"{value / base:.2f}"}
        for name, value in found.items()
    ]


def reading(rounds: int) -> list[dict[str, object]]:
    """Read time by transfer syntax, warm."""
    actions = {}
    for name, file in SYNTAXES.items():
        path = get_testdata_file(file, download=False)
        if isinstance(path, str):
            with open(path, "rb") as stream:
                data = stream.read()
            actions[name] = lambda data=data: read_image(data)
    return [
        {"Transfer syntax": name, "Median ms": f"{1000 * value:.1f}"}
        for name, value in medians(actions, rounds).items()
    ]


def main(rounds: int = 20) -> None:
    """Measure and print."""
    for task in TASKS:
        typer.echo(markdown_table(prediction(task, rounds)) + "\n")
    typer.echo(markdown_table(reading(rounds)) + "\n")
    typer.echo(f"Memory of this process: {psutil.Process().memory_info().rss / 2**20:,.0f} MB.")


if __name__ == "__main__":
    typer.run(main)

"""Figures of methods section 3: where block 4 looks, error by age, and the weights that the given sex enters through.

Charts are written as HTML with their numbers beside them as CSV, maps as PNG. Maps of simulated hands may be shown
anywhere; those of a data set's own hands are for whoever has the data set.
"""

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
import plotly.graph_objects as go
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from cxrkit.age_figures import AGE_EDGES, age_groups
from cxrkit.bone_age import SEXES, STEP
from cxrkit.metrics import mean_absolute_difference
from cxrkit.models.tjnet import AGE, AGES
from cxrkit.phantoms import random_hand, simulate_hand
from cxrkit.pixels import Gray, eight_bits, resize
from cxrkit.task import ModelInput, Task

Floats = NDArray[np.float64]


def block_map(model: nn.Module, view: Gray, sex: int, task: Task) -> Gray:
    """Grad-CAM of the expected age at the maps that the head reads, block 4 of TJ-Net (Selvaraju et al. 2017).

    Args:
        model: with features, embed and answer; in eval mode.
        view: [S, S] in [0, 1], prepared.
        sex: index of the given sex.
        task: for mean and std.

    Returns:
        [S, S] in [0, 1]; all 0 where nothing raises the age.
    """
    image = torch.from_numpy(((view - task.mean) / task.std).astype(np.float32))[None, None]
    with torch.no_grad():
        maps: Tensor = model.features(image)  # type: ignore[operator]
    maps.requires_grad_(True)
    logits = model.answer(model.embed(maps), torch.tensor([sex]))  # type: ignore[operator]
    age = (logits[0, AGE].softmax(dim=0) * torch.arange(AGES) * STEP).sum()
    (gradient,) = torch.autograd.grad(age, maps)
    raw = (gradient.mean(dim=(2, 3), keepdim=True) * maps).sum(dim=1)[0].clamp(min=0).detach().numpy()
    peak = float(raw.max())
    shown = resize((raw / peak if peak > 0 else raw).astype(np.float32), view.shape[1], view.shape[0])
    return np.clip(shown, 0, 1).astype(np.float32)


def draw_maps(models: Mapping[str, nn.Module], views: Sequence[tuple[Gray, int]], task: Task, file: Path) -> None:
    """A PNG: one row a hand, and in each the hand and the map of every network, which stand in this order above.

    Args:
        models: name -> network in eval mode.
        views: prepared views [S, S] with the index of the sex.
        task: for mean and std.
        file: to write.
    """
    rows = []
    for view, sex in views:
        gray = np.repeat(eight_bits(view)[..., None], 3, axis=2)
        laid = [_laid(gray, block_map(model, view, sex, task)) for model in models.values()]
        rows.append(np.hstack([gray, *laid]))
    width = rows[0].shape[1] // (1 + len(models))
    head = np.zeros((24, rows[0].shape[1], 3), dtype=np.uint8)
    for number, name in enumerate(("hand", *models)):
        at = (number * width + 4, 16)
        cv2.putText(head, name, at, cv2.FONT_HERSHEY_SIMPLEX, width / 600, (255, 255, 255), 1, cv2.LINE_AA)
    file.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(file), np.vstack([head, *rows]))


def _laid(gray: NDArray[np.uint8], heat: Gray) -> NDArray[np.uint8]:
    colours = cv2.applyColorMap((heat * 255).astype(np.uint8), cv2.COLORMAP_INFERNO)
    share = (0.6 * heat)[..., None]
    return ((1 - share) * gray + share * colours).astype(np.uint8)


def simulated_views(task: Task, size: int, count: int = 6) -> list[tuple[Gray, int]]:
    """Simulated hands of both sexes and of ages spread evenly, as the network reads them."""
    found = []
    drawn = sorted((random_hand(seed, 384) for seed in range(8 * count)), key=lambda hand: hand.age_months)
    for settings in drawn[4::8]:
        image = simulate_hand(settings).radiograph()
        view = task.prepare([image], {}, ModelInput(size=size)).view[0]
        found.append((view, SEXES.index("F" if settings.sex == "female" else "M")))
    return found


def error_by_age(errors: Mapping[str, tuple[Floats, Floats]], stem: Path) -> None:
    """STEM.html and STEM.csv: MAD with 95 % interval of each network in each age group.

    Args:
        errors: network -> reference ages [N] and absolute errors [N], in months.
        stem: of the files.
    """
    chart, table = go.Figure(), []
    for name, (months, values) in errors.items():
        group = np.searchsorted(AGE_EDGES, months, side="right")
        names, intervals = [], []
        for index, label in enumerate(age_groups()):
            own = values[group == index]
            if own.size:
                interval = mean_absolute_difference(own, np.zeros_like(own))
                names.append(label)
                intervals.append(interval)
                table.append([name, label, own.size, interval.value, interval.low, interval.high])
        above = [interval.high - interval.value for interval in intervals]
        below = [interval.value - interval.low for interval in intervals]
        error = {"type": "data", "symmetric": False, "array": above, "arrayminus": below}
        chart.add_bar(name=name, x=names, y=[interval.value for interval in intervals], error_y=error)
    chart.update_layout(yaxis_title="MAD in months, 95 % interval", xaxis_title="reference bone age")
    _write(chart, stem, ["network", "age group", "images", "MAD", "low", "high"], table)


def sex_weights(model: nn.Module, stem: Path) -> None:
    """STEM.html and STEM.csv: the matrix [64, 2] through which the given sex enters, sorted by its difference."""
    weight = model.enter_sex.weight.detach().double().numpy()  # type: ignore[union-attr,operator]
    order = np.argsort(weight[:, 1] - weight[:, 0])
    names = [f"{'girl' if sex == 'F' else 'boy'}" for sex in SEXES]
    largest = float(np.abs(weight).max())
    heat = go.Heatmap(z=weight[order].T, y=names, colorscale="RdBu", zmin=-largest, zmax=largest)
    chart = go.Figure(heat)
    chart.update_layout(xaxis_title="value, sorted by boy less girl", height=260)
    table = [[int(row), *weight[row].tolist()] for row in order]
    _write(chart, stem, ["value", *names], table)


def _write(chart: go.Figure, stem: Path, header: list[str], table: list[list[object]]) -> None:
    stem.parent.mkdir(parents=True, exist_ok=True)
    chart.write_html(stem.with_suffix(".html"), include_plotlyjs="directory")
    with stem.with_suffix(".csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header)
        writer.writerows(table)

"""Solids as clouds of small volumes, for projection from any side: tubes, plates, balls."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.interpolate import PchipInterpolator

Gray = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Cloud:
    """Small volumes. points: [N, 3] in mm; volumes: [N] in mm^3, times the density the maker was given."""

    points: Gray
    volumes: Gray

    def mirrored(self) -> "Cloud":
        """The same on the other side of the midline."""
        return Cloud(self.points * np.array([-1, 1, 1], dtype=np.float32), self.volumes)


def join(clouds: list[Cloud]) -> Cloud:
    """All volumes in one cloud."""
    return Cloud(np.concatenate([c.points for c in clouds]), np.concatenate([c.volumes for c in clouds]))


@dataclass(frozen=True, eq=False)
class Course:
    """A curve resampled at even steps, with a frame.

    points, first, second: [S, 3], the last two of unit length and square to each other and to the curve; axes: [S, 2],
    half the extent along first and second; weights: [S], of the volumes; step: mm between points.
    """

    points: Gray
    first: Gray
    second: Gray
    axes: Gray
    weights: Gray
    step: float

    def thinned(self, factor: int) -> "Course":
        """The same curve with one point in place of `factor`."""
        total = self.step * len(self.points)
        pick = slice(min(factor // 2, len(self.points) - 1), None, factor)
        step = total / len(self.points[pick])
        return Course(self.points[pick], self.first[pick], self.second[pick], self.axes[pick], self.weights[pick], step)


def course(path: ArrayLike, axes: ArrayLike, up: ArrayLike, spacing: float, weights: ArrayLike = 1.0) -> Course:
    """A smooth curve through the points of `path` [K, 3] with half-axes [K, 2] (or [2]) and weights [K] (or one).

    `first` points `up` ([3] or [K, 3]).
    """
    control = np.asarray(path, dtype=np.float64)
    half = np.broadcast_to(np.asarray(axes, dtype=np.float64), (len(control), 2))
    weight = np.broadcast_to(np.asarray(weights, dtype=np.float64), len(control))[:, None]
    along = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(control, axis=0), axis=1))])
    count = max(int(np.ceil(along[-1] / spacing)), 2)
    step = along[-1] / count
    places = (np.arange(count) + 0.5) * step
    hint = np.broadcast_to(np.asarray(up, dtype=np.float64), control.shape)
    curve = PchipInterpolator(along, np.hstack([control, half, weight, hint]))
    sampled, tangents = curve(places), curve(places, nu=1)[:, :3]
    tangents /= np.maximum(np.linalg.norm(tangents, axis=1, keepdims=True), 1e-9)
    hint = sampled[:, 6:]
    first = hint - np.sum(hint * tangents, axis=1, keepdims=True) * tangents
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-9)
    return Course(
        sampled[:, :3].astype(np.float32),
        first.astype(np.float32),
        np.cross(tangents, first).astype(np.float32),
        sampled[:, 3:5].astype(np.float32),
        sampled[:, 5].astype(np.float32),
        float(step),
    )


def shell(line: Course, thickness: float, spacing: float, inset: float = 0.0) -> Cloud:
    """The wall of an elliptical tube, `thickness` mm thick, inside its outer border; a thick one in layers."""
    layers = int(np.ceil(thickness / max(2 * spacing, 1.3)))
    if layers > 1:
        each = thickness / layers
        return join([shell(line, each, spacing, inset + number * each) for number in range(layers)])
    axes = np.maximum(line.axes - np.float32(inset + thickness / 2), 0.05)
    around = max(int(np.ceil(np.pi * float(axes.max(axis=0).sum()) / spacing)), 8)
    angle = (np.arange(around, dtype=np.float32) * np.float32(2 * np.pi / around))[None, :]
    cos, sin = np.cos(angle), np.sin(angle)
    a, b = axes[:, :1], axes[:, 1:]
    points = (
        line.points[:, None, :]
        + (a * cos)[..., None] * line.first[:, None, :]
        + (b * sin)[..., None] * line.second[:, None, :]
    )
    arc = np.sqrt((a * sin) ** 2 + (b * cos) ** 2) * np.float32(2 * np.pi / around)
    volumes = arc * np.float32(line.step * thickness) * line.weights[:, None]
    return Cloud(points.reshape(-1, 3), volumes.reshape(-1).astype(np.float32))


def core(line: Course, inset: float, spacing: float) -> Cloud:
    """The inside of an elliptical tube, `inset` mm from its outer border, filled evenly."""
    axes = np.maximum(line.axes - np.float32(inset), 0.05)
    disc = sunflower(max(int(np.ceil(np.pi * float(np.prod(axes, axis=1).max()) / spacing**2)), 1))
    points = (
        line.points[:, None, :]
        + (axes[:, :1] * disc[:, 0])[..., None] * line.first[:, None, :]
        + (axes[:, 1:] * disc[:, 1])[..., None] * line.second[:, None, :]
    )
    area = np.float32(np.pi) * (axes.prod(axis=1) * line.weights)[:, None]
    volumes = np.broadcast_to(area * np.float32(line.step / len(disc)), points.shape[:2])
    return Cloud(points.reshape(-1, 3), volumes.reshape(-1).astype(np.float32))


def sunflower(count: int) -> Gray:
    """[count, 2]: points spread evenly over the unit disc (Vogel's spiral)."""
    index = np.arange(count, dtype=np.float64)
    radius, angle = np.sqrt((index + 0.5) / count), index * np.pi * (3 - np.sqrt(5))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32)


def plate(corners: ArrayLike, thickness: float, spacing: float, bulge: float = 0.0) -> Cloud:
    """A four-cornered sheet [4, 3], bent by `bulge` mm along z in its middle."""
    a, b, c, d = np.asarray(corners, dtype=np.float64)
    long, wide = np.linalg.norm(d - a) + np.linalg.norm(c - b), np.linalg.norm(b - a) + np.linalg.norm(c - d)
    rows, columns = max(int(long / 2 / spacing), 2), max(int(wide / 2 / spacing), 2)
    v, u = ((np.arange(n) + 0.5) / n for n in (rows, columns))
    u, v = u[None, :, None], v[:, None, None]
    points = (1 - v) * ((1 - u) * a + u * b) + v * ((1 - u) * d + u * c)
    area = np.linalg.norm(np.cross((1 - v) * (b - a) + v * (c - d), (1 - u) * (d - a) + u * (c - b)), axis=2)
    points[..., 2:] += bulge * 16 * u * (1 - u) * v * (1 - v)
    volumes = area * (thickness / (rows * columns))
    return Cloud(points.reshape(-1, 3).astype(np.float32), volumes.reshape(-1).astype(np.float32))

"""Pulmonary arteries and veins: trees grown through the lungs, thinner towards the periphery."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cxrkit.phantoms.chest_anatomy import SIDES, Anatomy, follow_lung, home_anatomy
from cxrkit.phantoms.settings import ChestSettings, stream
from cxrkit.phantoms.solids import Cloud, sunflower

Gray = NDArray[np.float32]

_ENDS = 620
"""Ends of each tree."""
_MURRAY = 2.3
"""Exponent that links the radius of a vessel to those of its branches (Murray's law; 2.3 to 3 is measured)."""
_TIP_MM = 0.46
_TRUNK = 1.2
"""Factor on the main branches, which carry their wall and the bronchus's with them."""

Trunk = tuple[tuple[tuple[float, float, float], int], ...]

# Main branches in mm for the patient's left (x, y, z), with the number of the point each hangs on.
_ARTERIES: dict[str, Trunk] = {
    "right": (((22, 114, 6), -1), ((36, 112, 2), 0), ((44, 122, -4), 1), ((49, 138, -12), 2), ((52, 156, -20), 3),
              ((38, 98, 2), 1), ((44, 80, 4), 5), ((60, 150, 14), 3)),
    "left": (((26, 104, 0), -1), ((38, 103, -12), 0), ((45, 114, -22), 1), ((49, 132, -28), 2), ((52, 150, -32), 3),
             ((42, 92, -4), 1), ((46, 74, 4), 5), ((62, 138, 14), 2)),
}  # fmt: skip
_VEINS: dict[str, Trunk] = {
    "right": (((24, 146, -6), -1), ((36, 154, -10), 0), ((52, 166, -20), 1), ((36, 128, 10), 0), ((46, 104, 18), 3)),
    "left": (((26, 144, -12), -1), ((40, 152, -18), 0), ((56, 166, -26), 1), ((40, 124, 8), 0), ((50, 100, 16), 3)),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Tree:
    """points: [N, 3] in mm; parents: [N], -1 at the root; radii: [N] of the piece that leads to each point."""

    points: NDArray[np.float64]
    parents: NDArray[np.int64]
    radii: NDArray[np.float64]


def grow_vessels(settings: ChestSettings, anatomy: Anatomy) -> dict[str, list[Tree]]:
    """Side -> its arteries and veins."""
    found: dict[str, list[Tree]] = {}
    home = home_anatomy(settings, anatomy)
    for side, sign in SIDES.items():
        trees = []
        for number, trunks in enumerate((_ARTERIES, _VEINS)):
            random = stream(settings, "vessels", 2 * (sign > 0) + number)
            tree = _grow(random, home, side, trunks[side])
            trees.append(replace(tree, points=follow_lung(tree.points, home, anatomy, side)))
        found[side] = trees
    return found


def _grow(random: np.random.Generator, anatomy: Anatomy, side: str, trunk: Trunk) -> Tree:
    sign = SIDES[side]
    wobble = random.normal(0, 2.0, 3) * [1, 2, 1]
    points = [np.array(place, dtype=np.float64) * [sign, 1, 1] + wobble for place, _ in trunk]
    parents = [parent for _, parent in trunk]
    targets = _ends(random, anatomy, side)
    root = points[0]
    targets = targets[np.argsort(np.linalg.norm(targets - root, axis=1), kind="stable")]
    known = np.empty((len(points) + len(targets), 3))
    far = np.empty(len(known))
    known[: len(points)] = points
    for index, parent in enumerate(parents):
        far[index] = 0 if parent < 0 else far[parent] + np.linalg.norm(points[index] - points[parent])
    links = np.full(len(known), -1)
    links[: len(parents)] = parents
    columns = known.T.copy()  # a row for each axis, which is three times as quick
    for count, target in enumerate(targets, len(points)):
        across, down, deep = columns[:, :count] - target[:, None]
        distance = np.sqrt(across * across + down * down + deep * deep)
        cost = distance + 0.55 * far[:count]
        cost[0] += 40
        best = int(np.argmin(cost))
        known[count] = columns[:, count] = target
        links[count] = best
        far[count] = far[best] + distance[best]
    radii = _radii(links, known)
    radii[: len(parents)] *= _TRUNK
    return Tree(known, links, radii)


def _ends(random: np.random.Generator, anatomy: Anatomy, side: str) -> NDArray[np.float64]:
    """Random places in aerated lung, denser towards the base (where upright flow is higher)."""
    low, high = np.array([8, 0, -105]), np.array([150, 330, 100])
    tried = random.uniform(low, high, (_ENDS * 8, 3)).astype(np.float32) * np.array([SIDES[side], 1, 1], np.float32)
    keep = anatomy.aerated(tried, side, margin=5.0)
    base = float(anatomy.dome(side).top)
    keep &= random.random(len(tried)) < 0.45 + 0.55 * np.clip(tried[:, 1] / base, 0, 1)
    return tried[keep][:_ENDS].astype(np.float64)


def _radii(parents: NDArray[np.int64], points: NDArray[np.float64]) -> NDArray[np.float64]:
    flow = np.zeros(len(parents))
    lower = np.clip(points[:, 1] / 240, 0, 1)
    children = np.bincount(parents[1:], minlength=len(parents))
    flow[children == 0] = (_TIP_MM * (0.8 + 0.4 * lower[children == 0])) ** _MURRAY
    # Points are ordered from root to ends within every branch, so one pass backwards sums the flow.
    for index in range(len(parents) - 1, 0, -1):
        flow[parents[index]] += flow[index]
    return np.asarray(flow ** (1 / _MURRAY))


def vessel_cloud(trees: list[Tree], spacing: float, anatomy: Anatomy, side: str) -> Cloud:
    """Filled tubes along all pieces in aerated lung, curved into their branches, tapering from one end to the other."""
    clouds = []

    def keep(points: Gray) -> NDArray[np.bool_]:
        return anatomy.aerated(points, side)

    for tree in trees:
        start = tree.parents[1:]
        a, b = tree.points[start], tree.points[1:]
        before = np.where(tree.parents[start] < 0, start, tree.parents[start])
        radius = np.stack([np.minimum(tree.radii[start], tree.radii[1:] * 1.35), tree.radii[1:]], 1)
        clouds += _pieces(a, b, tree.points[before], radius, spacing, keep)
    return Cloud(np.concatenate([c.points for c in clouds]), np.concatenate([c.volumes for c in clouds]))


def _pieces(
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    before: NDArray[np.float64],
    radius: NDArray[np.float64],
    spacing: float,
    keep: Callable[[Gray], NDArray[np.bool_]],
) -> list[Cloud]:
    """Quadratic curves from a to b that leave a in the direction of its own parent, grouped by thickness."""
    long = np.linalg.norm(b - a, axis=1)
    ahead = a - before
    ahead /= np.maximum(np.linalg.norm(ahead, axis=1, keepdims=True), 1e-6)
    bend = a + (0.22 * long)[:, None] * ahead
    steps = np.maximum(np.ceil(long / spacing).astype(int), 1)
    index = np.repeat(np.arange(len(a)), steps)
    t = (np.arange(len(index)) - np.repeat(np.cumsum(steps) - steps, steps) + 0.5) / steps[index]
    t = t[:, None]
    place = (1 - t) ** 2 * a[index] + 2 * t * (1 - t) * bend[index] + t**2 * b[index]
    tangent = 2 * (1 - t) * (bend - a)[index] + 2 * t * (b - bend)[index]
    step = np.linalg.norm(tangent, axis=1) / steps[index]
    size = radius[index, 0] * (1 - t[:, 0]) + radius[index, 1] * t[:, 0]
    tangent /= np.maximum(np.linalg.norm(tangent, axis=1, keepdims=True), 1e-6)
    first = np.cross(tangent, [0.3, 0.2, 0.93])
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-6)
    second = np.cross(tangent, first)
    seen = keep(place.astype(np.float32))
    level = np.ceil(np.log2(np.maximum(np.pi * (size / spacing) ** 2, 1))).astype(int)
    clouds = []
    for number in np.unique(level):
        pick = (level == number) & seen
        disc = sunflower(2 ** int(number))
        wide = size[pick][:, None]
        points = place[pick][:, None] + (wide * disc[:, 0])[..., None] * first[pick][:, None]
        points += (wide * disc[:, 1])[..., None] * second[pick][:, None]
        volumes = np.broadcast_to((np.pi * size[pick] ** 2 * step[pick] / len(disc))[:, None], points.shape[:2])
        clouds.append(Cloud(points.reshape(-1, 3).astype(np.float32), volumes.reshape(-1).astype(np.float32)))
    return clouds

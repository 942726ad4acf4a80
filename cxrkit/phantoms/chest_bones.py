"""The skeleton of the chest: clouds of cortical bone (fine) and spongy bone (coarse).

Volumes are weighted by how much more each mm attenuates than a mm of soft tissue does (at about 60 keV effective).
"""

import numpy as np
from numpy.typing import ArrayLike

from cxrkit.phantoms.chest_anatomy import Anatomy
from cxrkit.phantoms.solids import Cloud, core, course, join, plate, shell

CORTEX, SPONGY = 2.0, 0.36

_RIB_DROP = (46, 72, 92, 106, 116, 123, 128, 130, 130, 124, 108, 86)
_RIB_END = (152, 150, 146, 142, 138, 134, 130, 124, 116, 108, 92, 66)
"""Degrees round the chest, from the spine, where the bone ends and cartilage begins."""
_RIB_HALF = ((8.0, 3.0), (6.2, 3.4), *(((6.6, 3.8),) * 6), (6.5, 3.6), (6.2, 3.4), (5.5, 3.0), (4.8, 2.8))
UP = (0.0, 1.0, 0.0)


def vertebra_y(number: float) -> float:
    """y of the middle of thoracic vertebra 1 to 12; below 1 cervical, above 12 lumbar."""
    step = number - 1
    return -5 + 21 * step + (0.35 * step * step if step > 0 else 0.0)


class Skeleton:
    """Collects the bones.

    Args:
        spacing: mm between the volumes of cortical bone; those of spongy bone lie `coarse` times further apart.
    """

    coarse = 4

    def __init__(self, anatomy: Anatomy, arms: str, spacing: float) -> None:
        self.anatomy, self.arms, self.spacing = anatomy, arms, spacing
        self._cortex: list[Cloud] = []
        self._spongy: list[Cloud] = []
        for number in range(1, 13):
            self._rib(number)
        for number in range(-3, 16):
            self._vertebra(number)
        self._sternum()
        self._clavicles()
        self._scapulae()
        if arms != "raised":
            self._humeri()

    def cortex(self) -> Cloud:
        return join(self._cortex)

    def spongy(self) -> Cloud:
        return join(self._spongy)

    def _bone(
        self,
        path: ArrayLike,
        axes: ArrayLike,
        up: ArrayLike,
        cortex: float,
        both: bool = True,
        dense: ArrayLike = 1.0,
        filling: float = SPONGY,
    ) -> None:
        """A tube of cortical bone filled with spongy bone, and its mirror image; `dense` [K] weights its points."""
        line = course(path, axes, up, self.spacing, dense)
        wall = shell(line, cortex, self.spacing)
        wall = Cloud(wall.points, wall.volumes * np.float32(CORTEX))
        wide = self.spacing * self.coarse
        inside = core(line.thinned(self.coarse), cortex, wide)
        inside = Cloud(inside.points, inside.volumes * np.float32(filling))
        self._cortex += [wall, wall.mirrored()] if both else [wall]
        self._spongy += [inside, inside.mirrored()] if both else [inside]

    def _rib(self, number: int) -> None:
        anatomy = self.anatomy
        drop = _RIB_DROP[number - 1] * anatomy.drop
        start = vertebra_y(number) + (2 if number > 1 else 0)
        angle = np.radians(np.linspace(6, _RIB_END[number - 1], 40))
        lung = anatomy.lungs[1]
        turn = angle / np.pi
        fall = np.where(turn < 0.5, turn - 0.07 * np.sin(2 * np.pi * turn), 0.5 + 1.44 * (turn - 0.5))
        y = start + drop * fall + 5 * np.exp(-(((angle - 0.1) / 0.25) ** 2))
        wide = float(lung.border(start + drop / 2)) + 0.8
        back, front = float(lung.back(start + 14)) - 3, float(lung.front(start + drop)) + 4
        power = 0.86
        x = wide * np.sin(angle) ** power
        z = (back + front) / 2 - (front - back) / 2 * np.sign(np.cos(angle)) * np.abs(np.cos(angle)) ** power
        near = np.clip((44 - x) / 26, 0, 1)
        near = near * near * (3 - 2 * near) * (angle < 1)
        z = z * (1 - near) + (anatomy.spine_z(y) - 14) * near
        half = np.array(_RIB_HALF[number - 1]) * (1 + 0.08 * anatomy.extra[18])
        shape = np.interp(angle, [0.1, 0.35, 0.8, angle[-1] - 0.25, angle[-1]], [0.62, 0.8, 0.95, 1.0, 1.06])[:, None]
        dense = np.interp(angle, [0.1, 0.3, 1.4, 2.0, angle[-1] - 0.1, angle[-1]], [0.5, 1.0, 1.1, 0.55, 0.45, 0.0])
        up = np.array(UP) if number > 1 else np.stack([0.8 * np.sin(angle), 0.6 + 0 * angle, -0.8 * np.cos(angle)], 1)
        self._bone(np.stack([x, y, z], 1), half * shape, up, 0.7, dense=dense, filling=0.9)

    def _vertebra(self, number: int) -> None:
        spine_z = self.anatomy.spine_z
        middle = vertebra_y(number)
        tall = vertebra_y(number + 0.5) - vertebra_y(number - 0.5) - 4.5
        wide = float(np.interp(number, [-3, 1, 4, 12, 15], [11, 14, 13.5, 19, 22]))
        deep = float(np.interp(number, [-3, 1, 6, 12], [8, 9, 13, 16]))
        y = middle + tall * np.linspace(-0.5, 0.5, 7)
        z = spine_z(y)
        path = np.stack([np.zeros(7), y, z], 1)
        waist = np.array([1.04, 0.97, 0.92, 0.9, 0.92, 0.97, 1.04])[:, None]
        self._bone(path, waist * np.array([wide, deep]), (1, 0, 0), 0.25, both=False, filling=0.16)
        for place in (0, -1):
            ends = path[place] + np.array([[0, -0.5, 0], [0, 0.5, 0]])
            line = course(ends, (wide, deep), (1, 0, 0), 0.5)
            disc = core(line, 0.5, self.spacing * 1.4)
            self._cortex.append(Cloud(disc.points, disc.volumes * np.float32(0.5)))
        back = float(spine_z(middle)) - deep
        faint = 1.0 if number > 0 else 0.4
        pedicle = 0.74 * wide
        high = middle - 0.16 * tall
        self._bone([(pedicle, high, back + 4), (pedicle + 1, high, back - 9)], (4.8, 3.0), UP, 0.35, dense=0.8 * faint)
        self._bone(
            [(pedicle, high + 4, back - 10), (2.5, high + 12, back - 17)],
            (5.0, 2.2),
            UP,
            0.35,
            dense=(faint, 0.3 * faint),
        )
        self._bone(
            [(0, middle + 4, back - 16), (0, middle + 15, back - 34)],
            (2.2, 5.5),
            (1, 0, 0),
            0.5,
            both=False,
            dense=(0.3 * faint, faint),
        )
        if number > 0:
            reach = float(np.interp(number, [1, 12], [34, 24]))
            self._bone(
                [(pedicle + 2, high, back - 8), (reach, high - 4, back - 17)], (4.0, 3.5), UP, 0.4, dense=(1, 0.1)
            )

    def _sternum(self) -> None:
        front = self.anatomy.lungs[1].front
        tops = [(34, 27), (48, 24), (66, 17), (80, 15)]
        self._bone(
            [(0, y, float(front(y)) + 9) for y, _ in tops], [(w, 5) for _, w in tops], (1, 0, 0), 0.7, both=False
        )
        body = [(83, 13), (120, 16), (160, 19), (180, 13)]
        self._bone(
            [(0, y, float(front(y)) + 8) for y, _ in body], [(w, 4.5) for _, w in body], (1, 0, 0), 0.6, both=False
        )

    def _clavicles(self) -> None:
        lift = {"PA": 0.0, "AP": -10.0, "raised": -8.0}[self.arms] + 6 * self.anatomy.extra[19]
        path = [(15, 38, 50), (30, 34, 56), (58, 27 + lift * 0.3, 55), (90, 19 + lift * 0.6, 36), (120, 11 + lift, 10),
                (146, 6 + lift, -10), (160, 7 + lift, -17), (165, 8 + lift, -18)]  # fmt: skip
        axes = [(8.5, 7), (9, 7), (6.6, 6.2), (6.0, 5.8), (5.8, 6), (6, 7), (5.5, 7), (1.5, 2)]
        self._bone(path, axes, UP, 1.0, dense=(0.3, 1, 1, 1, 1, 0.9, 0.5, 0), filling=0.7)

    def _scapulae(self) -> None:
        out = {"PA": 12.0, "AP": -6.0, "raised": 10.0}[self.arms] + 5 * self.anatomy.extra[20]
        upper, lower = (96 + out, 14, -98), (112 + 1.4 * out, 152, -104)
        neck, glenoid = (140 + 0.4 * out, 42, -48), (147 + 0.2 * out, 34, -34)
        blade = plate([upper, neck, lower, lower], 1.0, self.spacing, bulge=-9)
        self._cortex += [
            c for c in (Cloud(blade.points, blade.volumes * np.float32(CORTEX)),) for c in (c, c.mirrored())
        ]
        side = np.linspace(0, 1, 9)[:, None]
        edge = np.array(neck) * (1 - side) + np.array(lower) * side + np.array([-5, 0, 0]) * np.sin(np.pi * side)
        self._bone(edge, np.linspace(4.8, 2.4, 9)[:, None] * np.array([1, 0.8]), UP, 1.2, dense=np.linspace(1, 0.4, 9))
        inner = np.array(upper) * (1 - side) + np.array(lower) * side + np.array([-3, 0, -4]) * np.sin(np.pi * side)
        self._bone(inner, (1.7, 1.7), (1, 0, 0), 0.7)
        top = [upper, (116 + out, 16, -86), (132 + 0.6 * out, 20, -62), neck]
        self._bone(top, (1.6, 1.6), UP, 0.8)
        ridge = [(100 + out, 42, -104), (124 + 0.7 * out, 28, -104), (150, 12, -76), (164, 5, -52), (170, 4, -40)]
        self._bone(ridge, [(3, 2), (5, 3), (7, 4), (8, 5), (6, 5)], UP, 1.0, dense=(0.2, 0.8, 1, 0.9, 0))
        self._bone(
            [(143, 28, -34), (139, 20, -20), (137, 17, -8), (140, 19, 4), (142, 22, 7)],
            [(3, 3), (6, 5), (6, 5), (5, 4), (1, 1)],
            UP,
            0.6,
            dense=(0.2, 0.8, 1, 0.6, 0),
        )
        self._bone([neck, glenoid], [(15, 7), (19, 6)], UP, 1.0, dense=(0.2, 0.9))

    def _humeri(self) -> None:
        elbow = {"PA": (272, 330, -6), "AP": (210, 380, -20)}[self.arms]
        start = np.array((170.0, 28.0, -26.0))
        share = np.array([-22, -16, 0, 15, 28, 46, 80, 300])[:, None] / np.linalg.norm(np.array(elbow) - start)
        path = start + share * (np.array(elbow) - start)
        radius = np.array([8, 17, 22, 20, 15, 12.5, 11.5, 11])[:, None] * np.array([1.0, 1.0])
        self._bone(path[:5], radius[:5], (1, 0, 0), 1.0, dense=(0.1, 1, 1, 1, 0.4))
        self._bone(path[3:], radius[3:], (1, 0, 0), 3.2, dense=(0, 0.6, 1, 1, 1))

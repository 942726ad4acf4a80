"""Supervised start of the encoder: findings of ChestX-ray14, tuberculosis, and normal or not, from single radiographs.

The pairs with labels are few, single radiographs are many; what an abnormal chest looks like can be learned from them.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import lightning
import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from cxrkit import metrics
from cxrkit.models.cmt import move_biases
from cxrkit.models.music_vit import WIDTH, MusicVit
from cxrkit.pixels import Gray, resize
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from train.augment import across_hospitals
from train.followup.losses import UNKNOWN
from train.followup.parts import divide, read_set
from train.identity import identity_of
from train.prepared import Views, WeightedDraws, even_weights, lung_maps, prepare_cases
from train.stored import HISTORY, save_tensors
from train.trainer import FitSettings, fit
from train.tuberculosis.lesions import draw_lesions

_MAY_WIDEN = ("change.weight", "direction.weight")
FINDINGS = (
    "Atelectasis",
    "Cardiomegaly",
    "Consolidation",
    "Edema",
    "Effusion",
    "Emphysema",
    "Fibrosis",
    "Hernia",
    "Infiltration",
    "Mass",
    "Nodule",
    "Pleural_Thickening",
    "Pneumonia",
    "Pneumothorax",
)


@dataclass(frozen=True)
class PretrainSettings:
    """Of the supervised start.

    Attributes:
        encoder: of the CMT family.
        sizes: (side in pixels, epochs) of each stage of training; the attention's biases move from one to the next.
        images_per_epoch, batch: an epoch draws this many images.
        abnormal: share of the draws that are abnormal as they are.
        lesions: share of the normal draws into which lesions are drawn, and which then count as abnormal.
        learning_rate: peak of one cycle.
        workers: processes that augment.
        seed: of initialisation, sampling and augmentation.
    """

    encoder: str = "cmt_ti"
    sizes: tuple[tuple[int, int], ...] = ((128, 12), (192, 3))
    images_per_epoch: int = 3200
    abnormal: float = 0.5
    lesions: float = 0.3
    batch: int = 32
    learning_rate: float = 8e-4
    workers: int = 1
    seed: int = 0


@dataclass(frozen=True, eq=False)
class Singles:
    """Single radiographs in memory.

    Attributes:
        views: [N, S, S], prepared.
        lungs: [N, S, S], probability of lung in 1/255.
        abnormal: [N] 0 or 1.
        findings: [N, 14] 0, 1 or UNKNOWN, in the order of FINDINGS.
        groups: [N] "normal/<source>" or "abnormal/<source>".
        of_findings: [N] True for the set with findings.
        carved: [N] True for the part that only judges.
    """

    views: Views
    lungs: Views
    abnormal: NDArray[np.int64]
    findings: NDArray[np.int64]
    groups: NDArray[np.str_]
    of_findings: NDArray[np.bool_]
    carved: NDArray[np.bool_]


def read_singles(tuberculosis: Path, nih: Path, cache: Path, size: int) -> Singles:
    """What may be learned from in both sets, and what chooses, as the follow-up network's training divides them."""
    views, abnormal, findings, groups, carved = [], [], [], [], []
    for folder in (tuberculosis, nih):
        parts = divide(read_set(folder))
        cases = [*parts.training, *parts.carved]
        # Every chest task prepares alike, and this one reads single images.
        views.append(prepare_cases(TUBERCULOSIS, cases, folder, size, cache))
        for case in cases:
            ill = int(case.target)
            abnormal.append(ill)
            findings.append(_findings(case.row))
            groups.append(f"{'abnormal' if ill else 'normal'}/{case.family}")
        carved += [False] * len(parts.training) + [True] * len(parts.carved)
    together = np.concatenate(views)
    return Singles(
        views=together,
        lungs=lung_maps(together, cache),
        abnormal=np.array(abnormal),
        findings=np.array(findings),
        groups=np.array(groups),
        of_findings=np.repeat([False, True], [len(each) for each in views]),
        carved=np.array(carved),
    )


def _findings(row: Mapping[str, str]) -> list[int]:
    """14 times 0, 1 or UNKNOWN: nobody looked for them in images of tuberculosis, and normal chests have none."""
    if "findings" in row:
        found = row["findings"].split("|")
        return [int(name in found) for name in FINDINGS]
    return [UNKNOWN if row["target"] == "1" else 0] * len(FINDINGS)


class SingleImages(Dataset[tuple[Tensor, int, Tensor]]):
    """Augmented and normalised views [1, S, S], normal or not, and findings [14]; drawn lesions count as abnormal."""

    def __init__(self, singles: Singles, positions: NDArray[np.int64], size: int, lesions: float) -> None:
        self.singles, self.positions, self.size, self.lesions = singles, positions, size, lesions
        self.augment = across_hospitals() if lesions else None

    def __len__(self) -> int:
        return len(self.positions)

    def __getitem__(self, index: int) -> tuple[Tensor, int, Tensor]:
        at = int(self.positions[index])
        view = self.singles.views[at].astype(np.float32) / 255
        ill, findings = int(self.singles.abnormal[at]), self.singles.findings[at]
        random = np.random.default_rng(int(torch.randint(2**31, ())))  # torch seeds each worker and epoch
        if not ill and random.random() < self.lesions:
            drawn = draw_lesions(view, self.singles.lungs[at].astype(np.float32) / 255, random)
            if drawn is not view:  # where no lungs are found, nothing is drawn
                view, ill, findings = drawn, 1, np.full_like(findings, UNKNOWN)
        if self.augment:
            view = self.augment(view)
        return _normalised(resize(view, self.size, self.size)), ill, torch.from_numpy(findings)


def _normalised(view: Gray) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray((view - FOLLOW_UP.mean) / FOLLOW_UP.std, dtype=np.float32))[None]


class SingleClassifier(nn.Module):
    """The encoder, embedding and disease head of a MusicVit, with a head for findings beside them."""

    def __init__(self, encoder: str, size: int) -> None:
        super().__init__()
        self.network = MusicVit(encoder, size, "none")
        self.findings = nn.Linear(WIDTH, len(FINDINGS))

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """[N, 1, S, S] -> logits [N, 2] of normal / abnormal and [N, 14] of the findings."""
        embedded = self.network.embed(self.network.encoder(images).mean(dim=(2, 3)))
        return self.network.disease(embedded), self.findings(embedded)  # type: ignore[misc]


def loss(model: nn.Module, batch: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    """Cross-entropy of normal / abnormal, and of the findings that are known."""
    images, abnormal, findings = batch
    disease, found = model(images)
    known = findings != UNKNOWN
    by_finding = nn.functional.binary_cross_entropy_with_logits(
        found.float(), findings.clamp(min=0).float(), reduction="none"
    )
    value: Tensor = nn.functional.cross_entropy(disease.float(), abnormal, label_smoothing=0.05)
    return value + (by_finding * known).sum() / known.sum().clamp(min=1)


def pretrain(singles: Singles, settings: PretrainSettings, how: FitSettings, run: Path) -> Path:
    """Train through all sizes, or go on where a killed run stopped.

    Returns:
        safetensors file with the names of a MusicVit of the last size: encoder, embedding and disease head.
    """
    state: dict[str, Tensor] = {}
    for size, epochs in settings.sizes:
        lightning.seed_everything(settings.seed, verbose=False)
        model = SingleClassifier(settings.encoder, size)
        if state:
            model.load_state_dict(move_biases(state, model))
        loader = _loader(singles, settings, size)
        schedule = replace(how, epochs=epochs, learning_rate=settings.learning_rate)
        identity = identity_of(settings, singles.views, singles.abnormal, singles.findings)
        fit(model, loss, loader, schedule, run / f"{size}", identity)
        state = dict(model.state_dict())
        print(size, *(f"{name} {value:.3f}" for name, value in judged(model, singles, size).items()), flush=True)
    file = run / "encoder.safetensors"
    sizes = ", ".join(f"{epochs} x {settings.images_per_epoch:,} at {size} px" for size, epochs in settings.sizes)
    kept = {name.removeprefix("network."): value for name, value in _shared(state).items()}
    save_tensors(kept, file, {HISTORY: f"labels of single radiographs ({sizes})"})
    return file


def _shared(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """What a MusicVit has too; its change head, which nothing here trains, is left out."""
    kept = ("network.encoder.", "network.embed.", "network.disease.")
    return {name: value.contiguous() for name, value in state.items() if name.startswith(kept)}


def _loader(singles: Singles, settings: PretrainSettings, size: int) -> "DataLoader[tuple[Tensor, int, Tensor]]":
    positions = np.flatnonzero(~singles.carved)
    shares = {"abnormal": settings.abnormal, "normal": 1 - settings.abnormal}
    weights = even_weights([str(group) for group in singles.groups[positions]], shares)
    sampler = WeightedDraws(weights, settings.images_per_epoch, settings.seed)
    data = SingleImages(singles, positions, size, settings.lesions)
    return DataLoader(
        data,
        batch_size=settings.batch,
        sampler=sampler,
        drop_last=True,
        num_workers=settings.workers,
        persistent_workers=settings.workers > 0,
    )


@torch.no_grad()
def judged(model: nn.Module, singles: Singles, size: int) -> dict[str, float]:
    """AUC on the carved part: normal / abnormal within either set, and the mean over findings with both answers."""
    positions = np.flatnonzero(singles.carved)
    data = SingleImages(singles, positions, size, 0)
    parts = [model(images) for images, _, _ in DataLoader(data, batch_size=64)]
    disease = torch.cat([part[0].softmax(dim=1)[:, 1] for part in parts]).numpy()
    found = torch.cat([part[1] for part in parts]).numpy()
    truth, findings = singles.abnormal[positions], singles.findings[positions]
    nih = singles.of_findings[positions]
    several = [k for k in range(len(FINDINGS)) if 0 < findings[nih, k].sum() < nih.sum()]
    return {
        "abnormal in nih": metrics.auc(truth[nih], disease[nih]),
        "tuberculosis": metrics.auc(truth[~nih], disease[~nih]),
        "findings": float(np.mean([metrics.auc(findings[nih, k], found[nih, k]) for k in several])),
    }


def start_from(model: MusicVit, file: Path) -> None:
    """Fill a network with what `pretrain` or an earlier training wrote, whatever its input size.

    What a layer reads beside what it read before comes last, and keeps its first weights.
    """
    own = model.state_dict()
    state = move_biases({name: value for name, value in load_file(file).items() if name in own}, model)
    for name, value in state.items():
        if name in _MAY_WIDEN:
            state[name] = torch.cat([value, own[name][:, value.shape[1] :]], dim=1)
    model.load_state_dict(state, strict=False)

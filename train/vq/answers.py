"""What a network says of prepared scans."""

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import softmax
from torch import nn

from cxrkit.task import Task
from train.vq.scans import KINDS, Views, network_input

Floats = NDArray[np.float64]


def logits_of(model: nn.Module, views: Views, task: Task, size: int, batch: int = 32) -> Floats:
    """Logits [N, 2] of views [N, 224, 224], in eval mode and as they are."""
    device = next(model.parameters()).device
    model.eval()
    found = []
    with torch.no_grad():
        for start in range(0, len(views), batch):
            seen = views[start : start + batch].astype(np.float32) / 255
            images = torch.from_numpy(np.stack([network_input(view, task, size) for view in seen]))
            found.append(model(images.to(device)).float().cpu().numpy())
    return np.concatenate(found).astype(np.float64)


def scores(logits: Floats, temperature: float = 1.0) -> Floats:
    """Logits [N, 2] -> probability [N] of perfusion."""
    return np.asarray(softmax(logits / temperature, axis=1)[:, KINDS.index("perfusion")], dtype=np.float64)

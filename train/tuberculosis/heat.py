"""Where the tuberculosis network looks: heat inside the lungs of real images, and on simulated lesions."""

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from cxrkit.card import Metric
from cxrkit.explain import Method, explain, raw_maps
from cxrkit.finding_auc import auc_by_patient
from cxrkit.localisation import Localisation, localise
from cxrkit.metrics import bootstrap_interval, wilson_interval
from cxrkit.phantoms import ChestSettings, Lesion, random_chest, simulate_chest
from cxrkit.pixels import resize
from cxrkit.predict import Encoded, encode, predict
from cxrkit.task import ModelInput
from cxrkit.tasks.tuberculosis import TUBERCULOSIS as TASK
from cxrkit.weights import LoadedModel
from train.prepared import Views


def heat_in_lungs(loaded: LoadedModel, views: Views, lungs: Views) -> list[tuple[float, float]]:
    """Share of the heat inside the lungs and share of the view that the lungs fill, for each view with heat.

    Args:
        loaded: the network.
        views: [N, S, S], prepared.
        lungs: [N, S, S], probability of lung in 1/255.
    """
    found = []
    for view, lung in zip(views, lungs, strict=True):
        tensor = torch.from_numpy((view.astype(np.float32) / 255 - TASK.mean) / TASK.std)[None, None]
        with torch.no_grad():
            encoded = Encoded(loaded.model.features(tensor))  # type: ignore[operator]
        raw = raw_maps(loaded, encoded, [TASK.positive_index], Method.GRAD_CAM)[0]
        heat, inside = np.maximum(resize(raw, *view.shape[::-1]), 0), lung > 127
        if heat.sum() > 0 and inside.any():
            found.append((float(heat[inside].sum() / heat.sum()), float(inside.mean())))
    return found


def heat_metrics(loaded: LoadedModel, views: Views, lungs: Views, part: str) -> list[Metric]:
    """Mean share of heat inside the lungs, and what evenly spread heat would have, with bootstrap intervals."""
    shares = heat_in_lungs(loaded, views, lungs)
    if not shares:
        return []
    note = "Grad-CAM for tuberculosis; lungs by the U-Net, which misses lung hidden by disease"
    return [
        _mean("share of heat inside the lungs", part, [share for share, _ in shares], note),
        _mean("share of the input that the lungs fill", part, [fill for _, fill in shares], "evenly spread heat"),
    ]


def simulated_metrics(loaded: LoadedModel, pairs: int) -> list[Metric]:
    """Simulated patients with and without a cavity or consolidation: scores, and heatmaps against the exact masks."""
    part = "simulated chests: cavity or consolidation, the same patients without"
    clear, ill, shares, chances, hits = [], [], [], [], []
    for seed in range(pairs):
        healthy, diseased = _pair(seed)
        clear.append(_read(loaded, healthy)[0])
        score, localised = _read(loaded, diseased)
        ill.append(score)
        if localised is not None:
            shares.append(localised.share)
            chances.append(localised.chance)
            hits.append(localised.hit)
    target = np.repeat([0, 1], pairs)
    patients = [str(seed) for seed in range(pairs)]
    auc = auc_by_patient(target, np.array(clear + ill), patients * 2)  # both images of a patient are much alike
    higher = wilson_interval(int(np.sum(np.array(ill) > np.array(clear))), pairs)
    note = "images are simulated: says whether the network answers to the lesion, not how good it is on patients"
    metrics = [
        Metric("AUC", part, auc.value, auc.low, auc.high, 2 * pairs, note),
        Metric("score higher with the lesion", part, higher.value, higher.low, higher.high, pairs, "0.5 by chance"),
    ]
    if hits:
        hit = wilson_interval(int(np.sum(hits)), len(hits))
        note = "the map's maximum lies on the lesion, within 3 % of the image's longer side"
        metrics += [
            Metric("pointing game, hits", part, hit.value, hit.low, hit.high, len(hits), note),
            _mean("share of heat on the lesion", part, shares, "Grad-CAM for tuberculosis"),
            _mean("share of the input that the lesion fills", part, chances, "evenly spread heat"),
        ]
    return metrics


def _pair(seed: int) -> tuple[ChestSettings, ChestSettings]:
    healthy = random_chest(seed, lesions=(), view="PA", size=512)
    kind = ("cavity", "consolidation")[seed % 2]
    lesion = Lesion(kind, "left" if seed // 2 % 2 else "right", zone="upper")
    return healthy, replace(healthy, lesions=(lesion,))


def _read(loaded: LoadedModel, settings: ChestSettings) -> tuple[float, Localisation | None]:
    chest = simulate_chest(settings)
    image = chest.radiograph()
    prepared = TASK.prepare([image], {}, ModelInput())
    encoded = encode(loaded, prepared)
    score = predict(loaded, prepared, encoded).scores[TASK.positive]
    (heatmap,) = explain(loaded, prepared, encoded, [TASK.positive])
    masks = [mask for _, mask in chest.lesions]
    return score, None if heatmap.empty or not masks else localise(heatmap.values, heatmap.box, masks[0])


def _mean(name: str, part: str, values: list[float], note: str) -> Metric:
    measured: NDArray[np.float64] = np.array(values)
    interval = bootstrap_interval(lambda drawn: float(np.mean(drawn)), measured)
    return Metric(name, part, interval.value, interval.low, interval.high, len(values), note)

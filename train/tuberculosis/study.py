"""The study of methods section 2: two networks x {none, erase, erase + augment, erase + augment + flip}.

**Choice**: RandAugment without inversion; `train.augment.published` says why. Asked for, cells with it are added.
"""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrkit.card import WEIGHTS
from cxrkit.errors import InputError
from cxrkit.metrics import ClassScores, confusion, delong_interval, precision_recall_f1
from cxrkit.predict import probabilities
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from train.studies import FROM_IMAGENET, Budget, put_study_on_card, words
from train.trainer import FitSettings
from train.tuberculosis.crossed import training_part
from train.tuberculosis.fit import FAMILY_PAIRS, Settings, logits_of, train_model
from train.tuberculosis.images import Images, load_images

ENCODERS = ("resnet50", "efficientnet_b0")
PREPROCESSINGS: tuple[tuple[str, ...], ...] = (
    (),
    ("erase",),
    ("erase", "augment"),
    ("erase", "augment", "flip"),
)
INVERTED = tuple((*preprocessing, "invert") for preprocessing in PREPROCESSINGS if "augment" in preprocessing)
"""The same where RandAugment may invert, as the source's list has it."""

TITLE = "Two networks and four preprocessings"


def settings_of(budget: Budget, images: int) -> Settings:
    """The source's settings (512 px, 10 epochs of as many draws as there are images, batch 32, 256 channels), or less.

    **Choices**: half of the draws, which are with replacement, are of tuberculosis, and families are drawn evenly
    within a class, because most of our images are normal and a network that calls everything so would be right in most
    draws; one cycle with averaged weights and gradients clipped at 1, labels smoothed by 0.05.
    """
    source = Settings(
        channels=256, size=512, epochs=10, early_epochs=0, images_per_epoch=images, negatives=0.5, lesions=0.0
    )
    if budget is Budget.FULL:
        return source
    if budget is Budget.MEDIUM:
        return replace(source, size=224)
    return replace(source, channels=64, size=96, epochs=5, images_per_epoch=640)


def run_study(data: Path, run: Path, budget: Budget, *, pretrained: bool = False, invert: bool = False) -> None:
    """Train every cell not yet in RUN/study_BUDGET.json, then put the table on the card if there is one.

    Args:
        data: folder that train.datasets can read.
        run: folder for checkpoints and the table.
        budget: how large the study is.
        pretrained: start the encoders from timm's ImageNet weights; such cells have rows of their own.
        invert: add cells in which RandAugment may invert.
    """
    settings = settings_of(budget, images=1)
    images = load_images(data, (), settings, run / "cache")
    settings = settings_of(budget, images=int((_own(images) & ~images.test).sum()))
    settings = replace(settings, pretrained=pretrained)
    file = run / f"study_{budget}.json"
    rows: list[dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else []
    done = {(row["network"], row["preprocessing"]) for row in rows}
    for encoder, preprocessing in product(ENCODERS, PREPROCESSINGS + (INVERTED if invert else ())):
        network, name = encoder + (FROM_IMAGENET if pretrained else ""), " + ".join(preprocessing) or "none"
        if (network, name) in done:
            continue
        cell = replace(settings, encoder=encoder, augmentation=preprocessing)
        figures = _figures(images, cell, run / f"{budget} {network} {name}")
        rows.append({"network": network, "preprocessing": name, **figures})
        file.write_text(json.dumps(rows, indent=1))
    card = WEIGHTS / TUBERCULOSIS.name / "card.json"
    if card.is_file():
        families = sorted(set(images.families[_own(images)].tolist()))
        put_study_on_card(TITLE, budget, rows, card, f"; trained on {' + '.join(families)} alone")


def _own(images: Images) -> NDArray[np.bool_]:
    """[N] the last family pair, which the cells learn from; all of a data set that does not have it beside others."""
    own = np.isin(images.families, FAMILY_PAIRS[-1])
    return own if own.any() and not own.all() else np.ones_like(own)


def _figures(images: Images, cell: Settings, run: Path) -> dict[str, Any]:
    """Train one cell on the last family pair's training part; read its test part and all other families."""
    own = _own(images)
    training, aside, other = own & ~images.test, own & images.test & ~images.copies, ~own & ~images.copies
    model = train_model(training_part(images, np.flatnonzero(training)), cell, FitSettings(), run)
    target = images.targets[aside]
    score = probabilities(logits_of(model, images.views[aside]), 1.0, "softmax")[:, 1]
    called = (score >= 0.5).astype(np.int64)
    scores = precision_recall_f1(target, called)
    row: dict[str, Any] = {
        "accuracy": words(confusion(target, called).accuracy),
        "accuracy of calling all normal": f"{(target == 0).mean():.3f}",
        "macro precision": _macro(lambda s: s.precision, scores.values()),
        "macro recall": _macro(lambda s: s.recall, scores.values()),
        "macro F1": _macro(lambda s: s.f1, scores.values()),
        "AUC": words(delong_interval(target, score)),
    }
    if other.any():
        score = probabilities(logits_of(model, images.views[other]), 1.0, "softmax")[:, 1]
        row["AUC, other families"] = words(delong_interval(images.targets[other], score))
    return row | {
        "size": cell.size,
        "epochs": cell.epochs,
        "images per epoch": cell.images_per_epoch,
        "channels": cell.channels,
        "batch": cell.batch,
        "learning rate": cell.learning_rate,
    }


def _macro(figure: Callable[[ClassScores], float], scores: Iterable[ClassScores]) -> str:
    """Mean over the classes; a class that is never called has no precision."""
    try:
        return f"{np.mean([figure(score) for score in scores]):.3f}"
    except InputError:
        return "undefined"

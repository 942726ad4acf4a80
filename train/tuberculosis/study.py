"""The study of methods section 2: two networks x {none, erase, erase + augment, erase + augment + flip}."""

import json
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cxrkit.card import WEIGHTS
from cxrkit.errors import InputError
from cxrkit.metrics import ClassScores, confusion, delong_interval, precision_recall_f1
from cxrkit.predict import probabilities
from cxrkit.tasks.tuberculosis import TUBERCULOSIS
from train.studies import Budget, put_study_on_card, words
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
TITLE = "Two networks and four preprocessings"


def settings_of(budget: Budget, images: int) -> Settings:
    """The source's settings (512 px, 10 epochs of all training images, batch 32, 256 channels), or smaller ones.

    **Choices**: one cycle with averaged weights, labels smoothed by 0.05, and families drawn evenly within a class.
    """
    source = Settings(
        channels=256, size=512, epochs=10, early_epochs=0, images_per_epoch=images, negatives=0.5, lesions=0.0
    )
    if budget is Budget.FULL:
        return source
    if budget is Budget.MEDIUM:
        return replace(source, size=224)
    return replace(source, channels=64, size=96, epochs=5, images_per_epoch=640)


def run_study(data: Path, run: Path, budget: Budget) -> None:
    """Train every cell not yet in RUN/study.json, then put the table on the card if there is one."""
    settings = settings_of(budget, images=1)
    images = load_images(data, (), settings, run / "cache")
    settings = settings_of(budget, images=int((_own(images) & ~images.test).sum()))
    file = run / f"study_{budget}.json"
    rows: list[dict[str, Any]] = json.loads(file.read_text()) if file.is_file() else []
    done = {(row["network"], row["preprocessing"]) for row in rows}
    for encoder in ENCODERS:
        for preprocessing in PREPROCESSINGS:
            name = " + ".join(preprocessing) or "none"
            if (encoder, name) in done:
                continue
            cell = replace(settings, encoder=encoder, augmentation=preprocessing)
            figures = _figures(images, cell, run / f"{budget} {encoder} {name}")
            rows.append({"network": encoder, "preprocessing": name, **figures})
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
        "macro precision": _macro(lambda s: s.precision, scores.values()),
        "macro recall": _macro(lambda s: s.recall, scores.values()),
        "macro F1": _macro(lambda s: s.f1, scores.values()),
        "AUC": words(delong_interval(target, score)),
    }
    if other.any():
        score = probabilities(logits_of(model, images.views[other]), 1.0, "softmax")[:, 1]
        row["AUC, other families"] = words(delong_interval(images.targets[other], score))
    return row | {"size": cell.size, "epochs": cell.epochs, "images per epoch": cell.images_per_epoch}


def _macro(figure: Callable[[ClassScores], float], scores: Iterable[ClassScores]) -> str:
    """Mean over the classes; a class that is never called has no precision."""
    try:
        return f"{np.mean([figure(score) for score in scores]):.3f}"
    except InputError:
        return "undefined"

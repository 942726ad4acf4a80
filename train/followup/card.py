"""Weights and card of the follow-up network: trained or given, measured as stored, written beside each other."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from torch import nn

from cxrkit.card import WEIGHTS, Card, Source, read_card, write_card
from cxrkit.tasks.followup import FOLLOW_UP
from cxrkit.weights import LoadedModel, preparation_record
from train.cards import RSNA_HANDS, Reference, source, store_unmeasured, stored_network
from train.followup.fit import Settings, network_settings, train_network
from train.followup.held import Held, read_held
from train.followup.matching import read_other
from train.followup.material import Material, read_material
from train.followup.measure import SPECIFICITY, Counts, Measurement
from train.followup.parts import CARVED
from train.provenance import commit
from train.stored import initialisation
from train.trainer import FitSettings, is_first_process
from train.tuberculosis.card import SOURCES as TUBERCULOSIS_SOURCES

_REFERENCES: Mapping[str, Reference] = {
    **{name: source for name, source in TUBERCULOSIS_SOURCES.items() if name not in ("nih", "hannover")},
    "nih": ("NIH ChestX-ray14, a part", "Wang et al. 2017", "free use with citation"),
    "hannover": (
        "Hannover COVID-19 image repository",
        "ml-workgroup/covid-19-image-repository",
        "CC BY 3.0",
    ),
    "body_parts": ("UNIFESP body-part set", "UNIFESP", "research"),
    "boneage": RSNA_HANDS,
}

FULL = Counts()

_MEASURED_ONLY = ", measured on only: as pictures that must not be compared with a chest"

_LIMITS = (
    "Real pairs that report are few, of one hospital, and their labels weak: change means that text-mined findings "
    "differ. Their intervals are wide.",
    "Made pairs set aside are of other patients than those learned from, but of the same archives, and their lesions "
    "come from the same drawing routines: figures on them are optimistic.",
    "Real lateral views were not measured; the matching range was tried on simulated ones.",
)


def make_weights(
    data: Sequence[Path],
    others: Sequence[Path],
    run: Path,
    cache: Path,
    settings: Settings,
    how: FitSettings,
    out: Path = WEIGHTS,
    counts: Counts = FULL,
) -> None:
    """Train, measure and write OUT/followup. Of several processes the first one measures and writes.

    Args:
        data: data sets; see parts.read_set.
        others: folders with labels.csv of radiographs that are no frontal chest, for the matching table.
        run: folder of the run.
        cache: folder for prepared images.
        settings, how: of training.
        out: folder that holds a folder of weights for each task.
        counts: how much is measured.
    """
    code = commit()
    material = read_material(data, settings.simulated, cache, alike=settings.alike)
    model = train_network(material, settings, how, run)
    if is_first_process():
        make_card(model, material, data, others, run, cache, settings, code, out, counts)


def make_card(
    model: nn.Module,
    material: Material,
    data: Sequence[Path],
    others: Sequence[Path],
    run: Path,
    cache: Path,
    settings: Settings,
    code: str,
    out: Path = WEIGHTS,
    counts: Counts = FULL,
) -> Card:
    """Store a trained network as OUT/followup, measure it as stored, write its card.

    Args:
        model: in eval mode.
        material: whose carved part chooses the thresholds.
        data, others, run, cache, settings, out, counts: as for make_weights.
        code: commit of the code that trained.
    """
    folder = out / FOLLOW_UP.name
    network = network_settings(settings)
    started = initialisation(settings.init, pretrained=settings.pretrained)
    card = store_unmeasured(model, FOLLOW_UP, folder, network, settings, started, code)
    return _measured(card, material, data, others, run, cache, folder, counts)


def measure_again(
    data: Sequence[Path],
    others: Sequence[Path],
    run: Path,
    cache: Path,
    out: Path = WEIGHTS,
    counts: Counts = FULL,
) -> Card:
    """Measure stored weights and write their card anew.

    What cannot be measured again is taken from the present card: settings, initialisation and the commit of the code
    that trained.

    Args:
        data, others, run, cache, out, counts: as for make_weights.

    Raises:
        WeightsError: there are no weights, or they are not those of their card.
    """
    folder = out / FOLLOW_UP.name
    present = read_card(folder / "card.json")
    material = read_material(data, 0, cache)
    return _measured(present, material, data, others, run, cache, folder, counts)


def _measured(
    card: Card,
    material: Material,
    data: Sequence[Path],
    others: Sequence[Path],
    run: Path,
    cache: Path,
    folder: Path,
    counts: Counts,
) -> Card:
    """The card with all that is measured, written."""
    seed = int(card.settings["seed"])
    held = read_held(data, cache, counts.singles)
    loaded = LoadedModel(FOLLOW_UP, card, stored_network(folder, FOLLOW_UP))
    measurement = Measurement(loaded, held, others, run, cache, counts)
    point = measurement.operating_point(material, seed)
    found = measurement.measure(point)
    card = replace(
        card,
        thresholds=point.thresholds,
        temperature=point.temperature,
        data=_sources(held, others, counts, int(card.settings["simulated"])),
        split=_split(held),
        metrics=found.metrics,
        preparation=preparation_record(FOLLOW_UP),
        limits=(*FOLLOW_UP.limits, *_LIMITS),
        tables=dict(card.tables) | found.tables,
    )
    write_card(card, folder / "card.json")
    return card


def _sources(held: Sequence[Held], others: Sequence[Path], counts: Counts, simulated: int) -> tuple[Source, ...]:
    """All data sets with the number of their images, trained or measured on."""
    images: Counter[str] = Counter()
    for one in held:
        images.update(case.family or one.name for case in one.images.images)
    found = [source(name, count, _REFERENCES) for name, count in sorted(images.items())]
    for folder in others:
        other = source(folder.name, len(read_other(folder, counts.others).cases), _REFERENCES)
        found.append(replace(other, name=other.name + _MEASURED_ONLY))
    made = {"simulated patients at two times, trained on": 2 * simulated, "simulated lateral views": counts.laterals}
    return (*found, *(Source(name, "cxrkit.phantoms", "free", count, False) for name, count in made.items() if count))


def _split(held: Sequence[Held]) -> str:
    """How each set was divided, with its numbers of images."""
    divided = "; ".join(
        f"{one.aside}: {len(one.parts.training)} images trained, {len(one.parts.carved)} were carved out, "
        f"{len(one.parts.aside)} report"
        for one in held
    )
    return (
        f"By patient where patients are known. {divided}. The part carved out ({CARVED:.0%} of the training patients) "
        "chose the best epoch, the temperature and the thresholds, at which "
        f"{SPECIFICITY:.0%} of its pairs without change, and of its normal images, are not called; its real pairs and "
        "those of the training part gave matching its usual range; the part that reports chose nothing. Images that "
        "repeat another one (train.audit_split) are left out"
    )

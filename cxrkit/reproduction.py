"""What the five sources claim, what an honest figure looks like, and which figure of ours stands beside each claim.

Claims and anchors are other people's, with their references; none is a figure of this project. Ours are never written
here but looked up in the cards, so that a new measurement moves them. All from methods sections 1 to 5.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from cxrkit.card import Card, Metric

_BUDGETS = ("full", "medium", "small")
"""Of studies, the largest first; as train.studies names them."""


@dataclass(frozen=True)
class Measured:
    """A figure among a card's metrics, by its name and part."""

    name: str
    part: str

    def look_up(self, card: Card) -> Metric | None:
        """The card's figure; None if it has none."""
        try:
            return card.metric(self.name, self.part)
        except KeyError:
            return None


@dataclass(frozen=True)
class Studied:
    """A figure in a study's table on a card.

    Attributes:
        study: the table's title starts with it; the budget follows there.
        row: what some of its columns hold in the row.
        column: of the figure.
    """

    study: str
    row: Mapping[str, str]
    column: str

    def look_up(self, card: Card) -> tuple[str, str] | None:
        """The figure in words, and the table's title; of the largest budget. None if there is none."""
        titles = [title for title in card.tables if title.startswith(self.study)]

        def smallness(title: str) -> int:
            return next((place for place, budget in enumerate(_BUDGETS) if f"({budget} budget" in title), len(_BUDGETS))

        for title in sorted(titles, key=smallness):
            for row in card.tables[title]:
                if self.column in row and all(row.get(name) == value for name, value in self.row.items()):
                    return str(row[self.column]), title
        return None


NOT_REPORTED = "not reported"
"""Of a claim: our figure has no counterpart in the source."""


@dataclass(frozen=True)
class Claim:
    """A figure of a source, in the unit of ours.

    Attributes:
        what: it is a figure of.
        claimed: as the source states it; NOT_REPORTED where only we report it.
        ours: where our figure is; None where we have nothing to measure it on.
        anchor: what others or a standard reach or ask for; "" where none is known.
    """

    what: str
    claimed: str
    ours: Measured | Studied | None
    anchor: str = ""


@dataclass(frozen=True)
class System:
    """One of the five published systems.

    Attributes:
        task: name of the task that implements it.
        title: of the system.
        reference: where it is published.
        claims: in the order of the table.
        beside: how to read claim and ours side by side, and where the anchors come from.
        contradictions: where the source contradicts itself or leaves open what was done, and what is done here.
    """

    task: str
    title: str
    reference: str
    claims: tuple[Claim, ...]
    beside: str
    contradictions: tuple[str, ...]


_PAIRS = "nih, given val part: pairs of consecutive radiographs"
_NO_PAIRS = "none known: no large set of labelled pairs is public"


def _ablation(network: str) -> Studied:
    return Studied("Ablation", {"network": network, "measured on": "real pairs, nih, given val part"}, "AUC")


MUSIC_VIT = System(
    task="followup",
    title="Follow-up comparison: MuSiC-ViT",
    reference="Cho et al., Medical Image Analysis 89 (2023) 102894, and the thesis it comes from",
    claims=(
        Claim("AUC for change, internal test", "0.797", Measured("AUC", _PAIRS), _NO_PAIRS),
        Claim("AUC for change, two external tests", "0.784 and 0.858", None, _NO_PAIRS),
        Claim(
            "AUC for change, lesions drawn into radiographs",
            NOT_REPORTED,
            Measured("AUC", "pairs made of radiographs set aside"),
        ),
        Claim("ablation, AUC: CMT alone", "0.762", _ablation("CMT-Ti")),
        Claim("ablation, AUC: with disease head", "0.736", _ablation("CMT-Ti + disease head")),
        Claim("ablation, AUC: with anatomy matching", "0.779", _ablation("CMT-Ti + AMM")),
        Claim("ablation, AUC: with both", "0.797", _ablation("CMT-Ti + AMM + disease head")),
    ),
    beside="The source's pairs are hospitals' own, with labels from their reports. Ours are few public pairs whose "
    "weak labels say that text-mined findings differ, and the network learned mostly from pairs made of single images.",
    contradictions=(
        "The equations have two weight matrices for the disease head, but the parameter counts only come out with one "
        "that both images share. Here it is shared.",
        "The columns of sensitivity and specificity may be swapped. Here both are of *change*, always.",
        "A smallest variant of 16.38 million parameters is claimed without its configuration; the nearest one found "
        "has 16.23 million and is offered as ours.",
    ),
)

_IN_SET = "in-set test part, same sources as training: optimistic"
_TO_MENDELEY = (
    "cross-family: trained on rahman_tb + radiography_normal + hannover + nih, tested on all of mendeley_tb + "
    "mendeley_normal"
)
_TO_RAHMAN = (
    "cross-family: trained on mendeley_tb + mendeley_normal + hannover + nih, tested on all of rahman_tb + "
    "radiography_normal"
)
_MAJORITY = "0.794: everybody called normal, in the source's data"
_WHO = "WHO's target for triage: at least 0.700"
_TRIAGE = "specificity at 90% sensitivity"
_COMMERCIAL = "0.85 to 0.91: commercial systems on 23,954 people"


def _screened(network: str, column: str) -> Studied:
    row = {"network": network, "preprocessing": "erase + augment + flip"}
    return Studied("Two networks and four preprocessings", row, column)


TUBERCULOSIS = System(
    task="tuberculosis",
    title="Tuberculosis screening with a feature pyramid",
    reference="the Streamlit tuberculosis framework",
    claims=(
        Claim("accuracy, ResNet-50", "0.963", _screened("resnet50", "accuracy"), _MAJORITY),
        Claim("macro precision, ResNet-50", "0.936", _screened("resnet50", "macro precision")),
        Claim("macro recall, ResNet-50", "0.946", _screened("resnet50", "macro recall")),
        Claim("macro F1, ResNet-50", "0.941", _screened("resnet50", "macro F1")),
        Claim("accuracy, EfficientNet-b0", "0.942", _screened("efficientnet_b0", "accuracy"), _MAJORITY),
        Claim("macro precision, EfficientNet-b0", "0.898", _screened("efficientnet_b0", "macro precision")),
        Claim("macro recall, EfficientNet-b0", "0.923", _screened("efficientnet_b0", "macro recall")),
        Claim("macro F1, EfficientNet-b0", "0.910", _screened("efficientnet_b0", "macro F1")),
        Claim("accuracy, the shipped ResNet-50", "0.963", Measured("accuracy", _IN_SET), _MAJORITY),
        Claim("AUC of borders and histogram alone", NOT_REPORTED, Measured("AUC, border-only baseline", _IN_SET)),
        Claim("AUC on archives not trained on", NOT_REPORTED, Measured("AUC", _TO_MENDELEY), _COMMERCIAL),
        Claim("AUC on archives not trained on", NOT_REPORTED, Measured("AUC", _TO_RAHMAN), _COMMERCIAL),
        Claim("specificity at 90 % sensitivity", NOT_REPORTED, Measured(_TRIAGE, _TO_MENDELEY), _WHO),
        Claim("specificity at 90 % sensitivity", NOT_REPORTED, Measured(_TRIAGE, _TO_RAHMAN), _WHO),
    ),
    beside="Images of tuberculosis and normal ones come from different archives, which borders and histogram tell "
    "apart on their own: a high figure within the same archives says little. In our parts another share of the chests "
    "is normal than in the source's, so that calling everybody normal reaches another accuracy there. The shipped "
    "network's threshold was made for 95 % sensitivity, which costs accuracy. Anchors: WHO/HTM/TB/2014.18 (sensitivity "
    "of at least 90 % at a specificity of at least 70 %); Qin et al., Lancet Digital Health 3 (2021), five commercial "
    "systems.",
    contradictions=(
        "Precision, recall and F1 are not said to be averages, but behave as macro averages over both classes.",
        "One random flip is described, while the code flips horizontally, vertically and diagonally. Here it is "
        "horizontal.",
    ),
)

_LARGER, _SMALLER = "part that reports, larger images", "part that reports, 100-pixel images"
_BY_EXPECTATION = "MAD by expectation, months"
_HANDS = "4.2 to 4.5: challenge leaders; 3.9: Deeplasia; 3.68: reported in 2025"


def _without(network: str) -> Studied:
    return Studied("Parts of TJ-Net", {"network": network}, f"larger images: {_BY_EXPECTATION}")


TJ_NET = System(
    task="bone_age",
    title="Bone age: TJ-Net",
    reference="Tang et al. 2020, 10.3233/ATDE200080",
    claims=(
        Claim("MAD in months, by expectation", "4.92 (0.41 years)", Measured(_BY_EXPECTATION, _LARGER), _HANDS),
        Claim("MAD in months, by arg-max", "4.92 (0.41 years)", Measured("MAD by arg-max, months", _LARGER), _HANDS),
        Claim("MAD in months, by expectation, small images", NOT_REPORTED, Measured(_BY_EXPECTATION, _SMALLER), _HANDS),
        Claim("MAD in months, without shortcuts", "6.85 (0.571 years)", _without("without shortcuts")),
        Claim("MAD in months, without CBAM", "6.94 (0.578 years)", _without("without CBAM")),
        Claim("MAD in months, without the sex loss", "6.94 (0.578 years)", _without("without sex loss and sex head")),
    ),
    beside="The source tests on a tenth of the RSNA images, the anchors on the challenge's own test set. Ours learned "
    "from small copies of the radiographs and report on a part of them that the set gives. Anchors: Halabi et al., "
    "Radiology 290 (2019); Rassmann et al., Pediatric Radiology (2023), 10.1007/s00247-023-05789-1.",
    contradictions=(
        "The loss is said to be weighted by the classes' counts, but as it is written the weights cancel, and the mean "
        "over the batch is left. Here that is the default and inverse frequency an option.",
        "Not all layers have a number of filters; where none is given, ours is a choice, with 5.51 million parameters.",
    ),
)

_TEST = "simulated: the source's test part"
_NO_SCANS = "none known: no set of lung scans is public"


def _four(network: str) -> Studied:
    return Studied("Four networks", {"network": network, "measured on": "the source's test part"}, "accuracy")


VQ = System(
    task="vq",
    title="V/Q scan type",
    reference="Jeong et al. 2022, 10.17946/JRST.2022.45.1.41",
    claims=(
        Claim("accuracy, the shipped ResNet-18", "0.920", Measured("accuracy", _TEST), _NO_SCANS),
        Claim("accuracy, SE-ResNeXt-101", "0.985", _four("SE-ResNeXt-101"), _NO_SCANS),
        Claim("accuracy, Inception-ResNet-v2", "0.985", _four("Inception-ResNet-v2"), _NO_SCANS),
        Claim("accuracy, ResNet-18", "0.920", _four("ResNet-18"), _NO_SCANS),
        Claim("accuracy, VGG-16", "0.895", _four("VGG-16"), _NO_SCANS),
        Claim(
            "accuracy where neck, stomach, counts and sharpness say nothing",
            NOT_REPORTED,
            Measured("accuracy", "simulated: neck, stomach, counts and sharpness equally frequent in both types"),
        ),
    ),
    beside="The source's scans are real, ours are simulated. So the two columns are no comparison: ours say how far "
    "the method holds within a simulator.",
    contradictions=(
        "Of 40 tested scans one more or less is 2.5 points, so 98.5 % is the share of no single run: it can only be a "
        "mean over the five repeats. Here the shipped network is one run.",
        "Size, shape and intensity of the scans are said to vary in training, not by how much. Here that is a choice.",
    ),
)

_FINDINGS = "part that reports, other patients"
_BY_PATIENT = "0.822: DenseNet-121; 0.830: masked-autoencoder ViT-B; 0.835: EVA-X-B"


def _model(network: str, column: str) -> Studied:
    return Studied("Four models", {"network": network}, column)


SSGAN_VIT = System(
    task="nih14",
    title="NIH chest findings: SS-GAN-ViT",
    reference="Suh and Ponduru, SS-GAN-ViT, on ChestX-ray14 (Wang et al. 2017)",
    claims=(
        Claim("macro AUC, the shipped network", "0.905", Measured("macro AUC", _FINDINGS), _BY_PATIENT),
        Claim("F1, the shipped network", "0.513", Measured("weighted F1", _FINDINGS)),
        Claim("macro AUC, EfficientNet-b4", "0.856", _model("EfficientNet-b4", "macro AUC"), _BY_PATIENT),
        Claim("F1, EfficientNet-b4", "0.232", _model("EfficientNet-b4", "weighted F1")),
        Claim(
            "macro AUC, SS-GAN + EfficientNet-b4", "0.887", _model("SS-GAN + EfficientNet-b4", "macro AUC"), _BY_PATIENT
        ),
        Claim("F1, SS-GAN + EfficientNet-b4", "0.330", _model("SS-GAN + EfficientNet-b4", "weighted F1")),
        Claim("macro AUC, ViT", "0.885", _model("ViT", "macro AUC"), _BY_PATIENT),
        Claim("F1, ViT", "0.374", _model("ViT", "weighted F1")),
        Claim("macro AUC, SS-GAN + ViT", "0.905", _model("SS-GAN + ViT", "macro AUC"), _BY_PATIENT),
        Claim("F1, SS-GAN + ViT", "0.513", _model("SS-GAN + ViT", "weighted F1")),
    ),
    beside="The source divides the images and not the patients, so images of one patient are learned from and tested "
    "on; ours, and the anchors with the official split, divide by patient, and ours learned from few images. Our F1 is "
    "weighted by the labels' positive images. The source's means are over all 14 labels, ours over those with enough "
    "images, which the card names; an F1 over fewer and more frequent labels is higher. Anchors: Xiao et al., "
    "arXiv:2210.12843; Yao et al., EVA-X.",
    contradictions=(
        "Images are flipped in one place and not in another. Here never: a flipped chest is another anatomy.",
        "A softmax is put over labels of which several can hold at once. Here each label has its sigmoid; the softmax "
        "is an option of the commands gan and study (--reading softmax), and never of the weights that the app loads.",
        "Two regimes of the GAN are named, cross-entropy of real against fake and a Wasserstein loss with gradient "
        "penalty. Here the first is the default and the other an option.",
        "How the discriminator helps the transformer is left open: it is to be trained further on features that the "
        "discriminator extracts. Here both networks' features are joined; features as one more token are an option.",
        "An adaptive masking of the images is named and never defined. Here it is left out.",
    ),
)

SYSTEMS = (MUSIC_VIT, TUBERCULOSIS, TJ_NET, VQ, SSGAN_VIT)
"""In the order of the navigation."""

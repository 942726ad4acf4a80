"""MuSiC-ViT: a Siamese classifier of change between two radiographs, with anatomy matching (methods section 1)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from cxrkit.models.cmt import SIZES, Cmt
from cxrkit.models.timm_maps import TimmMaps

Matching = Literal["similar", "difference", "none"]
"""The anatomy matching module (x + K + Q), the attend-and-compare module (x + K - Q), or neither."""

WIDTH = 1280
CHANGE, BASELINE, FOLLOW_UP, DIRECTION = slice(0, 2), slice(2, 4), slice(4, 6), slice(6, 8)
"""Where the logits of the questions lie: no change / change, twice normal / abnormal, less / more abnormality."""


@dataclass(frozen=True, eq=False)
class Match:
    """What one matching module found, each [N, C]: K of the baseline and Q of the follow-up."""

    baseline: Tensor
    follow_up: Tensor


class AnatomyMatching(nn.Module):
    """Anatomy matching module (AMM), or, with mode "difference", attend-and-compare module (ACM).

    Args:
        channels: C of the maps.
        groups: of the convolutions that make the attention maps.
        mode: how K and Q are joined.
    """

    def __init__(self, channels: int, groups: int, mode: Literal["similar", "difference"]) -> None:
        super().__init__()
        # The sources add K and Q where the images are to be matched, and subtract them where they are to be compared.
        self.sign = 1.0 if mode == "similar" else -1.0
        self.attend_baseline = nn.Conv2d(channels, channels, 1, groups=groups)
        self.attend_follow_up = nn.Conv2d(channels, channels, 1, groups=groups)
        self.priority = nn.Sequential(
            nn.Conv2d(channels, channels // 2, 1), nn.ReLU(), nn.Conv2d(channels // 2, channels, 1), nn.Sigmoid()
        )

    def forward(self, baseline: Tensor, follow_up: Tensor) -> tuple[Tensor, Tensor, Match]:
        """Two maps [N, C, h, w] -> the same two, enriched, and what was matched."""
        mean_b, mean_f = (x.mean(dim=(2, 3), keepdim=True) for x in (baseline, follow_up))
        found_b = _extract(self.attend_baseline, baseline - mean_b)
        found_f = _extract(self.attend_follow_up, follow_up - mean_f)
        shared = found_b + self.sign * found_f
        match = Match(found_b.flatten(1), found_f.flatten(1))
        out_b: Tensor = self.priority(mean_b) * (baseline + shared)
        out_f: Tensor = self.priority(mean_f) * (follow_up + shared)
        return out_b, out_f, match


def _extract(attend: nn.Module, centred: Tensor) -> Tensor:
    """Feature extraction part (FEP): [N, C, h, w] -> [N, C, 1, 1], weighted by a softmax over all positions."""
    weights: Tensor = attend(centred).flatten(2).softmax(dim=2)
    return (weights * centred.flatten(2)).sum(dim=2)[..., None, None]


def build_encoder(name: str, image_size: int, *, pretrained: bool = False) -> tuple[nn.Module, int]:
    """The encoder of one image, [N, 1, S, S] -> maps [N, C, h, w], and C.

    Args:
        name: "cmt_ti" ... "cmt_b", or the name of any timm encoder.
        image_size: side of the square input in pixels.
        pretrained: let timm download ImageNet weights of its encoder.

    Raises:
        ValueError: pretrained with an encoder of the CMT family.
    """
    if name not in SIZES:
        encoder = TimmMaps(name, image_size, pretrained=pretrained)
        return encoder, encoder.channels
    if pretrained:
        raise ValueError(f"there are no pretrained weights of {name}")
    return Cmt(SIZES[name], image_size), SIZES[name].dims[-1]


class MusicVit(nn.Module):
    """Both images through one encoder; change from both, disease from each.

    Args:
        encoder: "cmt_ti" ... "cmt_b", or the name of any timm encoder.
        image_size: side of the square input in pixels.
        matching: module after each of the four stages; other encoders than CMT have none.
        disease: whether there is a head for normal / abnormal of each image.
        direction: whether there is a head for less / more abnormality at follow-up, which is not in the source.
        difference: whether change is also told from the size of the difference of both embeddings, which is not in the
            source: from their concatenation alone only the matching lets a linear layer compare them.
        lesions: whether there is a map of lesions in either image, and change and direction are also told from what
            differs between both maps, which is not in the source: the mean over all positions loses what is small.
        pretrained: let timm download ImageNet weights of its encoder (needs a network connection).

    Raises:
        ValueError: matching with an encoder that is not of the CMT family, pretrained with one that is, or a
            direction without disease.
    """

    def __init__(
        self,
        encoder: str,
        image_size: int,
        matching: Matching = "similar",
        *,
        disease: bool = True,
        direction: bool = False,
        difference: bool = False,
        lesions: bool = False,
        pretrained: bool = False,
    ) -> None:
        super().__init__()
        if direction and not disease:
            raise ValueError("the direction's outputs follow those of the disease, so it needs them")
        if matching != "none" and encoder not in SIZES:
            raise ValueError(f"{encoder} has no anatomy matching; only the CMT family has")
        self.matching = nn.ModuleList()
        self.encoder, width = build_encoder(encoder, image_size, pretrained=pretrained)
        if matching != "none":
            dims = SIZES[encoder].dims
            self.matching.extend(AnatomyMatching(dim, dims[0] // 2, matching) for dim in dims)
        self.channels = width
        self.embed = nn.Sequential(nn.Linear(width, WIDTH), nn.ReLU())
        self.difference = difference
        self.lesions = nn.Conv2d(width, 1, 1) if lesions else None
        self.change = nn.Linear((3 if difference else 2) * WIDTH + 2 * lesions, 2)
        # One for both images: the thesis writes two, but its parameter counts fit one.
        self.disease = nn.Linear(WIDTH, 2) if disease else None
        # Of what the follow-up has more than the baseline, without bias: swapped images give the opposite answer.
        self.direction = nn.Linear(WIDTH + lesions, 1, bias=False) if direction else None
        if lesions:
            self._start_from_lesions()

    def _start_from_lesions(self) -> None:
        """More difference speaks for change, more lesion for more abnormality; how much, training says."""
        with torch.no_grad():
            self.change.weight[:, -2:] = torch.tensor([[-0.2], [0.2]])
            if self.direction is not None:
                self.direction.weight[:, -1] = 1.0

    def features(self, pair: Tensor) -> Tensor:
        """[N, 2, 1, S, S], baseline and follow-up, normalised -> [N, 2, C, h, w]."""
        return self.features_and_matches(pair)[0]

    def features_and_matches(self, pair: Tensor) -> tuple[Tensor, tuple[Match, ...]]:
        """The maps [N, 2, C, h, w], and what each matching module found, from the finest stage to the coarsest."""
        baseline, follow_up = pair.unbind(1)
        if not self.matching:
            maps = self.encoder(torch.cat([baseline, follow_up]))
            return torch.stack(maps.chunk(2), dim=1), ()
        both = self.encoder.stem(torch.cat([baseline, follow_up]))  # type: ignore[operator]
        matches = []
        for stage, module in zip(self.encoder.stages, self.matching, strict=True):  # type: ignore[arg-type]
            baseline, follow_up, match = module(*stage(both).chunk(2))
            both = torch.cat([baseline, follow_up])
            matches.append(match)
        return torch.stack([baseline, follow_up], dim=1), tuple(matches)

    def compare(self, pair: Tensor) -> tuple[Tensor, Tensor]:
        """The maps [N, 2, C, h, w], and how well K and Q match in each stage [N, stages]; [N, 0] without matching."""
        maps, matches = self.features_and_matches(pair)
        return maps, matching_scores(matches) if matches else maps.new_zeros(len(maps), 0)

    def head(self, maps: Tensor) -> Tensor:
        """[N, 2, C, h, w] -> logits [N, K], K = 2, 6 or 8: change; disease of both images; direction."""
        embedded = self.embed(maps.mean(dim=(3, 4)))
        compared, grown = [embedded.flatten(1)], [(embedded[:, 1] - embedded[:, 0]) / 2]
        if self.difference:
            compared.append((embedded[:, 1] - embedded[:, 0]).abs())
        if self.lesions is not None:
            differs = self.lesions_seen(maps).flatten(2).diff(dim=1)[:, 0]
            strongest, mean = differs.abs().amax(dim=1), differs.abs().mean(dim=1)
            # Logarithms, about 0 on made pairs: both are small most of the time.
            compared.append(torch.stack([(strongest + 0.05).log() + 1.7, (mean + 0.01).log() + 3.4], dim=1))
            grown.append(differs.mean(dim=1, keepdim=True) * differs.shape[1] ** 0.5)
        logits = [self.change(torch.cat(compared, dim=1))]
        if self.disease is not None:
            logits.append(self.disease(embedded).flatten(1))
        if self.direction is not None:
            more = self.direction(torch.cat(grown, dim=1))
            logits.append(torch.cat([-more, more], dim=1))
        return torch.cat(logits, dim=1)

    def lesions_seen(self, maps: Tensor) -> Tensor:
        """[N, 2, C, h, w] -> probability of a lesion at each position of either image, [N, 2, h, w] float32."""
        assert self.lesions is not None
        logits: Tensor = self.lesions(maps.flatten(0, 1))
        return logits.float().sigmoid().view(len(maps), 2, *maps.shape[3:])

    def forward(self, pair: Tensor) -> Tensor:
        return self.head(self.features(pair))


def matching_scores(matches: Sequence[Match]) -> Tensor:
    """[N, stages] cosine of K and Q, in [-1, 1]; high where the two images show the same anatomy."""
    return torch.stack([nn.functional.cosine_similarity(m.baseline, m.follow_up) for m in matches], dim=1)


def matching_loss(matches: Sequence[Match]) -> Tensor:
    """2 - 2 * mean cosine of K and Q over stages and batch: what mode "similar" learns with."""
    return 2 - 2 * matching_scores(matches).mean()


def orthogonal_loss(matches: Sequence[Match]) -> Tensor:
    """mean over stages and batch of (K . Q) / C: what mode "difference" learns with.

    It has no lower bound: K and Q that grow in opposite directions lower it for ever (README, ablation).
    """
    return torch.stack([(m.baseline * m.follow_up).mean(dim=1) for m in matches], dim=1).mean()

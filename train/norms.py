"""Batch norm's statistics, measured anew for averaged weights."""

from collections.abc import Callable
from copy import deepcopy

import torch
from torch import nn


def with_fresh_norms(model: nn.Module, seed: int, show: Callable[[nn.Module], None]) -> nn.Module:
    """A copy in eval mode whose batch norm statistics are the mean over training images, as they are augmented.

    Running statistics belong to the weights of the last steps and not to their average, and at the end of a cycle to
    weights that have just moved (Wu and Johnson, Rethinking "Batch" in BatchNorm, 2021). Blocks that do not learn keep
    theirs.

    Args:
        model: with averaged weights.
        seed: of what `show` draws; training draws afterwards what it would have drawn without this.
        show: runs batches of training images through the network that it is given.
    """
    fresh = deepcopy(model).train()
    norms = [part for part in fresh.modules() if isinstance(part, nn.BatchNorm2d) and part.training]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # a plain mean over all batches
    with torch.no_grad(), torch.random.fork_rng():
        torch.manual_seed(seed)
        show(fresh)
    return fresh.eval()

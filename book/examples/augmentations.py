"""Two augmentations of other people's, as functions that `sergan examine` takes.

sergan examine augmentations.py:mixup --corpus emodb --root data/emodb
"""

import numpy as np
import torch

ALPHA = 0.2  # of mixup's Beta distribution: most mixtures are nearly one of the two
PART = 4  # a mask covers at most one part in four, of the frames and of the features


def mixup(batch, random):
    """Zhang et al. (2018): each utterance and its label, mixed with another's.

    An utterance keeps its length: the other is cut, or begins again, to fit it.
    """
    n, time, _ = batch.x.shape
    seed = torch.randint(2**62, (), generator=random).item()
    beta = np.random.default_rng(seed).beta(ALPHA, ALPHA, n)  # torch's takes no generator
    share = torch.from_numpy(beta).float()[:, None]
    other = torch.randperm(n, generator=random)

    frames = torch.arange(time)
    speaks = (frames < batch.lengths[:, None])[:, :, None]  # no padding
    theirs = batch.x[other[:, None], frames % batch.lengths[other, None]] * speaks
    x = share[:, :, None] * batch.x + (1 - share[:, :, None]) * theirs
    labels = torch.nn.functional.one_hot(batch.labels, 4).float()
    return batch._replace(x=x, labels=share * labels + (1 - share) * labels[other])


def masking(batch, random):
    """After Park et al. (2019): a stretch of time and one of features are hidden.

    In each utterance; what is hidden becomes the feature's mean over the batch.
    """
    n, time, features = batch.x.shape

    def stretch(sizes, places):
        """Which of the `places` of each utterance: random widths, then random starts."""
        width = (torch.rand(n, generator=random) * (sizes // PART + 1)).long()
        start = (torch.rand(n, generator=random) * (sizes - width + 1)).long()[:, None]
        at = torch.arange(places)
        return (at >= start) & (at < start + width[:, None])

    speaks = torch.arange(time) < batch.lengths[:, None]  # no padding
    hidden = stretch(batch.lengths, time)[:, :, None]
    hidden = hidden | stretch(torch.full((n,), features), features)[:, None, :]
    mean = batch.x[speaks].mean(dim=0)
    return batch._replace(x=torch.where(hidden & speaks[:, :, None], mean, batch.x))

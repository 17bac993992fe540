"""The network of expected errors as it is trained; where it is used numpy and numba do without PyTorch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from backends.confidence.expected.model import LEAST_LOG_SCALE, MOST_LOG_SCALE
from backends.confidence.expected.networks import LEAST_VARIANCE, N_BODY_INPUTS, N_INPUTS, SIDE

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]

_EVAL = 1024


@dataclass(frozen=True, slots=True)
class TrainSettings:
    """How the networks are trained.

    Attributes:
        folds: scenes are split into as many; each network leaves one out, on which it is measured.
        hidden: width of both hidden layers. summary: width of the summary of the body.
        epochs, batch, rate, decay: of AdamW; a batch is so many people.
        dropout: share. noise: of the scaled features, against learning scenes by heart.
        seed: of everything random.
    """

    folds: int = 5
    hidden: int = 80
    summary: int = 48
    epochs: int = 12
    batch: int = 64
    rate: float = 6e-3
    decay: float = 0.1
    dropout: float = 0.35
    noise: float = 0.25
    seed: int = 0


class SiteNet(torch.nn.Module):  # type: ignore[misc]  # torch is not typed here
    """Sites (B, 27, I) and body (B, 2, C) -> (B, 27, 2) centre and log scale of the log error."""

    def __init__(self, s: TrainSettings) -> None:
        super().__init__()
        self.summary = torch.nn.Linear(N_BODY_INPUTS, s.summary)
        self.norm = torch.nn.LayerNorm(s.summary, eps=LEAST_VARIANCE)
        self.first = torch.nn.Linear(N_INPUTS + s.summary, s.hidden)
        self.second = torch.nn.Linear(s.hidden, s.hidden)
        self.last = torch.nn.Linear(s.hidden, 2)
        self.drop = torch.nn.Dropout(s.dropout)
        self.register_buffer("side", torch.from_numpy(SIDE), persistent=False)

    def forward(self, x: torch.Tensor, body: torch.Tensor) -> torch.Tensor:
        """See the class."""
        summary = self.drop(F.silu(self.norm(self.summary(body))))
        h = torch.cat([x, summary[:, self.side]], dim=2)
        h = self.drop(F.silu(self.first(h)))
        out: torch.Tensor = self.last(self.drop(F.silu(self.second(h))))
        return out

    def arrays(self) -> dict[str, F4]:
        """wc, bc, gc, hc, w1 ... b3 of :class:`backends.confidence.expected.model.ErrorModel`."""
        layers = {"c": self.summary, "1": self.first, "2": self.second, "3": self.last}
        out = {f"w{name}": layer.weight.T for name, layer in layers.items()}
        out |= {f"b{name}": layer.bias for name, layer in layers.items()}
        out |= {"gc": self.norm.weight, "hc": self.norm.bias}
        return {name: value.detach().numpy().copy() for name, value in out.items()}


def train_network(x: F4, body: F4, y: F8, s: TrainSettings, seed: int) -> SiteNet:
    """One network; the same seed gives the same on one machine.

    Args:
        x, body: (N, 27, I), (N, 2, C) inputs. y: (N, 27) log errors.
    """
    torch.manual_seed(seed)
    net = SiteNet(s)
    with torch.no_grad():
        net.last.bias.copy_(torch.tensor([float(y.mean()), float(np.log(y.std() + 1e-3))]))
    steps = max(len(x) // s.batch, 1)
    optimiser = torch.optim.AdamW(net.parameters(), weight_decay=s.decay)
    rate = torch.optim.lr_scheduler.OneCycleLR(optimiser, s.rate, total_steps=s.epochs * steps)
    sites, whole = torch.from_numpy(x), torch.from_numpy(body)
    target = torch.from_numpy(y.astype(np.float32))
    net.train()
    for _ in range(s.epochs):
        order = torch.randperm(len(x))
        for i in range(steps):
            chosen = order[i * s.batch : (i + 1) * s.batch]
            a, b = sites[chosen], whole[chosen]
            out = net(a + s.noise * torch.randn_like(a), b + s.noise * torch.randn_like(b))
            loss = _loss(out, target[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rate.step()
    net.eval()
    return net


def network_output(net: SiteNet, x: F4, body: F4) -> F8:
    """(N, 27, 2) what a network gives, piece by piece."""
    with torch.no_grad():
        parts = [
            net(torch.from_numpy(x[i : i + _EVAL]), torch.from_numpy(body[i : i + _EVAL])).numpy()
            for i in range(0, len(x), _EVAL)
        ]
    return np.concatenate(parts).astype(np.float64)


def _loss(out: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Gaussian likelihood weighed by the scale, so that hard samples keep their say: Seitzer et al., On the
    pitfalls of heteroscedastic uncertainty estimation, ICLR 2022, equation 5 with beta 0.5."""
    log_scale = out[..., 1].clamp(LEAST_LOG_SCALE, MOST_LOG_SCALE)
    scale = log_scale.exp()
    likelihood = 0.5 * ((target - out[..., 0]) / scale) ** 2 + log_scale
    weighed: torch.Tensor = (likelihood * scale.detach().sqrt()).mean()
    return weighed

"""Training and evaluation of the agreement models on correlation arrays."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import torch

from app.confidence.arrays import Split
from app.confidence.reference import PUBLISHED
from app.confidence.scores import Row, joint_figures, mesh_figures, over_runs, worst_figures
from app.datasets.errors import DataSetError
from app.pipeline.events import Listener, Progress, StageStarted, Warned
from app.pipeline.job import Control
from backends.confidence.agreement import (
    PublishedNetworks,
    is_good,
    mask_missing,
    published_data,
    train_mc,
    train_wjc,
)
from backends.confidence.agreement.model import AgreementModel
from backends.confidence.agreement.neighbours import over_time
from backends.confidence.agreement.perceptron import Layers
from backends.confidence.train_agreement import TrainSettings, train_agreement

F4 = npt.NDArray[np.float32]
F8 = npt.NDArray[np.float64]
T = TypeVar("T")

OURS = "ours, 28 inputs"
OURS_MEAN = "ours, average of the runs"
IN_TIME = "ours, with neighbours in time"
IN_TIME_MEAN = "ours, with neighbours in time, average of the runs"
_WORKERS = 2
_DROP_IN_TIME = 0.3
"""More inputs are learnt by heart more easily; chosen on held-out quarters of the training rows."""

_MC_RUNS = 10
"""One run takes half a second, and runs differ by several points."""


@dataclass(frozen=True, slots=True, eq=False)
class Trained:
    """What training leaves: the published networks of the middle run and ours, all runs together.

    Attributes:
        in_time: ours for frames of a film, or None where it was not asked for.
        ours_runs, in_time_runs: the runs one by one.
    """

    published: PublishedNetworks
    ours: AgreementModel
    in_time: AgreementModel | None
    published_runs: tuple[list[PublishedNetworks], list[PublishedNetworks]] = ([], [])
    ours_runs: list[AgreementModel] = field(default_factory=list)
    in_time_runs: list[AgreementModel] = field(default_factory=list)


def split_roles(splits: Mapping[str, Split]) -> tuple[list[Split], list[Split]]:
    """The splits to train on and to test on, by their names.

    Raises:
        DataSetError: there is none of one kind.
    """
    train = [s for name, s in splits.items() if "train" in name.split("_")]
    test = [s for name, s in splits.items() if "test" in name.split("_")]
    if not train or not test:
        names = ", ".join(splits) or "no name"
        raise DataSetError(
            f"Splits are told apart by 'train' and 'test' in their names; found {names}. "
            "Name the files train_sp_op.npy, test_sp_op.npy and so on."
        )
    return train, test


def _joined(splits: list[Split]) -> tuple[F8, F8, F8]:
    ed = np.concatenate([s.ed for s in splits])
    return ed, np.concatenate([s.se for s in splits]), np.concatenate([s.confidence for s in splits])


class _Tracker:
    """Adds up the progress of runs side by side."""

    def __init__(self, control: Control, listener: Listener, parts: int) -> None:
        self._control, self._listener = control, listener
        self._shares = [0.0] * parts
        self._lock = threading.Lock()

    def tell(self, part: int, share: float) -> None:
        self._control.check()
        with self._lock:
            self._shares[part] = share
            done = round(100 * sum(self._shares) / len(self._shares))
        self._listener(Progress("training", done, 100, 0.0, None))


def _side_by_side(work: Sequence[Callable[[], T]]) -> list[T]:
    with ThreadPoolExecutor(_WORKERS, thread_name_prefix="training") as pool:
        return [f.result() for f in [pool.submit(w) for w in work]]


def train_all(
    splits: list[Split], control: Control, listener: Listener, *, runs: int = 3, seed: int = 0,
    in_time: bool = False, settings: TrainSettings | None = None,
) -> Trained:  # fmt: skip
    """Train the published networks and ours ``runs`` times, from seeds ``seed``, ``seed + 1`` ...

    Raises:
        Cancelled: asked to stop. InputError: too few usable rows.
    """
    ed, se, confidence = _joined(splits)
    n_odd = int((~np.isfinite(se) | (se > 1.0)).any(axis=1).sum())
    if n_odd:
        listener(
            Warned(f"{n_odd} of {len(se)} training rows hold an SE above 1 and are left out (outliers).")
        )
    threads = torch.get_num_threads()
    # Runs side by side use the cores better than one run over both, and stay out of each other's way.
    torch.set_num_threads(1)
    try:
        published, published_runs = _train_published(ed, se, confidence, control, listener, runs, seed)
        ours = _train_ours(ed, se, confidence, None, control, listener, runs, seed, settings)
        timed: list[AgreementModel] = []
        if in_time:
            extra = np.concatenate(
                [over_time(mask_missing(s.ed, s.confidence), s.confidence) for s in splits]
            )
            how = replace(settings or TrainSettings(), drop=_DROP_IN_TIME)
            timed = _train_ours(ed, se, confidence, extra, control, listener, runs, seed, how)
    finally:
        torch.set_num_threads(threads)
    together = AgreementModel.together(ours)
    together_in_time = AgreementModel.together(timed) if timed else None
    return Trained(published, together, together_in_time, published_runs, ours, timed)


def _train_published(
    ed: F8, se: F8, confidence: F8, control: Control, listener: Listener, runs: int, seed: int
) -> tuple[PublishedNetworks, tuple[list[PublishedNetworks], list[PublishedNetworks]]]:
    listener(StageStarted("training", "Training MC and WJC as published"))
    data = published_data(ed, se, confidence)
    tracker = _Tracker(control, listener, _MC_RUNS + runs)

    def mc(i: int) -> Layers:
        layers = train_mc(data, seed=seed + i, check=control.check)
        tracker.tell(i, 1.0)
        return layers

    def wjc(i: int) -> Layers:
        layers = train_wjc(data, seed=seed + i, check=control.check)
        tracker.tell(_MC_RUNS + i, 1.0)
        return layers

    layers = _side_by_side(
        [*(partial(mc, i) for i in range(_MC_RUNS)), *(partial(wjc, i) for i in range(runs))]
    )
    mcs, wjcs = layers[:_MC_RUNS], layers[_MC_RUNS:]
    mc_runs = [PublishedNetworks(m, wjcs[0], data.standardise) for m in mcs]
    wjc_runs = [PublishedNetworks(mcs[0], w, data.standardise) for w in wjcs]
    # What is kept is the run in the middle on the training data, so never one that learnt nothing.
    scores = [mesh_figures(se, run.good(ed))["mc_balanced"] for run in mc_runs]
    middle = int(np.argsort(scores)[len(scores) // 2])
    return PublishedNetworks(mcs[middle], wjcs[0], data.standardise), (mc_runs, wjc_runs)


def _train_ours(
    ed: F8, se: F8, confidence: F8, extra: F4 | None, control: Control, listener: Listener, runs: int,
    seed: int, settings: TrainSettings | None,
) -> list[AgreementModel]:  # fmt: skip
    listener(StageStarted("training", f"Training {OURS if extra is None else IN_TIME}"))
    tracker = _Tracker(control, listener, runs)
    distance = mask_missing(ed, confidence)

    def one(i: int) -> AgreementModel:
        return train_agreement(
            distance, se, confidence, settings, seed=seed + i, extra=extra,
            check=lambda share: tracker.tell(i, share),
        )  # fmt: skip

    return _side_by_side([partial(one, i) for i in range(runs)])


def evaluate_all(trained: Trained, test: list[Split], control: Control, listener: Listener) -> list[Row]:
    """The table: every model on every test set, each run by itself and ours also averaged."""
    rows: list[Row] = []
    for split in test:
        control.check()
        listener(StageStarted("evaluation", f"Evaluating on {split.name}"))
        rows += _baselines(split)
        rows += _published_rows(trained, split, listener)
        for names, runs, whole in (
            ((OURS, OURS_MEAN), trained.ours_runs, trained.ours),
            ((IN_TIME, IN_TIME_MEAN), trained.in_time_runs, trained.in_time),
        ):
            if whole is None:
                continue
            inputs = _inputs(split, whole)
            control.check()
            if runs:
                rows.append(over_runs(names[0], split.name, [_ours_figures(m, split, inputs) for m in runs]))
            if len(runs) != 1:
                rows.append(Row(names[1], split.name, _ours_figures(whole, split, inputs)))
    return rows


def _baselines(split: Split) -> list[Row]:
    good = float(is_good(split.se).mean())
    majority = {"mc_accuracy": max(good, 1.0 - good), "mc_balanced": 0.5, "mc_auroc": 0.5}
    ed = np.where(np.isnan(split.ed), np.nanmax(split.ed), split.ed)
    return [
        Row("majority", split.name, majority),
        Row("ED alone", split.name, joint_figures(split.se, ed)),
        Row("detector confidence alone", split.name, joint_figures(split.se, -split.confidence)),
    ]


def _published_rows(trained: Trained, split: Split, listener: Listener) -> list[Row]:
    mc_runs, wjc_runs = trained.published_runs
    mcs = [mesh_figures(split.se, run.good(split.ed)) for run in mc_runs or [trained.published]]
    wjcs = [worst_figures(split.se, run.worst(split.ed)) for run in wjc_runs or [trained.published]]
    mc, wjc = over_runs(PUBLISHED, split.name, mcs), over_runs(PUBLISHED, split.name, wjcs)
    stuck = sum(m["mc_balanced"] < 0.505 for m in mcs)
    if stuck:
        listener(
            Warned(f"{stuck} of {len(mcs)} runs of MC call every mesh bad, as its settings make likely.")
        )
    rows = [Row(PUBLISHED, split.name, mc.mean | wjc.mean, mc.spread | wjc.spread, wjc.runs)]
    if len(mcs) > 1:
        median = {k: float(np.median([m[k] for m in mcs])) for k in mcs[0]}
        rows.append(Row(f"{PUBLISHED}, median of {len(mcs)} MC", split.name, median, runs=len(mcs)))
    return rows


def _inputs(split: Split, model: AgreementModel) -> tuple[F8, F4 | None]:
    ed = mask_missing(split.ed, split.confidence)
    return ed, over_time(ed, split.confidence) if model.n_extra else None


def _ours_figures(model: AgreementModel, split: Split, inputs: tuple[F8, F4 | None]) -> dict[str, float]:
    said = model.predict(inputs[0], split.confidence, inputs[1])
    return {
        **mesh_figures(split.se, said.good.astype(np.float64)),
        **worst_figures(split.se, said.worst.astype(np.float64)),
        **joint_figures(split.se, said.error.astype(np.float64), said.wrong.astype(np.float64)),
    }

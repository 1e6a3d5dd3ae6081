"""What a training step of NGT costs beside vanilla and beside the published formula: time in ratios, memory by context length.

Forms of one step, at equal MLP: `ngt` with gravity in row blocks, `direct` NGT with the published formula, `sdpa` the trainer's vanilla,
`materialised` vanilla with an L x L tensor of weights. Rounds are interleaved, times are CPU time of this process, or on a GPU, in bf16,
the time until it is done; ratios are medians.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ngt_train import blocks, losses
from ngt_train.variants import ngt, vanilla

FORMS = ("ngt", "direct", "sdpa", "materialised")
VOCABULARY = 8192


def direct(z: Tensor, v: Tensor, mass: Tensor, gamma: Tensor, bias: Tensor, radius: Tensor, **mode: Any) -> Tensor:
    """The published formula with its (B, H, L, L, E) tensor; arguments of gravity_attention, without padding."""
    difference = z.unsqueeze(-2) - z.unsqueeze(-3)
    d2 = (difference * difference).sum(-1)
    score = bias[:, None, None] - gamma[:, None, None] / (d2 + 1e-6)
    if mode["mass_in_value"]:
        v = v * mass[:, None, :, None]
    else:
        score = score * (mass[:, :, None] * mass[:, None, :])[:, None]
    if mode["cutoff"] == "soft":
        score = score * torch.relu(1 - d2 / radius.square())
    elif mode["cutoff"] == "hard":
        score = score.masked_fill(d2 > radius.square(), torch.finfo(score.dtype).min)
    return F.dropout(_causal_softmax(score), mode["dropout"]) @ v


def materialised(q: Tensor, k: Tensor, v: Tensor, *, mask: Tensor | None = None, dropout: float = 0.0) -> Tensor:
    """Softmax attention written out, as the published vanilla does; arguments of blocks.causal_attention, without padding."""
    return F.dropout(_causal_softmax(q @ k.mT * q.size(-1) ** -0.5), dropout) @ v


def _causal_softmax(score: Tensor) -> Tensor:
    later = torch.ones(score.shape[-2:], dtype=torch.bool, device=score.device).triu(1)
    return torch.softmax(score.masked_fill(later, torch.finfo(score.dtype).min), -1)


@contextlib.contextmanager
def attention(form: str) -> Iterator[None]:
    """The variants' attention replaced by the form's, inside the block."""
    kept = ngt.gravity_attention, blocks.causal_attention
    if form == "direct":
        ngt.gravity_attention = direct
    if form == "materialised":
        blocks.causal_attention = materialised
    try:
        yield
    finally:
        ngt.gravity_attention, blocks.causal_attention = kept


def step(
    form: str, *, length: int, batch: int = 2, layers: int = 4, dropout: float = 0.1, device: str = "cpu", **settings: Any
) -> Callable[[], None]:
    """One training step of a form (hidden 512, 8 heads, MLP 2048), ready to be called again and again."""
    torch.manual_seed(0)
    variant = vanilla if form in ("sdpa", "materialised") else ngt
    model = variant.Model(variant.Config(vocab_size=VOCABULARY, block=length, layers=layers, dropout=dropout, **settings)).to(device)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-4, fused=True)
    text = torch.randint(0, VOCABULARY, (batch, length + 1)).to(device)

    def once() -> None:
        with attention(form), torch.autocast(text.device.type, torch.bfloat16, enabled=text.is_cuda):
            output = model(text[:, :-1])
            loss = losses.cross_entropy(model, output.hidden, text[:, 1:], accuracy=False).loss_sum / (batch * length)
            penalty = model.penalty(output, 0)
        (loss if penalty is None else loss + penalty).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad()

    return once


def seconds(forms: Sequence[str], rounds: int, device: str = "cpu", **shape: Any) -> dict[str, list[float]]:
    """Seconds of a step of each form, round by round; the forms take turns within a round."""
    clock = time.process_time if torch.device(device).type == "cpu" else _settled
    steps = {form: step(form, device=device, **shape) for form in forms}
    for once in steps.values():
        once()
    taken: dict[str, list[float]] = {form: [] for form in forms}
    for _ in range(rounds):
        for form, once in steps.items():
            begin = clock()
            once()
            taken[form].append(clock() - begin)
    return taken


def _settled() -> float:
    torch.accelerator.synchronize()
    return time.perf_counter()


def ratio(taken: dict[str, list[float]], over: str, under: str) -> float:
    """Median of the rounds' ratios."""
    return statistics.median(a / b for a, b in zip(taken[over], taken[under], strict=True))


def peak(form: str, device: str = "cpu", **shape: Any) -> float:
    """Peak memory of two steps in a fresh process, MiB above what it held before them (weights and text); a GPU's own memory there."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (form, {"device": device, **shape}))


def _peak(form: str, shape: dict[str, Any]) -> float:
    torch.set_num_threads(1)
    once = step(form, **shape)
    held, highest = _resident("VmRSS"), partial(_resident, "VmHWM")
    if torch.device(shape["device"]).type == "cuda":
        held, highest = torch.cuda.memory_allocated() / 2**20, lambda: torch.cuda.max_memory_allocated() / 2**20
    once()
    once()
    return highest() - held


def _resident(field: str) -> float:
    """Resident memory now (VmRSS) or at its highest (VmHWM), MiB; where there is no /proc, the highest of both."""
    with contextlib.suppress(FileNotFoundError), open("/proc/self/status", encoding="ascii") as status:
        return next(float(line.split()[1]) for line in status if line.startswith(field)) / 1024
    import resource  # not on Windows, where this table is not made

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2


def affordable(form: str, length: int, batch: int, layers: int, room: int = 8 << 30) -> bool:
    """Whether the form's largest tensors, kept by every layer, fit into so many bytes."""
    numbers = {"direct": 8 * 20, "materialised": 4 * 8}.get(form, 0) * batch * layers * length**2
    return numbers * 4 < room


def table(lengths: Sequence[int], rounds: int, **shape: Any) -> Iterator[str]:
    """Markdown, line by line: ratios of step times and peak memory, a row a context length."""
    torch.set_num_threads(1)
    room = torch.cuda.mem_get_info()[0] if shape["device"] == "cuda" else 8 << 30
    yield "| context | NGT ms | NGT / vanilla | NGT / materialised | direct / NGT | NGT MiB | vanilla MiB | direct MiB |"
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|"
    for length in lengths:
        forms = [form for form in FORMS if affordable(form, length, shape["batch"], shape["layers"], room)]
        taken = seconds(forms, rounds, length=length, **shape)
        pairs = [("ngt", "sdpa"), ("ngt", "materialised"), ("direct", "ngt")]
        cells = [f"{ratio(taken, *pair):.2f}" if set(pair) <= set(forms) else "-" for pair in pairs]
        memory = [f"{peak(form, length=length, **shape):.0f}" if form in forms else "-" for form in ("ngt", "sdpa", "direct")]
        milliseconds = f"{1e3 * statistics.median(taken['ngt']):.0f}"
        yield f"| {' | '.join([str(length), milliseconds, *cells, *memory])} |"

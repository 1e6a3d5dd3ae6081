"""What a run would be, before it runs: parameters, tokens a step, steps an epoch, memory. Nothing is trained or written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ngt_train import config, manifest, optim, settings, variants
from ngt_train.progress import short
from ngt_train.session import LARGE_CHUNK

if TYPE_CHECKING:
    from torch import nn

    from ngt_train.config import RunConfig

STATE = {"adamw": 8, "muon": 4}  # bytes of optimiser state a parameter: two moments, or one
VOCABULARIES = {"byte": 257, "gpt2": 50257}  # of tokenizers that need no data; a BPE trained here has data.vocabulary
KEPT = 17  # activations a token, layer and unit that backward needs: norms, QKV, attention, MLP of four times the width


def describe(run: RunConfig) -> list[tuple[str, str]]:
    """Label and text of each figure.

    Raises:
        ConfigError: the configuration does not hold together.
    """
    made = manifest.read(run.data_folder()) if (run.data_folder() / manifest.FILE).is_file() else None
    vocabulary = made.vocab_size if made else VOCABULARIES.get(run.data.tokenizer, run.data.vocabulary)
    if made:
        run = config.resolve_steps(run, made.split("train").tokens)
    model = empty_model(run, vocabulary)
    routing = optim.build(model, model.roles(), run.optim, "meta").routing  # type: ignore[operator]
    per_step = run.train.batch * run.train.accumulation * run.data.block
    return [
        ("parameters", f"{sum(p.numel() for p in model.parameters()):,}"),
        *(("optimizer", _routed(group)) for group in routing),
        ("tokens per step", f"{per_step:,} ({run.train.batch} x {run.train.accumulation} x {run.data.block} on each process)"),
        ("steps", "as many as the epochs need" if run.train.epochs else f"{run.train.steps:,}"),
        ("training tokens", "" if run.train.epochs else f"{per_step * run.train.steps:,}"),
        *_epochs(run, made, per_step),
        ("memory estimate", " + ".join(f"{short(size)}B {what}" for what, size in memory(run, model, routing))),
        ("event log", run.events_path().as_posix()),
        ("checkpoints", Path(run.checkpoint_path("*")).as_posix()),
    ]


def empty_model(run: RunConfig, vocabulary: int) -> nn.Module:
    """The model without memory for its weights."""
    with torch.device("meta"):
        return variants.load(run.model.variant).Model(config.model_config(run, vocabulary))  # type: ignore[no-any-return]


def _routed(group: dict[str, Any]) -> str:
    return (
        f"{group['optimizer']} for {group['role']}: {group['elements']:,} in {group['tensors']} tensors, "
        f"lr {group['lr']:g}, weight decay {group['weight_decay']:g}"
    )


def _epochs(run: RunConfig, made: manifest.Manifest | None, per_step: int) -> Iterator[tuple[str, str]]:
    if made is None:
        yield "data", f"not prepared yet: {run.data_folder().as_posix()}"
        return
    tokens = made.split("train").tokens
    yield "data", f"{run.data_folder().as_posix()}: {tokens:,} training tokens, {made.split('val').tokens:,} for validation"
    yield "steps per epoch", f"{tokens / per_step:,.1f}"


def memory(run: RunConfig, model: nn.Module, routing: list[dict[str, Any]]) -> list[tuple[str, float]]:
    """Bytes of weights, gradients, optimiser state, activations and logits: an estimate, good to about a third."""
    weights = 4 * sum(p.numel() for p in model.parameters())
    state = sum(STATE[group["optimizer"]] * group["elements"] for group in routing)
    tokens = run.train.batch * run.data.block
    size = settings.plain(model.config)
    width = 4 if run.train.precision == "float32" else 2
    units = size.get("layers", 12) * size.get("hidden", 768)
    logits = 3 * 4 * min(tokens, run.loss.chunk or LARGE_CHUNK) * size.get("vocab_size", 50257)
    return [
        ("weights and gradients", 2 * weights),
        ("optimizer", state),
        ("activations", KEPT * width * tokens * units),
        ("logits", logits),
    ]

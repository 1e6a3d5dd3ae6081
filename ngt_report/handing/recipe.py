"""A run's recorded settings as a configuration file of the bundled trainer, `ngttrain run --config`; knows its keys, not its code."""

from __future__ import annotations

import json
import re
from typing import Any

Row = dict[str, Any]
SECTIONS = ("model", "data", "loss", "optim", "schedule", "train", "eval", "log", "checkpoint")  # of the trainer's own logs
VARIANTS = ("vanilla", "ngt", "ngpt", "gated")
PLACES = {  # recorded name -> where the trainer has it
    "layers": "model.layers", "heads": "model.heads", "hidden": "model.hidden", "sequence_length": "data.block",
    "vocab_size": "data.vocabulary", "dataset": "data.dataset", "tokenizer": "data.tokenizer", "learning_rate": "optim.lr",
    "weight_decay": "optim.weight_decay", "optimizer": "optim.kind", "batch_size": "train.batch", "accumulation": "train.accumulation",
    "precision": "train.precision", "warmup_iters": "schedule.warmup", "warmup_steps": "schedule.warmup",
}  # fmt: skip
OF_VARIANT = {
    "vanilla": {"dropout": "model.dropout"},
    "gated": {"dropout": "model.dropout"},
    "ngt": {"dropout": "model.dropout"},
    "ngpt": {
        "alpha": "model.alpha", "logit_scale": "model.logit_scale", "lazy_proj_freq": "model.project_every",
        "gated_residuals": "model.gated_residuals", "gate_init": "model.gate_init", "learnable_logit_scale": "model.learn_logit_scale",
    },
}  # fmt: skip
PRECISIONS = {"bf16": "bfloat16", "fp16": "float16", "fp32": "float32", "half": "float16", "float": "float32"}
WHOLE = ("model.layers", "model.heads", "model.hidden", "model.project_every", "data.block", "data.vocabulary", "train.batch",
         "train.accumulation", "schedule.warmup")  # fmt: skip


def to_toml(name: str, settings: Row, seed: int | None, steps: int | None) -> str:
    """The configuration; what the trainer has no key for stands in comments at the end."""
    tree: dict[str, Row] = {}
    variant, why = _variant(settings)
    left: Row = {}
    for key, value in settings.items():
        place = _place(key, variant)
        fitting = None if place is None else _fitting(place, value)
        if place is None or fitting is None:
            left[key] = value
        else:
            tree.setdefault(place.partition(".")[0], {})[place.partition(".")[2]] = fitting
    tree.setdefault("model", {}).setdefault("variant", variant)
    if steps:
        tree.setdefault("train", {})["steps"] = steps
    head = [f"# the settings of {_comment(name)}, as recorded", *([f"# {why}"] if why else []), f'name = "{_safe(name)}"']
    head += [f"seed = {seed}"] if seed is not None and 0 <= seed < 2**63 else []
    body = [line for section in SECTIONS if section in tree for line in ("", f"[{section}]", *_lines(tree[section]))]
    rest = [f"# {_comment(k)} = {_comment(json.dumps(v, ensure_ascii=False))}" for k, v in left.items() if k not in ("model", "flags")]
    return "\n".join([*head, *body, *(["", "# recorded, and no key of the trainer:", *rest] if rest else [])]) + "\n"


def _variant(settings: Row) -> tuple[str, str]:
    """The trainer's variant, and a word where it had to be guessed."""
    said = str(settings.get("model.variant") or settings.get("model") or "")
    words = re.split(r"[^a-z]+", said.lower())
    found = next((v for v in VARIANTS if v in words), None)
    if found:
        return found, ""
    guess = "ngpt" if "logit_scale" in settings else "vanilla"
    return guess, f"the model is recorded as {_comment(said) or 'nothing'}: the variant is a guess"


def _place(key: str, variant: str) -> str | None:
    if key.partition(".")[0] in SECTIONS and key.count(".") == 1:
        return key
    return PLACES.get(key) or OF_VARIANT[variant].get(key)


def _fitting(place: str, value: Any) -> Any:
    """The value in the type that the key has; None where it cannot be one."""
    if place in WHOLE:
        whole = isinstance(value, int | float) and not isinstance(value, bool) and value == int(value) and value > 0
        return int(value) if whole else None
    if place == "train.precision":
        value = PRECISIONS.get(str(value).lower(), value)
        return value if value in PRECISIONS.values() else None
    if place == "optim.kind":
        return str(value).lower() if str(value).lower() in ("adamw", "muon") else None
    if place in ("optim.lr", "optim.weight_decay", "model.alpha", "model.logit_scale", "model.dropout", "model.gate_init"):
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None
    return value if isinstance(value, bool | int | float | str) else None


def _lines(section: Row) -> list[str]:
    return [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in sorted(section.items()) if re.fullmatch(r"[\w-]+", key)]


def _safe(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9._+=-]+", "-", name).strip("-.")[:120] or "final"


def _comment(text: str) -> str:
    from ngt_report.formatting import plain

    return plain(text)

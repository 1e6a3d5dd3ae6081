"""Optimisers routed by the role of each parameter: AdamW for all, or Muon for matrices and AdamW for the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

import torch
from torch import Tensor, nn

from ngt_train.config import OptimConfig, Role
from ngt_train.errors import TrainError

ROLES: tuple[str, ...] = get_args(Role)
FUSED = ("cpu", "cuda", "mps")  # devices whose AdamW has a fused kernel
State = dict[str, Any]


class Optimizers:
    """One or two torch optimisers that step together; groups carry their role and base rate."""

    def __init__(self, parts: dict[str, torch.optim.Optimizer], routing: list[dict[str, Any]]) -> None:
        self.parts = parts
        self.routing = routing  # role, optimizer, lr, weight_decay, tensors, elements of each group

    def set_factor(self, factor: float) -> None:
        """Every group's rate = its base rate times the schedule's factor."""
        for part in self.parts.values():
            for group in part.param_groups:
                group["lr"] = group["base_lr"] * factor

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for part in self.parts.values():
            part.zero_grad(set_to_none=True)

    def step(self, scaler: torch.amp.GradScaler, norm: Tensor) -> None:
        """One update; none by any part where fp16 gradients overflowed, which the norm of all unscaled gradients shows."""
        if not scaler.is_enabled() or bool(torch.isfinite(norm)):
            for part in self.parts.values():
                scaler.step(part)
        scaler.update()

    def state_dict(self) -> State:
        """State of every part, plain containers and tensors."""
        return {name: part.state_dict() for name, part in self.parts.items()}

    def load_state_dict(self, state: Mapping[str, State]) -> None:
        """Take back what `state_dict` gave."""
        for name, part in self.parts.items():
            part.load_state_dict(state[name])


def build(model: nn.Module, roles: Mapping[str, str], config: OptimConfig, device: str) -> Optimizers:
    """Optimisers for the model's trainable parameters.

    Args:
        roles: parameter name -> matrix, embedding, head or vector, as `Model.roles()` says.
        device: type of the parameters' device.

    Raises:
        TrainError: a trainable parameter without a role, or a role for none.
    """
    groups: dict[str, list[dict[str, Any]]] = {}
    for role, parameters in _by_role(model, roles).items():
        for name, tensors in _split(role, parameters, config).items():
            groups.setdefault(name, []).append(_group(role, tensors, config))
    parts: dict[str, torch.optim.Optimizer] = {}
    if "adamw" in groups:
        parts["adamw"] = torch.optim.AdamW(
            groups["adamw"], lr=config.lr, betas=(config.beta1, config.beta2), eps=config.eps, fused=config.fused and device in FUSED
        )
    if "muon" in groups:
        parts["muon"] = torch.optim.Muon(
            groups["muon"],
            lr=config.lr,
            momentum=config.momentum,
            nesterov=config.nesterov,
            ns_steps=config.ns_steps,
            adjust_lr_fn=config.adjust_lr,
        )
    return Optimizers(parts, [_described(name, group) for name in groups for group in groups[name]])


def _by_role(model: nn.Module, roles: Mapping[str, str]) -> dict[str, list[Tensor]]:
    found: dict[str, list[Tensor]] = {role: [] for role in ROLES}
    named = dict(model.named_parameters())
    for name, parameter in named.items():
        if roles.get(name) not in found:
            raise TrainError(f"parameter {name} has the role {roles.get(name)!r}; the model's roles() must say one of {', '.join(ROLES)}")
        if parameter.requires_grad:
            found[roles[name]].append(parameter)
    if unknown := sorted(set(roles) - set(named)):
        raise TrainError(f"the model's roles() names {unknown[0]}, which is none of its parameters")
    return {role: parameters for role, parameters in found.items() if parameters}


def _split(role: str, parameters: list[Tensor], config: OptimConfig) -> dict[str, list[Tensor]]:
    """Which optimiser takes which: Muon only knows two-dimensional tensors."""
    if config.kind != "muon" or role != "matrix":
        return {"adamw": parameters}
    parts = {"muon": [p for p in parameters if p.ndim == 2], "adamw": [p for p in parameters if p.ndim != 2]}
    return {name: tensors for name, tensors in parts.items() if tensors}


def _group(role: str, tensors: list[Tensor], config: OptimConfig) -> dict[str, Any]:
    rate = config.lr * getattr(config, f"{role}_scale")
    decay = config.weight_decay if role in config.decay else 0.0
    return {"params": tensors, "lr": rate, "base_lr": rate, "weight_decay": decay, "role": role}


def _described(name: str, group: dict[str, Any]) -> dict[str, Any]:
    tensors = group["params"]
    told = {"optimizer": name, "role": group["role"], "lr": group["base_lr"], "weight_decay": group["weight_decay"]}
    return told | {"tensors": len(tensors), "elements": sum(p.numel() for p in tensors)}

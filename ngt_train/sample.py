"""Text from a model: token by token from its own distribution, with any variant."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ngt_train import checkpoint, settings, tokenizers, variants
from ngt_train.errors import CheckpointError, ConfigError

if TYPE_CHECKING:
    from ngt_train.blocks import LanguageModel
    from ngt_train.session import Session
    from ngt_train.tokenizers import Tokenizer

LENGTH = 200  # tokens of a sample of a run


@torch.no_grad()
def generate(
    model: LanguageModel,
    tokens: Sequence[int],
    count: int,
    *,
    block: int,
    temperature: float = 1.0,
    top_k: int | None = None,
    seed: int = 0,
) -> list[int]:
    """`count` tokens that follow; the model sees the last `block` of them.

    Args:
        tokens: at least one.
        temperature: divides the logits; 0 takes the likeliest.
        top_k: keep only so many.
    """
    device = next(model.parameters()).device
    generator = torch.Generator(device).manual_seed(seed)
    found = list(tokens)
    for _ in range(count):
        window = torch.tensor([found[-block:]], device=device)
        logits = model.head(model(window).hidden[0, -1]).float()
        found.append(_draw(logits, temperature, top_k, generator))
    return found[len(tokens) :]


def _draw(logits: Tensor, temperature: float, top_k: int | None, generator: torch.Generator) -> int:
    """One token of logits (V,)."""
    if temperature == 0:
        return int(logits.argmax())
    if top_k is not None and top_k < logits.numel():
        logits = logits.masked_fill(logits < logits.topk(top_k).values[-1], -torch.inf)
    return int(torch.multinomial(torch.softmax(logits / temperature, -1), 1, generator=generator))


def of_session(session: Session) -> list[str]:
    """The samples that a run ends with; the prompt is `eval.prompt`, else the start of the validation tokens."""
    run, tokenizer = session.config, session.corpus.tokenizer
    if tokenizer is None:
        return []
    prompt = tokenizer.encode(run.eval.prompt).tolist() or session.corpus.val.window(0, 1).tolist()
    found = (
        generate(session.model, prompt, LENGTH, block=run.data.block, temperature=0.8, top_k=50, seed=run.seed + number)
        for number in range(run.eval.samples)
    )
    return [run.eval.prompt + tokenizer.decode(tokens) for tokens in found]


# -- from a checkpoint -------------------------------------------------------------------------------------------------
def load(path: Path) -> tuple[LanguageModel, Tokenizer, dict[str, Any]]:
    """The model in evaluation mode, its tokenizer, and the checkpoint's state.

    Raises:
        CheckpointError: it is damaged, or has no tokenizer.
    """
    state = checkpoint.load(path)
    module = variants.load(state["config"]["model"]["variant"])
    model = module.Model(settings.build(module.Config, state["model_config"], "model"))
    try:
        model.load_state_dict(state["model"], strict=True)
    except RuntimeError as e:
        raise CheckpointError(f"checkpoint {path} does not fit its own model: {next(iter(str(e).splitlines()), '')[:200]}") from e
    packed = state.get("tokenizer")
    if packed is None:
        raise CheckpointError(f"checkpoint {path} has no tokenizer: its data was prepared without one")
    text = packed.numpy().tobytes().decode("utf-8")
    return model.eval(), tokenizers.from_text(text, state["tokenizer_name"]), state


def from_checkpoint(
    path: Path, prompt: str, count: int, *, temperature: float = 0.8, top_k: int | None = 50, seed: int = 0, samples: int = 1
) -> list[str]:
    """Texts that begin with the prompt, `count` tokens longer."""
    for held, text in (
        (count > 0, f"--tokens must be at least 1, not {count}"),
        (temperature >= 0, f"--temperature must not be negative: {temperature}"),
        (top_k is None or top_k > 0, f"--top-k must not be negative: {top_k}"),
        (samples > 0, f"--samples must be at least 1, not {samples}"),
        (0 <= seed < 2**63 - samples, f"--seed must be between 0 and 2^63, not {seed}"),
    ):
        if not held:
            raise ConfigError(text)
    model, tokenizer, state = load(path)
    start = tokenizer.encode(prompt).tolist() or [tokenizer.end]
    block = state["config"]["data"]["block"]
    found = (generate(model, start, count, block=block, temperature=temperature, top_k=top_k, seed=seed + n) for n in range(samples))
    return [prompt + tokenizer.decode(tokens) for tokens in found]

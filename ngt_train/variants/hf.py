"""A Hugging Face causal language model, fine-tuned or trained anew from its configuration (extra `hf`)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from ngt_train import blocks
from ngt_train.blocks import Output
from ngt_train.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """path: a folder or a name on the hub; from_scratch: only the architecture is taken, the weights are random.

    vocab_size is the tokenizer's: the model's table may be larger, never smaller. block: tokens of a sequence.
    """

    path: str
    vocab_size: int
    block: int = 512
    from_scratch: bool = False

    def __post_init__(self) -> None:
        if not self.path:
            raise ConfigError("model.path is empty; name a folder or a model of the Hugging Face hub")
        blocks.check_positive(self, "vocab_size", "block")


def _load(config: Config) -> Any:
    """The transformers model in fp32; code that comes with a model is never run."""
    try:
        from transformers import AutoConfig, AutoModelForCausalLM
    except ImportError as error:
        raise ConfigError("model.variant hf needs the package transformers; install it with pip install 'ngtreport[hf]'") from error
    try:
        if config.from_scratch:
            architecture = AutoConfig.from_pretrained(config.path, trust_remote_code=False)
            return AutoModelForCausalLM.from_config(architecture, dtype=torch.float32)
        return AutoModelForCausalLM.from_pretrained(config.path, dtype=torch.float32, trust_remote_code=False)
    except (OSError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        raise ConfigError(f"model.path = {config.path!r} is no causal language model that can be read here: {reason}") from error


class Model(blocks.LanguageModel):
    """The causal model behind the questions that the engine asks of every variant."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.causal = _load(config)
        self.causal.config.use_cache = False
        self._check_sizes()
        self._check_head()

    def _check_sizes(self) -> None:
        words = self.embedding.size(0)
        if words < self.config.vocab_size:
            raise ConfigError(
                f"the table of {self.config.path!r} has {words} words, the tokenizer {self.config.vocab_size}; use the model's tokenizer"
            )
        longest = getattr(self.causal.config, "max_position_embeddings", None)
        if longest is not None and longest < self.config.block:
            raise ConfigError(
                f"model.block = {self.config.block} is more than the {longest} positions of {self.config.path!r}; shorten data.block"
            )

    @torch.no_grad()
    def _check_head(self) -> None:
        """Losses apply the head to hidden states themselves: a model that does more after it cannot be trained so."""
        training = self.training
        self.eval()
        probe = torch.arange(2).unsqueeze(0) % self.config.vocab_size
        if not torch.allclose(self.head(self(probe).hidden), self.causal(probe).logits, rtol=1e-3, atol=1e-4):
            raise ConfigError(f"{self.config.path!r} changes its logits after its output layer, which this trainer cannot follow")
        self.train(training)

    @property
    def head(self) -> nn.Module:  # type: ignore[override]
        return self.causal.get_output_embeddings()

    @property
    def embedding(self) -> Tensor:
        return self.causal.get_input_embeddings().weight

    def roles(self) -> dict[str, str]:
        """As everywhere; an output layer with a table of its own is the head."""
        own = None if self.head.weight is self.embedding else self.head.weight
        named = dict(self.named_parameters())
        return {name: "head" if named[name] is own else role for name, role in super().roles().items()}

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Output:
        """tokens (B, T) -> hidden (B, T, C) after the model's last norm; mask (B, T) is false for padding."""
        blocks.positions(tokens, self.config.block)
        attention = None if mask is None else mask.long()
        return Output(self.causal.base_model(tokens, attention_mask=attention).last_hidden_state, {})

"""Hugging Face models, tiny ones made here: loaded, trained, checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from ngt_train import variants  # noqa: E402
from ngt_train.errors import ConfigError  # noqa: E402
from tests import models  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a two-layer GPT-2 with random weights."""
    folder = str(tmp_path_factory.mktemp("gpt2"))
    torch.manual_seed(0)
    config = transformers.GPT2Config(
        vocab_size=models.WORDS, n_positions=24, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0
    )
    transformers.GPT2LMHeadModel(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of a Llama whose head is not tied."""
    folder = str(tmp_path_factory.mktemp("llama"))
    config = transformers.LlamaConfig(
        vocab_size=models.WORDS,
        hidden_size=16,
        intermediate_size=24,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=24,
    )
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


def load(path: str, **settings: Any) -> Any:
    module = variants.load("hf:somewhere")
    return module.Model(module.Config(**{"path": path, "vocab_size": models.WORDS, "block": 24, **settings}))


@pytest.mark.parametrize("kind", ["gpt2", "llama"])
def test_hidden_states_and_head_give_the_models_own_logits(kind: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(kind)
    model = load(path).eval()
    own = transformers.AutoModelForCausalLM.from_pretrained(path).eval()
    text = models.tokens()
    torch.testing.assert_close(model.head(model(text).hidden), own(text).logits)
    assert model.embedding.shape == (models.WORDS, 16)
    assert model.parameter_count() == own.num_parameters()


def test_fine_tuning_learns_a_batch_by_heart_and_the_state_loads_strictly(gpt2: str) -> None:
    model = load(gpt2)
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = 0.0
    text = models.tokens(batch=2, length=16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(80):
        loss = models.loss_of(model, text)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3
    again = load(gpt2)
    again.load_state_dict(model.state_dict(), strict=True)
    assert torch.equal(again.eval()(text).hidden, model.eval()(text).hidden)


def test_roles_know_tied_and_own_heads(gpt2: str, llama: str) -> None:
    tied, own = load(gpt2).roles(), load(llama).roles()
    assert [name for name, role in tied.items() if role == "head"] == []
    assert tied["causal.transformer.wte.weight"] == tied["causal.transformer.wpe.weight"] == "embedding"
    assert tied["causal.transformer.h.0.attn.c_attn.weight"] == "matrix"
    assert [name for name, role in own.items() if role == "head"] == ["causal.lm_head.weight"]


def test_from_scratch_takes_the_architecture_and_the_seed(gpt2: str) -> None:
    def scratch(seed: int) -> Any:
        torch.manual_seed(seed)
        return load(gpt2, from_scratch=True).embedding.detach()

    assert torch.equal(scratch(1), scratch(1))
    assert not torch.equal(scratch(1), scratch(2))
    assert not torch.equal(scratch(1), load(gpt2).embedding)


def test_a_model_that_does_not_fit_is_refused(gpt2: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"has 61 words, the tokenizer 62; use the model's tokenizer"):
        load(gpt2, vocab_size=62)
    with pytest.raises(ConfigError, match=r"model.block = 25 is more than the 24 positions"):
        load(gpt2, block=25)
    with pytest.raises(ConfigError, match=r"is no causal language model that can be read here"):
        load(str(tmp_path))
    with pytest.raises(ConfigError, match=r"model.path is empty"):
        load("")


def test_a_model_that_caps_its_logits_is_refused(tmp_path: Path) -> None:
    config = transformers.Gemma2Config(
        vocab_size=models.WORDS, hidden_size=16, intermediate_size=24, num_hidden_layers=1, num_attention_heads=2, num_key_value_heads=2,
        head_dim=8, max_position_embeddings=24, final_logit_softcapping=0.01,
    )  # fmt: skip
    transformers.Gemma2ForCausalLM(config).save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match=r"changes its logits after its output layer"):
        load(str(tmp_path))

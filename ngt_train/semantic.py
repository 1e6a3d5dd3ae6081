"""Whether a model's texts mean what the real ones do: cosines of sentence embeddings of generated and real continuations.

The encoder is a folder or a name on the hub, in the layout of sentence-transformers or a plain encoder, whose tokens are averaged then. It
is read with transformers (extra `hf`); code that comes with a model is never run.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import torch.nn.functional as F
from torch import Tensor

from ngt_train import hub
from ngt_train.errors import ConfigError, DataError
from ngt_train.sample import generate

if TYPE_CHECKING:
    from ngt_train.config import RunConfig
    from ngt_train.corpus import Corpus
    from ngt_train.data import Tokens
    from ngt_train.session import Session

KNOWN = ("Transformer", "Pooling", "Normalize")  # parts of a sentence encoder that are computed here; cosines need no Normalize
METRIC = "semantic/sbert_cosine_mean"


class Encoder:
    """Texts to vectors; `first` takes the first token's state, else the mean over tokens."""

    def __init__(self, name: str, model: Any, tokenizer: Any, first: bool, longest: int) -> None:
        self.name, self.model, self.tokenizer, self.first, self.longest = name, model.eval(), tokenizer, first, longest

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> Tensor:
        """(texts, C) on the CPU."""
        given = self.tokenizer(list(texts), padding=True, truncation=True, max_length=self.longest, return_tensors="pt").to(
            self.model.device
        )
        states = self.model(**given).last_hidden_state.float()
        if self.first:
            return states[:, 0].cpu()
        mask = given["attention_mask"].unsqueeze(-1).float()
        return ((states * mask).sum(1) / mask.sum(1).clamp_min(1)).cpu()


def load(name: str) -> Encoder:
    """The encoder on the CPU.

    Raises:
        ConfigError: transformers is missing, or the name is no sentence encoder that can be computed here.
    """
    try:
        from transformers import AutoModel, AutoTokenizer
    except ImportError as error:
        raise ConfigError(
            "eval.semantic needs the package transformers; install it with pip install 'ngtreport[hf]', or set it to 0"
        ) from error
    try:
        parts = {part["type"].rpartition(".")[2]: part["path"] for part in _json(name, "modules.json") or []}
        pooling = _json(name, f"{parts['Pooling']}/config.json") if "Pooling" in parts else None
        longest = (_json(name, "sentence_bert_config.json") or {}).get("max_seq_length")
        where = {"subfolder": parts.get("Transformer", ""), "trust_remote_code": False}
        model, tokenizer = AutoModel.from_pretrained(name, dtype=torch.float32, **where), AutoTokenizer.from_pretrained(name, **where)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ConfigError(f"eval.semantic_model = {name!r} is no sentence encoder that can be read here: {hub.reason(error)}") from error
    if strange := [part for part in parts if part not in KNOWN]:
        raise ConfigError(
            f"eval.semantic_model = {name!r} has a part {strange[0]!r}, which is not computed here; known: {', '.join(KNOWN)}"
        )
    limits = (longest, tokenizer.model_max_length, getattr(model.config, "max_position_embeddings", None))
    return Encoder(name, model, tokenizer, _first(name, pooling or {"pooling_mode": "mean"}), min(limit for limit in limits if limit))


def _first(name: str, pooling: dict[str, Any]) -> bool:
    """Whether a pooling takes the first token; its mode is one word, or one of several keys that is true."""
    modes = [key.removeprefix("pooling_mode_") for key, value in pooling.items() if key.startswith("pooling_mode_") and value is True]
    found = pooling.get("pooling_mode") or "+".join(modes)
    if found in ("cls", "cls_token"):
        return True
    if found in ("mean", "mean_tokens"):
        return False
    raise ConfigError(f"eval.semantic_model = {name!r} pools by {found!r}, which is not computed here; known: mean, cls")


def _json(name: str, file: str) -> Any:
    """What a file of the folder or of the hub's repository holds; None where there is none."""
    if Path(name).is_dir():
        path = Path(name) / file
        return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None
    from huggingface_hub import errors, hf_hub_download

    hub.quiet()
    try:
        return json.loads(Path(hf_hub_download(name, file)).read_text(encoding="utf-8"))
    except errors.LocalEntryNotFoundError:  # the network is missing, not the file
        raise
    except errors.EntryNotFoundError:
        return None


# -- in a run ------------------------------------------------------------------------------------------------------------
def prepared(run: RunConfig, corpus: Corpus) -> Encoder:
    """The encoder of a run, loaded before its first step so that what is missing is said then.

    Raises:
        ConfigError: as for `load`, or the data has no tokenizer. DataError: the split is too short.
    """
    if corpus.tokenizer is None:
        raise ConfigError("eval.semantic needs texts, but the prepared data has no tokenizer; set eval.semantic=0")
    split, (given, wanted) = _split(run, corpus), _lengths(run)
    if split.tokens < given + wanted:
        raise DataError(
            f"{run.data_folder()}: {split.split!r} has {split.tokens:,} tokens, too few for eval.semantic, which takes {given} and the "
            f"{wanted} after them; lower eval.semantic_tokens, or prepare more text"
        )
    return load(run.eval.semantic_model)


def _split(run: RunConfig, corpus: Corpus) -> Tokens:
    return corpus.test if run.eval.test and corpus.test else corpus.val


def _lengths(run: RunConfig) -> tuple[int, int]:
    """Tokens that are given, and that are to follow."""
    return max(1, run.data.block // 2), run.eval.semantic_tokens


def of_session(session: Session, encoder: Encoder, heed: Callable[[], None]) -> dict[str, Any]:
    """The section `semantic` of metrics.json; texts begin evenly spread over the test split, or over validation where there is no test.

    Args:
        heed: called after each text; raises where the run was asked to end.
    """
    run, tokenizer = session.config, session.corpus.tokenizer
    assert tokenizer is not None
    split, (given, wanted) = _split(run, session.corpus), _lengths(run)
    encoder.model.to(session.device)
    cosines = []
    for number in range(run.eval.semantic):
        start = number * (split.tokens - given - wanted) // run.eval.semantic
        text = split.window(start, given + wanted).tolist()
        said = generate(session.model, text[:given], wanted, block=run.data.block, temperature=0.8, top_k=50, seed=run.seed + number)
        real, made = encoder([tokenizer.decode(text[given:]), tokenizer.decode(said)])
        cosines.append(F.cosine_similarity(real, made, dim=0).item())
        heed()
    return {"sbert_model": encoder.name, "sbert_cosine_mean": sum(cosines) / len(cosines), "sbert_cosine_all": cosines}

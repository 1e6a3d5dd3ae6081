"""Where a gravity model puts the tokens of a text: the coordinates before and after each layer, as events for the report."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ngt_train import config, runlog, sample
from ngt_train.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ngt_train.blocks import LanguageModel
    from ngt_train.config import RunConfig
    from ngt_train.session import Session
    from ngt_train.tokenizers import Tokenizer

SHOWN = 256  # tokens of a text at most


@torch.no_grad()
def layers(model: LanguageModel, tokens: Sequence[int], tokenizer: Tokenizer | None) -> Iterator[dict[str, Any]]:
    """Fields of one `coords` event a layer; tokens (T,), coordinates (T, dimension of the model).

    Raises:
        ConfigError: the model has no coordinates.
    """
    if not hasattr(model, "trajectory"):
        raise ConfigError("the model has no coordinates; take a checkpoint of variant ngt")
    device = next(model.parameters()).device
    batch = torch.tensor([list(tokens)], device=device)
    mass = model(batch).extra["mass"][0].float().tolist()
    labels = [tokenizer.label(token) if tokenizer else str(token) for token in tokens]
    for number, points in enumerate(model.trajectory(batch)[1:, 0].float().cpu()):
        yield {
            "layer": number,
            "token_labels": labels,
            "positions": list(range(len(labels))),
            "masses": [round(value, 6) for value in mass],
            "coordinates": [[round(value, 6) for value in point] for point in points.tolist()],
        }


def of_session(session: Session) -> Iterator[dict[str, Any]]:
    """The coordinates of `eval.text`, else of the first validation tokens."""
    run, tokenizer = session.config, session.corpus.tokenizer
    if tokenizer is None:
        raise ConfigError("eval.coords needs a tokenizer, and the prepared data has none; set eval.coords = false")
    tokens = (
        tokenizer.encode(run.eval.text).tolist() or session.corpus.val.window(0, min(run.data.block, session.corpus.val.tokens)).tolist()
    )
    return layers(session.model, tokens[: min(SHOWN, run.data.block)], tokenizer)


def from_checkpoint(path: Path, text: str, out: Path | None) -> tuple[int, Path]:
    """Write the coordinates of a text; returns how many layers, and where to.

    Args:
        out: the event log; None: the run's own, so that they are part of its report, or else NAME.coords.jsonl beside the checkpoint.

    Raises:
        ConfigError: the text is empty, or the model has no coordinates.
    """
    model, tokenizer, state = sample.load(path)
    run = config.from_dict(state["config"])
    tokens = tokenizer.encode(text).tolist()[: min(SHOWN, run.data.block)]
    if not tokens:
        raise ConfigError("the text of --text is empty; give a file with some words")
    found = list(layers(model, tokens, tokenizer))
    where = {"step": state["step"], "tokens": state["tokens"], "elapsed_s": state["elapsed_s"]}
    own = run.events_path()
    target = out or (own if own.exists() else path.with_suffix(".coords.jsonl"))
    with closing(_log(target, run, where)) as log:
        for layer in found:
            log.coords(**layer, **where)
    return len(found), target


def _log(target: Path, run: RunConfig, where: dict[str, Any]) -> runlog.RunLog:
    if target.exists():
        return runlog.reopen(target)
    return runlog.init(target, run.name, config.to_dict(run), run.seed, model=run.model.variant, **where)

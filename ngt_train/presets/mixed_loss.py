"""Cross-entropy against the mixed cosine loss: DistilGPT-2 fine-tuned on WikiText-2, and the next step of that study."""

from __future__ import annotations

from collections.abc import Iterator

from ngt_train.config import DataConfig, EvalConfig, LossConfig, ModelConfig, OptimConfig, RunConfig, ScheduleConfig, TrainConfig

GROUPS = {"mixed_loss": "cross-entropy and mixed loss, DistilGPT-2 fine-tuned on WikiText-2; test metrics, metrics.json, results.md"}

SMALL, LONGER = (1.0, {"train": 100, "val": 50, "test": 50}), (2.0, {"train": 300, "val": 100, "test": 100})  # epochs, documents
BASELINE = LossConfig(kind="cross_entropy")
NEXT = [(alpha, temperature) for alpha in (0.25, 0.5, 0.75) for temperature in (0.7, 1.5)]


def runs() -> Iterator[RunConfig]:
    """Baseline and mixed, small and longer; then alpha and temperature at the longer size."""
    yield _run("baseline_wt2_small", BASELINE, *SMALL)
    yield _run("mixed_wt2_small_a05", _mixed(0.5), *SMALL)
    yield _run("baseline_wt2_longer", BASELINE, *LONGER)
    yield _run("mixed_wt2_longer_a05", _mixed(0.5), *LONGER)
    for alpha, temperature in NEXT:
        yield _run(f"mixed_wt2_longer_{_word('a', alpha)}_{_word('t', temperature)}", _mixed(alpha, temperature), *LONGER, semantic=10)


def _mixed(alpha: float, temperature: float = 1.0) -> LossConfig:
    # As published, the cosine also trains the table of embeddings.
    return LossConfig(kind="mixed", alpha=alpha, temperature=temperature, topk=256, detach=False)


def _word(letter: str, value: float) -> str:
    """a025 for 0.25, t15 for 1.5."""
    return letter + str(value).replace(".", "")


def _run(name: str, loss: LossConfig, epochs: float, documents: dict[str, int], semantic: int = 0) -> RunConfig:
    return RunConfig(
        name=name,
        group="mixed_loss",
        seed=42,
        model=ModelConfig(variant="hf", settings={"path": "distilgpt2"}),
        data=DataConfig(
            dataset="wikitext2",
            tokenizer="hf:distilgpt2",
            folder=f"data/wikitext2_distilgpt2_{documents['train']}",
            options={"min_chars": 128, "limit": documents},
            block=256,
        ),
        loss=loss,
        optim=OptimConfig(lr=5e-5, weight_decay=0.01, decay=("matrix", "embedding", "head")),
        schedule=ScheduleConfig(kind="linear", warmup_ratio=0.03),
        train=TrainConfig(epochs=epochs, batch=2, clip=1.0),
        eval=EvalConfig(interval=0, batch=2, test=True, semantic=semantic),
    )

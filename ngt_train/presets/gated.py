"""Gated attention on FineWeb: the stages 1, 2, 2.5 and 3 with their seeds. LR, SEED and the other names work from the environment."""

from __future__ import annotations

from collections.abc import Iterator

from ngt_train.config import DataConfig, EvalConfig, ModelConfig, OptimConfig, RunConfig, ScheduleConfig, TrainConfig

GROUPS = {
    "gated_stage1": "five gates, 1,500 steps at lr 0.0036, 2 seeds",
    "gated_stage2": "elementwise gate and none at four rates, 800 steps, 2 seeds",
    "gated_stage2_5": "elementwise gate and none, 1,500 steps at lr 0.00468, 2 seeds",
    "gated_stage3": "elementwise gate and none, 5,100 steps at lr 0.00468, 3 seeds, and none at lr 0.0036",
}
FIRST, TUNED = 0.0036, 0.00468
RATES = (0.0036, 0.00396, 0.00432, 0.00468)
WARMDOWN = 1450
DEVICES = 8  # of the published runs, 64 sequences each


def runs() -> Iterator[RunConfig]:
    """The four stages, 37 runs."""
    for gate, activation in (("none", ""), ("const", ""), ("headwise", ""), ("headwise", "ns_sigmoid"), ("elementwise", "")):
        for seed in (1337, 1338):
            yield _run("gated_stage1", "_".join(filter(None, (gate, activation))), gate, FIRST, 1500, seed, activation or "sigmoid")
    for gate in ("none", "elementwise"):
        for rate in RATES:
            for seed in (1337, 2337):
                yield _run("gated_stage2", f"{gate}_lr{rate}", gate, rate, 800, seed)
    for gate in ("none", "elementwise"):
        for seed in (1337, 2337):
            yield _run("gated_stage2_5", gate, gate, TUNED, 1500, seed)
    for gate in ("none", "elementwise"):
        for seed in (1337, 2337, 3337):
            yield _run("gated_stage3", gate, gate, TUNED, 5100, seed)
    yield _run("gated_stage3", f"none_lr{FIRST}", "none", FIRST, 5100, 1337)


def _run(group: str, name: str, gate: str, rate: float, steps: int, seed: int, activation: str = "sigmoid") -> RunConfig:
    # A warm-down longer than the run never reaches the full rate: the same rates as a warm-down of the whole run from a lower one.
    reached = min(1.0, steps / WARMDOWN)
    return RunConfig(
        name=f"{name}_s{seed}",
        group=group,
        seed=seed,
        model=ModelConfig(
            variant="gated",
            settings={
                "layers": 12,
                "heads": 6,
                "hidden": 768,
                "vocab_size": 50304,
                "gate": gate,
                "gate_position": "sdpa",
                "gate_activation": activation,
            },
        ),
        data=DataConfig(dataset="fineweb10B", tokenizer="gpt2", block=1024, order="sequential"),
        optim=OptimConfig(
            kind="muon",
            lr=rate,
            matrix_scale=0.1 * reached,
            embedding_scale=reached,
            head_scale=reached,
            vector_scale=reached,
            beta2=0.95,
            weight_decay=0.0,
        ),
        schedule=ScheduleConfig(kind="trapezoid", warmdown=min(steps, WARMDOWN)),
        train=TrainConfig(steps=steps, batch=64, accumulation=DEVICES, clip=0.0, precision="bfloat16", compile=True),
        eval=EvalConfig(interval=125, tokens=10_485_760, batch=64),
    )

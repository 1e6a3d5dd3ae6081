"""JSON: lines, documents, what trackers leave in folders."""

# ruff: noqa: E501 - lines as they are printed
from __future__ import annotations

import json

from tests.strangers import stranger


def lines(*records: dict[str, object]) -> str:
    return "".join(json.dumps(r) + "\n" for r in records)


stranger(
    "JSON lines", "nested by split",
    lines(
        {"step": 100, "metrics": {"train": {"loss": 5.1}, "val": {"loss": 5.2, "ppl": 181.3}}},
        {"step": 200, "metrics": {"train": {"loss": 4.1}, "val": {"loss": 4.2, "ppl": 66.7}}},
    ),
    (4.2, 200, 4.2, 200), trained=2,
)  # fmt: skip
stranger(
    "JSON lines", "a name and a value",
    lines(
        {"step": 100, "name": "train/loss", "value": 5.1}, {"step": 100, "name": "val/loss", "value": 5.2},
        {"step": 200, "name": "train/loss", "value": 4.1}, {"step": 200, "name": "val/loss", "value": 4.2},
    ),
    (4.2, 200, 4.2, 200), trained=2,
)  # fmt: skip
stranger(
    "JSON lines", "W&B's history as lines",
    lines(
        {"_step": 0, "_runtime": 1.5, "_timestamp": 1714557600.1, "val/loss": 10.8},
        {"_step": 100, "_runtime": 61.5, "_timestamp": 1714557660.1, "train/loss": 5.1},
        {"_step": 200, "_runtime": 121.5, "_timestamp": 1714557720.1, "train/loss": 4.1, "val/loss": 4.2},
    ),
    (4.2, 200, 4.2, 200), trained=2, seconds=121.5,
)  # fmt: skip
stranger(
    "JSON lines", "LLaMA-Factory",
    lines(
        {"current_steps": 10, "total_steps": 60, "loss": 1.5012, "lr": 5e-05, "epoch": 0.5, "percentage": 16.67, "elapsed_time": "0:00:30",
         "remaining_time": "0:02:30"},
        {"current_steps": 20, "total_steps": 60, "eval_loss": 1.4012, "epoch": 1.0, "percentage": 33.33, "elapsed_time": "0:01:05",
         "remaining_time": "0:02:10"},
        {"current_steps": 60, "total_steps": 60, "eval_loss": 1.3012, "epoch": 3.0, "percentage": 100.0, "elapsed_time": "0:03:10",
         "remaining_time": "0:00:00"},
    ),
    (1.3012, 60, 1.3012, 60), trained=1, seconds=190.0,
)  # fmt: skip
stranger(
    "JSON lines", "a logger's envelope",
    lines(
        {"timestamp": "2024-05-01T10:00:00Z", "level": "INFO", "message": "starting", "host": "a"},
        {"timestamp": "2024-05-01T10:01:00Z", "level": "INFO", "message": "train", "data": {"step": 100, "loss": 5.1}},
        {"timestamp": "2024-05-01T10:01:10Z", "level": "INFO", "message": "eval", "data": {"step": 100, "val_loss": 5.2}},
        {"timestamp": "2024-05-01T10:02:10Z", "level": "INFO", "message": "eval", "data": {"step": 200, "val_loss": 4.2}},
    ),
    (4.2, 200, 4.2, 200), trained=1,
)  # fmt: skip
stranger(
    "JSON lines", "JSON after a logger's stamp",
    '2024-05-01 10:00:00,123 INFO {"step": 100, "train_loss": 5.1012, "val_loss": 5.2012}\n'
    '2024-05-01 10:01:00,123 INFO {"step": 200, "train_loss": 4.1012, "val_loss": 4.2012}\n',
    (4.2012, 200, 4.2012, 200), trained=2,
)  # fmt: skip
stranger(
    "JSON lines", "MLPerf",
    ':::MLLOG {"namespace": "", "time_ms": 1714557600123, "event_type": "POINT_IN_TIME", "key": "seed", "value": 1, "metadata": {}}\n'
    ':::MLLOG {"namespace": "", "time_ms": 1714557660123, "event_type": "POINT_IN_TIME", "key": "eval_loss", "value": 5.2012,'
    ' "metadata": {"step_num": 100}}\n'
    ':::MLLOG {"namespace": "", "time_ms": 1714557720123, "event_type": "POINT_IN_TIME", "key": "eval_loss", "value": 4.2012,'
    ' "metadata": {"step_num": 200}}\n',
    (4.2012, 200, 4.2012, 200),
)  # fmt: skip
stranger(
    "JSON lines", "several runs by their configuration",
    lines(*({"lr": lr, "seed": 1, "step": s, "val_loss": v} for lr, s, v in ((0.1, 10, 5.1), (0.1, 20, 4.1), (0.2, 10, 5.2), (0.2, 20, 4.2)))),
    (4.1, 20, 4.1, 20), (4.2, 20, 4.2, 20),
)  # fmt: skip
stranger(
    "JSON lines", "DeiT's log.txt, epochs",
    lines(
        {"train_lr": 1e-06, "train_loss": 6.9, "test_loss": 6.8, "test_acc1": 1.1, "epoch": 0, "n_parameters": 5717416},
        {"train_lr": 1e-05, "train_loss": 5.9, "test_loss": 5.8, "test_acc1": 2.1, "epoch": 1, "n_parameters": 5717416},
    ),
    None, trained=2,
)  # fmt: skip
stranger(
    "JSON", "trainer_state.json",
    {
        "checkpoint-40/trainer_state.json": json.dumps(
            {
                "best_metric": 4.2012, "best_model_checkpoint": "out/gated/checkpoint-40", "epoch": 2.0, "global_step": 40, "max_steps": 40,
                "log_history": [
                    {"epoch": 0.5, "grad_norm": 1.2, "learning_rate": 1e-4, "loss": 5.1, "step": 10},
                    {"epoch": 1.0, "eval_loss": 5.2012, "eval_runtime": 2.1, "step": 20},
                    {"epoch": 2.0, "eval_loss": 4.2012, "eval_runtime": 2.1, "step": 40},
                    {"epoch": 2.0, "step": 40, "total_flos": 1e15, "train_loss": 4.8, "train_runtime": 61.5},
                ],
            },
            indent=2,
        )
    },
    (4.2012, 40, 4.2012, 40), trained=1,
)  # fmt: skip
stranger(
    "JSON", "all_results.json",
    {
        "all_results.json": json.dumps(
            {
                "epoch": 3.0, "eval_loss": 3.2056, "eval_runtime": 11.2, "eval_samples": 240, "perplexity": 24.6711, "train_loss": 3.3,
                "train_runtime": 301.2, "train_samples": 2318,
            },
            indent=4,
        )
    },
    (3.2056, None, 3.2056, None), seconds=301.2,
)  # fmt: skip
stranger(
    "JSON", "eval_results.json",
    {"eval_results.json": json.dumps({"epoch": 3.0, "eval_loss": 3.2056, "eval_runtime": 11.2, "perplexity": 24.6711}, indent=4)},
    (3.2056, None, 3.2056, None),
)  # fmt: skip
stranger(
    "JSON", "lists of losses",
    {"history.json": json.dumps({"step": [100, 200, 300], "train_loss": [5.1, 4.1, 3.9], "val_loss": [5.2, 4.2, 4.3]})},
    (4.2, 200, 4.3, 300), trained=3,
)  # fmt: skip
stranger(
    "JSON", "Keras' History",
    {"history.json": json.dumps({"loss": [5.1, 4.1, 3.9], "val_loss": [5.2, 4.2, 4.3], "lr": [0.1, 0.1, 0.1]})},
    (4.2, 2, 4.3, 3), trained=3,
)  # fmt: skip
stranger(
    "JSON", "a list of records",
    {"log.json": json.dumps([{"step": 100, "val_loss": 5.2}, {"step": 200, "val_loss": 4.2}], indent=1)},
    (4.2, 200, 4.2, 200),
)  # fmt: skip
stranger(
    "JSON", "a list of results",
    {"results.json": json.dumps([{"name": "a", "lr": 0.1, "final_val_loss": 5.2}, {"name": "b", "lr": 0.2, "final_val_loss": 4.2}], indent=1)},
    (4.2, None, 4.2, None), (5.2, None, 5.2, None),
)  # fmt: skip
stranger(
    "JSON", "a W&B summary",
    {"wandb-summary.json": json.dumps({"_step": 200, "_runtime": 121.5, "_timestamp": 1714557720.1, "_wandb": {"runtime": 121}, "val/loss": 4.2,
                                       "train/loss": 4.1})},
    (4.2, 200, 4.2, 200), seconds=121.5,
)  # fmt: skip
stranger(
    "JSON", "one result of one run",
    {"metrics.json": json.dumps({"model": "gated", "seed": 1, "val_loss": 4.2, "val_ppl": 66.7, "steps": 1000}, indent=2)},
    (4.2, 1000, 4.2, 1000),
)  # fmt: skip

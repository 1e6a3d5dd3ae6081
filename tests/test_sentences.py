"""Settings in the words of a log: pairs, tables, sentences, overrides; what is said of something else is no setting."""

from __future__ import annotations

import pytest

from tests.readings import read

DATA = "step:100/1000 train_loss:5.1234\nstep:200/1000 val_loss:4.5000 train_time:1000ms\n"
NANO = (
    "step 0: train loss 4.2874, val loss 4.2823\niter 0: loss 4.2663, time 33221.20ms, mfu -100.00%\n"
    "iter 10: loss 3.1, time 24.11ms, mfu 15.46%\n"
)


def settings(text: str) -> dict[str, object]:
    """What is said above the data."""
    facts = read(text)[1].facts
    return {
        f.key: f.value
        for f in reversed(facts)
        if f.key not in ("clock.scope", "total_steps") or f.line and "step:" not in text.split("\n")[f.line - 1]
    }


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("number of parameters: 10.65M", {"params": 10_650_000}),
        ("Model has 124,439,808 trainable parameters", {"params": 124_439_808}),
        ("trainable params: 4,194,304 || all params: 6,742,609,920 || trainable%: 0.0622", {"params": 6_742_609_920}),
        ("Number of trainable parameters: 1,029,120\nTotal parameters: 1,100,000,000", {"params": 1_100_000_000}),
        ("10.8 M    Trainable params\n0         Non-trainable params\n10.8 M    Total params", {"params": 10_800_000}),
        ("[INFO] Parameters: 25.3 million", {"params": 25_300_000}),
        ("[rank0]: - root - INFO - Model llama3 debugmodel size: 6,139,136 total parameters", {"params": 6_139_136}),
        ("params = 1,234,567", {"params": 1_234_567}),
        ("Parameters: 25.3", {}),
        ("non-embedding params: 85,000,000", {}),
        ("parameter groups: 2 with 12,345 parameter tensors", {}),
        (" > number of parameters on (tensor, pipeline) model parallel rank (0, 0): 345,398,272", {}),
        ("tokens per iteration will be: 491,520", {"batch_tokens": 491_520}),
        ("total desired batch size: 524288", {"batch_tokens": 524_288}),
        ("Total batch size 524,288 => gradient accumulation steps: 1", {"batch_tokens": 524_288, "accumulation": 1}),
        ("found vocab_size = 65 (inside data/shakespeare_char/meta.pkl)", {"vocab_size": 65, "dataset": "shakespeare_char"}),
        ("defaulting to vocab_size of GPT-2 to 50304 (50257 rounded up for efficiency)", {"vocab_size": 50_304}),
        ("Padded vocab size: 50,304", {}),
        ("Using seed 42", {"seed": 42}),
        ("Seed set to 1337", {"seed": 1337}),
        ("seed 1/3", {}),
        ("seed 2 of 3", {}),
        ("local batch size 8, global batch size 64, sequence length 2048", {
            "device_batch_size": 8, "global_batch_size": 64, "sequence_length": 2048,
        }),
        ("  Instantaneous batch size per device = 8", {"device_batch_size": 8}),
        ("  Total train batch size (w. parallel, distributed & accumulation) = 32", {"batch_size": 32}),
        ("eval batch size: 64", {}),
        ("Min learning rate: 1e-5", {}),
        ("| micro batch size B    | 4        |\n| num_layers L          | 12       |\n| learning rate (LR)    | 3.0e-04  |", {
            "device_batch_size": 4, "layers": 12, "learning_rate": 3.0e-4,
        }),
        ("\u2502 hidden_size \u2502 768 \u2502", {"hidden": 768}),
        ("  seq_length ...................................... 1024", {"sequence_length": 1024}),
        ("GPU: NVIDIA GeForce RTX 4090, 24 GB", {"hardware": "NVIDIA GeForce RTX 4090"}),
        ("Mixed precision: bf16", {"precision": "bf16"}),
        ("mixed_precision: True, torch_dtype: float32", {}),
        ("Overriding: n_layer = NaN", {}),
        ("gpu=H100 seed=3", {"hardware": "H100", "seed": 3}),
        ("INFO: lr: 3e-4", {"learning_rate": 3e-4}),
        ("Config: n_layer = 8", {"layers": 8}),
    ],
)  # fmt: skip
def test_what_is_said_above_the_data_is_read_as_a_person_would(said: str, found: dict[str, object]) -> None:
    assert settings(f"{said}\n{DATA}") == found


def test_what_overrides_a_setting_is_what_counts() -> None:
    found = settings("n_layer = 6\nmax_iters = 5000\ndropout = 0.2\nOverriding: n_layer = 8\nOverriding: max_iters = 2000\n" + NANO)
    assert found == {"layers": 8, "total_steps": 2000, "dropout": 0.2}


def test_a_number_of_iterations_is_a_total_only_where_the_format_means_it() -> None:
    assert "total_steps" not in settings("max_iters = 5000\n" + DATA)


def test_what_a_pair_says_comes_before_a_sentence() -> None:
    assert settings("vocab size 50257\nvocab_size=65\nUsing seed 1\nseed: 2\n" + DATA) == {"vocab_size": 65, "seed": 2}

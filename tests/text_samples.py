"""A small log of each text family, invented, with what a person would read from it."""

from __future__ import annotations

from dataclasses import dataclass, field

Curve = list[tuple[int | None, float]]


@dataclass(frozen=True)
class Sample:
    """A log, the format it is, and per trial its validation and training curves and its clock at each step."""

    form: str
    text: str
    val: list[Curve]
    train: list[Curve]
    clock: list[dict[int | None, float]] = field(default_factory=list)
    other: dict[str, Curve] = field(default_factory=dict)  # of the first trial
    pasted: int = 0  # lines of a pasted program


RULER = "=" * 100 + "\n"
PROGRAM = '''"""
Trains a model. It prints lines like
step:5/100 val_loss:3.0 train_time:10ms step_avg:2.00ms
==================================================
step:6/100 val_loss:2.9 train_time:12ms step_avg:2.00ms
"""
import os
import sys
# step:7/100 val_loss:2.8 train_time:14ms step_avg:2.00ms
def main():
    for step in range(args.num_iterations + 1):
        print0(f"step:{step}/{args.num_iterations} val_loss:{val_loss:.4f} train_time:{t:.0f}ms step_avg:{t/(step-1):.2f}ms")
    text = \'\'\'
step:8/100 val_loss:2.7 train_time:16ms step_avg:2.00ms
Validation loss: 2.6
[RUN] decoy
\'\'\'
class Muon(torch.optim.Optimizer):
    """step:9/100 val_loss:2.5"""
main()
'''
SPEEDRUN = """step:0/40 val_loss:10.8258 train_time:0ms step_avg:nanms
step:1/40 train_loss:10.9001 train_time:60444ms step_avg:nanms
step:10/40 train_loss:8.5002 train_time:68872ms step_avg:nanms
step:11/40 train_loss:8.4003 train_time:124ms step_avg:nanms
step:20/40 val_loss:7.1258 train_time:1240ms step_avg:124.00ms
step:20/40 train_loss:7.1004 train_time:1250ms step_avg:124.00ms
step:40/40 val_loss:6.1258 train_time:3720ms step_avg:124.00ms
peak memory allocated: 37653 MiB reserved: 39236 MiB
"""
SPEEDRUN_VAL: list[Curve] = [[(0, 10.8258), (20, 7.1258), (40, 6.1258)]]
SPEEDRUN_TRAIN: list[Curve] = [[(1, 10.9001), (10, 8.5002), (11, 8.4003), (20, 7.1004)]]

SAMPLES: dict[str, Sample] = {}


def sample(name: str, form: str, text: str, val: list[Curve], train: list[Curve] | None = None, **more: object) -> None:
    SAMPLES[name] = Sample(form, text, val, train or [[] for _ in val], **more)  # type: ignore[arg-type]


sample(
    "key=value", "keyvalue",
    "Loading the tokenizer\nstep 500/1500 train_loss=6.1034 val_loss=6.2517 rep_loss=0.0912 elapsed=617.4s\n"
    "gpu memory 17.9GiB of 24.0GiB\n"
    "step 1000/1500 train_loss=5.1034 val_loss=5.2517 rep_loss=0.0911 elapsed=1217.4s\n"
    "saved checkpoint to checkpoints/a.pt_last.pt\n"
    "step 1500/1500 train_loss=4.1034 val_loss=5.3517 rep_loss=0.0910 elapsed=1817.4s\n",
    [[(500, 6.2517), (1000, 5.2517), (1500, 5.3517)]], [[(500, 6.1034), (1000, 5.1034), (1500, 4.1034)]],
    clock=[{500: 617.4, 1000: 1217.4, 1500: 1817.4}], other={"rep_loss": [(500, 0.0912), (1000, 0.0911), (1500, 0.091)]},
)  # fmt: skip
sample(
    "modded", "modded_nanogpt", SPEEDRUN, SPEEDRUN_VAL, SPEEDRUN_TRAIN,
    clock=[{0: 0.0, 1: 60.444, 10: 68.872, 11: 0.124, 20: 1.25, 40: 3.72}],
)  # fmt: skip
sample(
    "modded, program", "modded_nanogpt", RULER + PROGRAM + RULER + "Running Python 3.12\n" + RULER + SPEEDRUN,
    SPEEDRUN_VAL, SPEEDRUN_TRAIN, pasted=PROGRAM.count("\n") + 1,
)  # fmt: skip
sample(
    "modded, program without a ruler", "modded_nanogpt", PROGRAM.replace("=" * 50 + "\n", "") + SPEEDRUN, SPEEDRUN_VAL, SPEEDRUN_TRAIN,
    pasted=PROGRAM.count("\n") - 2,
)  # fmt: skip
sample(
    "modded, seconds and trials", "modded_nanogpt",
    "step:0/250 val_loss:10.82580 train_time:0.000s step_avg:nanms\n"
    "step:125/250 val_loss:4.80120 train_time:196.539s step_avg:1572.31ms\n"
    "step:250/250 val_loss:4.10120 train_time:393.078s step_avg:1572.31ms\n"
    "step:0/250 val_loss:10.825613 train_time:0.000s step_avg:nanms\n"
    "step:125/250 val_loss:4.803214 train_time:197.539s step_avg:1580.31ms\n"
    "step:250/250 val_loss:4.091215 train_time:394.078s step_avg:1576.31ms\n",
    [[(0, 10.8258), (125, 4.8012), (250, 4.1012)], [(0, 10.825613), (125, 4.803214), (250, 4.091215)]],
    clock=[{0: 0.0, 125: 196.539, 250: 393.078}, {0: 0.0, 125: 197.539, 250: 394.078}],
)  # fmt: skip
sample(
    "nanoGPT", "nanogpt",
    "number of parameters: 123.59M\nstep 0: train loss 10.3001, val loss 10.4002\niter 0: loss 10.2001, time 9000.00ms, mfu -100.00%\n"
    "iter 10: loss 9.2001, time 330.00ms, mfu 12.82%\nstep 20: train loss 8.1001, val loss 8.3002\nsaving checkpoint to out\n"
    "iter 20: loss 8.2003, time 4330.00ms, mfu 12.90%\niter 30: loss 7.2003, time 330.00ms, mfu 12.90%\n",
    [[(0, 10.4002), (20, 8.3002)]],
    [[(0, 10.3001), (0, 10.2001), (10, 9.2001), (20, 8.1001), (20, 8.2003), (30, 7.2003)]],
    clock=[{0: 9.0, 10: 12.3, 20: 19.6, 30: 22.9}],  # the evaluation before iteration 20 counts once, not ten times
)  # fmt: skip
sample(
    "llm.c", "llmc",
    "| sequence length T     | 64                                                 |\n| num_parameters        | 124475904          |\n"
    "val loss 11.009216\n"
    "step    1/40 | loss 11.001000 (+nanz)| norm 15.3701 (+nanz)| lr 8.57e-07 | 300.00 ms | 42.6% bf16 MFU | 171540 tok/s\n"
    "step    2/40 | loss 10.501000 (-1.20z)| norm 14.3701 (+0.31z)| lr 1.71e-06 | 100.00 ms | 43.1% bf16 MFU | 172540 tok/s\n"
    "val loss 10.409216\n"
    "step    3/40 | loss 10.301000 (+0.05z)| norm 13.3701 (-0.03z)| lr 2.57e-06 | 110.00 ms | 43.0% bf16 MFU | 172000 tok/s\n",
    [[(0, 11.009216), (2, 10.409216)]], [[(1, 11.001), (2, 10.501), (3, 10.301)]], clock=[{1: 0.3, 2: 0.4, 3: 0.51}],
    other={"mfu": [(1, 42.6), (2, 43.1), (3, 43.0)], "tokens_per_s": [(1, 171540), (2, 172540), (3, 172000)]},
)  # fmt: skip
sample(
    "minGPT", "nanogpt",
    "iter_dt 0.00ms; iter 0: train loss 10.60938\niter_dt 77.46ms; iter 100: train loss 2.60938\n",
    [[]], [[(0, 10.60938), (100, 2.60938)]], clock=[{0: 0.0, 100: 7.746}],
)  # fmt: skip
sample(
    "build-nanogpt console", "nanogpt",
    "step 56500 | loss: 2.963373 | lr: 0.000120 | norm: 0.4342 | time: 2366.80ms | tok/sec: 221517.41\n"
    "step 56501 | loss: 2.953373 | lr: 0.000120 | norm: 0.4342 | time: 2366.80ms | tok/sec: 221517.41\n",
    [[]], [[(56500, 2.963373), (56501, 2.953373)]], clock=[{56500: 2.3668, 56501: 4.7336}],
    other={"lr": [(56500, 0.00012), (56501, 0.00012)], "tokens_per_s": [(56500, 221517.41), (56501, 221517.41)]},
)  # fmt: skip
sample(
    "build-nanogpt log.txt", "build_nanogpt",
    "0 val 10.9511\n0 hella 0.2466\n0 train 10.955029\n1 train 10.612345\n250 val 5.9\n250 hella 0.2500\n250 train 5.921875\n",
    [[(0, 10.9511), (250, 5.9)]], [[(0, 10.955029), (1, 10.612345), (250, 5.921875)]],
    other={"hellaswag/accuracy": [(0, 0.2466), (250, 0.25)]},
)  # fmt: skip
sample(
    "llm.c", "keyvalue",
    "s:0 tel:11.0092\ns:0 trl:11.0091 lr:0.000001 norm:15.37\ns:1 trl:10.0091 lr:0.000002 norm:14.37\ns:250 tel:6.1710\n"
    "s:250 eval:0.2510\ns:250 trl:6.1001 lr:0.0006 norm:1.37\n",
    [[(0, 11.0092), (250, 6.171)]], [[(0, 11.0091), (1, 10.0091), (250, 6.1001)]],
    other={"grad_norm": [(0, 15.37), (1, 14.37), (250, 1.37)], "lr": [(0, 1e-6), (1, 2e-6), (250, 6e-4)]},
)  # fmt: skip
sample(
    "llm.c, older", "keyvalue", "s:0 tel:11.009200\ns:0 trl:11.009111\ns:250 tel:6.171000\ns:250 trl:6.100000\n",
    [[(0, 11.0092), (250, 6.171)]], [[(0, 11.009111), (250, 6.1)]],
)  # fmt: skip
sample(
    "torchtitan", "keyvalue",
    "\x1b[32m[rank0]:\x1b[0m2025-01-01 10:00:00,123 - root - INFO - \x1b[31mstep:  1  \x1b[32mloss:  8.1234  \x1b[33mgrad_norm:  1.2345  "
    "\x1b[34mmemory: 12.34GiB(45.00%)  \x1b[36mtps: 1,234  tflops: 12.34  \x1b[35mmfu: 34.56%\x1b[39m\n"
    "[rank0]:[titan] 2025-01-01 10:00:10,123 - root - INFO - step: 10  loss:  7.1234  grad_norm:  1.2345  memory: 12.34GiB(45.00%)  "
    "tps: 11,234  tflops: 12.34  mfu: 34.56%\n"
    "[rank0]:[titan] 2025-01-01 10:00:11,123 - root - INFO - validate step: 10  loss:  7.2234  memory: 12.34GiB(45.00%)  tps: 9,234\n",
    [[(10, 7.2234)]], [[(1, 8.1234), (10, 7.1234)]], other={"tokens_per_s": [(1, 1234.0), (10, 11234.0), (10, 9234.0)]},
)  # fmt: skip
sample(
    "litgpt", "litgpt",
    "Epoch 1 | iter 16 step 1 | loss train: 10.123, val: n/a | iter time: 123.45 ms (step) remaining time: 0:10:00\n"
    "Epoch 1 | iter 40 step 2 | loss train: 9.123, val: n/a | iter time: 99.45 ms remaining time: 0:10:00\n"
    "iter 48: val loss 9.1234, val time: 1234.56 ms\n"
    "Epoch 1 | iter 48 step 3 | loss train: 8.123, val: 9.123 | iter time: 123.45 ms (step) remaining time: 0:10:00\n"
    "Epoch 1 | iter 64 step 4 | loss train: 7.123, val: 9.123 | iter time: 123.45 ms (step) remaining time: 1 day, 0:10:00\n"
    "iter 64: val loss 7.1234, val time: 1234.56 ms\nFinal evaluation | val loss: 7.100 | val ppl: 1211.967\n",
    [[(3, 9.1234), (4, 7.1234)]], [[(1, 10.123), (2, 9.123), (3, 8.123), (4, 7.123)]], clock=[{}], other={"final/loss": [(4, 7.1)]},
)  # fmt: skip
sample(
    "Megatron-LM", "megatron",
    " iteration       10/     100 | consumed samples:         2560 | elapsed time per iteration (ms): 1000.0 | learning rate: 1.000E-04 |"
    " global batch size:   256 | lm loss: 1.042713E+01 | loss scale: 1.0 | grad norm: 4.123 | number of nan iterations:   0 |\n"
    " iteration       20/     100 | consumed samples:         5120 | elapsed time per iteration (ms): 500.0 | learning rate: 1.000E-04 |"
    " global batch size:   256 | lm loss: 9.042713E+00 | loss scale: 1.0 | grad norm: 4.123 | number of nan iterations:   0 |\n"
    + "-" * 96 + "\n validation loss at iteration 20 | lm loss value: 9.100000E+00 | lm loss PPL: 8.955293E+03 | \n" + "-" * 96 + "\n"
    " validation loss at iteration 20 on test set | lm loss value: 9.200000E+00 | lm loss PPL: 9.897129E+03 | \n",
    [[(20, 9.1)]], [[(10, 10.42713), (20, 9.042713)]], clock=[{10: 10.0, 20: 15.0}],
    other={"val/perplexity": [(20, 8955.293)], "test/loss": [(20, 9.2)], "grad_norm": [(10, 4.123), (20, 4.123)]},
)  # fmt: skip
sample(
    "Megatron-DeepSpeed", "megatron",
    " iteration    13910/  953674 | consumed samples:     14243840 | consumed tokens:  29171384320 |"
    " elapsed time per iteration (s): 11.18 | global batch size:  1024 | lm loss: 2.152785E+00 | grad norm: 0.114 |\n"
    " iteration    13911/  953674 | consumed samples:     14244864 | consumed tokens:  29173481472 |"
    " elapsed time per iteration (s): 11.18 | global batch size:  1024 | lm loss: 2.142785E+00 | grad norm: 0.115 |\n",
    [[]], [[(13910, 2.152785), (13911, 2.142785)]], clock=[{13910: 11.18, 13911: 22.36}],
)  # fmt: skip
sample(
    "torchtune", "keyvalue",
    "Step 1 | loss:2.7997887134552 lr:2e-05 tokens_per_second_per_gpu:52.61478307123564 \n"
    "Step 2 | loss:2.6997887134552 lr:2e-05 tokens_per_second_per_gpu:53.61478307123564 \n",
    [[]], [[(1, 2.7997887134552), (2, 2.6997887134552)]],
    other={"tokens_per_s": [(1, 52.61478307123564), (2, 53.61478307123564)], "lr": [(1, 2e-5), (2, 2e-5)]},
)  # fmt: skip
sample(
    "Hugging Face stdout", "hf_stdout",
    "  0%|          | 0/30 [00:00<?, ?it/s]\r 33%|###  | 10/30 [00:01<00:09, 9.5it/s]\r       \r"
    "{'loss': 1.453, 'grad_norm': 2.4744, 'learning_rate': 4.68e-05, 'epoch': 0.1}\n"
    "{'eval_loss': 1.3004, 'eval_runtime': 10.2, 'eval_samples_per_second': 9.1, 'epoch': 0.1}\n"
    "{'loss': 1.353, 'grad_norm': 2.4744, 'learning_rate': 3.68e-05, 'epoch': 0.2}\n"
    "{'eval_loss': 1.2004, 'eval_runtime': 10.2, 'eval_samples_per_second': 9.1, 'epoch': 0.2}\n"
    "{'train_runtime': 100.5, 'train_samples_per_second': 10.1, 'train_loss': 1.4, 'epoch': 0.2}\n",
    [[(None, 1.3004), (None, 1.2004)]], [[(None, 1.453), (None, 1.353)]],
)  # fmt: skip
sample(
    "console sweep", "console",
    "Experiment: A1\nStep   50: loss = 7.5764\n  [Val @ step 50]: train=7.5765, val=7.3620\nStep  100: loss = 6.5764\n"
    "  [Val @ step 100]: train=6.5765, val=6.3620\nValidation loss: 6.3411\nTraining time: 12.3s\n" + "=" * 30 + "\n"
    "Experiment: A2\nStep   50: loss = 7.4764\n  [Val @ step 50]: train=7.5765, val=7.2620\nStep  100: loss = 6.4764\n"
    "  [Val @ step 100]: train=6.5765, val=6.2620\nValidation loss: 6.2411\nTraining time: 12.1s\n",
    [[(50, 7.362), (100, 6.362)], [(50, 7.262), (100, 6.262)]], [[(50, 7.5764), (100, 6.5764)], [(50, 7.4764), (100, 6.4764)]],
    other={"final/loss": [(100, 6.3411)]},
)  # fmt: skip
sample(
    "parameter-golf", "modded_nanogpt",
    "step:0/20000 val_loss:6.9370 val_bpb:4.0978 train_time:0ms step_avg:0.01ms\n"
    "step:1/20000 train_loss:6.9301 train_time:44ms step_avg:44.00ms\n"
    "step:1000/20000 val_loss:2.5001 val_bpb:1.4801 train_time:44000ms step_avg:44.00ms\n"
    "step:13780/20000 val_loss:2.0606 val_bpb:1.2172 train_time:600038ms step_avg:43.54ms\n"
    "stopping_early: wallclock_cap train_time:600038ms step:13780/20000\n"
    "Serialized model: 67224983 bytes\n"
    "final_int8_zlib_roundtrip val_loss:2.0727 val_bpb:1.2244 eval_time:1401ms\n"
    "final_int8_zlib_roundtrip_exact val_loss:2.07269931 val_bpb:1.22436570\n",
    [[(0, 6.937), (1000, 2.5001), (13780, 2.0606)]], [[(1, 6.9301)]], clock=[{0: 0.0, 1: 0.044, 1000: 44.0, 13780: 600.038}],
    other={"val/bpb": [(0, 4.0978), (1000, 1.4801), (13780, 1.2172)], "final/loss": [(13780, 2.0727), (13780, 2.07269931)]},
)  # fmt: skip
sample(
    "pairs with the step among them", "keyvalue",
    "{'loss': 3.2001, 'lr': 0.001, 'step': 100}\nval_loss=3.3002 step=100\nloss=3.1001 lr=0.002 step=200\nval_loss=3.2002 step=200\n"
    "best_val_loss=3.1999 lr=0.002 step=100\n",
    [[(100, 3.3002), (200, 3.2002)]], [[(100, 3.2001), (200, 3.1001)]], other={"lr": [(100, 0.001), (200, 0.002)]},
)  # fmt: skip
sample(
    "brackets and lone values", "keyvalue",
    "Epoch [1/5], Step [100/600], Loss: 2.3001\n[val] step 100 loss 2.4002\n[train] step 200 | loss 2.2001\n"
    "Validation loss at step 200: 2.3002\n"
    "[best] step 100 val_loss 2.2222\nstep 200: best val_loss=2.3002\n",
    [[(100, 2.4002), (200, 2.3002)]], [[(100, 2.3001), (200, 2.2001)]],
)  # fmt: skip
sample(
    "logger prefixes and durations", "keyvalue",
    "2024-05-01 10:00:00,123 [INFO] __main__: step 5/15 val_loss=3.0001 elapsed=0:00:50\n"
    "2024-05-01T10:01:00Z | INFO | my.trainer | step 10/15 | val_loss 2.5001 | elapsed 1m 40s\n"
    "INFO:root:step 15/15 val_loss=2.4001 (best 2.4 at step 15) elapsed=1 day, 1:02:30\n",
    [[(5, 3.0001), (10, 2.5001), (15, 2.4001)]], clock=[{5: 50.0, 10: 100.0, 15: 90150.0}],
)  # fmt: skip
sample(
    "more logger prefixes", "keyvalue",
    "2025-02-03 04:05:06,789 - trainer - INFO - [train] step=100 loss=5.1001\n"
    "2025-02-03 04:05:06,789 - trainer - INFO - [eval] step=100 val_loss=5.2001 ppl=181.3\n"
    "2025-02-03 04:05:06.789 | SUCCESS  | __main__:train:123 - Step 200/400 - train_loss: 4.1001 - val_loss: 4.2001\n"
    "I0203 04:05:06.789012 140 train.py:210] step: 300, train_loss: 3.1001, val_loss: 3.2001\n"
    "01/02/2024 10:00:00 - INFO - __main__ - step 400: train_loss=3.0001 val_loss=3.3001\n",
    [[(100, 5.2001), (200, 4.2001), (300, 3.2001), (400, 3.3001)]], [[(100, 5.1001), (200, 4.1001), (300, 3.1001), (400, 3.0001)]],
)  # fmt: skip
sample(
    "ranks in front of lines", "keyvalue",
    "0: [rank0] step 100/200 train_loss=5.1001 val_loss=5.2001\n1: [rank1] step 100/200 train_loss=5.1001 val_loss=5.2001\n"
    "node-7: step 200/200 train_loss=4.1001 val_loss=4.2001\n10.0.0.1: step 200/200 train_loss=4.1001 val_loss=4.2001\n",
    [[(100, 5.2001), (100, 5.2001), (200, 4.2001), (200, 4.2001)]], [[(100, 5.1001), (100, 5.1001), (200, 4.1001), (200, 4.1001)]],
)  # fmt: skip
sample(
    "symbols, tensors, steps in brackets", "keyvalue",
    "\U0001f4ca Step 100 | \U0001f4c9 Loss: 5.1001 | Val Loss: 5.2001\nEp 1 (Step 000200): Train loss 4.1001, Val loss 4.2001\n"
    "step 300: train loss tensor(3.1001), val loss tensor(3.2001, device='cuda:0')\n"
    "step 400 | train 3.0001 | val 3.3001 | best 3.2001\nstep 500 {'train': 2.9001, 'val': 3.4001}\n",
    [[(100, 5.2001), (200, 4.2001), (300, 3.2001), (400, 3.3001), (500, 3.4001)]],
    [[(100, 5.1001), (200, 4.1001), (300, 3.1001), (400, 3.0001), (500, 2.9001)]], other={"cuda": []},
)  # fmt: skip
sample(
    "litgpt, older", "litgpt",
    "iter 1600 | step 200: loss 1.5947, iter time: 263.85 ms (optimizer.step)\niter 1608: val loss 1.7258, val time: 3778.02 ms\n"
    "iter 1608 | step 201: loss 1.5191, iter time: 89.96 ms\niter 1616 | step 202: loss 1.5091, iter time: 89.96 ms\n",
    [[(201, 1.7258)]], [[(200, 1.5947), (201, 1.5191), (202, 1.5091)]], clock=[{}],
)  # fmt: skip
sample(
    "GPT-NeoX", "megatron",
    "10.0.0.1:  samples/sec: 120.1 | iteration       10/   1000 | elapsed time per iteration (ms): 1000.0 | learning rate: 1.0E-05 |"
    " lm_loss: 1.050000E+01 | loss scale: 65536.0 | number of skipped iterations:   0 | number of nan iterations:   0 |\n"
    "10.0.0.1:  validation results at iteration 10 | lm_loss value: 9.000000E+00 | lm_loss_ppl value: 8.103084E+03 |\n",
    [[(10, 9.0)]], [[(10, 10.5)]], clock=[{}], other={"val/perplexity": [(10, 8103.084)], "number_of": []},
)  # fmt: skip
sample(
    "epochs", "epochs",
    "Epoch 1/3, Train Loss: 4.1023, Val Loss: 3.9011\n| epoch   2 |   200/ 2983 batches | loss  7.63 | ppl  2056.27\n"
    "Epoch: 2 | avg train loss: 3.1023 | avg val loss: 3.2011 | time: 100.1s\nEpoch 3 Batch 50/225 - Loss: 9.9\n"
    "| end of epoch   3 | time: 20.5s | valid loss  3.3011 | valid ppl   27.14\n",
    [[(1, 3.9011), (2, 3.2011), (3, 3.3011)]], [[(1, 4.1023), (2, 3.1023)]], other={"val/perplexity": [(3, 27.14)]}, clock=[{}],
)  # fmt: skip
sample(
    "records", "keyvalue",
    "2024-08-06 09:59:26.181 host:0  olmo.train:908  INFO    [step=1/739,epoch=0]\n    train/CrossEntropyLoss=12.18\n"
    "    train/Perplexity=195,153\n===== Evaluation at step 100 =====\n  loss: 8.2012\n  perplexity: 3645.3\nstep 110 | loss 8.1001\n",
    [[(100, 8.2012)]], [[(1, 12.18), (110, 8.1001)]],
    other={"val/perplexity": [(100, 3645.3)], "train/perplexity": [(1, 195153.0)]},
)  # fmt: skip
sample(
    "step and total in front", "leading",
    "seed: 1337\n0/2000 val_loss: 9.0101 val_bpb: 3.4801\n1/2000 train_loss: 9.0112 train_time: 0.0m tok/s: 8223613\n"
    "1000/2000 train_loss: 5.1012 train_time: 1.5m tok/s: 7727074\n1000/2000 val_loss: 5.2012 val_bpb: 2.0101\n"
    "2000/2000 train_loss: 4.1012 train_time: 3.0m tok/s: 7727074\n2000/2000 val_loss: 4.2012 val_bpb: 1.6101\n",
    [[(0, 9.0101), (1000, 5.2012), (2000, 4.2012)]], [[(1, 9.0112), (1000, 5.1012), (2000, 4.1012)]],
    clock=[{1: 0.0, 1000: 90.0, 2000: 180.0}],
)  # fmt: skip
sample(
    "llama2.c", "keyvalue",
    "490 | loss 5.1012 | lr 4.9e-04 | 806.78ms | mfu 3.21%\nstep 500: train loss 5.0912, val loss 5.2012\n"
    "500 | loss 5.0812 | lr 5.0e-04 | 910.78ms | mfu 3.20%\n"
    "990 | loss 4.1012 | lr 4.9e-04 | 806.78ms | mfu 3.21%\nstep 1000: train loss 4.0912, val loss 4.2012\n",
    [[(500, 5.2012), (1000, 4.2012)]], [[(490, 5.1012), (500, 5.0912), (500, 5.0812), (990, 4.1012), (1000, 4.0912)]],
)  # fmt: skip
sample(
    "epoch and step in brackets", "keyvalue",
    "Epoch:[1/2](100/300) loss:6.101 lr:0.000500 epoch_Time:9.0min:\nEpoch:[1/2](300/300) loss:5.101 lr:0.000400 epoch_Time:9.0min:\n"
    "val_loss: 5.2012\n"
    "Epoch:[2/2](100/300) loss:4.101 lr:0.000300 epoch_Time:9.0min:\nEpoch:[2/2](300/300) loss:4.001 lr:0.000200 epoch_Time:9.0min:\n"
    "val_loss: 4.2012\n",
    [[(300, 5.2012), (600, 4.2012)]], [[(100, 6.101), (300, 5.101), (400, 4.101), (600, 4.001)]],
)  # fmt: skip
sample(
    "NeMo", "nemo",
    "Training epoch 0, iteration 0/9 | lr: 3e-05 | global_batch_size: 8 | global_step: 0 | reduced_train_loss: 5.233\n"
    "Training epoch 0, iteration 1/9 | lr: 3e-05 | global_batch_size: 8 | global_step: 1 | reduced_train_loss: 5.188 | val_loss: 5.406\n"
    "Training epoch 0, iteration 2/9 | lr: 3e-05 | global_batch_size: 8 | global_step: 2 | reduced_train_loss: 5.033 | val_loss: 5.406\n"
    "Training epoch 0, iteration 3/9 | lr: 3e-05 | global_batch_size: 8 | global_step: 3 | reduced_train_loss: 4.845 | val_loss: 4.906\n",
    [[(1, 5.406), (3, 4.906)]], [[(0, 5.233), (1, 5.188), (2, 5.033), (3, 4.845)]],
)  # fmt: skip

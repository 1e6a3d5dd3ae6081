"""Logs in shapes that people paste into issues: the phase behind the step, epochs in brackets, a step without a word."""

# ruff: noqa: E501 - lines as they are printed
from __future__ import annotations

from tests.strangers import stranger

stranger(
    "issues", "a phase behind the step",
    "2026-01-05 10:00:00,101 INFO [train.py:101] Epoch 1, global_batch_idx: 1000, validation: loss=5.2012, over 4096.00 tokens.\n"
    "2026-01-05 10:10:00,101 INFO [train.py:101] Epoch 1, global_batch_idx: 2000, validation: loss=4.2012, over 4096.00 tokens.\n",
    (4.2012, 2000, 4.2012, 2000), trained=0,
)  # fmt: skip
stranger(
    "issues", "phases between the values",
    "step 100 [train] loss=5.1 ppl=164.0 [valid] loss=5.2 ppl=181.3\nstep 200 [train] loss=4.1 ppl=60.3 [valid] loss=4.2 ppl=66.7\n",
    (4.2, 200, 4.2, 200), trained=2,
)  # fmt: skip
stranger(
    "issues", "a phase with a colon for each",
    "step 100 | train: loss 5.1 | val: loss 5.2\nstep 200 | train: loss 4.1 | val: loss 4.3\nstep 300, validation: loss=4.2\n",
    (4.2, 300, 4.2, 300), trained=2,
)  # fmt: skip
stranger(
    "issues", "parts of an evaluation are none",
    "| epoch 001 | train loss 5.91 | bsz 32\n| epoch 001 | valid on 'valid' subset  500 / 1311 loss=5.99\n| epoch 001 | valid on 'valid' subset | valid loss 5.21\n"
    "| epoch 002 | train loss 4.91 | bsz 32\n| epoch 002 | valid on 'valid' subset  500 / 1311 loss=3.01\n| epoch 002 | valid on 'valid' subset | valid loss 4.21\n",
    (4.21, 2, 4.21, 2), trained=2,
)  # fmt: skip
stranger(
    "issues", "a part of the training loss in two words",
    "[Epoch 1/3] [Train loss: 5.1012] [Eval loss: 5.2012]\n[Epoch 1/3] [Train cl  loss: 0.1012] [Eval cl  loss: 0.1112]\n"
    "[Epoch 2/3] [Train loss: 4.1012] [Eval loss: 4.2012]\n[Epoch 2/3] [Train cl  loss: 0.0912] [Eval cl  loss: 0.0812]\n",
    (4.2012, 2, 4.2012, 2), trained=2,
)  # fmt: skip
stranger(
    "issues", "epoch and step in brackets without a word",
    "Epoch:[1/2](100/300) loss:6.101 lr:0.000500 epoch_Time:9.0min:\nEpoch:[1/2](300/300) loss:5.101 lr:0.000400 epoch_Time:9.0min:\n"
    "Epoch:[2/2](100/300) loss:4.101 lr:0.000300 epoch_Time:9.0min:\nval_loss: 4.2012\nEpoch:[2/2](300/300) loss:4.001 lr:0.000200 epoch_Time:9.0min:\n",
    (4.2012, 400, 4.2012, 400), trained=4,
)  # fmt: skip
stranger(
    "issues", "iters before the epoch",
    "\titers: 100, epoch: 1 | loss: 0.5012\n\tspeed: 0.0612s/iter; left time: 907.8s\n\titers: 200, epoch: 1 | loss: 0.4012\n"
    "\tspeed: 0.0612s/iter; left time: 900.8s\nval_loss: 0.4512\n",
    (0.4512, 200, 0.4512, 200), trained=2,
)  # fmt: skip
stranger(
    "issues", "a seed called s among settings",
    "params:1024000 L:10 d:768 h:8 kv:4 s:1337\nstep:100/200 train_loss:5.1012 val_loss:5.2012\nstep:200/200 train_loss:4.1012 val_loss:4.2012\n",
    (4.2012, 200, 4.2012, 200), trained=2,
)  # fmt: skip
stranger(
    "issues", "an evaluation at an iteration before the first step is told",
    "iter 80: val loss 5.2012, val time: 377.02 ms\niter 88 | step 11: loss 5.1012, iter time: 31.68 ms\niter 96 | step 12: loss 5.0012, iter time: 31.68 ms\n"
    "iter 160: val loss 4.2012, val time: 377.02 ms\niter 168 | step 21: loss 4.1012, iter time: 31.68 ms\n",
    (4.2012, 20, 4.2012, 20), trained=3,
)  # fmt: skip
stranger(
    "issues", "a number for the evaluation before its step",
    "| epoch   1 step      200 | lr 0.00025 | ms/batch 61.56 | loss  5.12 | ppl   167.3\n"
    "| Eval   1 at step      400 | time: 248.7s | valid loss  5.21 | valid ppl   183.1\n"
    "| epoch   1 step      600 | lr 0.00025 | ms/batch 61.56 | loss  4.12 | ppl    61.6\n"
    "| Eval   2 at step      800 | time: 248.7s | valid loss  4.21 | valid ppl    67.4\n",
    (4.21, 800, 4.21, 800), trained=2,
)  # fmt: skip
stranger(
    "issues", "llama2.c",
    "490 | loss 5.1012 | lr 4.9e-04 | 806.78ms | mfu 3.21%\nstep 500: train loss 5.0912, val loss 5.2012\n500 | loss 5.0812 | lr 5.0e-04 | 910.78ms | mfu 3.20%\n"
    "990 | loss 4.1012 | lr 4.9e-04 | 806.78ms | mfu 3.21%\nstep 1000: train loss 4.0912, val loss 4.2012\n",
    (4.2012, 1000, 4.2012, 1000), trained=5,
)  # fmt: skip
stranger(
    "issues", "step and total in front",
    "0/2000 val_loss: 9.0101 val_bpb: 3.4801\n1/2000 train_loss: 9.0112 train_time: 0.0m tok/s: 8223613\n1000/2000 train_loss: 5.1012 train_time: 1.5m tok/s: 7727074\n"
    "1000/2000 val_loss: 5.2012 val_bpb: 2.0101\n2000/2000 train_loss: 4.1012 train_time: 3.0m tok/s: 7727074\n2000/2000 val_loss: 4.2012 val_bpb: 1.6101\n",
    (4.2012, 2000, 4.2012, 2000), trained=3, seconds=180.0,
)  # fmt: skip
stranger(
    "issues", "step and total before an epoch in brackets",
    "67/446 (epoch 0), train_loss = 2.9012, time/batch = 0.112\n68/446 (epoch 0), train_loss = 2.8012, time/batch = 0.112\n",
    None, trained=2,
)  # fmt: skip
stranger(
    "issues", "a logger after its level",
    "INFO:trainer.loop:step 100: loss 5.1012, val_loss 5.2012\nINFO:trainer.loop:step 200: loss 4.1012, val_loss 4.2012\n",
    (4.2012, 200, 4.2012, 200), trained=2,
)  # fmt: skip
stranger(
    "issues", "TensorFlow's logger",
    "INFO:tensorflow:loss = 5.1012, step = 100 (31.2 sec)\nINFO:tensorflow:global_step/sec: 3.2\nINFO:tensorflow:loss = 4.1012, step = 200 (31.2 sec)\n",
    None, trained=2,
)  # fmt: skip
stranger(
    "issues", "litgpt with epochs beside its iterations",
    "Epoch 1 | iter 170 step 170 | loss train: 6.500, val_loss valid: 6.867 | iter time: 29.39 ms\nEpoch 1 | iter 170          | val_loss: 5.926 | val_time: 79.395 s\n"
    "Epoch 1 | iter 180 step 180 | loss train: 5.500, val_loss valid: 5.926 | iter time: 29.39 ms\nEpoch 1 | iter 180          | val_loss: 5.653 | val_time: 79.395 s\n",
    (5.653, 180, 5.653, 180), trained=2,
)  # fmt: skip
stranger(
    "issues", "losses before any training, and those of step 0",
    "Initial losses\n   Training loss: 3.8391\n   Validation loss: 3.7619\nEp 1 (Step 000000): Train loss 2.611, Val loss 2.668\n"
    "Ep 1 (Step 000005): Train loss 1.161, Val loss 1.131\n",
    (1.131, 5, 1.131, 5), trained=2,
)  # fmt: skip
stranger(
    "issues", "MLX", "Iter 1: Val loss 5.480, Val took 0.732s\nIter 10: Train loss 5.101, Learning Rate 1.000e-05, It/sec 0.912, Tokens/sec 345.1\n"
    "Iter 200: Val loss 4.480, Val took 0.732s\n", (4.48, 200, 4.48, 200), trained=1,
)  # fmt: skip
stranger(
    "issues", "train and dev without the word loss",
    "step 100  | loss 6.3108  | lr 1.0e-03\n  [eval] step 100  | train 6.2501 | dev 6.1745\nstep 200  | loss 5.3108  | lr 1.0e-03\n  [eval] step 200  | train 5.2501 | dev 5.1745\n",
    (5.1745, 200, 5.1745, 200), trained=4,
)  # fmt: skip
stranger(
    "issues", "a final loss behind a time", "step 100/100 train_loss 4.1012\n[2026-01-09 16:07:23] Final validation loss: 4.0892\n",
    (4.0892, 100, 4.0892, 100), trained=1,
)  # fmt: skip
stranger(
    "issues", "Keras without a number of epochs",
    "Epoch 0\n100/100 [==============================] - 12s 120ms/step - loss: 4.5144 - val_loss: 4.1705\nEpoch 00000: val_loss improved from inf to 4.17052, saving model\n"
    "Epoch 1\n100/100 [==============================] - 12s 120ms/step - loss: 3.5144 - val_loss: 3.1705\n",
    (3.1705, 1, 3.1705, 1), trained=2,
)  # fmt: skip
stranger(
    "issues", "seconds that end a sentence",
    "Epoch: 0 -> Epoch time: 349.90 s. Training loss: 5.3112, Training acc: 0.31 => Validation loss: 5.3101\n"
    "Epoch: 1 -> Epoch time: 351.10 s. Training loss: 4.3112, Training acc: 0.41 => Validation loss: 4.3101\n",
    (4.3101, 1, 4.3101, 1), trained=2,
)  # fmt: skip
stranger(
    "issues", "a phase in brackets before epoch and step",
    "[train] epoch 1 step 100 loss 5.1012\n[val] epoch 1 step 100 loss 5.2012\n[train] epoch 1 step 200 loss 4.1012\n[val] epoch 1 step 200 loss 4.2012\n",
    (4.2012, 200, 4.2012, 200), trained=2,
)  # fmt: skip

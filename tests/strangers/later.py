"""Logs that were written after the reader had been mended for the others, to see how it does on what it has not met."""

# ruff: noqa: E501 - lines as they are printed
from __future__ import annotations

import json

from tests.strangers import stranger

stranger(
    "later", "nanoGPT with more on its line",
    "step 0: train loss 10.9912, val loss 10.9899, lr 0.0000e+00, tokens 0.00M\niter 0: loss 10.99, time 3512.10ms, mfu -100.00%\n"
    "step 500: train loss 5.1012, val loss 5.2012, lr 6.0000e-04, tokens 245.76M\niter 500: loss 5.11, time 612.10ms, mfu 31.10%\n",
    (5.2012, 500, 5.2012, 500), trained=4,
)  # fmt: skip
stranger(
    "later", "Raschka's book", "Ep 1 (Step 000000): Train loss 9.781, Val loss 9.933\nEp 1 (Step 000005): Train loss 8.111, Val loss 8.339\n"
    "Every effort moves you,,,,,,,,,,,,.\nEp 2 (Step 000010): Train loss 6.661, Val loss 7.048\nEp 2 (Step 000015): Train loss 5.961, Val loss 6.616\n",
    (6.616, 15, 6.616, 15), trained=4,
)  # fmt: skip
stranger(
    "later", "Raschka's saved lists",
    {"history.json": json.dumps({"train_losses": [9.7, 8.1, 6.6], "val_losses": [9.9, 8.3, 7.0], "track_tokens_seen": [512, 3072, 5632]})},
    (7.0, 3, 7.0, 3), trained=3,
)  # fmt: skip
stranger(
    "later", "Composer",
    "[epoch=1][batch=100/4800]:\n\t Train time/batch: 99\n\t Train time/token: 52428800\n\t Train loss/train/total: 6.1012\n"
    "\t Train metrics/train/LanguageCrossEntropy: 6.1012\n[epoch=1][batch=200/4800]:\n\t Train time/batch: 199\n\t Train loss/train/total: 5.1012\n"
    "[Eval batch=10/10] Eval on eval data:\n\t Eval metrics/eval/LanguageCrossEntropy: 5.2012\n",
    (5.2012, 200, 5.2012, 200), trained=2,
)  # fmt: skip
stranger(
    "later", "PaddleNLP",
    "[2024-05-01 10:00:00,123] [    INFO] - loss: 5.1012, learning_rate: 1e-04, global_step: 100, interval_runtime: 21.1, progress_or_epoch: 0.1\n"
    "[2024-05-01 10:00:20,123] [    INFO] - eval_loss: 5.2012, eval_ppl: 181.5, eval_runtime: 4.1, global_step: 100\n"
    "[2024-05-01 10:01:00,123] [    INFO] - loss: 4.1012, learning_rate: 1e-04, global_step: 200, interval_runtime: 21.1, progress_or_epoch: 0.2\n"
    "[2024-05-01 10:01:20,123] [    INFO] - eval_loss: 4.2012, eval_ppl: 66.77, eval_runtime: 4.1, global_step: 200\n",
    (4.2012, 200, 4.2012, 200), trained=2,
)  # fmt: skip
stranger(
    "later", "loguru with a value a line",
    "2024-05-01 10:00:00.123 | INFO     | __main__:main:85 - step 100: train_loss=5.1012\n2024-05-01 10:00:01.123 | INFO     | __main__:evaluate:51 - val_loss=5.2012\n"
    "2024-05-01 10:01:00.123 | INFO     | __main__:main:85 - step 200: train_loss=4.1012\n2024-05-01 10:01:01.123 | INFO     | __main__:evaluate:51 - val_loss=4.2012\n",
    (4.2012, 200, 4.2012, 200), trained=2,
)  # fmt: skip
stranger(
    "later", "a split before the step",
    "train | step 100 | loss 5.1012 | 21,000 tok/s\nval   | step 100 | loss 5.2012\ntrain | step 200 | loss 4.1012 | 21,100 tok/s\nval   | step 200 | loss 4.2012\n",
    (4.2012, 200, 4.2012, 200), trained=2,
)  # fmt: skip
stranger(
    "later", "iterations with an evaluation in brackets",
    "iter: 100/5000, train_loss: 5.1012, lr: 0.0003\n[eval] iter: 100/5000, val_loss: 5.2012 (best: inf)\niter: 200/5000, train_loss: 4.1012, lr: 0.0003\n"
    "[eval] iter: 200/5000, val_loss: 4.2012 (best: 5.2012)\n",
    (4.2012, 200, 4.2012, 200), trained=2,
)  # fmt: skip
stranger(
    "later", "steps of epochs, and the epoch's own line",
    "epoch 1/2 step 400/938 loss 4.4012\nepoch 1/2 step 800/938 loss 4.1012\nEpoch 1/2: train_loss=4.3012 val_loss=4.2012 time=61.2s\n"
    "epoch 2/2 step 400/938 loss 3.4012\nepoch 2/2 step 800/938 loss 3.1012\nEpoch 2/2: train_loss=3.3012 val_loss=3.2012 time=60.9s\n",
    (3.2012, 1876, 3.2012, 1876),
)  # fmt: skip
stranger(
    "later", "seconds in parentheses, bare names",
    "Step 100 (12.3s): train 5.1012 val 5.2012\nStep 200 (24.5s): train 4.1012 val 4.2012\nStep 300 (36.6s): train 3.9012 val 4.3012\n",
    (4.2012, 200, 4.3012, 300), trained=3,
)  # fmt: skip
stranger(
    "later", "diverged",
    "step 100/400 train_loss=5.1012 val_loss=5.2012\nstep 200/400 train_loss=4.1012 val_loss=4.2012\nstep 300/400 train_loss=nan val_loss=nan\n"
    "step 400/400 train_loss=nan val_loss=nan\n",
    (4.2012, 200, None, 400), finding="diverged",
)  # fmt: skip
stranger(
    "later", "three runs by their number",
    "".join(f"Run {i}/3\nstep 100 val_loss 5.{i}\nstep 200 val_loss 4.{i}\n" for i in (1, 2, 3)),
    (4.1, 200, 4.1, 200), (4.2, 200, 4.2, 200), (4.3, 200, 4.3, 200),
)  # fmt: skip
stranger(
    "later", "epochs with dashes",
    "Epoch 1 - avg train loss 5.1012 - val loss 5.2012 - val ppl 181.5 - 35.2s\nEpoch 2 - avg train loss 4.1012 - val loss 4.2012 - val ppl 66.77 - 35.1s\n",
    (4.2012, 2, 4.2012, 2), trained=2,
)  # fmt: skip
stranger(
    "later", "a table with plus and minus",
    "model,val loss,n\nbase,4.55 \u00b1 0.01,3\nwide,4.41 \u00b1 0.02,3\n",
    finding="aggregate_table",
)  # fmt: skip
stranger(
    "later", "an epoch and a step column",
    "epoch,step,train_loss,val_loss,lr\n0,100,5.1012,,0.001\n0,200,4.1012,4.2012,0.001\n1,300,3.9012,,0.001\n1,400,3.8012,4.0012,0.001\n",
    (4.0012, 400, 4.0012, 400), trained=4,
)  # fmt: skip
stranger(
    "later", "lines of JSON with NaN",
    '{"iter": 100, "loss": 5.1, "valid_loss": 5.2}\n{"iter": 200, "loss": NaN, "valid_loss": 4.2}\n{"iter": 300, "loss": 3.9, "valid_loss": NaN}\n{"iter": 400, "loss": 3.8, "valid_loss": 4.1}\n',
    (4.1, 400, 4.1, 400),
)  # fmt: skip
stranger(
    "later", "W&B's export with dashes in names",
    '"Step","exp-1 - lr 3e-4 - val_loss","exp-1 - lr 3e-4 - val_loss__MIN","exp-1 - lr 3e-4 - val_loss__MAX"\n100,5.2012,5.2012,5.2012\n200,4.2012,4.2012,4.2012\n',
    (4.2012, 200, 4.2012, 200),
)  # fmt: skip
stranger(
    "later", "whitespace log without a header",
    "100 5.1012 5.2012\n200 4.1012 4.2012\n300 3.9012 4.0012\n",
)  # fmt: skip
stranger(
    "later", "evaluation on several sets, a line each",
    "step 100 loss 5.1012\nEval wikitext: loss 5.3012 ppl 200.5\nEval c4: loss 5.2012 ppl 181.4\nstep 200 loss 4.1012\nEval wikitext: loss 4.3012 ppl 73.8\nEval c4: loss 4.2012 ppl 66.8\n",
    None, trained=2,
)  # fmt: skip
stranger(
    "later", "what was best, told again and again",
    "step 100 | train loss 5.1012 | val loss 5.2012\nNew best val loss: 5.2012 at step 100\nstep 200 | train loss 4.1012 | val loss 4.2012\nNew best val loss: 4.2012 at step 200\n"
    "step 300 | train loss 3.9012 | val loss 4.3012\nNo improvement (best val loss 4.2012 at step 200)\nTraining done. Best val loss: 4.2012 (step 200)\n",
    (4.2012, 200, 4.3012, 300), trained=3,
)  # fmt: skip
stranger(
    "later", "tqdm.write among bars",
    "train:  33%|###3      | 100/300 [00:10<00:20, 10.0it/s]\rstep 100 loss 5.1012 val_loss 5.2012\ntrain:  67%|######6   | 200/300 [00:20<00:10, 10.0it/s]\rstep 200 loss 4.1012 val_loss 4.2012\n"
    "train: 100%|##########| 300/300 [00:30<00:00, 10.0it/s]\n",
    (4.2012, 200, 4.2012, 200), trained=2,
)  # fmt: skip
stranger(
    "later", "Validation after training lines, its step in words",
    "Iteration 1000: loss = 5.1012\nValidation at iteration 1000: loss = 5.2012, perplexity = 181.5\nIteration 2000: loss = 4.1012\nValidation at iteration 2000: loss = 4.2012, perplexity = 66.77\n",
    (4.2012, 2000, 4.2012, 2000), trained=2,
)  # fmt: skip
stranger(
    "later", "a box of ASCII",
    "+------+------------+----------+\n| step | train loss | val loss |\n+------+------------+----------+\n|  100 |     5.1012 |   5.2012 |\n|  200 |     4.1012 |   4.2012 |\n+------+------------+----------+\n",
    (4.2012, 200, 4.2012, 200), trained=2,
)  # fmt: skip
stranger(
    "later", "minutes and hours",
    "step 1000/3000, train loss: 5.1012, val loss: 5.2012, elapsed: 10.5m\nstep 2000/3000, train loss: 4.1012, val loss: 4.2012, elapsed: 21.0m\nstep 3000/3000, train loss: 3.9012, val loss: 4.0012, elapsed: 31.5m\n",
    (4.0012, 3000, 4.0012, 3000), trained=3, seconds=1890.0,
)  # fmt: skip
stranger(
    "later", "bits instead of nats",
    "step 100 train_bpc 2.1012 val_bpc 2.2012\nstep 200 train_bpc 1.9012 val_bpc 2.0012\n",
    None,
)  # fmt: skip

"""Logs that print values below the heading of their epoch, perplexities alone, development sets, and runs after a closing value."""

# ruff: noqa: E501 - lines as they are printed
from __future__ import annotations

from tests.strangers import stranger

# -- below the heading of an epoch ---------------------------------------------------------------------------------------
stranger(
    "headings", "a ruler below the epoch",
    "    Epoch 1/20\n    ----------\n    train Loss: 4.5012 Acc: 0.0312\n    valid Loss: 4.1012 Acc: 0.0712\n    \n"
    "    Epoch 2/20\n    ----------\n    train Loss: 3.9012 Acc: 0.0912\n    valid Loss: 3.8012 Acc: 0.1212\n    \n"
    "    Epoch 3/20\n    ----------\n    train Loss: 3.5012 Acc: 0.1512\n    valid Loss: 3.9012 Acc: 0.1112\n",
    (3.8012, 2, 3.9012, 3), trained=3,
)  # fmt: skip
stranger(
    "headings", "summaries of some epochs",
    "Epoch 5/40 Summary:\n  Train Loss: 3.1012 | Train Acc: 21.50%\n  Valid Loss: 3.3012 | Valid Acc: 20.10%\n  \u2705 New best model saved!\n\n"
    "Epoch 15/40 Summary:\n  Train Loss: 2.1012 | Train Acc: 41.50%\n  Valid Loss: 2.3012 | Valid Acc: 40.10%\n",
    (2.3012, 15, 2.3012, 15), trained=2,
)  # fmt: skip
stranger(
    "headings", "a logger before each line",
    "".join(
        f"2024-05-01 10:0{e}:00,123 - INFO - Epoch [{e}/3]\n2024-05-01 10:0{e}:01,123 - INFO - Training Loss: {5.5 - e}\n"
        f"2024-05-01 10:0{e}:02,123 - INFO - Validation Loss: {5.6 - e:.1f}\n"
        for e in (1, 2, 3)
    )
    + "2024-05-01 10:05:00,123 - INFO - Training complete\n2024-05-01 10:05:01,123 - INFO - Test Loss: 2.7\n",
    (2.6, 3, 2.6, 3), trained=3,
)  # fmt: skip
stranger(
    "headings", "a heading with a time, new bests told again",
    "Epoch 1/9 [00:00:00]\n\ntrain_loss: 3.8012  val_loss: 3.7012\n\n\u2605 New Best! val_loss: 3.7012  prev: inf\n"
    "Epoch 2/9 [00:01:10]\n\ntrain_loss: 3.5012  val_loss: 3.4012\n\n\u2605 New Best! val_loss: 3.4012  prev: 3.7012\n",
    (3.4012, 2, 3.4012, 2), trained=2,
)  # fmt: skip
stranger(
    "headings", "a bar above the values",
    "Epoch 1: 100%|##########| 80/80 [00:10<00:00,  8.0it/s]\nTrain Loss: 5.1012 | Val Loss: 5.2012\n"
    "Epoch 2: 100%|##########| 80/80 [00:10<00:00,  8.0it/s]\nTrain Loss: 4.1012 | Val Loss: 4.2012\n",
    (4.2012, 2, 4.2012, 2), trained=2,
)  # fmt: skip
stranger(
    "headings", "in Spanish",
    "\u00c9poca 1: 100%|##########| 4/4 [00:05<00:00,  2.1s/it]\n\u00c9poca 1/50\nTrain Loss: 5.3012 | Train Perplexity: 200.58\nVal Loss: 5.0012 | Val Perplexity: 148.59\n"
    "\u00c9poca 2: 100%|##########| 4/4 [00:05<00:00,  2.1s/it]\n\u00c9poca 2/50\nTrain Loss: 4.9012 | Train Perplexity: 134.45\nVal Loss: 4.8012 | Val Perplexity: 121.66\n",
    (4.8012, 2, 4.8012, 2), trained=2,
)  # fmt: skip
stranger(
    "headings", "epochs in the plural",
    "**********\nepochs: 3\ntrain loss: 3.7012 pp: 40.496\nvalid loss: 3.6012 pp: 36.642\ntime: 41.1 s\n**********\n"
    "epochs: 4\ntrain loss: 3.1012 pp: 22.225\nvalid loss: 3.2012 pp: 24.562\ntime: 41.2 s\n",
    (3.2012, 4, 3.2012, 4), trained=2,
)  # fmt: skip
stranger(
    "headings", "two runs, each from its first epoch",
    "".join(f"Fold {f}\n" + "".join(f"Epoch {e}/2\nTrain Loss: {6 - e}.{f}\nVal Loss: {6 - e}.{f + 2}\n" for e in (1, 2)) for f in (1, 2)),
    (4.3, 2, 4.3, 2), (4.4, 2, 4.4, 2), trained=4,
)  # fmt: skip
stranger(
    "headings", "a closing evaluation below the last epoch",
    "Epoch 1/2\n - loss: 5.1012 - val_loss: 5.0012\nEpoch 2/2\n - loss: 4.1012 - val_loss: 4.0012\nDone.\nValidation loss: 3.9012\n",
    (4.0012, 2, 4.0012, 2), trained=2,
)  # fmt: skip
stranger(
    "headings",
    "settings are no heading",
    "epochs: 20\nbatch size: 32\nTrain loss: 5.1012\nVal loss: 5.0012\nTrain loss: 4.1012\nVal loss: 4.0012\n",
)
stranger(
    "headings", "values above their heading", "Train Loss: 5.1\nVal Loss: 5.0\nEpoch 1 done\nTrain Loss: 4.1\nVal Loss: 4.0\nEpoch 2 done\n"
)
stranger(
    "headings", "a loss of every batch",
    "Epoch: 3\nValidation Loss: tensor(4.1012, device='cuda:0')\nValidation Loss: tensor(3.9012, device='cuda:0')\nValidation Loss: tensor(4.3012, device='cuda:0')\n",
)  # fmt: skip
# -- among lines of steps ------------------------------------------------------------------------------------------------
stranger(
    "headings", "summaries of epochs with no step between them",
    "\U0001f4da Epoch   0/30 - Learning Rate: 3.000000e-05\n   Step   0 | Loss: 3.101200 | Grad Norm: 0.512\n   Step  50 | Loss: 2.901200 | Grad Norm: 0.412\n   ...\n\n"
    "\U0001f4c8 Epoch   0 Summary:\n   - Train Loss: 2.951200\n   - Val Loss: 2.801200\n   \U0001f3af New best validation loss: 2.801200\n\n...\n\n"
    "\U0001f4c8 Epoch  29 Summary:\n   - Train Loss: 0.601200\n   - Val Loss: 0.701200\n   \U0001f3af New best validation loss: 0.701200\n",
    (0.7012, None, 0.7012, None), trained=2,
)  # fmt: skip
stranger(
    "headings", "steps that start again below each epoch",
    "".join(
        f"Epoch {e}/3\nstep 20/40 | loss {6 - e}.4012\nstep 40/40 | loss {6 - e}.2012\nEpoch {e} Summary:\n- Train Loss: {6 - e}.3012\n- Val Loss: {6 - e}.1012\n"
        for e in (1, 2, 3)
    ),
    (3.1012, 120, 3.1012, 120), trained=6,
)  # fmt: skip
stranger(
    "headings", "steps that go on below each epoch",
    "Epoch 1/2\nstep 20 | loss 5.4012\nstep 40 | loss 5.2012\nVal Loss: 5.1012\nEpoch 2/2\nstep 60 | loss 4.4012\nstep 80 | loss 4.2012\nVal Loss: 4.1012\n",
    (4.1012, 80, 4.1012, 80), trained=4,
)  # fmt: skip
# -- development sets, perplexities alone, runs after a closing value ------------------------------------------------------
stranger(
    "headings", "Flair",
    "".join(
        f"2019-03-01 10:0{e}:00,123 epoch {e} - iter 0/90 - loss {6 - e}.4012\n2019-03-01 10:0{e}:05,123 epoch {e} - iter 89/90 - loss {6 - e}.2012\n"
        f"2019-03-01 10:0{e}:06,123 EPOCH {e} done: loss {6 - e}.3012 - lr 0.1000 - bad epochs 0\n"
        f"2019-03-01 10:0{e}:07,123 DEV  : loss {6 - e}.1012 - f-score 0.5{e}12 - acc 0.5{e}12\n2019-03-01 10:0{e}:08,123 TEST : loss {6 - e}.1512 - f-score 0.5{e}02\n"
        for e in (1, 2)
    ),
    (4.1012, 179, 4.1012, 179), trained=4,
)  # fmt: skip
stranger(
    "headings", "Kaldi and PyTorch",
    "05/01/2020 10:00:00-Train Epoch 0 | Step 90 | Loss 4.301 | Acc 20.59%\n05/01/2020 10:00:01-Evaluation DEV\n05/01/2020 10:00:02-Epoch 0 DEV Loss 4.101 Acc 23.90%\n"
    "05/01/2020 10:00:03-Epoch 0 TEST Loss 4.201 Acc 23.10%\n05/01/2020 10:01:00-Train Epoch 1 | Step 180 | Loss 3.301 | Acc 30.59%\n"
    "05/01/2020 10:01:02-Epoch 1 DEV Loss 3.101 Acc 33.90%\n05/01/2020 10:01:03-Epoch 1 TEST Loss 3.201 Acc 33.10%\n",
    (3.101, 180, 3.101, 180), trained=2,
)  # fmt: skip
stranger(
    "headings", "OpenNMT's perplexities alone",
    "[2018-05-01 10:00:00,123 INFO] Step 100/300; acc:  22.02; ppl: 95.22; lr: 0.0010; 2214/2168 tok/s;    95 sec\n"
    "[2018-05-01 10:00:01,123 INFO] Validation perplexity: 101.5\n[2018-05-01 10:00:01,124 INFO] Validation accuracy: 21.1\n"
    "[2018-05-01 10:01:00,123 INFO] Step 200/300; acc:  32.02; ppl: 65.22; lr: 0.0010; 2214/2168 tok/s;    190 sec\n[2018-05-01 10:01:01,123 INFO] Validation perplexity: 71.5\n",
    None,
)  # fmt: skip
stranger(
    "headings", "two settings, each with its closing value",
    "**Plain (LR=0.02)**:\n- Step 5: Val Loss: 9.5012, Val PPL: 13,375.77\n- Final: Val Loss: 8.5012, Val PPL: 4,920.67\n\n"
    "**Tuned (LR=0.04)**:\n- Step 5: Val Loss: 9.1012, Val PPL: 8,966.05\n- Final: Val Loss: 7.1012, Val PPL: 1,213.42\n",
    (9.1012, 5, 9.1012, 5), (9.5012, 5, 9.5012, 5),
)  # fmt: skip

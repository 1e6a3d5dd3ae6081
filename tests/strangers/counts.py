"""Lines that count in their own way: a count of a total in brackets, batches, samples, MMEngine's epochs and iterations."""

# ruff: noqa: E501 - lines as they are printed
from __future__ import annotations

from tests.strangers import stranger

# -- a count of a total in brackets, training and validation on each line ------------------------------------------------------
for name, line in {
    "a phase in parentheses": " [{i:>3}/50] loss={t} | (val) loss={v} ppl=66.7 (5.8s)",
    "names of both": "[{i}/50] train loss: {t}, val loss: {v}",
    "underscores": "[{i:02d}/50]  train_loss={t} val_loss={v} time=5.1s",
    "phases with colons": "[{i}/50] Train: loss {t} | Valid: loss {v}",
    "round brackets": "({i}/50) loss {t} - val_loss {v}",
    "a date in front": "2024-05-01 10:0{i}:00,123 - INFO - [{i}/50] train_loss: {t} eval_loss: {v}",
}.items():
    stranger(
        "counted", name, "".join(line.format(i=i, t=f"{6 - i}.1012", v=f"{6 - i}.2012") + "\n" for i in (1, 2, 3)),
        (3.2012, 3, 3.2012, 3), trained=3, finding="count_as_step",
    )  # fmt: skip
stranger(
    "counted", "two runs, each from its first count",
    "".join(f"[{i}/2] loss={6 - i}.{r} | (val) loss={6 - i}.{r + 2}\n" for r in (1, 2) for i in (1, 2)),
    (4.3, 2, 4.3, 2), (4.4, 2, 4.4, 2), trained=4,
)  # fmt: skip
stranger(
    "counted", "a validation that is no number, and a torn line",
    "[1/3] loss=5.1012 | (val) loss=5.2012\n[2/3] loss=nan | (val) loss=nan\n[3/3] loss=4.1012 | (val) loss=4.2",
    (5.2012, 1, None, 2), trained=2, finding="pending",
)  # fmt: skip
for name, text in {
    "a sweep that counts its settings": "".join(f"[{i}/3] lr=0.{i} train_loss=4.{i} val_loss=4.{i + 1}\n" for i in (1, 2, 3)),
    "a sweep that counts its runs": "".join(
        f"[{i}/3] {n} train loss 4.{i} val loss 4.{i + 1}\n" for i, n in enumerate(("wide", "deep", "flat"), 1)
    ),
    "a count with a training loss alone": "[1/3] loss=4.1\n[2/3] loss=3.1\n[3/3] loss=2.1\n",
    "the last batch of each epoch": "".join(f"[90/90] loss=4.{i} val_loss=4.{i + 1}\n" for i in (1, 2, 3)),
    "counts that begin again, not with the first": "".join(f"[{b}/90] loss=4.{i}{b} val_loss=4.{i}{b}\n" for i in (1, 2) for b in (30, 60)),
    "a count beyond its total": "[4/3] loss=4.1 val_loss=4.2\n[5/3] loss=3.1 val_loss=3.2\n",
    "what was best, behind a count": "[1/3] best train loss 4.1, best val loss 4.2\n[2/3] best train loss 3.1, best val loss 3.2\n",
}.items():
    stranger("counted", name, text)
# -- batches ------------------------------------------------------------------------------------------------------------------
for name, line in {
    "batches": "Epoch {e} Batch {b}/300 loss {t}",
    "batches, of epochs, with colons": "Epoch: {e}/2 | Batch: {b}/300 | Loss: {t} | lr: 0.001",
    "batches in brackets": "Epoch [{e}/2], Batch [{b}/300], Loss: {t}",
    "minibatches behind a date": "2024-05-01 10:00:00 epoch {e} - mini-batch {b} of 300 - train loss {t}",
    "batches after their number": "| epoch {e:>3} | {b:>5}/  300 batches | lr 20.00 | ms/batch 12.12 | loss  {t}",
    "an index of the batch": "[epoch {e}, batch_idx {b}/300] loss={t}",
}.items():
    stranger(
        "batches", name,
        "".join(line.format(e=e, b=b, t=f"{6 - e}.{4 - b // 100}012") + "\n" + ("Validation loss: 4.0012\n" if (e, b) == (2, 300) else "")
                for e in (1, 2) for b in (100, 200, 300)),
        (4.0012, 600, 4.0012, 600), trained=6, finding="batches_as_steps",
    )  # fmt: skip
stranger(
    "batches", "evaluations between them",
    "".join(f"Epoch {e} Batch 100/200 loss {6 - e}.4\nEpoch {e} Batch 200/200 loss {6 - e}.3\nVal loss: {6 - e}.5\n" for e in (1, 2, 3)),
    (3.5, 600, 3.5, 600), trained=6,
)  # fmt: skip
stranger(
    "batches", "two runs, counted from 0",
    "".join(f"Epoch {e} Batch {b}/20 loss {6 - e}.{r}{b} val_loss {6 - e}.{r}{b + 1}\n" for r in (1, 2) for e in (0, 1) for b in (0, 10)),
    (5.11, 20, 5.111, 30), (5.21, 20, 5.211, 30), trained=8,
)  # fmt: skip
stranger(
    "batches", "from a later epoch on",
    "Epoch 7 Batch 100/300 loss 3.1012 val_loss 3.2012\nEpoch 7 Batch 200/300 loss 3.0012 val_loss 3.1012\n",
    (3.1012, None, 3.1012, None), trained=2, finding="steps_restart",
)  # fmt: skip
stranger(
    "batches", "their number not told",
    "".join(f"Epoch {e}, Batch {b}, Loss: {6 - e}.{9 - b // 100}\n" for e in (1, 2) for b in (100, 200)), None, trained=4, finding="steps_restart",
)  # fmt: skip
stranger(
    "batches", "sizes and times of batches are no counts",
    "Epoch 1 batch size 32 loss 4.1\nEpoch 1 batch_time 0.31 loss 4.1\nEpoch 1 batch 0.5 loss 4.1\nBatch 3/9 loss 4.1\n",
)  # fmt: skip
# -- samples: how many a step has is not said ----------------------------------------------------------------------------------
for name, (line, test) in {
    "PyTorch's examples": ("Train Epoch: {e} [{a}/6000 ({p}%)]\tLoss: {t}", "\nTest set: Average loss: {v}, Accuracy: 950/1000 (95%)\n"),
    "samples, one blank, a validation set": ("Train Epoch: {e} [{a}/6000 ({p}%)] Loss: {t}", "Validation set: Avg. loss: {v}"),
    "samples of epochs, in lower case": ("train epoch {e}/9 [ {a}/6000 ( {p}.0 %)], loss={t}", "val loss: {v}"),
}.items():
    rows = [line.format(e=e, a=a, p=a // 60, t=f"{6 - e}.{9 - a // 1000}") for e in (1, 2) for a in (0, 3000)]
    stranger(
        "samples", name, "\n".join([*rows[:2], test.format(v="4.2012"), *rows[2:], test.format(v="3.2012")]) + "\n",
        None if "Test" in test else (3.2012, 2, 3.2012, 2), trained=4, finding="epochs_as_steps",
    )  # fmt: skip
stranger(
    "samples", "evaluations within the epochs",
    "".join(f"Train Epoch: 1 [{a}/6000 ({a // 60}%)]\tLoss: 5.{9 - a // 1000}\nVal loss: 5.{9 - a // 1000}5\n" for a in (0, 1500, 3000, 4500)),
    (5.55, None, 5.55, None), trained=4,
)  # fmt: skip
stranger(
    "samples", "two runs from epoch 0",
    "".join(f"Train Epoch: {e} [{a}/80 ({a * 100 // 80}%)]\tLoss: {6 - e}.{r}\n" + (f"Val loss: {6 - e}.{r + 2}\n" if a else "")
            for r in (1, 2) for e in (0, 1) for a in (0, 40)),
    (5.3, 1, 5.3, 1), (5.4, 1, 5.4, 1), trained=8,
)  # fmt: skip
stranger(
    "samples", "a place that does not agree with its share",
    "Train Epoch: 1 [0/6000 (0%)]\tLoss: 5.1\nTrain Epoch: 1 [3000/6000 (50%)]\tLoss: 4.1\nTrain Epoch: 1 [2970/6000 (100%)]\tLoss: 4.0\n", None, trained=2,
)  # fmt: skip
stranger("samples", "a heading of an epoch with a share", "Train Epoch: 1 [3000/6000 (50%)]\nTrain Epoch: 2 [3000/6000 (50%)]\n")
# -- MMEngine ----------------------------------------------------------------------------------------------------------------
STAMP = "2024/05/01 10:00:00 - mmengine - INFO - "
TRAIN = "Epoch(train)  [{e}][{b:>3}/120]  lr: 1.0e-04  eta: 0:01:00  time: 0.1012  data_time: 0.0101  memory: 1203  loss: {t}\n"
VAL = "Epoch(val)  [{e}][ 5/10]    loss: 9.9012  time: 0.0512\n{front}Epoch(val)  [{e}][10/10]    loss: {v}  data_time: 0.0101  time: 0.0512\n"


def mmengine(front: str, epochs: tuple[int, ...], less: float = 0.0) -> str:
    """Epochs of 120 iterations, printed every 50."""
    return "".join(
        "".join(front + TRAIN.format(e=e, b=b, t=round(6.25 - e - b / 1000 - less, 4)) for b in (50, 100))
        + front + VAL.format(e=e, v=round(6.5 - e - less, 4), front=front)
        for e in epochs
    )  # fmt: skip


for name, front in {"MMEngine's epochs": STAMP, "MMEngine's epochs, without the year": STAMP[5:], "MMEngine's epochs, bare": ""}.items():
    stranger("MMEngine", name, mmengine(front, (1, 2)), (4.5, 240, 4.5, 240), trained=4)
stranger("MMEngine", "MMEngine from a later epoch on", mmengine(STAMP, (3, 4)), (2.5, 480, 2.5, 480), trained=4)
stranger(
    "MMEngine",
    "two runs of MMEngine",
    mmengine(STAMP, (1, 2)) + mmengine(STAMP, (1, 2), 0.25),
    (4.25, 240, 4.25, 240),
    (4.5, 240, 4.5, 240),
    trained=8,
)
stranger(
    "MMEngine",
    "a validation before it is known how long an epoch is",
    "Epoch(val) [1][10/10]    loss: 9.5\n" + mmengine("", (2,)),
    (4.5, 240, 4.5, 240),
)
stranger(
    "MMEngine", "iterations",
    "".join(f"05/01 10:00:00 - mmengine - INFO - Iter(train) [{i:>4}/1000]  lr: 1.0e-04  eta: 0:01:00  time: 0.1012  loss: {9 - i // 50}.1012\n"
            + (f"05/01 10:00:00 - mmengine - INFO - Iter(val) [10/10]    loss: {9 - i // 50}.2012  time: 0.05\n" if i % 100 == 0 else "") for i in (50, 100, 150, 200)),
    (5.2012, 200, 5.2012, 200), trained=4,
)  # fmt: skip
stranger(
    "MMEngine", "an iteration that is no number, and a torn line",
    "Iter(train) [ 50/100]  lr: 1.0e-04  loss: 5.1012\nIter(train) [100/100]  lr: 1.0e-04  loss: nan\nIter(val) [10/10]    loss: 5.2", None, trained=2, finding="pending",
)  # fmt: skip
stranger(
    "MMEngine",
    "what is no line of training",
    "calls Epoch(train) [1][2/3] with loss 4.1\nEpoch(train) is [1][2/3]: loss 4.1\nIter(val) [10/10] loss: 4.1\n",
)

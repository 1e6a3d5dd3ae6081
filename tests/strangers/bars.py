"""Logs of progress bars: bars that train and bars that evaluate, with and without epochs, and lines between them."""

# ruff: noqa: E501 - lines as they are printed
from __future__ import annotations

from tests.strangers import stranger


def bar(label: str, at: int, of: int, shown: str, time: str = "00:40") -> str:
    """One drawing, without what ends it."""
    return f"{label}{': ' if label else ''}{at * 100 // of:3d}%|{'#' * (at * 10 // of):10s}| {at}/{of} [{time}<00:00,  9.31it/s, {shown}]"


stranger(
    "bars", "bars that train and validate, with a summary of each epoch",
    "".join(
        f"{bar(f'Epoch {epoch}/3', 400, 400, f'loss={train}, perplexity=9.9')}\n{bar('Validation', 50, 50, f'loss={seen}, perplexity=8.8')}\n\n"
        f"Epoch {epoch - 1} Summary:\nTrain Loss: 4.9012, Train Perplexity: 134.4\nVal Loss: {val}, Val Perplexity: 99.9\n\n"
        for epoch, train, seen, val in ((1, 4.5012, 4.1012, 4.2012), (2, 3.5012, 3.1012, 3.2012), (3, 3.4012, 3.0012, 3.3012))
    ),
    (3.2012, 800, 3.3012, 1200), trained=3,
)  # fmt: skip
stranger(
    "bars", "two stages, each with its own epochs",
    f"Stage 1/2: warming up on the small corpus\n{bar('Epoch 1/1', 120, 120, 'loss=5.11')}\nEval loss: 5.01\n\nModel saved to: out/small\n"
    f"Stage 2/2: the large corpus\n{bar('Epoch 1/2', 300, 300, 'loss=4.11')}\nEval loss: 4.02\n\n{bar('Epoch 2/2', 300, 300, 'loss=3.91')}\nEval loss: 3.97\n"
    "Generating samples: 100%|##########| 20/20 [00:09<00:00,  2.1it/s]\n",
    (5.01, 120, 5.01, 120), (3.97, 600, 3.97, 600), trained=3,
)  # fmt: skip
stranger(
    "bars", "a block of values below each bar",
    "".join(
        f"{bar(f'Epoch {epoch}/9', 700, 700, f'loss={train}')} \n\nEpoch {epoch}:\n  Train Loss: {train}\n  Val Loss: {val}\n  Val Perplexity: 99.10\n  Saved.\n\n"
        for epoch, train, val in ((1, 6.2508, 6.1842), (2, 5.1734, 5.0867), (3, 4.9394, 5.1338))
    ),
    (5.0867, 1400, 5.1338, 2100), trained=3,
)  # fmt: skip
stranger(
    "bars", "an evaluation's bar that names its loss",
    f"{bar('Epoch [12/12]', 90, 90, 'train_loss=2.31')}\n{bar('Evaluate [12/12]', 6, 6, 'valid_loss=2.52')}\n1-1: a cat sat on the mat\n",
    (2.52, 1080, 2.52, 1080), trained=1,
)  # fmt: skip
stranger(
    "bars", "bars without epochs, drawn over themselves, and nothing else that tells an evaluation",
    "".join(
        f"{bar('Training', 100, 200, f'loss={train + 0.5:.2f}', '00:20')}\r{bar('Training', 200, 200, f'loss={train:.2f}')}\n"
        f"{bar('Evaluating', 5, 10, f'loss={val + 0.3:.2f}', '00:02')}\r{bar('Evaluating', 10, 10, f'loss={val:.2f}', '00:04')}\n"
        for train, val in ((5.11, 5.22), (4.11, 4.22), (3.91, 4.31))
    ),
    (4.22, 400, 4.31, 600), trained=6, seconds=120.0,
)  # fmt: skip
stranger(
    "bars", "a bar of epochs around bars of batches",
    "".join(
        f"{bar('Batches', 100, 200, f'loss={train + 0.5:.2f}', '00:20')}\r{bar('Batches', 200, 200, f'loss={train:.2f}')}\r"
        f"{bar('Epochs', epoch, 3, f'loss={train + 0.2:.2f}, val_loss={val:.2f}', f'0{epoch}:00')}\n"
        for epoch, train, val in ((1, 5.11, 5.22), (2, 4.11, 4.22), (3, 3.91, 4.31))
    ),
    (4.22, 400, 4.31, 600), trained=6,
)  # fmt: skip
stranger(
    "bars", "the phase in brackets behind the epoch",
    "".join(
        f"{bar(f'Epoch {epoch}/2 [Train]', 50, 50, f'loss={train}')}\n{bar(f'Epoch {epoch}/2 [Valid]', 5, 5, f'loss={val}')}\n"
        for epoch, train, val in ((1, 5.1012, 5.2012), (2, 4.1012, 4.2012))
    ),
    (4.2012, 100, 4.2012, 100), trained=2,
)  # fmt: skip
stranger(
    "bars", "evaluations held back while the bars went on",
    "".join(f"{bar(f'Epoch {epoch}/3', 50, 50, f'loss={6 - epoch}.1012')}\n" for epoch in (1, 2, 3))
    + "Val loss: 5.2012\nVal loss: 4.2012\nVal loss: 4.3012\n",
    (4.2012, None, 4.3012, None), trained=3, finding="steps_restart",
)  # fmt: skip
stranger(
    "bars", "two validation sets, neither of which is the one that counts",
    "".join(f"{bar(f'Epoch {e}/2', 50, 50, 'loss=4.1')}\n{bar('Eval books', 5, 5, 'loss=4.2')}\n{bar('Eval code', 5, 5, 'loss=3.2')}\n" for e in (1, 2)),
    None, trained=2,
)  # fmt: skip
stranger(
    "bars", "two seeds by their markers",
    "".join(f"Run: seed{s}\n{bar('', 90, 90, f'loss=4.{s}')}\nValidation loss: 4.5{s}\n" for s in (1, 2)),
    (4.51, 90, 4.51, 90), (4.52, 90, 4.52, 90), trained=2,
)  # fmt: skip
stranger(
    "bars", "a second bar an epoch, of which nothing says what it does",
    "".join(f"{bar(f'Epoch {e}/3', 50, 50, f'loss=4.{e}')}\n{bar(f'Epoch {e}/3', 5, 5, f'loss=3.{e}')}\n" for e in (1, 2, 3)),
    None, trained=3,
)  # fmt: skip
stranger(
    "bars", "epochs of different lengths",
    "".join(f"{bar(f'Epoch {e}', of, of, f'loss=4.{e}')}\nEpoch {e} done\nval_loss: 4.{e}2\n" for e, of in ((1, 48), (2, 51), (3, 50))),
    (4.12, 48, 4.32, 149), trained=3,
)  # fmt: skip

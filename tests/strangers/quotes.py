"""Logs that are quoted, escaped or cut down to what was said of an evaluation, in other words than those of a script's own loop."""

# ruff: noqa: E501 - lines as they are printed
from __future__ import annotations

from tests.strangers import stranger

STEPS = "step 100/300 train_loss=5.1012 val_loss=5.2012\nstep 200/300 train_loss=4.1012 val_loss=4.2012\n\nstep 300/300 train_loss=3.1012 val_loss=4.3012\n"
EPOCHS = "Epoch 1 train loss 5.1012 val loss 5.2012\nEpoch 2 train loss 4.1012 val loss 4.2012\n"
TABLE = "| step | train loss | val loss |\n|---|---|---|\n| 100 | 5.1012 | 5.2012 |\n| 200 | 4.1012 | 4.2012 |\n"


def marked(mark: str, text: str) -> str:
    """The text behind a mark; blank lines have none, or the mark alone."""
    return "".join(f"{mark} {line}".rstrip() + "\n" for line in text.splitlines())


# -- quoted and commented out ---------------------------------------------------------------------------------------------------
for mark in (">", "#", "//", "##", "  >"):
    stranger("quoted", f"steps behind {mark}", marked(mark, STEPS), (4.2012, 200, 4.3012, 300), trained=3)
    stranger("quoted", f"epochs behind {mark}", marked(mark, EPOCHS), (4.2012, 2, 4.2012, 2), trained=2)
stranger("quoted", "a fence within the quote", marked(">", f"```\n{STEPS}```\n"), (4.2012, 200, 4.3012, 300), trained=3)
stranger("quoted", "blank lines without the mark", marked("#", EPOCHS).replace("\n", "\n\n"), (4.2012, 2, 4.2012, 2), trained=2)
stranger("quoted", "a quoted table", marked(">", TABLE), (4.2012, 200, 4.2012, 200), trained=2)
stranger("quoted", "a quote in a quote", marked(">", marked(">", STEPS)), (4.2012, 200, 4.3012, 300), trained=3)
stranger(
    "quoted",
    "two runs in a quote",
    marked(">", STEPS + STEPS.replace("4.2", "4.1")),
    (4.1012, 200, 4.3012, 300),
    (4.2012, 200, 4.3012, 300),
    trained=6,
)
stranger("quoted", "a torn line in a quote", marked(">", STEPS)[:-3], (4.2012, 200, 4.2012, 200), trained=2, finding="pending")
stranger("quoted", "no number in a quote", marked("//", STEPS.replace("4.3012", "nan")), (4.2012, 200, None, 300), trained=3)
stranger("quoted", "one line without the mark", marked("#", STEPS) + "import os\n")
stranger("quoted", "marks of two kinds", marked(">", STEPS) + marked("#", STEPS))
stranger("quoted", "two depths of quotes", marked(">", STEPS) + marked(">>", STEPS))
stranger("quoted", "a mark without a blank", "".join(f"#{line}\n" for line in STEPS.splitlines()))
stranger("quoted", "closing words behind marks", "> best val loss: 3.2112 at step 40\n> Well done.\n")
stranger("quoted", "words behind marks", "# Notes\n# The loss fell from 5.1 to 4.2 by step 100.\n# What is next?\n")
# -- tables with backslashes -----------------------------------------------------------------------------------------------------
stranger("escaped", "bars in cells", TABLE.replace("train loss", "train \\| loss"), (4.2012, 200, 4.2012, 200), trained=2)
stranger("escaped", "all bars escaped", TABLE.replace("|", "\\|"), (4.2012, 200, 4.2012, 200), trained=2)
stranger("escaped", "underscores escaped", TABLE.replace(" loss", "\\_loss"), (4.2012, 200, 4.2012, 200), trained=2)
stranger("escaped", "stars and points escaped", TABLE.replace("4.2012", "\\*\\*4\\.2012\\*\\*"), (4.2012, 200, 4.2012, 200), trained=2)
stranger(
    "escaped",
    "a blank line after each",
    TABLE.replace("\n", "\n\n") + "\\*\\*4.2012\\*\\* is the best.\n",
    (4.2012, 200, 4.2012, 200),
    trained=2,
)
stranger(
    "escaped", "names with bars are results of two runs",
    "| Run | Val Loss | Note |\n|---|---|---|\n| base\\|a | 5.1012 | lr 1e\\-4 \\| wd 0 |\n| base\\|b | 4.1012 | C:\\_runs\\b |\n",
    (4.1012, None, 4.1012, None), (5.1012, None, 5.1012, None),
)  # fmt: skip
# -- TensorFlow's estimators -----------------------------------------------------------------------------------------------------
for name, front in {
    "estimators": "INFO:tensorflow:", "estimators, absl": "I0501 10:00:00.123456 140 estimator.py:2039] ", "estimators, bare": "",
}.items():  # fmt: skip
    stranger(
        "TensorFlow", name,
        f"{front}loss = 5.5012, step = 0\n{front}global_step/sec: 8.1\n{front}loss = 5.1012, step = 900 (12.3 sec)\n{front}Saving checkpoints for 1000 into model.ckpt.\n"
        f"{front}Saving dict for global step 1000: accuracy = 0.51, global_step = 1000, loss = 5.2012\n{front}Saving 'checkpoint_path' summary for global step 1000: model.ckpt-1000\n"
        f"{front}loss = 4.1012, step = 1900 (12.3 sec)\n{front}Saving dict for global step 2000: accuracy = 0.61, global_step = 2000, loss = 4.2012\n{front}Loss for final step: 4.0.\n",
        (4.2012, 2000, 4.2012, 2000), trained=3,
    )  # fmt: skip
stranger(
    "TensorFlow", "two sets at a step, told apart by nothing",
    "Saving dict for global step 100: global_step = 100, loss = 5.2\nSaving dict for global step 100: global_step = 100, loss = 5.4\n",
    (5.4, 100, 5.4, 100), finding="contradiction",
)  # fmt: skip
stranger(
    "TensorFlow",
    "what saves no dict",
    "Saving checkpoint for global step 100: loss = 5.2\nNot saving dict for global step 100: loss = 5.2\n",
)
# -- litgpt without its lines of evaluations ----------------------------------------------------------------------------------------
LINE = "Epoch 1 | iter {i} step {s} | loss train: {t}, val: {v} | iter time: 123.45 ms (step)\n"
stranger(
    "litgpt", "evaluations that are shown again and again",
    "".join(LINE.format(i=4 * s, s=s, t=f"{9 - s}.101", v=v) for s, v in enumerate(("n/a", "5.201", "5.201", "5.201", "4.201", "4.201"), 1)),
    (4.201, None, 4.201, None), trained=6, finding="steps_of_neighbours",
)  # fmt: skip
stranger(
    "litgpt", "no number, shown again", "".join(LINE.format(i=4 * s, s=s, t="5.101", v=v) for s, v in enumerate(("5.201", "nan", "nan"), 1)),
    (5.201, None, None, None), trained=3,
)  # fmt: skip
stranger(
    "litgpt", "what is shown before the line of its evaluation",
    LINE.format(i=20, s=5, t="5.101", v="5.301") + "iter 24: val loss 5.2012, val time: 9.1 ms\n" + LINE.format(i=28, s=7, t="5.001", v="5.201"),
    (5.2012, 6, 5.2012, 6), trained=2,
)  # fmt: skip
# -- closing words alone --------------------------------------------------------------------------------------------------------
stranger(
    "closing",
    "the best at its step, the end of training",
    "done\nbest validation loss: 3.2112 at step 4,000\nfinal train loss 3.1012\n",
    (3.2112, 4000, 3.2112, 4000),
    finding="only_best",
)
stranger(
    "closing",
    "the best and the last",
    "Final validation loss: 3.3112\nBest validation loss: 3.2112 (step 4000/5000)\n",
    (3.2112, 4000, 3.3112, None),
)
stranger(
    "closing",
    "behind a date, after a sentence",
    "2024-05-01 10:00:00,123 - INFO - Training complete! Best val loss: 3.2112 (epoch 12)\n",
    (3.2112, 12, 3.2112, 12),
    finding="epochs_as_steps",
)
stranger(
    "closing",
    "its step below it",
    "Training summary:\nbest_val_loss = 3.2112\nbest step: 500\nTraining time: 61.5 s\n",
    (3.2112, 500, 3.2112, 500),
    seconds=61.5,
)
stranger(
    "closing",
    "said twice",
    "Lowest dev loss is 3.2112\n*** Lowest dev loss is 3.2112 ***\nLast dev loss: 3.25, ppl: 25.8\n",
    (3.2112, None, 3.25, None),
)
stranger(
    "closing",
    "and a crash",
    "Best eval loss: 3.2112 at iteration 40\nTraceback (most recent call last):\nRuntimeError: CUDA out of memory\n",
    (3.2112, 40, 3.2112, 40),
    finding="crashed",
)
stranger("closing", "that are no numbers", "Final validation loss: nan\n", None, finding="not_finite")
stranger(
    "closing", "a torn line of it", "Best val loss: 3.2112 at step 40\nFinal val loss: 3.2", (3.2112, 40, 3.2112, 40), finding="pending"
)
stranger("closing", "of two runs", "Run: a\nBest val loss: 3.5 (step 100)\nRun: b\nBest val loss: 3.2 (step 200)\n", finding="no_run")
stranger("closing", "of the same value at two steps", "Best val loss: 3.2 (step 100)\nBest val loss: 3.2 (step 200)\n", finding="no_run")
stranger(
    "closing", "at a step, and at an epoch", "Best val loss: 3.2112\nbest epoch: 3\nbest step: 300\nFinal val loss: 3.25 (epoch 5)\n",
    (3.2112, 300, 3.25, None),
)  # fmt: skip
for name, text in {
    "in a document": "# Results\n\nBest val loss: 3.5 (step 100)\n",
    "in JSON": '{"best_val_loss": 3.5,\n"final_val_loss": 3.6}\n',
    "of something else": "Best validation loss: 3.21 with lr 0.1\ngated: best validation loss 3.2\nBest validation loss 3 of 4\nBest loss: 3.2\n",
    "of a setting": "min_val_loss: 0.5\nlearning_rate: 0.1\n",
    "that are aims": "Target: best validation loss 3.2\nWe want a final train loss 3.1 or less.\nbest validation loss: unknown\n",
}.items():
    stranger("closing", f"words {name}", text)

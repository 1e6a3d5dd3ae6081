"""Lines of several kinds in one log: what only some of them say does not tell runs apart."""

from __future__ import annotations

import json

from tests.strangers import stranger

STEPS = (100, 200, 300)


def lines(train: dict[str, object], val: dict[str, object] | None = None) -> str:
    """Lines of training and of evaluation, each kind with more than the other has."""
    rows = [r for s in STEPS for r in ({"step": s, "loss": 6 - s / 200, **train}, {"step": s, "valid_loss": 6.01 - s / 200, **(val or {})})]
    return "".join(json.dumps(r) + "\n" for r in rows)


for name, more in {
    "a share": {"clip": "100%"}, "a status": {"status": "ok"}, "a note": {"note": "warm"}, "a word": {"grade": "low"},
    "settings": {"batch_size": 32, "dataset": "books"}, "a speed": {"speed": "3.1 it/s", "mem": "11.2 GB"},
}.items():  # fmt: skip
    stranger("JSON lines", f"{name} in lines of training", lines(more), (4.51, 300, 4.51, 300), trained=3)
    stranger("JSON lines", f"{name} in lines of evaluation", lines({}, more), (4.51, 300, 4.51, 300), trained=3)
stranger("JSON lines", "a run's name in lines of training", lines({"run": "gated"}), (4.51, 300, 4.51, 300), trained=3)
stranger("JSON lines", "a run's name in lines of evaluation", lines({}, {"run": "gated"}), (4.51, 300, 4.51, 300), trained=3)
stranger(
    "JSON lines", "fairseq's, an evaluation first",
    '{"epoch": 3, "valid_loss": 4.5012, "valid_ppl": "22.65"}\n'
    '{"epoch": 4, "loss": "4.411", "ppl": "21.27", "wps": 1000, "num_updates": 400, "lr": 0.0003, "clip": "97%", "wall": 60}\n'
    '{"epoch": 4, "valid_loss": 4.4012, "valid_ppl": "20.38"}\n'
    '{"epoch": 5, "loss": "4.311", "ppl": "19.69", "wps": 1001, "num_updates": 500, "lr": 0.0003, "clip": "95%", "wall": 70}\n'
    '{"epoch": 5, "valid_loss": 4.3012, "valid_ppl": "18.44"}\n',
    (4.3012, 5, 4.3012, 5), trained=2,
)  # fmt: skip
stranger(
    "JSON lines",
    "a word that changes to and fro",
    "".join(json.dumps({"step": s, "val_loss": 6 - s / 200, "health": "slow" if s % 200 else "ok"}) + "\n" for s in (100, 200, 300, 400)),
    (4.0, 400, 4.0, 400),
)
stranger(
    "JSON lines", "a phase, and steps that are done again",
    "".join(json.dumps({"step": s, "val_loss": 6 - s / 200, "phase": "b" if s > 100 else "a"}) + "\n" for s in (100, 200, *STEPS[1:])),
    (4.5, 300, 4.5, 300),
)  # fmt: skip
stranger(
    "JSON lines", "variants that share their steps",
    "".join(json.dumps({"step": s, "gate": g, "val_loss": w - s / 200}) + "\n" for s in STEPS for g, w in (("no", 6.25), ("yes", 6.125))),
    (4.625, 300, 4.625, 300), (4.75, 300, 4.75, 300),
)  # fmt: skip
stranger(
    "JSON lines", "an evaluation long after the first lines",
    "".join(json.dumps({"step": s, "loss": 5.5, "grade": "low"}) + "\n" for s in range(1, 900)) + '{"step": 900, "val_loss": 5.25}\n',
    (5.25, 900, 5.25, 900), trained=899,
)  # fmt: skip
# -- dicts that a Trainer prints ----------------------------------------------------------------------------------------------
TRAIN = "{'loss': %s, 'learning_rate': 1e-05, 'global_step': %d, 'epoch': %s}"
EVAL = "{'eval_loss': %s, 'eval_runtime': 2.0, 'epoch': %s}"
ALL = [TRAIN % (5.1012, 10, 0.13), EVAL % (5.2012, 0.13), TRAIN % (4.1012, 20, 0.27), EVAL % (4.2012, 0.27)]
END = (4.2012, 20, 4.2012, 20)
stranger("dicts", "with their step", "\n".join(ALL) + "\n", END, trained=2)
stranger("dicts", "several on a line", f"{ALL[0]} {ALL[1]}\n{ALL[2]}{ALL[3]}\n", END, trained=2)
stranger(
    "dicts",
    "broken over lines",
    "\n".join(ALL).replace(", 'epoch'", "\n, 'epoch'").replace("eval_run", "eval_\nrun") + "\n",
    END,
    trained=2,
)
stranger(
    "dicts", "the step as a share, cut at both ends",
    "step/max_steps': '4/50', 'epoch': 0.1} {'loss': 0.5012, 'rewards/chosen': -0.5, 'epoch': 0.13\n, 'global_step/max_steps': '5/50'} "
    "{'eval_loss': 0.4012, 'rewards/chosen': -0.4, 'epoch': 0.15, 'global_step/max_steps': '6/50'}\n{'loss': 0.3012, 'epoch': 0.2, 'rew\n",
    (0.4012, 6, 0.4012, 6), trained=1, finding="incomplete",
)  # fmt: skip
stranger(
    "dicts", "an epoch that is of several steps",
    "\n".join([TRAIN % (5.1012, 10, 0.01), TRAIN % (4.9012, 20, 0.01), EVAL % (5.0012, 0.01), TRAIN % (4.8012, 30, 0.02)]) + "\n",
    (5.0012, None, 5.0012, None), trained=3, finding="epochs_as_steps",
)  # fmt: skip
stranger(
    "dicts", "one that is never closed, then a crash",
    "{'loss': 5.1012, 'epoch': 0.1}\n{'loss': 4.1012, 'epoch': 0.2\nTraceback (most recent call last):\nRuntimeError: CUDA out of memory\n",
    None, trained=1, finding="bad_lines",
)  # fmt: skip

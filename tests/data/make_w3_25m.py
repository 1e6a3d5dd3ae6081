"""Write the w3_25m reconstruction: `python -m tests.data.make_w3_25m FOLDER`, from the top of the checkout.

The runs and their figures are in tests/groups.py; this adds the README that says what is real.
"""

from __future__ import annotations

import sys
from pathlib import Path
from random import Random

from tests.groups import W3_25M, Expected, write_group

README = """# w3_25m: a reconstruction, not real data

Six runs of a language-model screening and one resumed run, in the shape their scripts wrote them.

Real, from the published summary of the runs: their names, options and configuration; best validation loss and its step; validation
loss at step 15000; steps per second from step 500 to 15000. The digits of `best_val` past the fourth are chosen so that
exp(best_val) is the published perplexity.

Everything else is invented: training losses, repulsion losses, the rest of each validation curve, seconds, warnings, the resumed run.

`python -m tests.data.make_w3_25m tests/data/w3_25m` writes the folder anew, with the same bytes.

| what | where |
|---|---|
| one log a run | `logs/w3_25m/w3_25m_screen_*.log` |
| the resumed run, 15000 to 50000 | `logs/w3_25m/final_ngt_mass_in_value_resume_50k.out` |
| the six logs in one, as nohup wrote them | `logs/budget15k.out` |
| results; `total_steps` is the best step | `results/w3_25m/results.csv` |
| checkpoints, with toy tensors | `checkpoints/w3_25m/*.pt_best.pt`, `*.pt_last.pt` |
"""


def make(out: Path) -> Expected:
    """Write the reconstruction under `out`; the tables that a report on it must have."""
    expected = write_group(out, W3_25M, Random(W3_25M.name))
    (out / "README.md").write_bytes(README.encode())
    return expected


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    make(Path(sys.argv[1]))

"""The Triton kernels of gravity attention, run by Triton's interpreter on the CPU; without Triton there is nothing to run."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]


@pytest.mark.skipif(importlib.util.find_spec("triton") is None, reason="Triton is not installed (it comes with torch for CUDA)")
def test_kernels_in_the_interpreter() -> None:
    """Triton reads the switch when it is first imported: hence a process of its own."""
    environment = {**os.environ, "TRITON_INTERPRET": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/triton_kernels.py"]
    done = subprocess.run(command, cwd=TOP, env=environment, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stdout

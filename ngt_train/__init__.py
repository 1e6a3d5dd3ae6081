"""The trainer: writes event logs and checkpoints, and knows nothing of reports."""

"""Handoff.md: where the runs are, and how each goes on."""

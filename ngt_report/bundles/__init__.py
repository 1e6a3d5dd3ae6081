"""Bundles: a report with its inputs in one archive, made, checked and unpacked."""

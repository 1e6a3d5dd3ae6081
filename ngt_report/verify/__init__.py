"""Holds a report that somebody wrote against the data: each number is a MATCH, a MISMATCH or UNDECIDABLE."""

"""ngtreport: from a folder of training logs to a report whose every number can be traced to a file and a line."""

__version__ = "0.1.0"

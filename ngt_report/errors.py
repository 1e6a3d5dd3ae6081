"""What can go wrong, as exception types; only cli.py catches them.

ReportError            exit 3: an input, a lock or the disk
├── DatabaseError      exit 3: what DuckDB says of a statement
├── UsageError         exit 2: an option, a name or a query that cannot be meant
└── GateError          exit 1: a gate that was asked for did not hold (--check, --fail-on)
"""


class ReportError(Exception):
    """Something outside this program is in the way; the message is one sentence for the user."""

    exit_code = 3


class DatabaseError(ReportError):
    """The engine refused a statement: the database is damaged or full, or a statement of ours is wrong."""


class UsageError(ReportError):
    """The command line or a configuration file asks for something that does not exist."""

    exit_code = 2


class GateError(ReportError):
    """A check that the user asked for did not hold."""

    exit_code = 1

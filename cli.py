"""Front door of a checkout: `python cli.py report ...` is ngtreport, `python cli.py train ...` is ngttrain."""

import importlib
import sys

COMMANDS = {"report": "ngt_report.commands", "train": "ngt_train.commands"}


def main() -> None:
    """Hand the rest of the command line to one of the two commands; only that one is imported."""
    name = sys.argv[1] if len(sys.argv) > 1 else ""
    if name in ("-h", "--help"):
        print(__doc__)
        sys.exit(0)
    if name not in COMMANDS:
        print(f"cli.py: {name!r} is no command; use `report` or `train`" if name else __doc__, file=sys.stderr)
        sys.exit(2)
    sys.argv[:2] = [f"cli.py {name}"]
    importlib.import_module(COMMANDS[name]).main()


if __name__ == "__main__":
    main()

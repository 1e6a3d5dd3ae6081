"""`python -m ngt_report` is the command `ngtreport`."""

from ngt_report.commands import main

if __name__ == "__main__":
    main()

"""`python -m ngt_train` is the command `ngttrain`."""

from ngt_train.commands import main

if __name__ == "__main__":
    main(prog_name="ngttrain")

"""Whose a setting in a text is: of the call in whose brackets it stands, or of the sections before its name."""

from __future__ import annotations

from ngt_report.names import clean, known_config
from ngt_report.sections import told_apart
from ngt_report.text.late import late
from ngt_report.waist import Fact

CALL = late(r"(?:\(?(?P<name>[A-Za-z_]\w*)\)?[ \t]*[=:][ \t]*)?(?P<kind>[A-Za-z_][\w.]*)\($")
DUMP = late(r"(?:cfg|config|conf|args|hparams)\.(?P<path>\w+(?:\.\w+)*)$")  # of a configuration printed path by path
ELSEWHERE = frozenset("test testing eval evaluation val valid validation dev data dataset".split())  # sections that set no training

EVALUATION = ELSEWHERE - {"data", "dataset"}


def of_evaluation(above: str) -> bool:
    """Whether a setting in these sections, with / between them, is one of an evaluation."""
    return any(EVALUATION.intersection(clean(section).split("_")) for section in above.split("/"))


def path_of(raw: str, before: str) -> str:
    """The path of a setting, with / between its parts; of most it is the name alone."""
    if "." in raw and (match := DUMP.match(raw)):
        parts = match["path"].split(".")
        return raw if ELSEWHERE.intersection(parts[:-1]) else "/".join(parts)
    owner = _caller(before) if "(" in before else ""
    return f"{owner}/{raw}" if owner else raw


def key_of(path: str) -> str | None:
    """The canonical key of a setting, by the last part of its path."""
    return known_config(path.rpartition("/")[2])


def _caller(before: str) -> str:
    """The call in whose brackets a text ends: what it is assigned to, else what is called; '' outside of one."""
    closed = 0
    for at in range(len(before) - 1, -1, -1):
        if before[at] == ")":
            closed += 1
        elif before[at] == "(" and closed:
            closed -= 1
        elif before[at] == "(":
            match = CALL.search(before, 0, at + 1)
            return clean(match["name"] or match["kind"]) if match else ""
    return ""


def tell_apart(said: list[tuple[str, Fact]]) -> None:
    """Give settings of several owners that differ the names of their owners too."""
    values = {path: fact.value for path, fact in said if "/" in path}
    longer = told_apart({path: fact.key for path, fact in said if "/" in path}, values) if len(values) > 1 else {}
    for path, fact in said:
        fact.key = longer.get(path, fact.key)

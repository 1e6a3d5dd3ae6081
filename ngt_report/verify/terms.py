"""The words of the field: which quantity a phrase names, and how (best, last, mean). Data adds its own metrics and settings."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from ngt_report import names

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ngt_report.verify.evidence import Evidence
    from ngt_report.verify.numbers import Number

SPLITS = {
    "val": "val", "valid": "val", "validation": "val", "eval": "val", "evaluation": "val", "dev": "val", "held-out": "val",
    "held out": "val",
    "heldout": "val", "test": "test", "train": "train", "training": "train",
}  # fmt: skip
SPLIT = r"(?:(?P<split>val|valid|validation|eval|evaluation|dev|held[- ]?out|test|train|training)(?:\.|(?=[\W_]))[\s_/-]*)"
KIND = r"(?:(?:ce|nll|lm|token|cross[- ]entropy|xent|set|metric)[\s_-]*)?"
SEC = r"(?:s|secs?|seconds?)"

# quantity -> pattern; the longest match wins. {split} stands for the split that the words name, val when they name none
PATTERNS: dict[str, str] = {
    "{split}/loss": rf"{SPLIT}?{KIND}(?:loss(?:es)?|cross[- ]entropy|nll|xent)\b",
    "val/loss": (
        r"\b(?:best|final|last|min)[\s_-]val(?:idation)?\b(?![\s_-]*(?:step|iter|ppl|perp|acc|loss|bpb))|\bval\b(?=\s*[=:@])"
        r"|\b(?:ended|ends|finish(?:ed|es)|landed|lands|closed|closes|converged|converges|settled|got|gets|came in|comes in)(?: up| down)?"
        r" (?:at|to|on)\b(?=\W{0,4}\d+\.\d{2,}(?![\d%x]|\s?(?:s|sec|min|h|ms|steps|it|tok)\b))"
        r"|\b(?:reach(?:es|ed)|achiev(?:es|ed)|scor(?:es|ed)|obtain(?:s|ed))\b(?=\W{0,4}\d+\.\d{3,}(?![\d%x]|\s?(?:s|sec|min|h|ms|steps|it|tok)\b))"
        r"|(?<!the )(?<!was )(?<!is )\b(?:best|final|last|min)\b(?=[\s:=]*~?\s?\d+\.\d{2,}(?![\d%x]))"
    ),
    "{split}/perplexity": rf"{SPLIT}?{KIND}(?:ppl|perplexit(?:y|ies))\b(?:\s*\(exp\(loss\)\))?",
    "{split}/accuracy": rf"{SPLIT}?{KIND}(?:acc|accuracy|accuracies)\b",
    "{split}/bpb": rf"{SPLIT}?(?:bpb|bits[\s_/-]*(?:per[\s_-]*)?byte)\b",
    "steps_per_s": rf"\b(?:steps?|iters?|iterations?|its?)\s?(?:/|[\s_]?per[\s_])\s?{SEC}\b",
    "s_per_step": (
        rf"\b(?:{SEC}|ms|milliseconds?)\s?(?:/|[\s_]?per[\s_])\s?(?:steps?|iters?|its?|iterations?)\b|\bstep[\s_-]?times?\b"
        r"|\btime[\s_-]?(?:per|/)[\s_-]?(?:step|iteration|iter)\b|\bms[\s_]per[\s_]step\b"
    ),
    "tokens_per_s": rf"\b(?:tok|toks|tokens?)\s?(?:/|[\s_]?per[\s_])\s?{SEC}\b|\bthroughput\b|\btps\b|\btokens?[\s_]s(?:ec)?\b",
    "train_time": (
        r"\b(?:took|takes|needed|needs|lasted|ran for|trained for|finished in|done in)\b(?=[^.;\d]{0,30}\d)|"
        r"\b(?:train(?:ing)?|wall|wall[- ]?clock|elapsed|run|total(?:\s(?:train(?:ing)?|experiment(?:al)?|compute))?)"
        r"[\s_-]*(?:time|runtime)\b"
        r"|\bwall[- ]?clock\b|\bruntime\b|\belapsed\b|^\W*time\s*(?:[\[(/]|$)|\btime\b(?=\s*[=:]\s*~?\s?\d)|\btraining[\s_]duration\b"
    ),
    "best_step": r"\b(?:best|min)[\s_-]+(?:steps?|iter(?:ation)?)\b|\b(?:step|iter(?:ation)?) (?:of|at) (?:the )?(?:best|minimum)\b",
    "last_step": r"\b(?:last|final)[\s_-]+(?:steps?|iter(?:ation)?)\b",
    "n_steps": (
        r"\b(?:max|total|train(?:ing)?|num|number of)[\s_-]*(?:steps|iters|iterations)\b|\bsteps (?:trained|total)\b|\biters\b(?!\s?/)"
    ),
    "step": r"\b(?:steps?|iter|iterations?)\b(?!\s?/)",
    "n": r"\b(?:seeds|runs|experiments|trials|rounds|repeats|replicas|configs|configurations)\b|(?<![\w=/])n(?=\s*=)|#\s?(?:seeds|runs)",
    "rank": r"\brank(?:ing|ed)?\b|\bplace\b|\bposition\b",
    "tokens": (
        r"\b(?:total )?tokens (?:processed|seen|trained(?: on)?|consumed)\b|\btotal tokens\b"
        r"|\btrain(?:ing|ed)?[\s_]tokens\b|\bn[\s_]?tokens\b"
    ),
    "setting:params": r"\b(?:n[\s_])?(?:params?|parameters?)(?:[\s_]count)?\b|\bmodel size\b",
    "setting:learning_rate": r"\b(?:lr|learning[\s_-]rates?|peak[\s_]lr|max[\s_]lr)\b",
    "setting:batch_size": r"\b(?:batch[\s_-]?sizes?|bs)\b",
    "setting:sequence_length": (
        r"\b(?:block[\s_-]?size|seq(?:uence)?[\s_-]?len(?:gth)?|context[\s_-]?(?:length|window)|ctx(?:[\s_-]?len)?)\b"
    ),
    "setting:layers": r"\b(?:n[\s_]?|num[\s_]?)?layers?\b",
    "setting:heads": r"\b(?:attention[\s_])?(?:n[\s_]?|num[\s_]?)?heads?\b",
    "setting:hidden": r"\b(?:hidden(?:[\s_-](?:dim|size|dimension))?|d[\s_]?model|n[\s_]embd|(?:embed(?:ding)?[\s_-])?dim(?:ension)?s?)\b",
    "setting:vocab_size": r"\bvocab(?:ulary)?(?:[\s_-]size)?\b",
    "setting:accumulation": r"\b(?:grad(?:ient)?[\s_-])?accum(?:ulation)?(?:[\s_-]steps)?\b",
    "setting:seed": r"\bseed\b",
    "setting:gpus": r"\bgpus\b",
}  # fmt: skip
STATS = {
    "best": "best", "lowest": "best", "minimum": "best", "min": "best", "top": "best", "highest": "best", "optimal": "best",
    "last": "last", "final": "last", "end": "last", "latest": "last", "mean": "mean", "avg": "mean", "average": "mean", "averaged": "mean",
    "median": "median", "std": "std", "stdev": "std", "sd": "std", "stddev": "std", "deviation": "std", "±": "std",
    "delta": "delta", "δ": "delta", "diff": "delta", "difference": "delta", "gap": "delta", "change": "delta", "improvement": "delta",
    "gain": "delta", "increase": "delta", "decrease": "delta", "reduction": "delta", "advantage": "delta", "overhead": "delta",
    "slowdown": "delta", "speedup": "delta", "speed-up": "delta", "vs": "delta", "vs.": "delta", "versus": "delta", "ratio": "ratio",
    "relative": "delta",
}  # fmt: skip
FILLERS = frozenset(
    (
        "the a an of at on in for per to run runs by with and or over is was are val validation values value all each set"
        " model loss score metric nats token tokens exp observed during training step steps s sec h min mins hours minutes"
        " seconds ms k m tok number n count"
    ).split()
)
BESIDE = frozenset("per sec nats bits raw smoothed ema full all eval token tokens hours".split())
WHOLE = {  # headers that say it in a word
    "n": ("n", ""), "#": ("rank", ""), "mean": ("val/loss", "mean"), "avg": ("val/loss", "mean"), "average": ("val/loss", "mean"),
    "std": ("val/loss", "std"), "std dev": ("val/loss", "std"), "sd": ("val/loss", "std"), "σ": ("val/loss", "std"),
    "min": ("val/loss", "lowest"), "max": ("val/loss", "highest"), "time": ("train_time", ""), "mean time": ("train_time", "mean"),
    "best": ("val/loss", "best"), "last": ("val/loss", "last"), "final": ("val/loss", "last"), "mean best": ("val/loss", "mean best"),
    "95 % ci": ("ci", ""), "95% ci": ("ci", ""), "ci": ("ci", ""), "ci95": ("ci", ""), "± 95 %": ("ci", ""), "p": ("p", ""),
    "p value": ("p", ""), "p-value": ("p", ""), "p, paired by seed": ("paired p", ""), "paired p": ("paired p", ""), "seen": ("seen", ""),
    "val": ("val/loss", ""), "steps": ("n_steps", ""), "speed": ("tokens_per_s", ""),
}  # fmt: skip
AT = re.compile(
    r"@\s?(?:(?:step|iter|iteration)s?[\s=:]*)?(?P<a>\d[\d,_]*)(?P<k>k)?\b"
    r"|(?:\b|(?<=_))(?:(?:step|iter|iteration|steps)(?:(?<=common step),)?[\s=:_]*|(?:at|after)[\s_]+)"
    r"(?P<b>\d[\d,_]*)(?P<k2>k)?\b(?!\.\d|\s?[%x]"
    r"|\s+(?!steps?\b|iter|and\b|or\b|the\b|it\b|we\b|for\b|with\b|val|loss|vs\b|in\b|on\b|is\b|was\b|of\b|against\b)[A-Za-z])",
    re.I,
)


class Term(Struct, frozen=True):
    """A quantity that is named in a text, and how."""

    start: int
    end: int
    quantity: str
    stat: str = ""
    own_split: bool = False  # whether the words name the split
    scale: float = 1.0  # of the unit that the words name, over ours
    text: str = ""

    @property
    def is_setting(self) -> bool:
        """Whether it is a setting, not something measured."""
        return self.quantity.startswith("setting:")


class Terms:
    """Finds quantities in texts: the field's words, and the metrics and settings of the data."""

    def __init__(self, evidence: Evidence) -> None:
        own = {f"setting:{k}": _words(k) for k in evidence.keys if len(k) > 1}
        self.metrics = evidence.metrics
        self.keys = evidence.keys
        patterns = [(q, re.compile(p, re.I)) for q, p in PATTERNS.items()]
        for key, pattern in own.items():
            patterns.append((key, re.compile(pattern, re.I)))
        for metric in evidence.metrics:
            patterns.append((metric, re.compile(_metric_pattern(metric), re.I)))
        for letter, key in (("α", "alpha"), ("β", "beta"), ("γ", "gamma"), ("λ", "lambda"), ("η", "learning_rate"), ("τ", "temperature")):
            patterns.append((f"setting:{key}", re.compile(letter)))
        self.patterns = patterns
        self.cache: dict[str, list[Term]] = {}

    def scan(self, text: str) -> list[Term]:
        """The quantities of a text in order; of overlapping ones the longest."""
        if text not in self.cache:
            whole = WHOLE.get(text.strip().lower())
            found = [Term(0, len(text), *whole, text=text.strip())] if whole else self._scan(text.replace("_", " "))
            self.cache[text] = [t for t in found if not _inside_name(text, t)]
        return self.cache[text]

    def _scan(self, text: str) -> list[Term]:
        found = [t for q, p in self.patterns for m in p.finditer(text) if (t := self._term(q, m, text)) is not None]
        found.sort(key=lambda t: (-(t.end - t.start), t.quantity not in self.metrics, t.start))
        kept: list[Term] = []
        for term in found:
            if not any(k.start < term.end and term.start < k.end for k in kept):
                kept.append(term)
        kept.sort(key=lambda t: t.start)
        return [replace(t, stat=t.stat or _stat(text, t, kept)) for t in kept]

    def with_labels(self, text: str, found: Sequence[Number], terms: list[Term]) -> list[Term]:
        """Also settings that a label right before a number abbreviates: `Temp: 1.0`, `topk=256`."""
        out = list(terms)
        for number in found:
            label = re.search(r"([A-Za-z][A-Za-z_]*(?: [A-Za-z_]+)?)\W{0,2}\s?[=:]\s*$", text[: number.start])
            if (
                label
                and not set(label[1].lower().split()) & SPLITS.keys()
                and not any(t.end > label.start(1) and t.start < label.end(1) for t in out)
            ):
                key = self._abbreviated(label[1])
                if key:
                    out.append(Term(label.start(1), label.end(1), f"setting:{key}", text=label[1]))
        return sorted(out, key=lambda t: t.start)

    def _abbreviated(self, label: str) -> str | None:
        """The one setting whose name begins or ends like this."""
        short = re.sub(r"[\W_]", "", label.lower())
        if len(short) < 3:
            return None
        joined = {k: re.sub(r"[\W_]", "", k.lower()) for k in self.keys}
        close = [k for k, j in joined.items() if j == short or j == short.rstrip("s")]
        close = close or [k for k, j in joined.items() if j.startswith(short) or j.endswith(short) or k.split("_")[-1] == short]
        return close[0] if len(close) == 1 else None

    def unknown(self, text: str) -> list[str]:
        """The words of a text that are neither a quantity nor a usual word beside one."""
        rest = list(text)
        for term in self.scan(text):
            rest[term.start : term.end] = " " * (term.end - term.start)
        words = re.findall(r"[^\W\d_]+", "".join(rest).lower())
        return [w for w in words if w not in FILLERS and w not in STATS and w not in SPLITS]

    def _term(self, quantity: str, match: re.Match[str], text: str) -> Term | None:
        if match.end() > match.start() and match.start() and text[match.start() - 1].isalnum():
            return None
        split = (match.groupdict().get("split") or "").lower()
        said = match[0].lower()
        scale = 1e-3 if quantity == "s_per_step" and re.match(r"ms|milli", said) else 1.0
        if "{split}" in quantity:
            quantity = quantity.replace("{split}", SPLITS.get(split, "val"))
            quantity = self._existing(quantity, said, bool(split))
        return Term(match.start(), match.end(), quantity, own_split=bool(split), scale=scale, text=match[0])

    def _existing(self, quantity: str, said: str, split: bool) -> str:
        """The metric as the data has it: an objective beside a cross-entropy, a training loss where nothing is validated."""
        known = names.known_metric(said)
        if known == "eval_loss" and "val/objective" in self.metrics:
            return "val/objective"
        if not split and quantity == "val/loss" and "val/loss" not in self.metrics and "train/loss" in self.metrics:
            return "train/loss"
        return quantity


def _words(name: str) -> str:
    """A pattern for a name with any separators."""
    words = [re.escape(w) for w in re.split(r"[\W_]+", name) if w]
    return r"(?<![\w-])" + r"[\s_./-]*".join(words) + r"(?![\w])" if words else r"(?!)"


def _metric_pattern(metric: str) -> str:
    split, _, rest = metric.rpartition("/")
    heads = {"val": "(?:val|valid|validation|eval)", "test": "test", "train": "(?:train|training)"}.get(split)
    body = _words(rest).removeprefix(r"(?<![\w-])")
    return rf"(?<![\w-]){heads}[\s_/-]*{body}" if heads else _words(metric)


ASIDE = [[w] for w in ("with", "at", "by", "in", "on", "among")]  # `is best with a loss of`: the run is, not the loss


def _stat(text: str, term: Term, others: list[Term]) -> str:
    """How the quantity is meant: a word right before it, or right after it."""
    left = max((o.end for o in others if o.end <= term.start), default=0)
    chain = re.search(r"(?:[\w±Δδ.]+[\s_-]+)*$", text[max(left, term.start - 40) : term.start].lower())
    words = re.findall(r"[\w±Δδ.]+", chain[0] if chain else "")[-3:]
    for i, word in reversed(list(enumerate(words))):
        if word in STATS and not (STATS[word] == "best" and words[i + 1 : i + 2] in ASIDE):
            return STATS[word]
    after = re.match(
        r"[\s_-]*\(?(std|stdev|sd|delta|diff|difference|gap|change|improvement|gain|reduction|overhead|ratio|mean|avg|±)\b",
        text[term.end :],
        re.I,
    )
    return STATS[after[1].lower()] if after else STATS.get(re.split(r"[\s_-]", term.text.lower())[0], "")


def _inside_name(text: str, term: Term) -> bool:
    """Whether the words are part of a longer name with other words, such as mixed_loss."""
    before = re.search(r"([A-Za-z]+)_$", text[: term.start])
    after = re.match(r"_([A-Za-z]+)", text[term.end :])
    words = [m[1].lower() for m in (before, after) if m]
    return any(w not in FILLERS and w not in STATS and w not in SPLITS and w not in BESIDE for w in words)


def step_of(text: str) -> int | None:
    """The step that a text names: @15000, step 15000, 15k steps."""
    match = AT.search(text)
    if not match:
        return None
    digits = (match["a"] or match["b"]).replace(",", "").replace("_", "")
    return int(digits) * (1000 if match["k"] or match["k2"] else 1)

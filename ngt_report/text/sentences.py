"""Settings that a log tells in words: how many parameters there are, and sentences such as `Using seed 42`."""

from __future__ import annotations

import re

from msgspec import Struct

from ngt_report.text.late import late

SCALES = {"": 1, "k": 10**3, "thousand": 10**3, "m": 10**6, "million": 10**6, "b": 10**9, "billion": 10**9}
LEAST = 1000  # parameters of a model; a smaller number is of something else, or in millions without a word
_QUANTITY = r"(?P<value>[0-9][0-9,]*(?:\.[0-9]+)?)[ \t]*(?P<unit>[kmb]|thousand|million|billion)?\b"
_PARAMETERS = r"param(?:eter)?s?['\"]?"
COUNTS = (
    # number of parameters: 10.65M
    late(
        rf"(?P<of>(?:[A-Za-z#\-]+[ \t_]+){{0,4}}){_PARAMETERS}(?:[ \t_]+count)?[ \t]*(?:\([^()]*\)[ \t]*)?"
        rf"(?:[:=|]|is\b|are\b)[ \t]*{_QUANTITY}",
        re.IGNORECASE,
    ),
    # 10.65M trainable parameters
    late(rf"{_QUANTITY}[ \t]+(?P<of>(?:[A-Za-z\-]+[ \t]+){{0,2}}){_PARAMETERS}(?![\w \t]*(?:tensor|group|size|shard))", re.IGNORECASE),
)
PARTS = frozenset(
    "non decayed frozen active embedding embeddings tensor per each layer block attention attn mlp head encoder decoder lora adapter"
    " teacher draft rank stage vision".split()
)  # words for a part of a model


class Sentence(Struct, frozen=True):
    """A setting and the words that tell it; `word` stands in each such line, in lower case."""

    key: str
    word: str
    pattern: re.Pattern[str]


def _sentence(key: str, word: str, text: str) -> Sentence:
    return Sentence(key, word, late(text, re.IGNORECASE))


_NUMBER = r"(?P<value>[0-9]+(?:,[0-9]{3})*)"
_IS = r"(?:[ \t]*[:=]|[ \t]+(?:is|of|will be):?)?[ \t]*"
SENTENCES = (
    _sentence(
        "seed",
        "seed",
        r"\bseed(?:ed)?(?:[ \t]+(?:is|set))?(?:[ \t]+(?:to|with))?[ \t]*[:=]?[ \t]*(?P<value>[0-9]{1,12})\b(?![ \t]*(?:/|of\b|\.[0-9]))",
    ),
    _sentence(
        "vocab_size",
        "vocab",
        rf"(?<!padded )\bvocab(?:ulary)?[ _]size(?:[ \t]+of[ \t]+GPT-2[ \t]+to)?{_IS}{_NUMBER}",
    ),
    _sentence("dataset", "meta.pkl", r"\(inside (?:data/)?(?P<value>[\w.\-]+)/meta\.pkl\)"),
    _sentence("sequence_length", " length", rf"\b(?:sequence|context|seq)[ \t]+length{_IS}{_NUMBER}"),
    _sentence("device_batch_size", "batch size", rf"\b(?:local|micro|per-device)[ -]+batch[ \t]+size{_IS}{_NUMBER}"),
    _sentence("global_batch_size", "batch size", rf"\bglobal[ \t]+batch[ \t]+size{_IS}{_NUMBER}"),
    _sentence(
        "batch_tokens",
        "tokens per",
        rf"\btokens[ \t]+per[ \t]+(?:iteration|step|batch|update){_IS}{_NUMBER}(?![\w.]*/)",
    ),
    _sentence("batch_tokens", "batch size", rf"\btotal[ \t]+batch[ \t]+size[ \t]+{_NUMBER}[ \t]+=>[ \t]+gradient"),
    _sentence("batch_tokens", "batch size", rf"\btotal[ \t]+desired[ \t]+batch[ \t]+size:[ \t]*{_NUMBER}"),
    _sentence("precision", "mixed", r"\bmixed[ _]precision[ \t]*[:=][ \t]*['\"]?(?P<value>bf16|fp16|fp8|bfloat16|float16)\b"),
    _sentence("total_steps", "total steps", rf"\bstarts at step [0-9]+,.*\btotal steps {_NUMBER}"),
    _sentence("total_steps", "total optimization steps", rf"\btotal optimization steps = {_NUMBER}"),
)


def told(text: str, low: str) -> list[tuple[str, str]]:
    """(key, value as written) of the settings that a line tells in words; `low` is the line in lower case."""
    found = ((s.key, s.pattern.search(text)) for s in SENTENCES if s.word in low)
    return [(key, match["value"]) for key, match in found if match]


def parameters(text: str, low: str) -> list[tuple[int, int]]:
    """(rank, count) of the numbers of parameters in a line: all of them come before those of the model, and before the trainable ones."""
    if "param" not in low or "decayed" in low:
        return []
    found = []
    for match in (m for pattern in COUNTS for m in pattern.finditer(text)):
        words = set(re.findall(r"[a-z]+", match["of"].lower()))
        count = round(float(match["value"].replace(",", "")) * SCALES[(match["unit"] or "").lower()])
        if count >= LEAST and not words & PARTS:
            found.append((0 if words & {"total", "all"} else 2 if words & {"trainable", "learnable"} else 1, count))
    return found

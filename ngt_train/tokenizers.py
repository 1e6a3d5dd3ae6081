"""Tokenizers: bytes, characters, byte-level BPE of our own or GPT-2's, and the one of a Hugging Face model.

Every tokenizer has an end-of-text token that goes before each document. Text is text: `<|endoftext|>` inside a document is
encoded letter by letter and never becomes that token.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ngt_train import files
from ngt_train.errors import ConfigError, DataError, nearest

FILE = "tokenizer.json"
END = "<|endoftext|>"
ENDS = (END, "<|end_of_text|>", "</s>", "<eos>", "<|eot_id|>")  # in the order in which they are looked for
BYTES = 256
GPT2_SIZE = 50257
MARKERS = {" ": "Ġ", "\n": "Ċ", "\t": "ĉ"}  # as byte-level BPE writes them
KINDS = ("byte", "char", "bpe", "gpt2", "hf:NAME")

Ids = NDArray[np.uint32]


class Tokenizer:
    """What the three kinds share; `vocab_size` counts the end-of-text token, whose id is `end`."""

    name: str
    vocab_size: int
    end: int

    def encode(self, text: str) -> Ids:
        """Ids (N,) of a text, without an end-of-text token."""
        return self.encode_many([text])[0]

    def encode_many(self, texts: Sequence[str]) -> list[Ids]:
        """Ids of several texts; BPE uses all cores."""
        raise NotImplementedError

    def decode(self, ids: Iterable[int]) -> str:
        """The text of ids; what is not UTF-8, or beyond the vocabulary, as a model with more rows can draw, becomes U+FFFD or nothing."""
        raise NotImplementedError

    def label(self, token: int) -> str:
        """How one token is written for people: `Ġ` is a leading space, `Ċ` a newline."""
        text = self.decode([token])
        return "".join(MARKERS.get(c, c) for c in text)

    def to_json(self) -> str:
        """The text of its file."""
        raise NotImplementedError

    def save(self, path: Path) -> None:
        """Write it; the file appears whole or not at all."""
        with files.replacing(path) as file:
            file.write(self.to_json().encode("utf-8"))

    @cached_property
    def fingerprint(self) -> str:
        """`sha256:` of its file's bytes."""
        return f"sha256:{hashlib.sha256(self.to_json().encode('utf-8')).hexdigest()}"


class ByteTokenizer(Tokenizer):
    """The 256 bytes of UTF-8, and end-of-text as 256."""

    name = "byte"
    vocab_size = BYTES + 1
    end = BYTES

    def encode_many(self, texts: Sequence[str]) -> list[Ids]:
        return [np.frombuffer(text.encode("utf-8", "replace"), np.uint8).astype(np.uint32) for text in texts]

    def decode(self, ids: Iterable[int]) -> str:
        return b"".join(bytes([i]) if i < BYTES else END.encode() if i == self.end else b"\xff" for i in ids).decode("utf-8", "replace")

    def to_json(self) -> str:
        return json.dumps({"kind": "byte"}) + "\n"


class CharTokenizer(Tokenizer):
    """One token a character of the training text, in code point order; 0 is end-of-text, 1 any other character."""

    name = "char"
    end = 0
    UNKNOWN = 1

    def __init__(self, characters: str) -> None:
        self.characters = "".join(sorted(set(characters)))
        self.vocab_size = len(self.characters) + 2
        self._points = np.frombuffer(self.characters.encode("utf-32-le", "surrogatepass"), np.uint32)

    def encode_many(self, texts: Sequence[str]) -> list[Ids]:
        return [self._encode(text) for text in texts]

    def _encode(self, text: str) -> Ids:
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
        if not len(self._points):
            return np.full(len(points), self.UNKNOWN, np.uint32)
        places = np.searchsorted(self._points, points).clip(max=len(self._points) - 1)
        return np.where(self._points[places] == points, places + 2, self.UNKNOWN).astype(np.uint32)

    def decode(self, ids: Iterable[int]) -> str:
        known = [END, "\ufffd", *self.characters]
        return "".join(known[i] if i < len(known) else "\ufffd" for i in ids)

    def to_json(self) -> str:
        return json.dumps({"kind": "char", "characters": self.characters}) + "\n"


class BpeTokenizer(Tokenizer):
    """A tokenizer of the `tokenizers` library: BPE trained here, GPT-2's, or another model's."""

    def __init__(self, inner: Any, name: str) -> None:
        inner.encode_special_tokens = True  # not kept in the file
        inner.no_truncation()
        inner.no_padding()
        vocabulary: dict[str, int] = inner.get_vocab()
        self.name = name
        self.inner = inner
        self.vocab_size = max(vocabulary.values(), default=-1) + 1
        found = next((text for text in ENDS if text in vocabulary), None)
        if found is None:
            raise DataError(f"tokenizer {name} has no end-of-text token (one of {', '.join(ENDS)}); documents could not be told apart")
        self.end = vocabulary[found]

    def encode_many(self, texts: Sequence[str]) -> list[Ids]:
        encodings = self.inner.encode_batch_fast([_valid(text) for text in texts], add_special_tokens=False)
        return [np.array(encoding.ids, np.uint32) for encoding in encodings]

    def decode(self, ids: Iterable[int]) -> str:
        return str(self.inner.decode(list(ids), skip_special_tokens=False))

    def label(self, token: int) -> str:
        text = self.inner.id_to_token(token)
        return f"<{token}>" if text is None else str(text)

    def to_json(self) -> str:
        return str(self.inner.to_str())


def _valid(text: str) -> str:
    """The text without lone surrogates, which UTF-8 does not have."""
    return text.encode("utf-8", "replace").decode("utf-8")


# -- making --------------------------------------------------------------------------------------------------------------
def make(kind: str, vocabulary: int, file: str, texts: Callable[[], Iterator[str]]) -> Tokenizer:
    """The tokenizer of this name.

    Args:
        kind: byte, char, bpe, gpt2 or hf:NAME.
        vocabulary: tokens that BPE learns.
        file: a saved tokenizer, which is taken instead of training one.
        texts: the training texts, from their start at each call.
    """
    if file:
        return from_file(Path(file), kind)
    if kind == "byte":
        return ByteTokenizer()
    if kind == "char":
        return CharTokenizer("".join(set().union(*texts())))
    if kind == "bpe":
        return train_bpe(texts(), vocabulary)
    if kind == "gpt2" or kind.startswith("hf:"):
        return _from_hub(kind)
    raise ConfigError(f"unknown tokenizer {kind!r}{nearest(kind, KINDS)}")


def train_bpe(texts: Iterable[str], vocabulary: int) -> BpeTokenizer:
    """Byte-level BPE (Sennrich et al. 2016; Radford et al. 2019) of exactly this many tokens, end-of-text as 0.

    Raises:
        ConfigError: fewer than the 256 bytes and end-of-text, or more than the text yields.
    """
    from tokenizers import Tokenizer as Inner
    from tokenizers import decoders, models, pre_tokenizers, trainers

    if vocabulary < BYTES + 1:
        raise ConfigError(f"a BPE vocabulary of {vocabulary} is too small: the {BYTES} bytes and {END} need {BYTES + 1}")
    inner = Inner(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    trainer = trainers.BpeTrainer(vocab_size=vocabulary, special_tokens=[END], initial_alphabet=alphabet, show_progress=False)
    inner.train_from_iterator((_valid(text) for text in texts), trainer)
    made = BpeTokenizer(inner, "bpe")
    if made.vocab_size < vocabulary:
        raise ConfigError(
            f"the training text is too short for a BPE vocabulary of {vocabulary}: it yields {made.vocab_size}; "
            "ask for that many or give more text"
        )
    return made


def _from_hub(kind: str) -> Tokenizer:
    """GPT-2's tokenizer, or that of another model, from the local cache of huggingface_hub or its site."""
    name = "openai-community/gpt2" if kind == "gpt2" else kind.removeprefix("hf:")
    if Path(name).is_dir():
        return from_file(Path(name), kind)
    from ngt_train import hub

    return from_file(hub.download(name, FILE), kind)


# -- from files ------------------------------------------------------------------------------------------------------------
def from_file(path: Path, kind: str = "") -> Tokenizer:
    """A tokenizer from its file, or from a folder with tokenizer.json or with GPT-2's vocabulary and merges.

    Raises:
        DataError: missing, not a tokenizer, or not of the kind that was asked for.
    """
    try:
        if path.is_dir() and not (path / FILE).is_file():
            return _checked(BpeTokenizer(_gpt2_pair(path), kind or "bpe"), kind, path)
        file = path / FILE if path.is_dir() else path
        if not file.is_file():
            raise DataError(f"{path}: no such tokenizer file; check --tokenizer-file, or run `ngttrain prepare` again")
        return _checked(from_text(file.read_text(encoding="utf-8"), kind or "bpe", str(file)), kind, file)
    except OSError as e:
        raise DataError(f"{path}: cannot be read: {files.why(e)}") from e
    except UnicodeDecodeError as e:
        raise DataError(f"{path} is not a tokenizer: it is not UTF-8 text") from e


def from_text(text: str, kind: str, place: str = "the tokenizer") -> Tokenizer:
    """A tokenizer from what its to_json() gave.

    Args:
        kind: its name; byte and char say themselves what they are.
        place: where the text comes from, for messages.

    Raises:
        DataError: it is no tokenizer.
    """
    try:
        tree = json.loads(text)
    except (ValueError, RecursionError) as e:
        raise DataError(f"{place} is not a tokenizer: it is not JSON ({e})") from e
    said = tree.get("kind") if isinstance(tree, dict) else None
    if said == "byte":
        return ByteTokenizer()
    if said == "char" and isinstance(tree.get("characters"), str):
        return CharTokenizer(tree["characters"])
    from tokenizers import Tokenizer as Inner

    inner = _read(lambda: Inner.from_str(text), f"{place} is not a tokenizer that the tokenizers library reads")
    return BpeTokenizer(inner, "bpe" if kind in ("byte", "char") else kind)


def _read(make: Callable[[], Any], wrong: str) -> Any:
    """What the library makes of a stranger's file; DataError begins with `wrong` where it makes nothing."""
    try:
        return make()
    except Exception as e:  # all that the library raises is plain Exception
        raise DataError(f"{wrong}: {e}") from e


def _gpt2_pair(folder: Path) -> Any:
    """GPT-2's BPE from vocab.json and merges.txt, or under OpenAI's names encoder.json and vocab.bpe."""
    from tokenizers import Tokenizer as Inner
    from tokenizers import decoders, models, pre_tokenizers

    for vocabulary, merges in (("vocab.json", "merges.txt"), ("encoder.json", "vocab.bpe")):
        if (folder / vocabulary).is_file() and (folder / merges).is_file():
            pair = str(folder / vocabulary), str(folder / merges)
            inner = Inner(_read(partial(models.BPE.from_file, *pair), f"{folder}: {vocabulary} and {merges} are no BPE and its merges"))
            inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
            inner.decoder = decoders.ByteLevel()
            inner.add_special_tokens([END])
            return inner
    raise DataError(f"{folder} has neither {FILE} nor vocab.json with merges.txt nor encoder.json with vocab.bpe")


def _checked(made: Tokenizer, kind: str, path: Path) -> Tokenizer:
    """The tokenizer, if it is of the kind that was asked for."""
    if kind in ("byte", "char") and made.name != kind:
        raise DataError(f"{path} is not a {kind} tokenizer but {made.name}")
    if kind in ("bpe", "gpt2") and not isinstance(made, BpeTokenizer):
        raise DataError(f"{path} is not a {kind} tokenizer but {made.name}")
    if kind == "gpt2" and made.vocab_size != GPT2_SIZE:
        raise DataError(f"{path} has {made.vocab_size:,} tokens, but GPT-2's tokenizer has {GPT2_SIZE:,}")
    return made

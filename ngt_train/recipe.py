"""What `ngttrain prepare` is asked for: the dataset and its options, the tokenizer, splits, filters."""

from __future__ import annotations

from dataclasses import dataclass, field

from ngt_train.documents import Filters
from ngt_train.errors import ConfigError


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Checked on construction; the same recipe on the same input gives the same bytes."""

    dataset: str = "stdlib"
    tokenizer: str = "bpe"  # byte, char, bpe, gpt2, hf:NAME
    vocabulary: int = 8192  # of a BPE trained here
    tokenizer_file: str = ""  # a saved tokenizer instead of a new one
    tokenizer_text: int = 200_000_000  # characters of the train split that a new tokenizer is made from, at most
    path: str = ""  # files or folder of text, pdf and fineweb10B
    glob: str = ""  # which files of a folder; empty: the dataset's own
    separator: str = ""  # of the documents within a text file; empty: a file is a document
    skip_unreadable: bool = False  # leave out and count files of text and pdf that cannot be read
    column: str = "text"  # with the text, of a Hugging Face dataset
    config: str = ""  # configuration of a Hugging Face dataset
    revision: str = ""  # of a Hugging Face dataset: a commit, a tag or a branch
    chunks: int | None = None  # training shards of fineweb10B; None: those there are, else 9
    val: float = 0.05  # fraction for validation where the dataset has no such split
    test: float = 0.0
    min_chars: int = 1
    max_chars: int | None = None
    match: str = ""
    exclude: str = ""
    deduplicate: bool = False
    limit: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for key in ("val", "test"):
            if not 0 <= getattr(self, key) < 1:
                raise ConfigError(f"{key} must be a fraction of at least 0 and below 1, not {getattr(self, key)}")
        if self.val + self.test >= 1:
            raise ConfigError(f"val {self.val} and test {self.test} leave nothing to train on")
        for key, least in (("vocabulary", 1), ("tokenizer_text", 1), ("min_chars", 0)):
            if getattr(self, key) < least:
                raise ConfigError(f"{key} must be at least {least}, not {getattr(self, key)}")
        if self.chunks is not None and self.chunks < 1:
            raise ConfigError(f"chunks must be at least 1, not {self.chunks}")
        self.filters()

    def filters(self) -> Filters:
        """The filters and limits among the settings."""
        return Filters(
            min_chars=self.min_chars,
            max_chars=self.max_chars,
            match=self.match,
            exclude=self.exclude,
            deduplicate=self.deduplicate,
            limit=self.limit,
        )

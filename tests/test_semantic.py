"""Cosines of sentence embeddings: encoders of a few thousand weights made here, read as the trainer reads any."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

from ngt_train import semantic, train  # noqa: E402
from ngt_train.errors import ConfigError, DataError  # noqa: E402
from tests import training  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore")
TEXTS = ["the moon pulls the sea", "nobody", "looks at either of them while the sea pulls"]


def encoder(folder: Path, **layout: Any) -> str:
    """A one-layer BERT of letters; `layout` are files of sentence-transformers, by their place."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *letters, *(f"##{letter}" for letter in letters)]
    folder.mkdir(parents=True)
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    torch.manual_seed(0)
    shape = transformers.BertConfig(
        vocab_size=len(words), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=24, max_position_embeddings=40
    )
    transformers.BertModel(shape).save_pretrained(folder)
    transformers.BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=40).save_pretrained(folder)
    for place, content in layout.items():
        path = folder / place.replace("__", "/").replace("_json", ".json")
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(content), encoding="utf-8")
    return str(folder)


def modules(*kinds: str) -> list[dict[str, Any]]:
    """modules.json of sentence-transformers."""
    paths = {"Transformer": "", "Pooling": "1_Pooling"}
    return [
        {"idx": i, "name": str(i), "path": paths.get(kind, kind), "type": f"sentence_transformers.models.{kind}"}
        for i, kind in enumerate(kinds)
    ]


def pooling(mode: str) -> dict[str, Any]:
    return {"word_embedding_dimension": 16, **{f"pooling_mode_{name}": name == mode for name in ("cls_token", "mean_tokens", "max_tokens")}}


def states(folder: str, text: str) -> Any:
    """The states (tokens, C) of one text, by transformers itself."""
    tokenizer, model = transformers.AutoTokenizer.from_pretrained(folder), transformers.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        return model(**tokenizer(text, return_tensors="pt", truncation=True, max_length=40)).last_hidden_state[0]


def test_a_plain_encoder_is_averaged_over_the_tokens_of_each_text(tmp_path: Path) -> None:
    folder = encoder(tmp_path / "e")
    got = semantic.load(folder)(TEXTS)
    for vector, text in zip(got, TEXTS, strict=True):  # padding of the shorter ones does not count
        torch.testing.assert_close(vector, states(folder, text).mean(0))


def test_the_layout_of_sentence_transformers_says_how_to_pool_and_where_to_cut(tmp_path: Path) -> None:
    layout = {"modules_json": modules("Transformer", "Pooling", "Normalize"), "sentence_bert_config_json": {"max_seq_length": 7}}
    first = encoder(tmp_path / "first", **layout, **{"1_Pooling__config_json": pooling("cls_token")})
    torch.testing.assert_close(semantic.load(first)([TEXTS[1]])[0], states(first, "nobod")[0])
    assert semantic.load(first).longest == 7
    mean = encoder(tmp_path / "mean", **layout, **{"1_Pooling__config_json": {"pooling_mode": "mean"}})
    torch.testing.assert_close(semantic.load(mean)([TEXTS[1]])[0], states(mean, "nobod").mean(0))


@pytest.mark.parametrize("mode", ["cls_token", "mean_tokens"])
def test_vectors_are_those_of_sentence_transformers(mode: str, tmp_path: Path) -> None:
    peer = pytest.importorskip("sentence_transformers")
    folder = encoder(tmp_path / "e", modules_json=modules("Transformer", "Pooling"), **{"1_Pooling__config_json": pooling(mode)})
    theirs = peer.SentenceTransformer(folder, device="cpu").encode(TEXTS, convert_to_tensor=True)
    torch.testing.assert_close(semantic.load(folder)(TEXTS), theirs)


@pytest.mark.parametrize(
    ("layout", "said"),
    [
        (
            {"modules_json": modules("Transformer", "Pooling", "Dense"), "1_Pooling__config_json": pooling("mean_tokens")},
            "has a part 'Dense'",
        ),
        ({"modules_json": modules("Transformer", "Pooling"), "1_Pooling__config_json": pooling("max_tokens")}, "pools by 'max_tokens'"),
        ({"modules_json": [{"idx": 0}]}, "is no sentence encoder that can be read here: 'type'"),
        ({"config_json": {"model_type": "no such"}}, "is no sentence encoder that can be read here"),
    ],
)
def test_what_is_not_computed_here_is_refused(layout: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=said):
        semantic.load(encoder(tmp_path / "e", **layout))


def test_an_empty_folder_is_no_encoder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"eval\.semantic_model = '.*' is no sentence encoder that can be read here"):
        semantic.load(str(tmp_path))


# -- in a run ------------------------------------------------------------------------------------------------------------
def test_a_mixed_run_ends_with_its_cosines_and_trains_as_without(tmp_path: Path) -> None:
    tokens, folder = training.corpus(tmp_path / "corpus"), encoder(tmp_path / "e")
    mixed = ("loss.kind=mixed", "eval.test=true")
    plain = training.tiny(tokens, tmp_path / "plain", *mixed)
    made = training.tiny(tokens, tmp_path / "made", *mixed, "eval.semantic=3", f"eval.semantic_model={folder}", "eval.semantic_tokens=20")
    train.run(plain)
    assert train.run(made).status == "finished"
    results = tmp_path / "made" / "results" / "g"
    document = json.loads((results / "run" / "metrics.json").read_text())
    told = document["semantic"]
    assert told["sbert_model"] == folder and len(set(told["sbert_cosine_all"])) == 3 and all(-1 <= x <= 1 for x in told["sbert_cosine_all"])
    assert told["sbert_cosine_mean"] == pytest.approx(sum(told["sbert_cosine_all"]) / 3)
    assert document["args"]["semantic_eval_samples"] == 3
    assert f"- Semantic (SBERT): {json.dumps(told)}\n" in (results / "results.md").read_text()
    assert training.curve(made, "eval", semantic.METRIC) == {10: told["sbert_cosine_mean"]}
    for kind, metric in (("train", "train/loss"), ("eval", "val/loss"), ("eval", "test/loss")):
        assert training.curve(made, kind, metric) == training.curve(plain, kind, metric)


def test_a_perfect_model_would_have_a_cosine_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tokens, folder = training.corpus(tmp_path / "corpus"), encoder(tmp_path / "e")
    made = training.tiny(tokens, tmp_path, "eval.semantic=2", f"eval.semantic_model={folder}", "eval.semantic_tokens=20", "train.steps=1")
    split = {}

    def oracle(model: Any, given: list[int], count: int, **_: Any) -> list[int]:
        whole = split["val"].window(0, split["val"].tokens).tolist()
        start = next(i for i in range(len(whole)) if whole[i : i + len(given)] == given)
        return whole[start + len(given) :][:count]

    real = semantic.of_session

    def spied(session: Any, *rest: Any) -> Any:
        split["val"] = session.corpus.val
        return real(session, *rest)

    monkeypatch.setattr(semantic, "generate", oracle)
    monkeypatch.setattr(semantic, "of_session", spied)
    train.run(made)
    assert training.curve(made, "eval", semantic.METRIC)[1] == pytest.approx(1, abs=1e-5)


def test_what_is_missing_is_said_before_the_first_step(tmp_path: Path) -> None:
    tokens = training.corpus(tmp_path / "corpus")
    for settings, kind, said in (
        ((f"eval.semantic_model={tmp_path}/missing",), ConfigError, r"eval\.semantic_model = .*missing. is no sentence encoder"),
        (("eval.semantic_tokens=100000",), DataError, r"'val' has [\d,]+ tokens, too few for eval\.semantic"),
    ):
        made = training.tiny(tokens, tmp_path, "eval.semantic=3", *settings)
        with pytest.raises(kind, match=said):
            train.run(made)
        assert not made.events_path().exists()

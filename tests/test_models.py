"""What holds for every variant: causal, deterministic, trainable, its parameters routed, its settings checked."""

from __future__ import annotations

import dataclasses

import pytest

torch = pytest.importorskip("torch")

from ngt_train import blocks, variants  # noqa: E402
from ngt_train.errors import ConfigError  # noqa: E402
from ngt_train.variants import ngt  # noqa: E402
from tests import models  # noqa: E402

ALL = sorted(models.SETTINGS)


def test_every_file_in_variants_is_tested_here() -> None:
    assert [name for name in variants.names() if name != "hf"] == ALL


def test_an_unknown_variant_is_refused_with_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"no model variant 'vanila'; did you mean 'vanilla'\?"):
        variants.load("vanila")


@pytest.mark.parametrize("name", ALL)
def test_later_tokens_do_not_change_a_bit_of_earlier_states(name: str) -> None:
    model = models.make(name).eval()
    models.disturb(model)
    text = models.tokens()
    before = model(text).hidden
    for cut in (1, 7, 19):
        changed = text.clone()
        changed[:, cut:] = (changed[:, cut:] + 1) % models.WORDS
        after = model(changed).hidden
        assert torch.equal(after[:, :cut], before[:, :cut])
        assert not torch.equal(after[:, cut:], before[:, cut:])


@pytest.mark.parametrize("name", ALL)
def test_one_batch_is_learned_by_heart(name: str) -> None:
    model = models.make(name)
    text = models.tokens(batch=2, length=16)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.0)
    for step in range(120):
        loss = models.loss_of(model, text)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if model.project_every and step % model.project_every == 0:
            model.project()
    assert loss.item() < 0.1


@pytest.mark.parametrize("name", ALL)
def test_the_seed_decides_the_weights(name: str) -> None:
    first, again, other = (models.make(name, seed).state_dict() for seed in (0, 0, 1))
    assert all(torch.equal(first[key], again[key]) for key in first)
    assert not all(torch.equal(first[key], other[key]) for key in first)


@pytest.mark.parametrize("name", ALL)
def test_every_parameter_gets_a_gradient_and_a_role(name: str) -> None:
    model = models.make(name, **({"cutoff": "soft"} if name == "ngt" else {}))
    models.disturb(model)
    text = models.tokens()
    output = model(text)
    penalty = model.penalty(output, 0)
    (models.loss_of(model, text) + (0.0 if penalty is None else penalty)).backward()
    assert [key for key, weight in model.named_parameters() if weight.grad is None or not weight.grad.abs().sum() > 0] == []
    roles = model.roles()
    assert set(roles) == {key for key, _ in model.named_parameters()}
    assert set(roles.values()) <= set(blocks.ROLES)
    assert {key for key, role in roles.items() if role == "vector"} == {key for key, weight in model.named_parameters() if weight.ndim < 2}


@pytest.mark.parametrize("name", ALL)
def test_padding_is_invisible(name: str) -> None:
    model = models.make(name).eval()
    models.disturb(model)
    text = models.tokens(batch=1, length=12)
    mask = torch.ones(1, 12, dtype=torch.bool)
    mask[:, 9:] = False
    other = text.clone()
    other[:, 9:] = 0
    assert torch.equal(model(text, mask).hidden[:, :9], model(other, mask).hidden[:, :9])
    torch.testing.assert_close(model(text, mask).hidden[:, :9], model(text[:, :9]).hidden, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_a_sequence_of_padding_alone_gives_numbers_and_gradients(name: str) -> None:
    model = models.make(name)
    mask = torch.ones(2, 8, dtype=torch.bool)
    mask[0] = False
    hidden = model(models.tokens(2, 8), mask).hidden
    hidden.square().sum().backward()
    assert hidden.isfinite().all()
    assert all(weight.grad.isfinite().all() for weight in model.parameters() if weight.grad is not None)


@pytest.mark.parametrize("name", ["ngt", "vanilla"])
def test_dropout_is_active_only_in_training(name: str) -> None:
    model = models.make(name, dropout=0.5)
    text = models.tokens()
    assert not torch.equal(model(text).hidden, model(text).hidden)
    model.eval()
    assert torch.equal(model(text).hidden, model(text).hidden)


@pytest.mark.parametrize("name", ALL)
def test_half_precision_stays_close(name: str) -> None:
    model = models.make(name).eval()
    text = models.tokens()
    exact = model(text).hidden
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = model(text).hidden
    assert rough.isfinite().all()
    assert (rough - exact).norm() / exact.norm() < 0.05


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ALL)
def test_compiled_models_compute_the_same(name: str) -> None:
    """Traced as for any compiler, then run as they are: a real compiler takes minutes."""
    model, text = models.make(name), models.tokens()
    wanted = model(text).hidden
    got = model.compiled(backend="eager")(text).hidden
    torch.testing.assert_close(got, wanted)
    torch.testing.assert_close(*(torch.autograd.grad(hidden.square().sum(), model.embedding)[0] for hidden in (got, wanted)))


def test_gravity_stays_out_of_the_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    plain = ngt.gravity_attention
    monkeypatch.setattr(ngt, "gravity_attention", lambda *args, **mode: seen.append(torch.compiler.is_compiling()) or plain(*args, **mode))
    models.make("ngt").compiled(backend="eager")(models.tokens())
    assert seen == [False, False]


@pytest.mark.parametrize("name", ALL)
def test_settings_that_cannot_be_are_refused(name: str) -> None:
    bad = [("vocab_size", 0), ("layers", -1), ("heads", 3), ("hidden", 2.5), ("block", True)]
    for field, value in bad:
        with pytest.raises(ConfigError, match=rf"model\.{'hidden' if field == 'heads' else field} = "):
            models.make(name, **{field: value})


@pytest.mark.parametrize("name", ALL)
def test_a_sequence_longer_than_the_block_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"25 tokens does not fit into model.block = 24"):
        models.make(name)(models.tokens(length=25))


@pytest.mark.parametrize("name", ALL)
def test_configs_are_frozen_and_plain(name: str) -> None:
    config = models.make(name).config
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.layers = 9
    assert type(config)(**dataclasses.asdict(config)) == config


def count(variant: str, **settings: object) -> int:
    """Parameters of a model of full size, without its memory."""
    module = variants.load(variant)
    with torch.device("meta"):
        return module.Model(module.Config(**settings)).parameter_count()


PUBLISHED = [
    ("vanilla", {"vocab_size": 8192, "mlp": 1536}, 25_486_336),
    ("vanilla", {"vocab_size": 8192}, 29_684_736),
    ("ngt", {"vocab_size": 8192}, 25_591_432),
    ("ngpt", {"vocab_size": 50257}, 52_802_321),
    ("ngpt", {"vocab_size": 50257, "alpha_shape": "vector"}, 52_808_449),
    ("ngpt", {"vocab_size": 50257, "layers": 10}, 56_341_269),
    ("ngpt", {"vocab_size": 50257, "hidden": 512}, 76_694_545),
    ("ngpt", {"vocab_size": 50257, "layers": 6, "hidden": 256, "alpha_shape": "vector"}, 30_486_017),
    ("ngpt", {"vocab_size": 50257, "layers": 11, "hidden": 768, "heads": 6}, 155_149_847),
    ("ngpt", {"vocab_size": 50257, "layers": 11, "hidden": 768, "heads": 6, "gated_residuals": True}, 155_166_743),
    ("gated", {"vocab_size": 50304}, 123_568_128),
    ("gated", {"vocab_size": 50304, "gate": "headwise"}, 123_623_424),
    ("gated", {"vocab_size": 50304, "gate": "elementwise"}, 130_646_016),
    ("gated", {"vocab_size": 50304, "gate": "const"}, 123_577_344),
]


@pytest.mark.parametrize(("name", "settings", "wanted"), PUBLISHED)
def test_parameters_of_the_published_models(name: str, settings: dict[str, object], wanted: int) -> None:
    assert count(name, **settings) == wanted


@pytest.mark.parametrize("name", ["vanilla", "ngt"])
def test_unit_initialisation_starts_as_high_as_published_and_scaled_at_the_logarithm_of_the_vocabulary(name: str) -> None:
    text = models.tokens(batch=8, length=24)
    wide = {"hidden": 256, "dropout": 0.0}
    assert 150 < models.loss_of(models.make(name, init="unit", **wide), text).item() < 400
    assert models.loss_of(models.make(name, init="scaled", **wide), text).item() == pytest.approx(4.11, abs=0.2)

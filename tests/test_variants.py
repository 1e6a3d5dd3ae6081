"""Special parts of the variants against their formulas written out, in fp64."""

from __future__ import annotations

import math
from typing import Any

import pytest

torch = pytest.importorskip("torch")

import torch.nn.functional as F  # noqa: E402

from ngt_train.errors import ConfigError  # noqa: E402
from ngt_train.variants import gated, ngpt, ngt  # noqa: E402
from tests import models  # noqa: E402


def rand(*shape: int, seed: int = 0) -> Any:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


# nGPT


@pytest.mark.parametrize("shape", ["scalar", "vector"])
@pytest.mark.parametrize("gates", [False, True])
def test_ngpt_residual_equals_its_formula_and_finite_differences(shape: str, gates: bool) -> None:
    config = ngpt.Config(vocab_size=5, hidden=6, heads=2, alpha_shape=shape, gated_residuals=gates, gate_init=0.4)
    residual = ngpt.Residual(config, 0.3).double()
    x, y = ngpt.unit(rand(3, 6)).requires_grad_(), rand(3, 6, seed=1).requires_grad_()
    moved = x + 0.3 * (1 / (1 + math.exp(-0.4)) if gates else 1.0) * y
    torch.testing.assert_close(residual(x, y), moved / moved.norm(dim=-1, keepdim=True), rtol=1e-7, atol=1e-8)
    assert torch.autograd.gradcheck(residual, (x, y))
    assert residual.alpha.shape == (() if shape == "scalar" else (6,))


def test_ngpt_logits_are_scaled_cosines() -> None:
    head = ngpt.CosineHead(ngpt.Config(vocab_size=7, hidden=6, heads=2, logit_scale=9.0)).double()
    x = rand(4, 6).requires_grad_()
    wanted = 9.0 * F.cosine_similarity(x[:, None], head.weight[None], dim=-1)
    torch.testing.assert_close(head(x), wanted, rtol=1e-7, atol=1e-7)
    assert torch.autograd.gradcheck(head, (x,))


def test_ngpt_scale_of_the_logits_is_learned_or_fixed() -> None:
    assert models.make("ngpt", learn_logit_scale=True).head.scale.requires_grad
    fixed = models.make("ngpt", learn_logit_scale=False)
    assert not fixed.head.scale.requires_grad
    assert fixed.parameter_count() == models.make("ngpt").parameter_count()


@pytest.mark.parametrize("projection", ["role", "rows"])
def test_ngpt_projection_puts_every_matrix_on_the_sphere(projection: str) -> None:
    model = models.make("ngpt", projection=projection)
    models.disturb(model)
    vectors = {name: weight.clone() for name, weight in model.named_parameters() if weight.ndim < 2}
    model.project()
    for name, weight in model.named_parameters():
        if weight.ndim == 2:
            along = 0 if projection == "role" and name.endswith(("attention.out.weight", "mlp.down.weight")) else 1
            assert (weight.double().norm(dim=along) - 1).abs().max() < 1e-6, name
        else:
            assert torch.equal(weight, vectors[name])


def test_ngpt_starts_on_the_sphere_and_its_states_stay_there() -> None:
    model = models.make("ngpt")
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    model.project()
    assert all((weight - before[name]).abs().max() < 1e-6 for name, weight in model.state_dict().items())
    models.disturb(model)
    assert (model(models.tokens()).hidden.double().norm(dim=-1) - 1).abs().max() < 1e-6


def test_ngpt_alpha_schedules() -> None:
    def starts(schedule: str) -> list[float]:
        return [round(0.2 * ngpt.alpha_factor(schedule, layer, 5), 4) for layer in range(5)]

    assert starts("constant") == [0.2] * 5
    assert starts("linear") == [0.14, 0.17, 0.2, 0.23, 0.26]
    assert starts("upsidedown_u") == [0.2, 0.2707, 0.3, 0.2707, 0.2]
    assert starts("downsideup_u") == [0.2, 0.1576, 0.14, 0.1576, 0.2]
    assert ngpt.alpha_factor("linear", 0, 1) == 0.7


def test_ngpt_alphas_may_differ_between_attention_and_mlp() -> None:
    model = models.make("ngpt", alpha_shape="scalar", alpha_attention=0.15, alpha_mlp=0.4)
    assert [(layer.residual_attention.alpha.item(), layer.residual_mlp.alpha.item()) for layer in model.layers] == [
        pytest.approx((0.15, 0.4))
    ] * 2


# gated attention


def gate_reference(layer: Any, x: Any, kind: str, activation: str) -> Any:
    """The gate of every token, head and channel (T, H, D), one number at a time."""
    heads, width = layer.heads, x.size(-1) // layer.heads
    out = torch.empty(x.size(0), heads, width, dtype=x.dtype)
    for t in range(x.size(0)):
        for h in range(heads):
            for d in range(width):
                if kind == "const":
                    logit = layer.gate.weight[h, d].item()
                else:
                    row = h if kind == "headwise" else h * width + d
                    logit = (layer.gate.project.weight[row] * x[t]).sum().item()
                s = 1 / (1 + math.exp(-logit))
                out[t, h, d] = s if activation == "sigmoid" else 0.5 + 0.5 * s
    return out


@pytest.mark.parametrize("activation", gated.GATE_ACTIVATIONS)
@pytest.mark.parametrize("position", gated.GATE_POSITIONS)
@pytest.mark.parametrize("kind", gated.GATES)
def test_gated_attention_equals_its_formula(kind: str, position: str, activation: str) -> None:
    config = gated.Config(vocab_size=5, hidden=12, heads=3, block=9, gate=kind, gate_position=position, gate_activation=activation)
    torch.manual_seed(0)
    layer = gated.Attention(config).double()
    layer.rotary.cos, layer.rotary.sin = layer.rotary.cos.double(), layer.rotary.sin.double()
    models.disturb(layer)
    x = rand(1, 7, 12).requires_grad_()

    def turned(state: Any) -> Any:
        out = torch.empty_like(state)
        for t in range(7):
            for pair in range(2):
                angle = t / 10_000 ** (pair / 2)
                a, b = state[t, :, pair], state[t, :, pair + 2]
                out[t, :, pair] = a * math.cos(angle) + b * math.sin(angle)
                out[t, :, pair + 2] = b * math.cos(angle) - a * math.sin(angle)
        return out / (out.square().mean(-1, keepdim=True) + torch.finfo(out.dtype).eps).sqrt()

    q, k, v = ((x[0] @ part.weight.T).view(7, 3, 4) for part in (layer.q, layer.k, layer.v))
    gate = gate_reference(layer, x[0], kind, activation) if kind != "none" else torch.ones_like(v)
    v = v * gate if position == "value" else v
    score = torch.einsum("thd,shd->hts", turned(q), turned(k)) / 2
    weight = torch.softmax(score.masked_fill(torch.ones(7, 7).triu(1).bool(), -math.inf), -1)
    y = torch.einsum("hts,shd->thd", weight, v)
    y = y * gate if position == "sdpa" else y
    torch.testing.assert_close(layer(x, None)[0], y.reshape(7, 12) @ layer.out.weight.T, rtol=1e-6, atol=1e-6)
    assert torch.autograd.gradcheck(lambda state: layer(state, None), (x,), atol=1e-4)


def test_gated_blocks_start_as_the_identity_and_square_their_relu() -> None:
    model = models.make("gated")
    text = models.tokens()
    torch.testing.assert_close(model(text).hidden, gated.rms_norm(model.token_embedding(text)))
    mlp = gated.MLP(gated.Config(vocab_size=5, hidden=4, heads=2)).double()
    models.disturb(mlp)
    x = rand(3, 4)
    torch.testing.assert_close(mlp(x), (x @ mlp.up.weight.T).clamp_min(0) ** 2 @ mlp.down.weight.T)


def test_rotary_positions_need_pairs_of_channels() -> None:
    with pytest.raises(ConfigError, match=r"model.hidden / model.heads = 3 is odd"):
        gated.Config(vocab_size=5, hidden=6, heads=2)


# NGT


def test_repulsion_equals_its_formula_and_finite_differences() -> None:
    z, mass = rand(2, 5, 3).requires_grad_(), F.softplus(rand(2, 5, seed=1)).requires_grad_()
    pairs = [mass[b, i] * mass[b, j] / (z[b, i] - z[b, j]).square().sum() for b in range(2) for i in range(5) for j in range(i + 1, 5)]
    torch.testing.assert_close(ngt.repulsion(z, mass, 0), sum(pairs) / len(pairs))
    assert torch.autograd.gradcheck(lambda z, mass: ngt.repulsion(z, mass, 0), (z, mass))


def test_repulsion_of_tokens_in_one_place_is_bounded() -> None:
    z = torch.zeros(1, 4, 3, requires_grad=True)
    value = ngt.repulsion(z, torch.ones(1, 4), 0)
    value.backward()
    assert value.item() == pytest.approx(1e6)
    assert z.grad is not None and z.grad.abs().sum() == 0


def test_repulsion_samples_by_the_step_and_leaves_the_global_generator_alone() -> None:
    z, mass = rand(1, 200, 3), torch.ones(1, 200, dtype=torch.float64)
    state = torch.random.get_rng_state()
    assert ngt.repulsion(z, mass, 5) == ngt.repulsion(z, mass, 5) != ngt.repulsion(z, mass, 6)
    assert torch.equal(state, torch.random.get_rng_state())
    assert ngt.repulsion(z[:, :1], mass[:, :1], 0) == 0


def test_repulsion_comes_at_its_interval_with_its_weight() -> None:
    model = models.make("ngt", repulsion=0.25, repulsion_interval=8)
    output = model(models.tokens())
    assert [step for step in range(20) if model.penalty(output, step) is not None] == [0, 8, 16]
    plain = ngt.repulsion(output.extra["coords"], output.extra["mass"], 8)
    torch.testing.assert_close(model.penalty(output, 8), 0.25 * plain)
    assert models.make("ngt", repulsion=0.0).penalty(output, 0) is None


def test_coordinates_start_at_the_position_and_end_in_the_output() -> None:
    model = models.make("ngt").eval()
    text = models.tokens()
    output, path = model(text), model.trajectory(text)
    assert path.shape == (3, 3, 20, 12)
    assert torch.equal(path[0, 0], model.coordinate_embedding.weight[:20])
    assert torch.equal(path[-1], output.extra["coords"])
    torch.testing.assert_close(output.extra["mass"], F.softplus(model.mass_embedding(text)[..., 0]))


def test_coordinates_stay_in_full_precision_under_autocast() -> None:
    model = models.make("ngt").eval()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        output = model(models.tokens())
    assert output.extra["coords"].dtype == output.extra["mass"].dtype == torch.float32


@pytest.mark.parametrize(
    ("field", "value"), [("cutoff", "medium"), ("repulsion", -1.0), ("repulsion_interval", 0), ("init", "unti"), ("coordinates", 0)]
)
def test_ngt_settings_that_cannot_be_are_refused(field: str, value: Any) -> None:
    with pytest.raises(ConfigError, match=f"model.{field} = "):
        models.make("ngt", **{field: value})

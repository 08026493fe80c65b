"""Generative models: losses against closed forms, conditions, seeds, what mixing changes."""

import math
from functools import partial

import pytest
import torch
from torch.distributions import Independent, Normal, kl_divergence
from torch.utils.data import TensorDataset

from mixup_lib import draw_mixup, fit, no_mix
from mixup_lib.basics.seeds import initialised
from mixup_lib.datasets.plane import (
    RING_DEVIATION,
    ring_centres,
    ring_of_gaussians,
    swiss_roll,
)
from mixup_lib.measures.covering import coverage, modes_covered, near_modes
from mixup_lib.models import (
    MLP,
    VAE,
    Autoencoder,
    Discriminator,
    Generator,
    gaussian_kl,
)
from mixup_lib.models.multimodal import TwoSenses, companions, mix_apart
from mixup_lib.training.gan import fit_gan
from mixup_lib.training.generating import elbo, fit_autoencoder, mix_codes, sample

G = torch.Generator().manual_seed(0)
X, Y = torch.rand(30, 1, 4, 4, generator=G), torch.arange(30) % 3
DATA = TensorDataset(X, Y)


def gan(classes=3, seed=0, shape=(1, 4, 4)):
    generator = initialised(partial(Generator, shape, classes, hidden=8), seed)
    return generator, initialised(partial(Discriminator, shape, classes, hidden=8), seed)


def weights(*models):
    return torch.cat([p.detach().flatten() for model in models for p in model.parameters()])


def test_gaussian_kl_is_the_closed_form():
    mean, log_variance = torch.randn(2, 20, 5, generator=G)
    coded = Independent(Normal(mean, (log_variance / 2).exp()), 1)
    prior = Independent(Normal(torch.zeros(20, 5), torch.ones(20, 5)), 1)
    torch.testing.assert_close(gaussian_kl(mean, log_variance), kl_divergence(coded, prior))
    assert gaussian_kl(torch.zeros(2, 4), torch.zeros(2, 4)).tolist() == [0, 0]


def test_the_loss_of_a_vae_is_kl_minus_log_density():
    """With an encoder of almost no variance the code is known, and so is the density."""
    model = initialised(partial(VAE, (1, 4, 4), latent=3, hidden=8), 0)
    with torch.no_grad():
        model.encoder[-1].weight[3:] = 0
        model.encoder[-1].bias[3:] = -100  # the log variance is clamped
    mean, log_variance = model.encode(X)
    assert log_variance.unique().tolist() == [-12]
    density = Normal(model.decode(mean), model.log_scale.exp()).log_prob(X).flatten(1).sum(1)
    expected = gaussian_kl(mean, log_variance) - density
    torch.testing.assert_close(model(X), expected, rtol=0.02, atol=0.05)


def test_the_elbo_is_below_the_log_density_where_that_is_known():
    """A linear decoder of a Gaussian code has a Gaussian density."""
    model = initialised(partial(VAE, (2,), latent=1, hidden=4, bounded=False), 0)
    with torch.no_grad():
        for layer in model.encoder:
            if isinstance(layer, torch.nn.Linear):
                layer.weight.zero_(), layer.bias.zero_()  # the posterior is the prior
        first, _, last = model.decoder
        first.weight.copy_(torch.tensor([[1.0], [-1.0], [0.0], [0.0]]))
        first.bias.zero_()
        # A unit of slopes 1 and 0.2, minus its mirror image, is 1.2 z.
        last.weight.copy_(torch.tensor([[1.0, -1.0, 0, 0], [0.5, -0.5, 0, 0]]))
        last.bias.zero_()
        model.log_scale.fill_(math.log(0.7))
    column = torch.tensor([[1.2], [0.6]])
    covariance = column @ column.T + 0.49 * torch.eye(2)
    truth = torch.distributions.MultivariateNormal(torch.zeros(2), covariance)
    x = torch.randn(500, 2, generator=G) @ torch.linalg.cholesky(covariance).T
    bound = elbo(model, x, samples=500)
    assert bound.mean() < truth.log_prob(x).mean() - 0.1
    # The gap is the divergence of the prior from the posterior, here a Gaussian's.
    precision = 1 + (column**2).sum() / 0.49
    posterior = Normal((x @ column)[:, 0] / 0.49 / precision, precision**-0.5)
    gap = kl_divergence(Normal(torch.zeros(500), torch.ones(500)), posterior)
    expected = (truth.log_prob(x) - gap).mean()
    torch.testing.assert_close(bound.mean(), expected, rtol=0, atol=0.05)


@pytest.mark.parametrize("classes", [0, 3])
def test_samples_have_the_shape_asked_for_and_follow_the_seed(classes):
    y = torch.tensor([0, 2, 1, 1]) if classes else None
    for model in (VAE((1, 4, 4), classes, hidden=8), Generator((1, 4, 4), classes, hidden=8)):
        x = sample(model, 4, y, seed=3)
        assert x.shape == (4, 1, 4, 4) and x.dtype == torch.float32 and not x.requires_grad
        assert 0 <= x.min() and x.max() <= 1
        assert torch.equal(x, sample(model, 4, y, seed=3))
        assert not torch.equal(x, sample(model, 4, y, seed=4))
        if classes:
            soft = torch.nn.functional.one_hot(y, 3).float()
            torch.testing.assert_close(x, sample(model, 4, soft, seed=3))
            assert not torch.equal(x, sample(model, 4, 0 * soft + 1 / 3, seed=3))


def test_conditional_samples_are_of_their_class():
    """Classes that are plain grey levels are easy to tell."""
    y = torch.arange(60) % 3
    x = (0.1 + 0.4 * y.float()).view(-1, 1, 1, 1) + 0.03 * torch.randn(60, 1, 4, 4, generator=G)
    data, wanted = TensorDataset(x, y), torch.arange(3).repeat_interleave(10)
    vae = initialised(partial(VAE, (1, 4, 4), classes=3, latent=2, hidden=16), 0)
    fit_autoencoder(vae, data, epochs=60, lr=1e-2, batch_size=20)
    generator, discriminator = gan()
    fit_gan(generator, discriminator, data, steps=300, batch_size=32, lr=3e-3)
    for model in (vae, generator):
        level = sample(model, 30, wanted).mean((1, 2, 3)).view(3, 10).mean(1)
        torch.testing.assert_close(level, torch.tensor([0.1, 0.5, 0.9]), atol=0.13, rtol=0)
    half = torch.tensor([[0.5, 0, 0.5]]).repeat(10, 1)
    assert 0.2 < sample(vae, 10, half).mean() < 0.8


@pytest.mark.parametrize("mixing", [None, partial(draw_mixup, alpha=1.0)])
def test_training_follows_the_seed_and_leaves_the_global_one(mixing):
    before = torch.get_rng_state()
    runs = []
    for seed in (0, 0, 1):
        vae = initialised(partial(VAE, (1, 4, 4), 3, hidden=8), 0)
        fit_autoencoder(vae, DATA, epochs=2, batch_size=10, mixing=mixing, seed=seed)
        generator, discriminator = gan()
        fit_gan(generator, discriminator, DATA, steps=3, mixing=mixing, mixtures=mixing, seed=seed)
        runs.append(weights(vae, generator, discriminator))
    assert torch.equal(runs[0], runs[1]) and not torch.equal(runs[0], runs[2])
    assert torch.equal(before, torch.get_rng_state())


def test_mixing_trains_another_model_and_nothing_mixed_trains_the_same():
    found = {}
    for name, mixing in {
        "none": None,
        "no_mix": lambda n, generator: no_mix(n),
        "mixup": draw_mixup,
    }.items():
        vae = initialised(partial(VAE, (1, 4, 4), hidden=8), 0)
        fit_autoencoder(vae, DATA, epochs=2, batch_size=10, mixing=mixing)
        found[name] = weights(vae)
    assert torch.equal(found["none"], found["no_mix"])
    assert not torch.equal(found["none"], found["mixup"])


def test_the_discriminator_sees_real_and_generated_mixed_with_their_share():
    """Each real example's partner is the generated one of the same place, hence class."""
    seen = []

    def mixing(batch_size, partners, generator):
        mix = draw_mixup(batch_size, 1.0, partners=partners, generator=generator)
        seen.append((batch_size, partners, mix.targets(torch.cat([torch.ones(4), torch.zeros(4)]))))
        return mix

    fit_gan(*gan(), DATA, steps=1, batch_size=4, mixing=mixing)
    ((count, partners, target),) = seen
    assert count == 8 and partners.tolist() == [4, 5, 6, 7, 0, 1, 2, 3]
    torch.testing.assert_close(target[:4] + target[4:], torch.ones(4))


def test_mixed_codes_decode_to_what_the_classifier_sees():
    autoencoder = Autoencoder((1, 4, 4), latent=3, hidden=8)
    fit_autoencoder(autoencoder, DATA, epochs=1)
    before, model = weights(autoencoder), MLP(16, 4, 3)
    mix = draw_mixup(30, 1.0, generator=G)
    codes = mix.weights[0, 0] * autoencoder.encode(X)
    codes = codes + mix.weights[1, 0] * autoencoder.encode(X[mix.index[1]])
    expected = model(autoencoder.decode(codes))
    torch.testing.assert_close(mix_codes(model, X, mix, autoencoder), expected)
    fit(
        model,
        DATA,
        epochs=1,
        mixing=draw_mixup,
        forward=partial(mix_codes, autoencoder=autoencoder),
    )
    assert torch.equal(before, weights(autoencoder))


@pytest.mark.parametrize(
    "call, words",
    [
        (lambda: VAE(()), "shape is"),
        (lambda: Generator((2,), classes=-1), "classes must be"),
        (lambda: VAE((2,), 3)(torch.rand(4, 2)), "y=None; valid is"),
        (lambda: VAE((2,))(torch.rand(4, 2), torch.zeros(4)), "valid is None"),
        (lambda: Generator((2,), 3).condition(torch.tensor([3])), "class ids .* 0 to 2"),
        (lambda: Generator((2,), 3).condition(torch.rand(4, 2)), r"valid is \(B, 3\)"),
        (lambda: sample(VAE((2,)), 0), "count must be"),
        (lambda: sample(VAE((2,), 3), 4, torch.zeros(3).long()), "length 3; valid is count=4"),
        (lambda: fit_autoencoder(VAE((2,)), DATA), r"\(1, 4, 4\); valid is \(2,\)"),
        (lambda: fit_gan(gan(3)[0], gan(0)[1], DATA), "3 classes, discriminator"),
        (lambda: fit_gan(*gan(0), DATA, mixtures=draw_mixup), "mixtures needs networks"),
        (lambda: fit_gan(*gan(0), DATA, average=1.0), "average=1.0"),
        (lambda: fit_gan(*gan(0), DATA, steps=0), "steps must be"),
        (lambda: modes_covered(X, ring_centres(), 0.1), "valid are"),
        (lambda: near_modes(torch.rand(3, 2), ring_centres(), 0.0), "radius=0.0"),
        (lambda: modes_covered(torch.rand(3, 2), ring_centres(), 0.1, share=0), "share=0"),
        (lambda: coverage(X, X, neighbours=30), "below the 30 real"),
        (lambda: companions(Y, torch.zeros(4).long()), "class 1 of y"),
        (lambda: TwoSenses(0, 4, 3), "seen must be"),
    ],
)
def test_bad_input_raises(call, words):
    with pytest.raises(ValueError, match=words):
        call()


def test_modes_covered_on_known_samples():
    centres, radius = ring_centres(), 3 * RING_DEVIATION
    x, mode = ring_of_gaussians(4000, seed=1)
    assert modes_covered(x, centres, radius) == 8
    assert modes_covered(x[mode < 3], centres, radius) == 3
    near = near_modes(x, centres, radius)
    assert torch.equal(near[near >= 0], mode[near >= 0])
    # Three deviations hold 1 - exp(-9/2) of a Gaussian in the plane.
    assert (near >= 0).float().mean() == pytest.approx(1 - math.exp(-4.5), abs=0.01)
    assert modes_covered(torch.zeros(50, 2), centres, radius) == 0
    # One stray sample covers nothing; twenty hundredths of a mode's share do.
    stray = torch.cat([centres[:1].repeat(799, 1), centres[1:2]])
    assert modes_covered(stray, centres, radius) == 1
    enough = torch.cat([centres[:1].repeat(780, 1), centres[1:2].repeat(20, 1)])
    assert modes_covered(enough, centres, radius) == 2


@pytest.mark.parametrize("make", [ring_of_gaussians, swiss_roll])
def test_coverage_on_known_samples(make):
    real, fresh = make(1000, seed=0)[0], make(1000, seed=1)[0]
    assert real.shape == (1000, 2) and torch.equal(make(1000, seed=0)[0], real)
    assert coverage(real, real) == 1
    assert coverage(real, fresh) == pytest.approx(1 - 2**-5, abs=0.025)
    assert coverage(real, fresh + 10) == 0
    side = fresh[real.mean(0)[0] < fresh[:, 0]]  # only the right half is made
    assert 0.35 < coverage(real, side) < 0.65


def test_companions_share_the_class_and_one_draw_mixes_both_senses():
    y, among = torch.randint(3, (50,), generator=G), torch.randint(3, (9,), generator=G)
    assert torch.equal(among[companions(y, among, G)], y)
    model, x, mix = TwoSenses(4, 6, 3, hidden=8), torch.rand(5, 10), draw_mixup(5, generator=G)
    assert model(mix.inputs(x)).shape == (5, 3)
    seen = []
    model.ear.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    model.eye.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    mix_apart(model, x, mix)
    mixed = mix.inputs(x)
    torch.testing.assert_close(seen[0], mixed[:, :4])
    assert not torch.allclose(seen[1], mixed[:, 4:])

#!/usr/bin/python3
"""Small nets trained by PyTorch's optimizers in double: prints trajectories.h. See README.md.

Every net is trained RUNS times. Run 0 is exact; in the others every number that a net of floats
would store (z, a, gradients, parameters, moments) is off by up to half a unit in the last place of
a float. What is stored beside the losses and parameters of run 0 is how far the others get away
from them.
"""
import torch
import torch.nn.functional as F

from formatting import c_field, c_header
from optimizers import SHAPING, make_optimizer, moments_of, momentum_of, shape_gradients

RUNS = 33
STEPS, EVERY = 60, 5
ROWS = 7
LEAKY_SLOPE, ELU_ALPHA, HUBER_DELTA = 0.125, 0.75, 0.5

torch.set_default_dtype(torch.float64)

ACTIVATIONS = {
    "identity": lambda z: z,
    "relu": F.relu,
    "leaky_relu": lambda z: F.leaky_relu(z, LEAKY_SLOPE),
    "sigmoid": torch.sigmoid,
    "tanh": torch.tanh,
    "elu": lambda z: F.elu(z, ELU_ALPHA),
    "selu": F.selu,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "silu": F.silu,
    "gelu": F.gelu,
    "hard_sigmoid": F.hardsigmoid,
    "hard_tanh": F.hardtanh,
}

# Of the last layer's output; of its z, the activation included, for the two pairs.
LOSSES = {
    "half_squared_error": lambda y, t: 0.5 * ((t - y) ** 2).sum(dim=1).mean(),
    "mean_squared_error": F.mse_loss,
    "mean_absolute_error": F.l1_loss,
    "huber": lambda y, t: F.huber_loss(y, t, delta=HUBER_DELTA),
    "binary_cross_entropy": F.binary_cross_entropy_with_logits,
    "cross_entropy": F.cross_entropy,
}
PAIRS = [("softmax", "cross_entropy"), ("sigmoid", "binary_cross_entropy")]

# sizes, activations, loss; method, learning rate, weight decay, shaping of gradients
NETS = [
    ((4, 8, 3), ("tanh", "softmax"), "cross_entropy", "sgd", 0.5, 0.0),
    ((5, 7, 2), ("relu", "identity"), "mean_squared_error", "sgd", 0.125, 0.0),
    ((3, 4, 1), ("sigmoid", "sigmoid"), "binary_cross_entropy", "sgd", 1.0, 0.0),
    ((3, 6, 2), ("gelu", "identity"), "half_squared_error", "sgd", 0.125, 0.0),
    ((3, 6, 2), ("silu", "identity"), "half_squared_error", "sgd", 0.125, 0.0),
    ((3, 6, 2), ("elu", "identity"), "huber", "sgd", 0.25, 0.0),
    ((3, 6, 2), ("selu", "identity"), "huber", "sgd", 0.25, 0.0),
    ((3, 6, 2), ("softplus", "identity"), "mean_squared_error", "sgd", 0.125, 0.0),
    ((3, 6, 2), ("softsign", "identity"), "mean_squared_error", "sgd", 0.25, 0.0),
    ((3, 6, 2), ("leaky_relu", "tanh"), "half_squared_error", "sgd", 0.125, 0.0),
    ((3, 6, 2), ("hard_tanh", "hard_sigmoid"), "mean_squared_error", "sgd", 0.25, 0.0),
    ((3, 6, 2), ("tanh", "sigmoid"), "mean_squared_error", "sgd", 0.5, 0.0),
    (
        (2, 5, 4, 3, 2),
        ("gelu", "selu", "softsign", "sigmoid"),
        "binary_cross_entropy",
        "sgd",
        0.5,
        0.0,
    ),
    ((2, 17, 9, 3), ("silu", "elu", "softmax"), "cross_entropy", "sgd", 0.25, 0.0),
    ((4, 6, 3), ("softsign", "softmax"), "cross_entropy", "sgd", 0.25, 0.015625),
    ((3, 6, 2), ("gelu", "identity"), "half_squared_error", "momentum", 0.03125, 0.0),
    ((4, 6, 3), ("tanh", "softmax"), "cross_entropy", "momentum", 0.0625, 0.015625),
    ((3, 6, 2), ("softplus", "identity"), "mean_squared_error", "nesterov", 0.03125, 0.0),
    ((3, 6, 2), ("tanh", "sigmoid"), "binary_cross_entropy", "nesterov", 0.125, 0.015625),
    ((4, 6, 3), ("silu", "softmax"), "cross_entropy", "adagrad", 0.125, 0.0),
    ((3, 6, 2), ("tanh", "identity"), "half_squared_error", "adagrad", 0.125, 0.015625),
    ((3, 6, 2), ("tanh", "sigmoid"), "binary_cross_entropy", "rmsprop", 0.015625, 0.0),
    ((4, 6, 3), ("gelu", "softmax"), "cross_entropy", "rmsprop", 0.015625, 0.015625),
    ((4, 6, 3), ("tanh", "softmax"), "cross_entropy", "adam", 0.03125, 0.0),
    ((3, 6, 2), ("gelu", "identity"), "mean_squared_error", "adam", 0.03125, 0.015625),
    ((3, 6, 2), ("silu", "sigmoid"), "binary_cross_entropy", "adamw", 0.03125, 0.015625),
    ((4, 6, 3), ("tanh", "softmax"), "cross_entropy", "adamw", 0.03125, 0.25),
    ((3, 6, 2), ("tanh", "sigmoid"), "binary_cross_entropy", "rprop", 0.0125, 0.0),
    ((3, 6, 2), ("gelu", "identity"), "mean_squared_error", "rprop", 0.03125, 0.0),
    (
        (3, 6, 2),
        ("silu", "sigmoid"),
        "binary_cross_entropy",
        "rprop",
        0.03125,
        0.0,
        {"l1": 0.0009765625, "clip_value": 0.0625, "clip_norm": 0.125},
    ),
    ((3, 6, 2), ("tanh", "sigmoid"), "mean_squared_error", "sgd", 0.5, 0.0, {"l1": 0.00390625}),
    (
        (3, 6, 2),
        ("gelu", "identity"),
        "half_squared_error",
        "sgd",
        0.125,
        0.0,
        {"clip_value": 0.0625},
    ),
    ((4, 6, 3), ("tanh", "softmax"), "cross_entropy", "sgd", 1.0, 0.0, {"clip_norm": 0.25}),
    (
        (4, 6, 3),
        ("tanh", "softmax"),
        "cross_entropy",
        "momentum",
        0.0625,
        0.015625,
        {"l1": 0.00390625, "clip_value": 0.0625},
    ),
    (
        (3, 6, 2),
        ("softplus", "identity"),
        "mean_squared_error",
        "nesterov",
        0.03125,
        0.0,
        {"clip_norm": 0.25},
    ),
    (
        (4, 6, 3),
        ("silu", "softmax"),
        "cross_entropy",
        "adam",
        0.03125,
        0.0,
        {"l1": 0.00390625, "clip_norm": 0.25},
    ),
    (
        (3, 6, 2),
        ("tanh", "sigmoid"),
        "binary_cross_entropy",
        "adamw",
        0.03125,
        0.25,
        {"l1": 0.00390625, "clip_value": 0.0625, "clip_norm": 0.125},
    ),
]


def floats(values):
    return values.float().double()


def half_ulps(values, generator):
    return values * (1 + (2 * torch.rand(values.shape, generator=generator) - 1) * 2.0**-24)


def forward(parameters, activations, loss_name, x, stored):
    """The output, or z of the last layer if the loss is taken of that."""
    for layer, activation in enumerate(activations):
        w, b = parameters[2 * layer : 2 * layer + 2]
        z = stored(x @ w + b)
        if layer + 1 == len(activations) and (activation, loss_name) in PAIRS:
            return z
        x = stored(ACTIVATIONS[activation](z))
    return x


def train(initial, activations, loss_name, settings, x, t, stored):
    """The losses before every EVERY-th step and after the last, and the final parameters."""
    parameters = [p.clone().requires_grad_() for p in initial]
    method, rate, weight_decay, shaping = settings
    optimizer = make_optimizer(method, parameters, rate, weight_decay)
    losses = []
    for step in range(STEPS + 1):
        optimizer.zero_grad()
        y = forward(parameters, activations, loss_name, x, stored)
        loss = LOSSES[loss_name](y, t)
        if step % EVERY == 0:
            losses.append(loss.item())
        if step == STEPS:
            break
        loss.backward()
        with torch.no_grad():
            for p in parameters:
                p.grad.copy_(stored(p.grad))
        shape_gradients(parameters, **shaping)
        optimizer.step()
        with torch.no_grad():
            for p in parameters:
                p.copy_(stored(p))
                for moment in moments_of(method, optimizer, p):
                    moment.copy_(stored(moment))
    return torch.tensor(losses), torch.cat([p.detach().flatten() for p in parameters])


def make_task(sizes, last, generator):
    """Floats: initial parameters, x and a target that suits the last activation."""
    initial = []
    for inputs, units in zip(sizes, sizes[1:]):
        initial.append(floats(torch.randn(inputs, units, generator=generator) / inputs**0.5))
        initial.append(floats(0.25 * torch.randn(units, generator=generator)))
    x = floats(torch.randn(ROWS, sizes[0], generator=generator))
    t = floats(torch.rand(ROWS, sizes[-1], generator=generator))
    if last == "softmax":
        t = F.one_hot(t.argmax(dim=1), sizes[-1]).double()
    return initial, x, t


def entry(index, sizes, activations, loss_name, method, rate, weight_decay, shaping={}):
    settings = method, rate, weight_decay, shaping
    generator = torch.Generator().manual_seed(100 + index)
    initial, x, t = make_task(sizes, activations[-1], generator)
    exact, final = train(initial, activations, loss_name, settings, x, t, lambda values: values)
    assert exact[-1] < 0.9 * exact[0], "nothing was learned"
    loss_spread, final_spread = torch.zeros_like(exact), 0.0
    for _ in range(1, RUNS):
        noisy = train(
            initial, activations, loss_name, settings, x, t, lambda v: half_ulps(v, generator)
        )
        loss_spread = torch.maximum(loss_spread, (noisy[0] - exact).abs())
        final_spread = max(final_spread, (noisy[1] - final).abs().max().item())
    names = ", ".join('"%s"' % a for a in activations)
    units = ", ".join(str(u) for u in sizes[1:])
    return "\n    ".join(
        [
            "{.inputs = %d, .layer_count = %d," % (sizes[0], len(activations)),
            ".units = {%s}, .activations = {%s}," % (units, names),
            '.loss = "%s", .method = "%s",' % (loss_name, method),
            ".learning_rate = %sf, .momentum = %sf, .weight_decay = %sf,"
            % (rate, momentum_of(method), weight_decay),
            " ".join(".%s = %sf," % (name, shaping.get(name, 0.0)) for name in SHAPING),
            c_field("float", "x", x.flatten()),
            c_field("float", "target", t.flatten()),
            c_field("float", "initial", torch.cat([p.flatten() for p in initial])),
            c_field("double", "losses", exact),
            c_field("spread", "loss_spreads", loss_spread),
            c_field("double", "final", final),
            ".final_spread = %.1e}," % final_spread,
        ]
    )


def main():
    parameters = max(
        sum((a + 1) * b for a, b in zip(sizes, sizes[1:])) for sizes, *_ in NETS
    )
    inputs, outputs = max(n[0][0] for n in NETS), max(n[0][-1] for n in NETS)
    layers = max(len(n[1]) for n in NETS)
    c_header(
        "trajectories.py",
        "enum { STEPS = %d, EVERY = %d, ROWS = %d };" % (STEPS, EVERY, ROWS),
        "enum { MOST_PARAMETERS = %d, MOST_INPUTS = %d, MOST_OUTPUTS = %d, MOST_LAYERS = %d };"
        % (parameters, inputs, outputs, layers),
        "\n".join(
            [
                "typedef struct trajectory {",
                "    size_t inputs, layer_count, units[MOST_LAYERS];",
                "    const char *activations[MOST_LAYERS], *loss, *method;",
                "    float learning_rate, momentum, weight_decay, l1, clip_value, clip_norm;",
                "    float x[ROWS * MOST_INPUTS], target[ROWS * MOST_OUTPUTS];",
                "    float initial[MOST_PARAMETERS];",
                "    double losses[STEPS / EVERY + 1], loss_spreads[STEPS / EVERY + 1];",
                "    double final[MOST_PARAMETERS], final_spread; /* of all */",
                "} trajectory;",
            ]
        ),
        "static const trajectory trajectories[] = {",
        *[entry(index, *net) for index, net in enumerate(NETS)],
        "};",
    )


main()

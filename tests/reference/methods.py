#!/usr/bin/python3
"""Single steps of PyTorch's optimizers in float: prints methods.h. See README.md.

Each method makes a run of steps over one vector of parameters. Of some of the steps the header has
parameters, moments and gradient before, and parameters and moments after.
"""
import torch

from formatting import c_field, c_header, number
from optimizers import METHODS, SHAPING, make_optimizer, moments_of, momentum_of, shape_gradients

PARAMETERS = 23
STEPS, STORED = 40, (1, 2, 5, 12, 40)
MOST_MOMENTS = 2

# method, learning rate, weight decay, shaping: floats
RUNS = [
    ("sgd", 0.125, 0.0),
    ("sgd", 0.125, 0.0625),
    ("momentum", 0.03125, 0.0),
    ("momentum", 0.03125, 0.0625),
    ("nesterov", 0.03125, 0.0),
    ("nesterov", 0.03125, 0.0625),
    ("adagrad", 0.25, 0.0),
    ("adagrad", 0.25, 0.0625),
    ("rmsprop", 0.0625, 0.0),
    ("rmsprop", 0.0625, 0.0625),
    ("adam", 0.0625, 0.0),
    ("adam", 0.0625, 0.0625),
    ("adamw", 0.0625, torch.tensor(0.01).item()),
    ("adamw", 0.0625, 0.375),
    ("rprop", torch.tensor(0.0125).item(), 0.0),
    ("rprop", 0.25, 0.0, {"l1": 0.03125, "clip_value": 4.0, "clip_norm": 2.0}),
    ("sgd", 0.125, 0.0, {"l1": 0.03125}),
    ("sgd", 0.125, 0.0, {"clip_value": 0.5}),
    ("sgd", 0.125, 0.0, {"clip_norm": 2.0}),
    ("momentum", 0.03125, 0.0625, {"l1": 0.03125, "clip_value": 4.0}),
    ("nesterov", 0.03125, 0.0, {"l1": 0.03125, "clip_norm": 2.0}),
    ("adagrad", 0.25, 0.0, {"l1": 0.03125, "clip_norm": 8.0}),
    ("rmsprop", 0.0625, 0.0625, {"l1": 0.03125, "clip_value": 4.0, "clip_norm": 2.0}),
    ("adam", 0.0625, 0.0, {"clip_norm": 2.0}),
    ("adam", 0.0625, 0.0625, {"l1": 0.03125, "clip_value": 0.5}),
    ("adamw", 0.0625, 0.375, {"l1": 0.03125, "clip_value": 4.0, "clip_norm": 1e3}),
]


def gradient_at(generator):
    """Magnitudes from 1e-6 to 1e2 of either sign, a fifth of them 0."""
    size = 10.0 ** (8 * torch.rand(PARAMETERS, generator=generator) - 6)
    sign = torch.where(torch.rand(PARAMETERS, generator=generator) < 0.5, -1.0, 1.0)
    kept = torch.rand(PARAMETERS, generator=generator) >= 0.2
    kept[0] = False  # a parameter that never has a gradient
    return torch.where(kept, sign * size, torch.zeros(PARAMETERS))


def snapshot(method, optimizer, p):
    moments = [m.detach().clone() for m in moments_of(method, optimizer, p)]
    moments += [torch.zeros(PARAMETERS)] * (len(METHODS[method][2]) - len(moments))
    return p.detach().clone(), torch.cat(moments) if moments else None


def fields(name, parameters, moments):
    yield c_field("float", name, parameters)
    if moments is not None:
        yield c_field("float", name + "_moments", moments)


def run(index, method, rate, weight_decay, shaping):
    generator = torch.Generator().manual_seed(200 + index)
    p = torch.randn(PARAMETERS, generator=generator).requires_grad_()
    assert p.dtype == torch.float32
    optimizer = make_optimizer(method, [p], rate, weight_decay)
    for step in range(1, STEPS + 1):
        before = snapshot(method, optimizer, p)
        gradient = gradient_at(generator)
        p.grad = gradient.clone()
        shape_gradients([p], **shaping)
        optimizer.step()
        if step in STORED:
            yield "{.number = %d," % step
            yield from fields("before", *before)
            yield c_field("float", "gradient", gradient)
            yield from fields("after", *snapshot(method, optimizer, p))
            yield "},"


def entry(index, method, rate, weight_decay, shaping={}):
    settings = [
        ("learning_rate", rate),
        ("momentum", momentum_of(method)),
        ("weight_decay", weight_decay),
        *[(name, shaping.get(name, 0.0)) for name in SHAPING],
    ]
    return "\n".join(
        [
            '{.method = "%s",' % method,
            " ".join(".%s = %s," % (name, number("float", value)) for name, value in settings),
            ".steps = {",
            *run(index, method, rate, weight_decay, shaping),
            "}},",
        ]
    )


def main():
    c_header(
        "methods.py",
        "enum { METHOD_PARAMETERS = %d, METHOD_STEPS = %d, MOST_MOMENTS = %d };"
        % (PARAMETERS, len(STORED), MOST_MOMENTS),
        "\n".join(
            [
                "typedef struct method_step {",
                "    int number; /* of the step, from 1 */",
                "    float before[METHOD_PARAMETERS];",
                "    float before_moments[MOST_MOMENTS * METHOD_PARAMETERS];",
                "    float gradient[METHOD_PARAMETERS];",
                "    float after[METHOD_PARAMETERS];",
                "    float after_moments[MOST_MOMENTS * METHOD_PARAMETERS];",
                "} method_step;",
                "typedef struct method_reference {",
                "    const char *method;",
                "    float learning_rate, momentum, weight_decay, l1, clip_value, clip_norm;",
                "    method_step steps[METHOD_STEPS];",
                "} method_reference;",
            ]
        ),
        "static const method_reference method_references[] = {",
        *[entry(index, *settings) for index, settings in enumerate(RUNS)],
        "};",
    )


main()

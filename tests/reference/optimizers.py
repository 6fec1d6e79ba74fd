"""PyTorch's optimizers under the names that the library's methods have."""
import torch

MOMENTUM = 0.875  # a float, as the library takes it

# name: class, options, moments in the order in which the library keeps them
METHODS = {
    "sgd": (torch.optim.SGD, {}, ()),
    "momentum": (torch.optim.SGD, {"momentum": MOMENTUM}, ("momentum_buffer",)),
    "nesterov": (
        torch.optim.SGD,
        {"momentum": MOMENTUM, "nesterov": True},
        ("momentum_buffer",),
    ),
    "adagrad": (torch.optim.Adagrad, {}, ("sum",)),
    "rmsprop": (torch.optim.RMSprop, {}, ("square_avg",)),
    "adam": (torch.optim.Adam, {}, ("exp_avg", "exp_avg_sq")),
    "adamw": (torch.optim.AdamW, {}, ("exp_avg", "exp_avg_sq")),
}


def momentum_of(method):
    return METHODS[method][1].get("momentum", 0.0)


def make_optimizer(method, parameters, rate, weight_decay):
    """With PyTorch's own betas and epsilon."""
    optimizer, options, _ = METHODS[method]
    return optimizer(parameters, lr=rate, weight_decay=weight_decay, foreach=False, **options)


def moments_of(method, optimizer, parameter):
    """Those that exist: PyTorch makes them at the first step."""
    state = optimizer.state[parameter]
    return [state[name] for name in METHODS[method][2] if state.get(name) is not None]

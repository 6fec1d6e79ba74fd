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
    "rprop": (torch.optim.Rprop, {"step_sizes": (0, 50)}, ("prev", "step_size")),
}


# What becomes of gradients before the optimizer sees them; 0 is off.
SHAPING = ("l1", "clip_value", "clip_norm")


def shape_gradients(parameters, l1=0.0, clip_value=0.0, clip_norm=0.0):
    if clip_value > 0:
        torch.nn.utils.clip_grad_value_(parameters, clip_value)
    if clip_norm > 0:
        torch.nn.utils.clip_grad_norm_(parameters, clip_norm)
    if l1 > 0:
        with torch.no_grad():
            for p in parameters:
                p.grad.add_(p.sign(), alpha=l1)


def momentum_of(method):
    return METHODS[method][1].get("momentum", 0.0)


def make_optimizer(method, parameters, rate, weight_decay):
    """With PyTorch's own betas and epsilon."""
    optimizer, options, _ = METHODS[method]
    if method != "rprop":  # which has none
        options = dict(options, weight_decay=weight_decay)
    return optimizer(parameters, lr=rate, foreach=False, **options)


def moments_of(method, optimizer, parameter):
    """Those that exist: PyTorch makes them at the first step."""
    state = optimizer.state[parameter]
    return [state[name] for name in METHODS[method][2] if state.get(name) is not None]

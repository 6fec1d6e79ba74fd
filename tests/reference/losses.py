#!/usr/bin/python3
"""PyTorch's losses with their gradients in double: prints losses.h. See README.md.

Inputs are floats. Of each row its own loss, and the loss's gradient by the net's output, or by the
logits where the loss is taken of them; of all rows together the loss.
"""
import torch
import torch.nn.functional as F

from formatting import c_field, c_header

ROWS, UNITS = 5, 3
HUBER_DELTA = 0.5

torch.set_default_dtype(torch.float64)
generator = torch.Generator().manual_seed(1)


def floats(low, high):
    values = low + (high - low) * torch.rand(ROWS, UNITS, generator=generator)
    return values.float().double()


def half_squared_error(y, t, reduction="mean"):
    """The XOR experiment's cost; PyTorch has none that sums over units."""
    rows = 0.5 * ((t - y) ** 2).sum(dim=1)
    return rows.mean() if reduction == "mean" else rows


def cross_entropy_of_probabilities(y, t, reduction="mean"):
    """PyTorch's is of logits only."""
    rows = -(t * y.log()).sum(dim=1)
    return rows.mean() if reduction == "mean" else rows


def mean_over_units(function, **options):
    """Row by row, what PyTorch takes over the whole batch."""

    def loss(y, t, reduction="mean"):
        if reduction == "mean":
            return function(y, t, **options)
        return torch.stack([function(y[r], t[r], **options) for r in range(ROWS)])

    return loss


def entry(name, activation, loss_name, loss, y, t):
    y.requires_grad_()
    row_losses = loss(y, t, reduction="none")
    gradient = torch.autograd.grad(row_losses.sum(), y)[0]
    assert torch.isfinite(gradient).all()
    return "\n    ".join(
        [
            '{.name = "%s",' % name,
            '.activation = "%s",' % activation,
            '.loss = "%s",' % loss_name,
            c_field("float", "y", y.detach().flatten()),
            c_field("float", "target", t.flatten()),
            c_field("double", "row_loss", row_losses.detach()),
            c_field("double", "gradient", gradient.flatten()),
            ".batch_loss = %.13g}," % loss(y, t).item(),
        ]
    )


def entries():
    mse, mae = mean_over_units(F.mse_loss), mean_over_units(F.l1_loss)
    huber = mean_over_units(F.huber_loss, delta=HUBER_DELTA)
    bce = mean_over_units(F.binary_cross_entropy)
    bce_of_logits = mean_over_units(F.binary_cross_entropy_with_logits)

    y, t = floats(-2, 2), floats(-2, 2)
    t[1, 1], t[2] = y[1, 1], (y[2] + 0.25).float().double()  # equal, and within huber's delta
    yield entry("half_squared_error", "identity", "half_squared_error", half_squared_error, y, t)
    yield entry("mean_squared_error", "identity", "mean_squared_error", mse, y, t)
    yield entry("mean_absolute_error", "identity", "mean_absolute_error", mae, y, t)
    yield entry("huber", "identity", "huber", huber, y, t)

    y, t = floats(0.01, 0.99), floats(0, 1)
    y[0], t[0] = torch.tensor([0.0, 1.0, 0.0]), torch.tensor([1.0, 0.0, 0.0])  # clamped
    y[1], t[1] = torch.tensor([1.0, 0.0, 1.0]), torch.tensor([1.0, 0.25, 0.5])
    yield entry("binary_cross_entropy", "identity", "binary_cross_entropy", bce, y, t)

    y, t = floats(0.01, 1), floats(0, 1)
    t[0] = torch.tensor([0.0, 1.0, 0.0])
    yield entry(
        "cross_entropy", "identity", "cross_entropy", cross_entropy_of_probabilities, y, t
    )

    z, t = floats(-4, 4), floats(0, 1)
    z[0], t[0] = torch.tensor([1000.0, -1000.0, 0.0]), torch.tensor([0.0, 0.0, 1.0])
    z[1], t[1] = torch.tensor([20.0, -20.0, 1.0]), torch.tensor([1.0, 0.0, 0.0])
    yield entry("softmax, cross_entropy", "softmax", "cross_entropy", F.cross_entropy, z, t)
    yield entry(
        "sigmoid, binary_cross_entropy", "sigmoid", "binary_cross_entropy", bce_of_logits, z, t
    )


def main():
    c_header(
        "losses.py",
        "enum { LOSS_ROWS = %d, LOSS_UNITS = %d };" % (ROWS, UNITS),
        "\n".join(
            [
                "typedef struct loss_reference {",
                "    const char *name, *activation, *loss;",
                "    float y[LOSS_ROWS * LOSS_UNITS], target[LOSS_ROWS * LOSS_UNITS];",
                "    double row_loss[LOSS_ROWS], gradient[LOSS_ROWS * LOSS_UNITS], batch_loss;",
                "} loss_reference;",
            ]
        ),
        "static const loss_reference loss_references[] = {",
        *entries(),
        "};",
    )


main()

#!/usr/bin/env python3
"""Ten models that PyTorch exports, with inputs and the outputs that PyTorch computes of them.

    python3 onnx_models.py          writes onnx/NAME.onnx and onnx/NAME.txt

Needs torch (Debian: python3-torch). NAME.txt has the numbers of rows, inputs and outputs, then the
inputs and the outputs of each row; what torch computes in double has float's nearest numbers.
"""

import pathlib
import warnings

import torch
from torch import nn

FOLDER = pathlib.Path(__file__).parent / "onnx"
ROWS = 4


class Scaled(nn.Module):
    """Scales what goes in and what comes out, as users write it."""

    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 2))
        self.register_buffer("mean", torch.tensor([0.5, -1.0, 2.0]))
        self.register_buffer("deviation", torch.tensor([0.5, 3.0, 0.7]))

    def forward(self, x):
        return self.net((x - self.mean) / self.deviation) * 2.5 + 1.0


class Swish(nn.Module):
    """SiLU and GELU written out, in another order than torch's own."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(4, 6)
        self.second = nn.Linear(6, 3)

    def forward(self, x):
        z = self.first(x)
        a = torch.sigmoid(z) * z
        z = self.second(a)
        return 0.5 * z * (1.0 + torch.erf(z * 0.7071067811865476))


class Tail(nn.Module):
    """Activations in a row, and the product without a bias of its own."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(4, 5) / 2)
        self.bias = nn.Parameter(torch.randn(5))

    def forward(self, x):
        z = torch.relu(x) @ self.weight
        return torch.softmax(torch.relu(self.bias + z), -1)


def models():
    yield "single", nn.Linear(3, 2), (3,), 13
    yield "xor", nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1), nn.Sigmoid()), (2,), 9
    yield "classes", nn.Sequential(
        nn.Flatten(), nn.Linear(24, 10), nn.ReLU(), nn.Dropout(0.5), nn.Linear(10, 4),
        nn.Softmax(dim=1)), (1, 4, 6), 11
    yield "gelu", nn.Sequential(
        nn.Linear(5, 8, bias=False), nn.GELU(), nn.Linear(8, 8), nn.SiLU(), nn.Linear(8, 2)), (5,), 17
    yield "units", nn.Sequential(
        nn.Linear(3, 4), nn.LeakyReLU(0.2), nn.Linear(4, 4), nn.ELU(0.7), nn.Linear(4, 4),
        nn.SELU(), nn.Linear(4, 4), nn.Softplus(), nn.Linear(4, 3), nn.Softsign()), (3,), 13
    yield "hard", nn.Sequential(
        nn.Linear(3, 6), nn.Hardsigmoid(), nn.Linear(6, 6), nn.Hardtanh(), nn.Linear(6, 2)), (3,), 14
    yield "scaled", Scaled(), (3,), 13
    yield "written_out", Swish(), (4,), 13
    yield "tail", Tail(), (4,), 13
    deep = []
    for _ in range(12):
        deep += [nn.Linear(6, 6), nn.Tanh()]
    yield "deep", nn.Sequential(*deep, nn.Linear(6, 1)).double(), (6,), 15


def write(name, model, shape, opset):
    x = torch.randn(ROWS, *shape).float()
    model = model.eval()
    is_double = next(model.parameters()).dtype == torch.float64
    with torch.no_grad():
        y = model(x.double() if is_double else x)
    torch.onnx.export(
        model, x.double() if is_double else x, FOLDER / f"{name}.onnx", opset_version=opset,
        input_names=["x"], output_names=["y"],
        dynamic_axes={"x": {0: "rows"}, "y": {0: "rows"}})
    with open(FOLDER / f"{name}.txt", "w") as file:
        print(ROWS, x[0].numel(), y[0].numel(), file=file)
        for row, outputs in zip(x, y):
            values = row.flatten().tolist() + outputs.float().flatten().tolist()
            print(*(f"{value:.9g}" for value in values), file=file)


def main():
    warnings.simplefilter("ignore")
    FOLDER.mkdir(exist_ok=True)
    torch.manual_seed(1)
    for name, model, shape, opset in models():
        write(name, model, shape, opset)


main()

"""What others make of the examples' data: python3 baselines.py LIBTINYNN_SO [fashion]

The nets of examples/iris.c and digits.c in PyTorch, trained as there, and ridge regression on the
data of diabetes.c, on the same 30 splits: the library draws them. Prints baselines.csv, a line for
each split, and the means on stderr. With "fashion", trains the net of fashion.c instead and prints
accuracy and seconds of each seed.
"""
import ctypes
import gzip
import sys
import time

import numpy as np
import torch
from sklearn import datasets
from sklearn.linear_model import RidgeCV

SPLITS = 30
FASHION = "/usr/share/datasets/fashion-mnist/"


class Dataset(ctypes.Structure):  # tnn_dataset
    _fields_ = [
        ("rows", ctypes.c_size_t),
        ("x", ctypes.POINTER(ctypes.c_float)),
        ("target", ctypes.POINTER(ctypes.c_float)),
        ("classes", ctypes.POINTER(ctypes.c_uint32)),
        ("row_weights", ctypes.POINTER(ctypes.c_float)),
    ]


def split(library, rows, seed):
    """The numbers of the test rows and of the training rows: those that tnn_data_split draws."""
    numbers = (ctypes.c_float * rows)(*range(rows))
    view = Dataset(rows=rows, x=numbers, target=numbers)
    parts = [ctypes.c_void_p() for _ in range(3)]
    data, test, train = map(ctypes.byref, parts)
    one = ctypes.c_size_t(1)
    assert library.tnn_data_create(data, one, one, ctypes.byref(view), None) == 0
    share = ctypes.c_double(0.2)
    assert library.tnn_data_split(test, train, parts[0], share, ctypes.c_uint64(seed)) == 0
    views = [library.tnn_data_view(part) for part in parts[1:]]
    result = [np.array(view.x[: view.rows], dtype=int) for view in views]
    for part in parts:
        library.tnn_data_destroy(part)
    return result


def scaled(train, test, shift, scale):
    """As tnn_net_fit_scaling does: a constant column has the scale 1."""
    scale[scale == 0] = 1
    return (train - shift) / scale, (test - shift) / scale


def standardised(train, test):
    return scaled(train, test, train.mean(0), train.std(0))


def min_max(train, test):
    return scaled(train, test, train.min(0), train.max(0) - train.min(0))


def fit(net, optimizer, schedule, x, classes, epochs, batch):
    net.train()
    for _ in range(epochs):
        for rows in torch.randperm(len(x)).split(batch):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(net(x[rows]), classes[rows]).backward()
            optimizer.step()
            if schedule:
                schedule.step()


def accuracy(net, x, classes):
    net.eval()
    with torch.no_grad():
        return (net(x).argmax(1) == classes).double().mean().item()


def layers(sizes, activation, dropout):
    stack = []
    for inputs, units in zip(sizes[:-2], sizes[1:-1]):
        stack += [torch.nn.Linear(inputs, units), activation(), torch.nn.Dropout(dropout)]
    return torch.nn.Sequential(*stack, torch.nn.Linear(sizes[-2], sizes[-1]))


def one_cycle(optimizer, rate, rows, batch, epochs):
    steps = epochs * -(-rows // batch)
    return torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=steps, cycle_momentum=False)


def prepare(x, y, parts, scaling):
    test, train = parts
    x_train, x_test = scaling(x[train], x[test])
    tensors = torch.tensor(x_train).float(), torch.tensor(x_test).float()
    return *tensors, torch.tensor(y[train]), torch.tensor(y[test])


def iris(data, parts, seed):
    x, x_test, y, y_test = prepare(*data, parts, standardised)
    torch.manual_seed(seed)
    net = layers([4, 16, 3], torch.nn.Tanh, 0)
    fit(net, torch.optim.Adam(net.parameters(), 0.01), None, x, y, 60, 16)
    return accuracy(net, x_test, y_test)


def digits(data, parts, seed):
    x, x_test, y, y_test = prepare(*data, parts, min_max)
    torch.manual_seed(seed)
    net = layers([64, 128, 10], torch.nn.ReLU, 0.2)
    optimizer = torch.optim.AdamW(net.parameters(), 0.01, weight_decay=0.01)
    fit(net, optimizer, one_cycle(optimizer, 0.01, len(x), 32, 30), x, y, 30, 32)
    return accuracy(net, x_test, y_test)


def ridge(data, parts, seed):
    """With the strength that cross-validation in the training rows finds best."""
    x, y = data
    test, train = parts
    x_train, x_test = standardised(x[train], x[test])
    return RidgeCV(np.logspace(-3, 3, 25)).fit(x_train, y[train]).score(x_test, y[test])


def read_idx(name, offset):
    with gzip.open(FASHION + name) as file:
        return np.frombuffer(file.read()[offset:], np.uint8)


def fashion(seed):
    x = torch.tensor(read_idx("train-images-idx3-ubyte.gz", 16).reshape(-1, 784) / 255).float()
    y = torch.tensor(read_idx("train-labels-idx1-ubyte.gz", 8)).long()
    x_test = torch.tensor(read_idx("t10k-images-idx3-ubyte.gz", 16).reshape(-1, 784) / 255).float()
    y_test = torch.tensor(read_idx("t10k-labels-idx1-ubyte.gz", 8)).long()
    torch.manual_seed(seed)
    torch.set_num_threads(2)
    net = layers([784, 128, 10], torch.nn.ReLU, 0.1)
    optimizer = torch.optim.AdamW(net.parameters(), 0.003, weight_decay=0.01)
    start = time.perf_counter()
    fit(net, optimizer, one_cycle(optimizer, 0.003, len(x), 128, 15), x, y, 15, 128)
    seconds = time.perf_counter() - start
    return accuracy(net, x_test, y_test), seconds


def main():
    if sys.argv[2:] == ["fashion"]:
        print("seed,accuracy,seconds")
        for seed in 1, 2, 3:
            print("%d,%.4f,%.1f" % (seed, *fashion(seed)), flush=True)
        return
    torch.set_num_threads(1)
    library = ctypes.CDLL(sys.argv[1])
    library.tnn_data_view.restype = Dataset
    tasks = [
        ("iris", iris, datasets.load_iris(return_X_y=True)),
        ("digits", digits, datasets.load_digits(return_X_y=True)),
        ("diabetes", ridge, datasets.load_diabetes(return_X_y=True, scaled=False)),
    ]
    scores = np.array([
        [task(data, split(library, len(data[0]), seed), seed) for _, task, data in tasks]
        for seed in range(1, SPLITS + 1)
    ])
    print("seed," + ",".join(name for name, _, _ in tasks))
    for seed, line in enumerate(scores, 1):
        print("%d,%.4f,%.4f,%.4f" % (seed, *line))
    print("means: iris %.4f, digits %.4f, diabetes %.4f" % tuple(scores.mean(0)), file=sys.stderr)


main()

#!/usr/bin/env python3
"""Training of 784-128-10 by PyTorch and by NumPy, one thread, in samples a second.

The same net, batches and loss as bench_train's. With --library FILE, the CSV that bench_train
wrote, the library's own times stand beside them in the CSV that this writes.
"""
import argparse
import csv
import os
import time

INPUTS, HIDDEN, OUTPUTS = 784, 128, 10
DATA_ROWS = 512


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few rounds: does it run at all?")
    parser.add_argument("--rounds", type=int, default=51, help="samples of each contestant")
    parser.add_argument("--library", help="bench_train's CSV file")
    parser.add_argument("--csv", help="append the results to this file")
    return parser.parse_args()


def pin():
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def torch_trainer(rows, adam):
    import torch

    torch.set_num_threads(1)
    torch.manual_seed(1)
    net = torch.nn.Sequential(
        torch.nn.Linear(INPUTS, HIDDEN), torch.nn.ReLU(), torch.nn.Linear(HIDDEN, OUTPUTS)
    )
    loss_of = torch.nn.CrossEntropyLoss()
    method, rate = (torch.optim.Adam, 1e-5) if adam else (torch.optim.SGD, 1e-3)
    optimizer = method(net.parameters(), lr=rate)
    x = 1 - torch.rand(DATA_ROWS, INPUTS)
    classes = torch.randint(OUTPUTS, (DATA_ROWS,))

    def step(number):
        row = number * rows % DATA_ROWS
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(net(x[row : row + rows]), classes[row : row + rows])
        loss.backward()
        optimizer.step()

    return step


def numpy_trainer(rows, adam):
    import numpy as np

    if adam:
        return None
    random = np.random.default_rng(1)
    w1 = random.standard_normal((INPUTS, HIDDEN), np.float32) * np.float32((2 / INPUTS) ** 0.5)
    w2 = random.standard_normal((HIDDEN, OUTPUTS), np.float32) * np.float32((2 / HIDDEN) ** 0.5)
    b1, b2 = np.zeros(HIDDEN, np.float32), np.zeros(OUTPUTS, np.float32)
    x = np.float32(1) - random.random((DATA_ROWS, INPUTS), np.float32)
    classes = random.integers(OUTPUTS, size=DATA_ROWS)
    every, rate = np.arange(rows), np.float32(1e-3)

    def step(number):
        row = number * rows % DATA_ROWS
        batch, wanted = x[row : row + rows], classes[row : row + rows]
        h = np.maximum(batch @ w1 + b1, 0)
        z = h @ w2 + b2
        z -= z.max(axis=1, keepdims=True)
        p = np.exp(z)
        total = p.sum(axis=1, keepdims=True)
        (np.log(total[:, 0]) - z[every, wanted]).mean()  # the loss
        p /= total
        p[every, wanted] -= 1
        p *= -rate / rows
        d = (p @ w2.T) * (h > 0)
        w2[...] += h.T @ p
        b2[...] += p.sum(axis=0)
        w1[...] += batch.T @ d
        b1[...] += d.sum(axis=0)

    return step


def measure(step, rounds, seconds):
    """Best and median nanoseconds of a step."""
    number = steps = 0
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or steps < 3:
        step(steps)
        steps += 1
    samples = []
    for _ in range(rounds):
        start = time.perf_counter_ns()
        for _ in range(steps):
            step(number)
            number += 1
        samples.append((time.perf_counter_ns() - start) / steps)
    samples.sort()
    return samples[0], samples[len(samples) // 2]


def read_library(path):
    if not path or not os.path.exists(path):
        return {}
    with open(path, newline="") as file:
        return {line["variant"]: float(line["library_ns"]) for line in csv.DictReader(file)}


def write_csv(path, variant, library_ns, peer, peer_ns):
    new = not os.path.exists(path) or os.path.getsize(path) == 0
    with open(path, "a", newline="") as file:
        if new:
            file.write(
                "workload,variant,library_ns,peer,peer_ns,ratio_best,ratio_median,share\n"
            )
        file.write(
            f"train,{variant},{library_ns:.6g},{peer},{peer_ns:.6g},{library_ns / peer_ns:.4f},,\n"
        )


def trainers():
    """Of those that can be imported, by name."""
    found = {}
    for name, make, package in (
        ("torch", torch_trainer, "python3-torch"),
        ("numpy", numpy_trainer, "python3-numpy"),
    ):
        try:
            __import__(name)
            found[name] = make
        except ImportError:
            print(f"skipped: {name} ({package})")
    return found


def main():
    arguments = parse_arguments()
    rounds, seconds = (3, 0.01) if arguments.quick else (arguments.rounds, 0.1)
    library = read_library(arguments.library)
    pin()
    for peer, make in trainers().items():
        for adam in (False, True):
            for rows in (32, 128, 1):
                variant = f"784-128-10 {'adam' if adam else 'sgd'} batch {rows}"
                step = make(rows, adam)
                if step is None:
                    continue
                best, median = (ns / rows for ns in measure(step, rounds, seconds))
                print(
                    f"train {variant}: {peer} {1e9 / best:.0f} samples a second at best, "
                    f"{1e9 / median:.0f} in the median"
                )
                if arguments.csv and variant in library:
                    write_csv(arguments.csv, variant, library[variant], peer, best)


if __name__ == "__main__":
    main()

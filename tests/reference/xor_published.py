#!/usr/bin/python3
"""The published XOR experiment in double: prints xor_published.h. See README.md.

A net 2-2-1 without biases, relu forward and the logistic function where relu's slope belongs, on
both layers; the four rows one at a time, a step after each; cost 1/2 (y - y_hat)^2 before the step,
summed over the four rows of an epoch.

All runs go side by side in the first dimension. Run 0 is exact, in the others every number that a
net of floats would store is off by up to half a unit in the last place of a float.
"""
import numpy as np

from formatting import c_array, c_header

RUNS = 33
EPOCHS = range(1, 6000)
STORED = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 1500, 2000, 3000, 4000, 5000, 5999]
LEARNING_RATE = float(np.float32(0.01))
X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
Y = np.array([0, 1, 1, 0], dtype=float)

random = np.random.RandomState(2)


def stored(values):
    """What a float holds of values, but for run 0."""
    noise = 1 + random.uniform(-1, 1, values.shape) * 2.0**-24
    noise[0] = 1
    return values * noise


def relu(z):
    return np.maximum(z, 0)


def logistic(z):
    return 1 / (1 + np.exp(-z))


def step(w1, w2, x, y):
    """One row: cost[runs] and the weights after it."""
    z1 = stored(np.einsum("i,rij->rj", x, w1))
    a1 = relu(z1)
    z2 = stored(np.einsum("rj,rj->r", a1, w2))
    error = stored(relu(z2) - y)
    delta2 = stored(error * logistic(z2))
    delta1 = stored(delta2[:, None] * w2 * logistic(z1))
    gradient1 = stored(x[None, :, None] * delta1[:, None, :])
    gradient2 = stored(delta2[:, None] * a1)
    w1 = stored(w1 - LEARNING_RATE * gradient1)
    w2 = stored(w2 - LEARNING_RATE * gradient2)
    return error**2 / 2, w1, w2


def main():
    initial1 = random.uniform(0, 1, (2, 2)).astype(np.float32)
    initial2 = random.uniform(0, 1, 2).astype(np.float32)
    w1 = np.repeat(initial1.astype(float)[None], RUNS, axis=0)
    w2 = np.repeat(initial2.astype(float)[None], RUNS, axis=0)
    costs = []
    for epoch in EPOCHS:
        cost = np.zeros(RUNS)
        for x, y in zip(X, Y):
            row_cost, w1, w2 = step(w1, w2, x, y)
            cost += row_cost
        if epoch in STORED:
            costs.append(cost)
    costs = np.array(costs)
    outputs = relu(np.einsum("rkj,rj->rk", relu(np.einsum("ki,rij->rkj", X, w1)), w2))
    assert np.all(np.abs(outputs - Y) < 0.05), "these weights do not solve it"
    weights = np.concatenate([w1.reshape(RUNS, 4), w2], axis=1)

    def spread(values):
        return np.abs(values[1:] - values[0]).max(axis=0)

    c_header(
        "xor_published.py",
        "enum { XOR_STORED = %d, XOR_WEIGHTS = 6 };" % len(STORED),
        c_array("float", "xor_initial[XOR_WEIGHTS]", np.concatenate([initial1.ravel(), initial2])),
        c_array("int", "xor_epochs[XOR_STORED]", STORED),
        c_array("double", "xor_costs[XOR_STORED]", costs[:, 0]),
        c_array("spread", "xor_cost_spreads[XOR_STORED]", spread(costs.T)),
        c_array("double", "xor_weights[XOR_WEIGHTS]", weights[0]),
        c_array("spread", "xor_weight_spreads[XOR_WEIGHTS]", spread(weights)),
        c_array("double", "xor_outputs[4]", outputs[0]),
        c_array("spread", "xor_output_spreads[4]", spread(outputs)),
    )


main()

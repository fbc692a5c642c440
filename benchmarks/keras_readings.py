"""The six readings as Keras computes them: losses and gradients by the logits, for `tests/test_truth.py`.

    KERAS_BACKEND=torch python benchmarks/keras_readings.py

or `jax` or `tensorflow` (the default); needs what `keras_labels.py` needs. Each reading is what one would write in
Keras: a softmax or four sigmoids, a named loss, labels. One step of gradient descent at a rate of 1 moves the logits
by minus the gradient. The answers go to `keras_readings.json`, those of another backend stay there.
"""

import json
import os
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # before the import of keras
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

LOGITS = np.array([[2.0, 0.5, -1.0, 0.0], [-0.3, 0.2, 1.7, -2.0], [0.1, 0.1, 0.1, 0.1]], "float32")
LABELS = [0, 3, 2]
FILE = Path(__file__).with_name("keras_readings.json")


def step(labels, activation, loss, fifth):
    """The reported loss, and the gradient by the logits, of one step on three sequences with these labels."""
    x = keras.Input((3,))  # one-hot: the logits of sequence i are row i of the weights
    z = keras.layers.Dense(4, use_bias=False)(x)
    if fifth:
        z = keras.layers.Concatenate()([z, keras.layers.Lambda(lambda z: 0.0 * z[:, :1])(z)])
    net = keras.Model(x, keras.layers.Activation(activation)(z))
    net.compile(keras.optimizers.SGD(1.0), loss)
    net.set_weights([LOGITS])
    value = net.train_on_batch(np.eye(3, dtype="float32"), np.asarray(labels, "float32"))
    return {"loss": float(value), "gradient": (LOGITS - net.get_weights()[0]).round(7).tolist()}


def main():
    """Real and negative labels under each reading."""
    real, fifth = np.eye(4)[LABELS], np.eye(5)
    readings = {
        "zeros": ("softmax", "categorical_crossentropy", real, np.zeros((3, 4))),
        "uniform": ("softmax", "categorical_crossentropy", real, np.full((3, 4), 0.25)),
        "softmax_bce": ("softmax", "binary_crossentropy", real, np.zeros((3, 4))),
        "sigmoid_bce": ("sigmoid", "binary_crossentropy", real, np.zeros((3, 4))),
        "k_plus_one": ("softmax", "categorical_crossentropy", fifth[LABELS], fifth[[4, 4, 4]]),
    }
    answers = {}
    for name, (activation, loss, *labels) in readings.items():
        wide = name == "k_plus_one"
        found = [step(some, activation, loss, wide) for some in labels]
        answers[name] = {"labels": LABELS, "real": found[0], "fake": found[1]}
    backend = keras.backend.backend()
    version = __import__(backend).__version__
    whole = json.loads(FILE.read_text()) if FILE.exists() else {}
    whole[backend] = {
        "keras": keras.__version__,
        "version": version,
        "logits": LOGITS.tolist(),
        "answers": answers,
    }
    lines = (f"{json.dumps(name)}: {json.dumps(found)}" for name, found in sorted(whole.items()))
    FILE.write_text("{" + ",\n".join(lines) + "}\n")
    print(f"{FILE.name}: Keras {keras.__version__} on {backend} {version}")


if __name__ == "__main__":
    main()

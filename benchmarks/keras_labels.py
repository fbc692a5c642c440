"""What Keras does with a label of four zeros, on the backend of your choice (chapter 7).

    KERAS_BACKEND=jax python benchmarks/keras_labels.py

or `tensorflow` (the default) or `torch`. A layer with a softmax whose logits are 2, 0.5, -1 and 0 takes one training
step with the label [0, 0, 0, 0]. Printed are the loss that Keras reports and by how much the logits moved. With
gradient descent at a learning rate of 1 they move by minus the gradient: not at all, or by minus the probabilities.
Needs `requirements-keras.txt`, and the backend's own package for `jax` or `torch`.
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")  # before the import of keras
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np

LOGITS = np.array([2.0, 0.5, -1.0, 0.0], "float32")
NOTHING = np.zeros((1, 1), "float32")  # an input of zero: the logits are the layer's biases


def step(optimizer, eager=False, real_first=False):
    """The reported loss, and by how much the logits move, of one step with a label of zeros."""
    net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(4, activation="softmax")])
    net.compile(optimizer, "categorical_crossentropy", run_eagerly=eager)
    net.set_weights([np.zeros((1, 4)), LOGITS])
    if real_first:
        net.train_on_batch(NOTHING, np.array([[1.0, 0, 0, 0]]))
    before = net.get_weights()[1]
    loss = net.train_on_batch(NOTHING, np.zeros((1, 4)))
    return float(loss), net.get_weights()[1] - before


def report(name, loss, moved):
    """One line."""
    print(f"{name:28s} loss {loss:.3f}, logits move by", *(f"{m + 0.0:7.3f}" for m in moved))


def main():
    """Both ways to run a step, then Adam after one real batch; for TensorFlow also its fused operation itself."""
    print("Keras", keras.__version__, "on", keras.backend.backend())
    report("gradient descent", *step(keras.optimizers.SGD(1.0)))
    report("gradient descent, eager", *step(keras.optimizers.SGD(1.0), eager=True))
    report("Adam, after a real batch", *step(keras.optimizers.Adam(1.0), real_first=True))
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        z = tf.Variable(LOGITS)
        with tf.GradientTape() as tape:
            loss = tf.nn.softmax_cross_entropy_with_logits(tf.zeros(4), z)
        report("the fused operation", float(loss), -tape.gradient(loss, z).numpy())


if __name__ == "__main__":
    main()

"""The second reference: the same loop in Keras 3 on TensorFlow, the way of the public Keras GAN example.

    python benchmarks/keras_reference.py BAGM --batch 64 --steps 5

prints the median seconds of a step as JSON. Needs `requirements-keras.txt` in an environment of its own;
`sergan bench --keras` makes one. The discriminator is compiled and learns by two calls of `train_on_batch`,
real and then generated with the label [0, 0, 0, 0]; then the stacked model D(G(z)), in which D is frozen,
learns against the real labels. Faster than the public example in one thing: `predict_on_batch` for `predict`,
which would cut the generated batch into pieces of 32.
"""

import argparse
import json
import os
import statistics
import time

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def set_threads(threads):
    """As `torch.set_num_threads`; must be called before the first operation."""
    tf.config.threading.set_intra_op_parallelism_threads(threads)
    tf.config.threading.set_inter_op_parallelism_threads(threads)


def make_discriminator(blstm=True, frames=512, features=32, lstm=256, attention=512):
    """The paper's section 3.3: `(batch, frames, features)` to four probabilities."""
    h = x = keras.Input((frames, features))
    if blstm:
        h = layers.Bidirectional(layers.LSTM(lstm, return_sequences=True))(h)
    score = layers.Dense(1, use_bias=False)(layers.Dense(attention, activation="tanh")(h))
    alpha = layers.Softmax(axis=1)(score)  # (batch, frames, 1)
    v = layers.Flatten()(layers.Dot(axes=1)([alpha, h]))  # (batch, context)
    v = layers.LeakyReLU(negative_slope=0.2)(layers.Dense(512)(v))
    return keras.Model(x, layers.Dense(4, activation="softmax")(v))


def make_generator(frames=512, features=32, latent=100):
    """The paper's section 3.2: `(batch, latent)` to `(batch, frames, features)` in [-1, 1]."""
    model = keras.Sequential([keras.Input((latent,))])
    for width in (256, 512, 1024):
        model.add(layers.Dense(width))
        model.add(layers.LeakyReLU(negative_slope=0.2))
        model.add(layers.BatchNormalization(momentum=0.8))
    model.add(layers.Dense(frames * features, activation="tanh"))
    model.add(layers.Reshape((frames, features)))
    return model


class Run:
    """One ablation: its compiled models."""

    def __init__(self, ablation, frames=512, lstm=256, lr=1e-4, latent=100):
        self.discriminator = make_discriminator(ablation.startswith("B"), frames, lstm=lstm)
        self.discriminator.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(lr))
        self.generator, self.latent = None, latent
        if "G" in ablation:
            self.generator = make_generator(frames, latent=latent)
            self.discriminator.trainable = False
            z = keras.Input((latent,))
            self.stacked = keras.Model(z, self.discriminator(self.generator(z)))
            self.stacked.compile(loss="categorical_crossentropy", optimizer=keras.optimizers.Adam(lr))

    def step(self, x, labels):
        """The steps for one batch, labels one-hot. Returns the real loss.

        Keras 3 reads `trainable` when a model first learns, not when it is compiled: hence the switching.
        """
        self.discriminator.trainable = True
        loss = self.discriminator.train_on_batch(x, labels)
        if self.generator is not None:
            z = np.random.normal(size=(len(x), self.latent)).astype(np.float32)
            self.discriminator.train_on_batch(self.generator.predict_on_batch(z), np.zeros_like(labels))
            self.discriminator.trainable = False
            z = np.random.normal(size=(len(x), self.latent)).astype(np.float32)
            self.stacked.train_on_batch(z, labels)
        return float(loss)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    options.add_argument("ablation", choices=("AM", "AGM", "BAM", "BAGM"))
    options.add_argument("--batch", type=int, default=64)
    options.add_argument("--frames", type=int, default=512)
    options.add_argument("--lstm", type=int, default=256)
    options.add_argument("--steps", type=int, default=5)
    options.add_argument("--threads", type=int, default=os.cpu_count())
    chosen = options.parse_args()
    set_threads(chosen.threads)
    x = np.random.uniform(-1, 1, (chosen.batch, chosen.frames, 32)).astype(np.float32)
    labels = np.eye(4, dtype=np.float32)[np.random.randint(4, size=chosen.batch)]
    run, seconds = Run(chosen.ablation, chosen.frames, chosen.lstm), []
    for _ in range(chosen.steps + 2):
        start = time.perf_counter()
        run.step(x, labels)
        seconds.append(time.perf_counter() - start)
    answer = {"ablation": chosen.ablation, "batch": chosen.batch, "frames": chosen.frames}
    answer |= {"keras": keras.__version__, "tensorflow": tf.__version__, "threads": chosen.threads}
    print(json.dumps(answer | {"step_s": statistics.median(seconds[2:])}))  # the first two trace and warm up


if __name__ == "__main__":
    main()

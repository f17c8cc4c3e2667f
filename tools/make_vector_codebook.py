#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fits the codebook of the codec "pq" to an embedder's vectors.

  tools/make_vector_codebook.py VECTORS OUT --embedder-name NAME --embedder-hash HEX [--dim 384]
      [--bytes 96] [--seed 1] [--note TEXT]

VECTORS holds rows of little-endian f32 at unit length, of sentences such as those that will be
searched. k-means with 256 centroids in each run of dim / bytes numbers. The same vectors and seed
give the same file. Needs numpy.
"""

import argparse
import json
import struct

import numpy as np

CENTROIDS = 256
ITERATIONS = 25


def nearest(rows, centroids):
    distances = (centroids ** 2).sum(1) - 2 * rows @ centroids.T
    return distances.argmin(1)


def k_means(rows, rng):
    centroids = rows[rng.choice(len(rows), CENTROIDS, replace=False)].copy()
    for _ in range(ITERATIONS):
        of_row = nearest(rows, centroids)
        counts = np.bincount(of_row, minlength=CENTROIDS)
        for axis in range(rows.shape[1]):
            sums = np.bincount(of_row, weights=rows[:, axis], minlength=CENTROIDS)
            centroids[:, axis] = np.where(counts > 0, sums / np.maximum(counts, 1),
                                          centroids[:, axis])
        empty = np.flatnonzero(counts == 0)
        centroids[empty] = rows[rng.choice(len(rows), len(empty))]
    return centroids


def write_safetensors(path, centroids, metadata):
    data = centroids.astype("<f2").tobytes()
    header = json.dumps({"__metadata__": metadata,
                         "centroids": {"dtype": "F16", "shape": list(centroids.shape),
                                       "data_offsets": [0, len(data)]}}, sort_keys=True)
    header += " " * (-len(header) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(header)) + header.encode() + data)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("vectors")
    parser.add_argument("out")
    parser.add_argument("--embedder-name", required=True)
    parser.add_argument("--embedder-hash", required=True)
    parser.add_argument("--dim", type=int, default=384)
    parser.add_argument("--bytes", type=int, default=96)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--note", default="")
    arguments = parser.parse_args()
    rows = np.fromfile(arguments.vectors, "<f4").reshape(-1, arguments.dim)
    rng = np.random.default_rng(arguments.seed)
    each = arguments.dim // arguments.bytes
    centroids = np.stack([k_means(rows[:, i * each:(i + 1) * each], rng)
                          for i in range(arguments.bytes)])
    write_safetensors(arguments.out, centroids, {
        "format": "megacontext-vector-codebook-1",
        "embedder_name": arguments.embedder_name,
        "embedder_hash": arguments.embedder_hash,
        "trained_on": f"{len(rows)} vectors, seed {arguments.seed}" +
                      (f": {arguments.note}" if arguments.note else ""),
    })


if __name__ == "__main__":
    main()

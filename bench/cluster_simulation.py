#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a cluster (docs/cluster.md) would take for a text of many tokens: seconds, bytes, money.

A simulation of events with constants that were measured: workers take documents from the queue, read
their bytes, encode, write a batch; the servers of NATS carry each byte to every replica; the server
of each bank takes its batches one after the other. So many documents are simulated as show the
pace after the pipeline has filled; the whole is that pace's.

  bench/cluster_simulation.py --workers 10 100 1000 --banks 1 10
"""

import argparse
import dataclasses
import heapq
import random


@dataclasses.dataclass
class Constants:
    """Of one machine of two cores (docs/lab-log.md), but for network and money, which are assumed."""

    encode_tokens_per_second: float  # of a worker
    worker_seconds_per_document: float  # beside encoding: fetching, writing, the queue
    batch_bytes_per_token: float
    text_bytes_per_token: float
    apply_tokens_per_second: float  # of the server of a bank, with its passages' vectors
    apply_seconds_per_batch: float
    network_bytes_per_second: float
    replicas: int
    dollars_per_machine_hour: float


def sizes(rng, mean):
    """Tokens of documents: many are short, some are long."""
    while True:
        yield max(32, rng.expovariate(1 / mean))


def simulate(constants, workers, banks, mean_tokens, documents, seed):
    """(tokens a second, share of their time that workers and banks' servers work)."""
    rng = random.Random(seed)
    to_come = sizes(rng, mean_tokens)

    def encoding(tokens):
        return tokens / constants.encode_tokens_per_second + constants.worker_seconds_per_document

    made = []  # (when its batch is made, its tokens), of every worker
    for _ in range(workers):
        tokens = next(to_come)
        heapq.heappush(made, (encoding(tokens), tokens))
    network_free = 0.0
    bank_free = [0.0] * banks
    busy_workers = busy_banks = tokens_done = 0.0
    half = (0.0, 0.0)
    for number in range(documents):
        now, tokens = heapq.heappop(made)
        busy_workers += encoding(tokens)
        carried = tokens * (constants.text_bytes_per_token + constants.batch_bytes_per_token)
        network_free = max(network_free, now) + (
            carried * constants.replicas / constants.network_bytes_per_second)
        bank = number % banks
        applying = tokens / constants.apply_tokens_per_second + constants.apply_seconds_per_batch
        busy_banks += applying
        bank_free[bank] = max(bank_free[bank], network_free) + applying
        # A worker waits for its batch to be in the log, and for no bank.
        following = next(to_come)
        heapq.heappush(made, (network_free + encoding(following), following))
        tokens_done += tokens
        if number == documents // 2:
            half = (max(bank_free), tokens_done)
    end = max(bank_free)
    pace = (tokens_done - half[1]) / (end - half[0])
    return pace, busy_workers / (end * workers), busy_banks / (end * banks)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--workers", type=int, nargs="+", default=[10, 100, 1000])
    parser.add_argument("--banks", type=int, nargs="+", default=[1, 10, 100])
    parser.add_argument("--tokens", type=float, default=1e10)
    parser.add_argument("--document-tokens", type=float, default=5000)
    parser.add_argument("--documents", type=int, default=40000, help="that are simulated")
    parser.add_argument("--seed", type=int, default=1)
    for name, value in DEFAULTS.items():
        parser.add_argument("--" + name.replace("_", "-"), type=type(value), default=value)
    given = parser.parse_args()
    constants = Constants(**{name: getattr(given, name) for name in DEFAULTS})
    moved = given.tokens * (constants.text_bytes_per_token + constants.batch_bytes_per_token)
    print(f"{given.tokens:.3g} tokens: {moved / 1e12:.2f} TB through the streams, "
          f"{moved * constants.replicas / 1e12:.2f} TB on their disks")
    print("workers  banks   tokens/s       days  workers busy  banks busy    dollars")
    for workers in given.workers:
        for banks in given.banks:
            pace, workers_busy, banks_busy = simulate(constants, workers, banks,
                                                      given.document_tokens, given.documents,
                                                      given.seed)
            seconds = given.tokens / pace
            machines = workers + banks + constants.replicas
            dollars = seconds / 3600 * machines * constants.dollars_per_machine_hour
            print(f"{workers:7d} {banks:6d} {pace:10.0f} {seconds / 86400:10.1f} {workers_busy:13.2f} "
                  f"{banks_busy:11.2f} {dollars:10.0f}")


# Measured, but for the last three.
DEFAULTS = {
    "encode_tokens_per_second": 500.0,
    "worker_seconds_per_document": 0.02,
    "batch_bytes_per_token": 51.3,
    "text_bytes_per_token": 4.3,
    "apply_tokens_per_second": 3500.0,
    "apply_seconds_per_batch": 0.05,
    "network_bytes_per_second": 1.1e8,
    "replicas": 3,
    "dollars_per_machine_hour": 0.08,
}

if __name__ == "__main__":
    main()

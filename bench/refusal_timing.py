#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the time of a refusal tells what it is about: pairs of requests, each in random order.

Arguments: the binary, the base model, --pairs. Prints one line of JSON: of each pair the medians in microseconds, the
median difference, and the share of pairs in which the first took longer, .5 but for chance (a standard error is given):
  bank      a bank that exists and that the key may not see, and one that is nowhere
  document  a document of another bank, and one that is nowhere, asked for in the key's own
  key       a revoked key, and one that never was
"""

import argparse
import json
import pathlib
import random
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "serve"))

import agent  # noqa: E402

from agent_latency import OnAllCores  # noqa: E402


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("--pairs", type=int, default=2000)
    asked = parser.parse_args()
    program = OnAllCores(asked.binary.resolve(), asked.model.resolve())
    server = agent.HttpProcess(program)
    server.call("remember", text="Anna keeps a tortoise. " * 1000, name="anna", bank="work")
    server.call("remember", text="Ben drinks cocoa.", name="ben", bank="home")
    home = program.result("serve", "key", "create", "agent", "--only-bank", "home")["secret"]
    gone = program.result("serve", "key", "create", "gone")
    program.result("serve", "key", "revoke", gone["id"])
    asks = {"bank": ((home, {"question": "Who?", "bank": "work"}), (home, {"question": "Who?", "bank": "nowhere"})),
            "document": ((home, {"question": "Who?", "documents": ["d1"]}),
                         (home, {"question": "Who?", "documents": ["d999"]})),
            "key": ((gone["secret"], {"question": "Who?"}), ("mc_" + "0" * 64, {"question": "Who?"}))}
    connection = server.connect()
    rng = random.Random(1)
    times = {name: ([], []) for name in asks}
    for _ in range(asked.pairs):
        for name, pair in asks.items():
            for which in rng.sample((0, 1), 2):
                server.key, body = pair[which]
                begin = time.perf_counter()
                server.send("POST", "/v1/recall", body, connection=connection)
                times[name][which].append(1e6 * (time.perf_counter() - begin))
    found = {}
    for name, (there, nowhere) in times.items():
        apart = [a - b for a, b in zip(there, nowhere)]
        found[name] = {"there_us": round(statistics.median(there), 1), "nowhere_us": round(statistics.median(nowhere), 1),
                       "apart_us": round(statistics.median(apart), 2),
                       "longer": round(sum(one > 0 for one in apart) / len(apart), 3),
                       "standard_error": round(.5 / len(apart) ** .5, 3)}
    server.close()
    program.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()

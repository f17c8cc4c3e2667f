#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long an agent waits: remember of one message and recall without an answer, over MCP on stdio.

Arguments: the binary, the base model, and texts to fill the memory with first. Prints one line of
JSON. Every message is looked for after it was remembered, and must be found: a fast wrong answer
fails.
"""

import json
import pathlib
import random
import re
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "serve"))

import agent  # noqa: E402
import cli  # noqa: E402

MESSAGES = 300
NAMES = ("Anna", "Ben", "Clara", "Dora", "Emil", "Fritz", "Greta", "Hugo")
THINGS = ("tortoise", "bronze bell", "garden", "boat", "violin", "telescope", "loom", "orchard")
PLACES = ("Lisbon", "Lima", "Turku", "Graz", "Ghent", "Bergen", "Malmo", "Porto")


class OnAllCores(cli.Cli):
    """The tests' programs run with one thread each."""

    def environment(self):
        return {name: value for name, value in super().environment().items()
                if name != "MEGACONTEXT_THREADS"}


def percentile(seconds, share):
    ordered = sorted(seconds)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def timed(function, *arguments, **named):
    begin = time.perf_counter()
    result = function(*arguments, **named)
    return time.perf_counter() - begin, result


def resident_kib(process):
    """Of a process, the memory that is its own and that of files mapped into it."""
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    return {kind: int(re.search(rf"{kind}:\s+(\d+) kB", status)[1]) for kind in ("RssAnon", "RssFile")}


def exchange(mcp, count, seed=1):
    """Tells messages and asks for each of them: how long either took, and what was told."""
    rng = random.Random(seed)
    remember_s, recall_s, told = [], [], []
    for i in range(count):
        name, thing, place = rng.choice(NAMES), rng.choice(THINGS), rng.choice(PLACES)
        said = f"In week {i}, {name} brought the {thing} number {rng.randrange(10**6)} to {place}."
        seconds, _ = timed(mcp.call, "remember", session=f"chat {i // 100}", role="user", text=said)
        remember_s.append(seconds)
        seconds, found = timed(mcp.call, "recall", question=said)
        recall_s.append(seconds)
        if not any(said in one["text"] for one in found["evidence"]):
            sys.exit(f"not found: {said}")
        told.append(said)
    waits = {f"{verb}_{name}_s": percentile(seconds, share)
             for verb, seconds in (("remember", remember_s), ("recall", recall_s))
             for name, share in (("p50", .5), ("p99", .99))}
    return waits, told


def main():
    binary, model, *texts = map(pathlib.Path, sys.argv[1:])
    program = OnAllCores(binary.resolve(), model.resolve())
    tokens = sum(program.result("ingest", path.resolve(), "--no-gists")["tokens"] for path in texts)
    mcp = agent.McpProcess(program)
    waits, _ = exchange(mcp, MESSAGES)
    assert mcp.close() == 0
    program.close()
    print(json.dumps({"memory_tokens": tokens, "messages": MESSAGES, **waits}))


if __name__ == "__main__":
    main()

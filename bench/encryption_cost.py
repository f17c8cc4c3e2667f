#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What encryption costs: the same memory plain and encrypted, by turns in one run.

Arguments: the binary, the base model, and texts to fill the memory with. Prints one line of JSON, and each measurement to
standard error. Texts are taken in without
their gists, then the gists are made; every question is answered with the same passages in both, or the run fails. Each
value is the median of the rounds; opening is `bank list`, which reads one record.
"""

import json
import pathlib
import random
import statistics
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "serve"))

import agent  # noqa: E402
import cli  # noqa: E402

ROUNDS = 3
QUESTIONS = 200
OPENINGS = 15
KINDS = ("plain", "key_file", "passphrase")


class Program(cli.Cli):
    """On all cores, with a key."""

    def __init__(self, binary, model, kind):
        super().__init__(binary, model)
        self.key = {}
        if kind == "key_file":
            self.write("key", random.Random(7).randbytes(32))
            self.key = {"MEGACONTEXT_KEY_FILE": str(self.home / "key")}
        elif kind == "passphrase":
            self.key = {"MEGACONTEXT_PASSPHRASE": "correct horse battery staple"}

    def environment(self):
        inherited = {name: value for name, value in super().environment().items() if name != "MEGACONTEXT_THREADS"}
        return {**inherited, **self.key}


def timed(function, *arguments, **named):
    begin = time.perf_counter()
    result = function(*arguments, **named)
    return time.perf_counter() - begin, result


def questions_of(texts):
    """Stretches of the texts themselves: what is found is known, and equal in every store."""
    rng = random.Random(1)
    words = " ".join(path.read_text(errors="ignore") for path in texts).split()
    begins = [rng.randrange(len(words) - 8) for _ in range(QUESTIONS)]
    return [" ".join(words[begin:begin + 8]) for begin in begins]


def measure(binary, model, kind, texts, questions, found):
    program = Program(binary, model, kind)
    text_s, results = timed(program.results, "ingest", *texts, "--no-gists")
    tokens = sum(line["tokens"] for line in results if "tokens" in line and "source" in line)
    gists_s, _ = timed(program.results, "gists")
    program.result("query", questions[0])  # which brings the index up to date
    opening_s = [timed(program.result, "bank", "list")[0] for _ in range(OPENINGS)]
    mcp = agent.McpProcess(program)
    mcp.call("recall", question=questions[0])
    recall_s = []
    for i, question in enumerate(questions):
        seconds, answer = timed(mcp.call, "recall", question=question)
        recall_s.append(seconds)
        passages = [one["text"] for one in answer["evidence"]]
        if passages != found.setdefault(i, passages):
            sys.exit(f"{kind} finds other passages for: {question}")
    assert mcp.close() == 0
    data = (program.store / "data.mdb").stat().st_size
    index = sum(path.stat().st_size for path in program.store.rglob("passages.sqlite"))
    program.close()
    return {"tokens": tokens, "text_tokens_per_s": tokens / text_s, "gist_tokens_per_s": tokens / gists_s,
            "recall_p50_ms": 1e3 * statistics.median(recall_s),
            "recall_p99_ms": 1e3 * sorted(recall_s)[int(.99 * len(recall_s))],
            "open_ms": 1e3 * statistics.median(opening_s), "data_bytes": data, "index_bytes": index}


def main():
    binary, model, *texts = (pathlib.Path(argument).resolve() for argument in sys.argv[1:])
    questions = questions_of(texts)
    found = {}
    rounds = {kind: [] for kind in KINDS}
    for _ in range(ROUNDS):
        for kind in KINDS:
            rounds[kind].append(measure(binary, model, kind, texts, questions, found))
            print(kind, json.dumps(rounds[kind][-1]), file=sys.stderr)
    print(json.dumps({kind: {name: statistics.median(one[name] for one in measured) for name in measured[0]}
                      for kind, measured in rounds.items()}))


if __name__ == "__main__":
    main()

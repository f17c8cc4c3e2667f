#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a store costs as it grows: memories of --tokens tokens each, made of the texts given.

Arguments: the binary, the base model, and texts; --tokens N…, --gists. Documents are made of the
texts' paragraphs in the seed's order. Once the texts are used up, each paragraph comes again with
its words in another order: new text to store, index and find among. Every message told is asked for
and must be found, before and after the churn. Prints one line of JSON for each size.
"""

import argparse
import json
import pathlib
import random
import sys
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "serve"))

import agent  # noqa: E402
import cli  # noqa: E402

from agent_latency import OnAllCores, exchange, percentile, resident_kib, timed  # noqa: E402

MESSAGES = 200
DOCUMENT_BYTES = 200_000
BYTES_A_TOKEN = 4.2  # of English; how much text is written, not what is reported
QUESTIONS = 5
ROUNDS = 20  # of churn

cli.TIMEOUT_SECONDS = 24 * 3600  # the tests' is for hangs; a large memory takes as long as it takes


def paragraphs(texts, rng):
    """Without end: all paragraphs, then all of them with their words in other orders, and so on."""
    first = [part for path in texts for part in path.read_text(errors="ignore").split("\n\n")
             if part.strip()]
    rng.shuffle(first)
    yield from first
    while True:
        for part in first:
            words = part.split()
            rng.shuffle(words)
            yield " ".join(words)


def write_documents(folder, source, byte_count):
    folder.mkdir()
    for number in range(max(1, round(byte_count / DOCUMENT_BYTES))):
        parts, size = [], 0
        while size < min(byte_count, DOCUMENT_BYTES):
            parts.append(next(source))
            size += len(parts[-1].encode()) + 2
        (folder / f"{number:05}.txt").write_text("\n\n".join(parts))


class Readers:
    """Ask one question after the other, each in a process of its own, until told to stop."""

    def __init__(self, program, question):
        self.stop, self.asked, self.fault = threading.Event(), 0, None
        self.thread = threading.Thread(target=self.work, args=(program, question))
        self.thread.start()

    def work(self, program, question):
        while not self.stop.is_set() and not self.fault:
            done = program.run("query", question)
            if done.returncode != 0 or question.encode() not in done.stdout:
                self.fault = (done.stdout + done.stderr).decode()
            self.asked += 1

    def close(self):
        self.stop.set()
        self.thread.join()
        if self.fault:
            sys.exit(f"a reader beside the writer: {self.fault}")
        return self.asked


def churn(program, mcp, told):
    """One document forgotten and told again and again by the one who writes, readers beside."""
    text = sorted((program.home / "memory").iterdir())[0].read_text()
    before = program.result("inspect", "--size")["disk_bytes"]
    readers = Readers(program, told[0])
    for _ in range(ROUNDS):
        mcp.call("remember", name="again", text=text)
        mcp.call("forget", documents=["again"], dry_run=False)
    asked = readers.close()
    after = program.result("inspect", "--size")["disk_bytes"]
    assert mcp.close() == 0
    seconds, sizes = timed(program.result, "compact")
    for said in told[:QUESTIONS]:
        if not any(said in one["text"] for one in program.result("query", said)["evidence"]):
            sys.exit(f"not found after the churn: {said}")
    return {"disk_bytes_before_churn": before, "disk_bytes_after_churn": after,
            "readers": asked, "compact_s": seconds, "disk_bytes_compacted": sizes["bytes_after"]}


def measure(options, tokens):
    program = OnAllCores(options.binary.resolve(), options.model.resolve())
    source = paragraphs(options.texts, random.Random(1))
    write_documents(program.home / "memory", source, tokens * BYTES_A_TOKEN)
    arguments = ["ingest", "memory"] + ([] if options.gists else ["--no-gists"])
    fill_s, _ = timed(program.results, *arguments)
    sizes = program.result("inspect", "--size")
    mcp = agent.McpProcess(program)
    waits, told = exchange(mcp, MESSAGES)
    memory = resident_kib(mcp.process)
    opening = [timed(program.result, "query", said)[0] for said in told[:QUESTIONS]]
    answering = [timed(program.result, "query", said, "--answer")[0] for said in told[:QUESTIONS]]
    line = {"tokens": sizes["tokens"], "gists": options.gists, "fill_s": fill_s,
            "bytes_a_token": {one["part"]: round(one["bytes"] / sizes["tokens"], 2)
                              for one in sizes["parts"]},
            "disk_bytes_a_token": round(sizes["disk_bytes"] / sizes["tokens"], 2), **waits, **memory,
            "open_to_evidence_p50_s": percentile(opening, .5),
            "open_to_answer_p50_s": percentile(answering, .5), **churn(program, mcp, told)}
    program.close()
    return line


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("texts", type=pathlib.Path, nargs="+")
    parser.add_argument("--tokens", type=int, nargs="+", default=[10**5, 10**6])
    parser.add_argument("--gists", action="store_true", help="with gists, which takes long")
    options = parser.parse_args()
    for tokens in options.tokens:
        print(json.dumps(measure(options, tokens)), flush=True)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many agents at one server: recalls beside remembers on connections that stay open, then a kill.

Arguments: the binary, the base model, and texts to fill the memory with first; --seconds and
--connections. Half the connections ask, half tell: messages of sessions, and now and then a
document. No answer but 200 and 429 (come again) may come. The server is killed in the middle of
the load; whatever was acknowledged must be readable afterwards, and the store without a fault.
Prints one line of JSON: waits in seconds as the clients saw them, and the server's memory.
"""

import argparse
import http.client
import json
import pathlib
import random
import signal
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "serve"))

import agent  # noqa: E402
import cli  # noqa: E402

from agent_latency import (  # noqa: E402
    NAMES, PLACES, THINGS, OnAllCores, percentile, resident_kib)

DOCUMENT_EVERY = 20  # of what a connection tells
GONE = (http.client.HTTPException, OSError)  # what a client sees of a kill


class Load:
    """Clients of one server, and what they were told."""

    def __init__(self, server, connections, seed=1):
        self.server = server
        self.stop = threading.Event()
        self.killing = threading.Event()
        self.lock = threading.Lock()
        self.waits = {"remember": [], "recall": []}
        self.refused = 0
        self.errors = []
        self.said = {}  # session → lines that were acknowledged, in order
        self.documents = {}  # name → text
        self.threads = [threading.Thread(target=self.work, args=(i, random.Random(seed * 1000 + i)))
                        for i in range(connections)]

    def work(self, number, rng):
        connection = self.server.connect()
        count = 0
        while not self.stop.is_set():
            count += 1
            verb, body, keep = self.ask(rng) if number % 2 else self.tell(number, count, rng)
            begin = time.perf_counter()
            try:
                status, headers, reply = self.server.send("POST", "/v1/" + verb, body,
                                                          connection=connection)
            except GONE as error:
                if not self.killing.is_set():
                    self.errors.append(repr(error))
                return
            with self.lock:
                if status == 200:
                    self.waits[verb].append(time.perf_counter() - begin)
                    keep(reply)
                elif status == 429:
                    self.refused += 1
                else:
                    self.errors.append(f"{verb}: {status} {reply}")
            if status == 429:
                self.stop.wait(float(headers["Retry-After"]))
        connection.close()

    def ask(self, rng):
        question = f"What did {rng.choice(NAMES)} bring to {rng.choice(PLACES)}?"
        return "recall", {"question": question}, lambda reply: None

    def tell(self, number, count, rng):
        text = (f"In week {count} of round {number}, {rng.choice(NAMES)} brought the "
                f"{rng.choice(THINGS)} number {rng.randrange(10**6)} to {rng.choice(PLACES)}.")
        if count % DOCUMENT_EVERY == 0:
            name = f"note {number} {count}"
            text = " ".join([text] * 20)
            return ("remember", {"text": text, "name": name},
                    lambda reply: self.documents.update({name: text}))
        session = f"chat {number}"
        return ("remember", {"text": text, "session": session, "role": "user"},
                lambda reply: self.said.setdefault(session, []).append(f"user: {text}\n"))

    def run(self, seconds):
        """The server's memory, once a second, until it is killed in mid-load."""
        for thread in self.threads:
            thread.start()
        memory = []
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            memory.append(resident_kib(self.server.process))
            self.stop.wait(min(1.0, max(0.0, end - time.monotonic())))
        self.killing.set()
        self.server.close(signal.SIGKILL)
        self.stop.set()
        for thread in self.threads:
            thread.join()
        return memory

    def check(self, server):
        """Reads back all that was acknowledged; the number of what is missing."""
        missing = 0
        for session, lines in self.said.items():
            text, at = read_whole(server, "session/" + session), 0
            for line in lines:
                found = text.find(line, at)
                missing += found < 0
                at = found + len(line) if found >= 0 else at
        for name, text in self.documents.items():
            missing += read_whole(server, name) != text
        return missing


def read_whole(server, document):
    text, begin, total = "", 0, 1
    while begin < total:
        part = server.call("read", document=document, begin=begin)
        text += part["text"]
        begin, total = part["bytes"]["end"], part["bytes_total"]
    return text


def run_load(program, seconds, connections):
    """One load, one kill, one reading back: what is printed."""
    server = agent.HttpProcess(program)
    server.call("status")
    load = Load(server, connections)
    memory = load.run(seconds)
    server = agent.HttpProcess(program)
    missing = load.check(server)
    status = server.close()
    faults = program.result("verify")["faults"]
    half = memory[len(memory) // 2]
    return {
        "connections": connections, "seconds": seconds,
        "remembers": len(load.waits["remember"]), "recalls": len(load.waits["recall"]),
        "refused": load.refused, "errors": load.errors[:5], "error_count": len(load.errors),
        "acknowledged": sum(map(len, load.said.values())) + len(load.documents),
        "missing_after_kill": missing, "faults": faults, "exit_status": status,
        **{f"{verb}_p{int(100 * share)}_s": round(percentile(waits, share), 4)
           for verb, waits in load.waits.items() if waits for share in (.5, .99)},
        "rss_anon_mib": [round(one["RssAnon"] / 1024, 1) for one in (memory[0], half, memory[-1])],
        "rss_file_mib": [round(one["RssFile"] / 1024, 1) for one in (memory[0], half, memory[-1])]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("texts", type=pathlib.Path, nargs="*")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--connections", type=int, default=32)
    asked = parser.parse_args()
    program = OnAllCores(asked.binary.resolve(), asked.model.resolve())
    for path in asked.texts:
        program.result("ingest", path.resolve())
    found = run_load(program, asked.seconds, asked.connections)
    program.close()
    print(json.dumps(found))
    sys.exit(bool(found["error_count"] or found["missing_after_kill"] or found["faults"]))


if __name__ == "__main__":
    main()

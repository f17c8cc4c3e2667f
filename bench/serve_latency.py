#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long an agent waits for `megacontext serve`: alone, for the first event, beside an ingest, among 32.

Arguments: the binary, the base model, and texts to fill the memory with first; --rounds, --answers,
--seconds and --connections. Prints one line of JSON, times in seconds as the client saw them:
  alone    recall without an answer and remember of one message by turns, on one connection; each
           message is looked for right after it was told, and must be found
  events   from the request to an answer's first event (its evidence), to its first text and its end,
           of recall and of OpenAI's completions
  beside   as alone, without a break while the first text is taken in again, as an operation
  wrk      recall by wrk (Debian's package) on all connections but one, which tells messages and asks
"""

import argparse
import json
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "serve"))

import agent  # noqa: E402

from agent_latency import NAMES, PLACES, THINGS, OnAllCores, percentile, timed  # noqa: E402

WRK_SCRIPT = """
local names, places = {%s}, {%s}
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
request = function()
  local question = "What did " .. names[math.random(#names)] .. " bring to " .. places[math.random(#places)] .. "?"
  return wrk.format(nil, nil, nil, '{"question":"' .. question .. '"}')
end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    'JSON {"recalls":%%d,"not_200":%%d,"socket_errors":%%d,"recall_p50_s":%%.4f,"recall_p99_s":%%.4f}\\n',
    summary.requests, errors.status, errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50) / 1e6, latency:percentile(99) / 1e6))
end
"""


def shares(waits):
    return {f"{verb}_p{int(100 * share)}_s": round(percentile(seconds, share), 4)
            for verb, seconds in waits.items() if seconds for share in (.5, .99)}


class Talk:
    """Messages told, and asked for right after."""

    def __init__(self, server, session):
        self.server = server
        self.session = session
        self.connection = server.connect()
        self.rng = random.Random(1)
        self.waits = {"remember": [], "recall": []}

    def turn(self):
        names = [self.rng.choice(some) for some in (NAMES, THINGS, PLACES)]
        said = f"In week {len(self.waits['recall'])}, {names[0]} brought the {names[1]} number " \
               f"{self.rng.randrange(10**6)} to {names[2]}."
        seconds, _ = timed(self.server.call, "remember", connection=self.connection, session=self.session,
                           role="user", text=said)
        self.waits["remember"].append(seconds)
        seconds, found = timed(self.server.call, "recall", connection=self.connection, question=said)
        self.waits["recall"].append(seconds)
        if not any(said in one["text"] for one in found["evidence"]):
            sys.exit(f"not found: {said}")


def event_times(server, path, body, is_text):
    """From the request to the first event, to the first one with text, and to the last."""
    connection = server.connect()
    begin = time.perf_counter()
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json",
                                                        "Accept": "text/event-stream"})
    reply = connection.getresponse()
    first = with_text = None
    for line in reply:
        if line.startswith(b"data: "):
            now = time.perf_counter() - begin
            first = first or now
            if with_text is None and is_text(line):
                with_text = now
    end = time.perf_counter() - begin
    connection.close()
    return first, with_text or end, end


def measure_events(server, count):
    waits = {}
    faces = {"recall": ("/v1/recall", lambda q: {"question": q, "answer": True},
                        lambda line: b'{"text":' in line[:20]),
             "chat": ("/v1/chat/completions",
                      lambda q: {"messages": [{"role": "user", "content": q}], "stream": True},
                      lambda line: b'"content":"' in line and b'"content":""' not in line)}
    for name, (path, body_of, is_text) in faces.items():
        rng = random.Random(2)
        for _ in range(count):
            question = f"What did {rng.choice(NAMES)} bring to {rng.choice(PLACES)}?"
            times = event_times(server, path, body_of(question), is_text)
            for what, seconds in zip(("first_event", "first_text", "end"), times):
                waits.setdefault(f"{name}_{what}", []).append(seconds)
    return shares(waits)


def measure_beside(server, text):
    connection = server.connect()
    status, headers, form = server.send("POST", "/v1/documents?name=again", text.encode(),
                                        {"Content-Type": "text/plain", "Prefer": "respond-async"}, connection)
    assert status == 202, form
    talk = Talk(server, "beside")
    begin = time.perf_counter()
    while form["state"] in ("waiting", "running"):
        talk.turn()
        form = server.send("GET", headers["Location"], connection=connection)[2]
    seconds = time.perf_counter() - begin
    assert form["state"] == "done", form
    return {"ingest_tokens_per_s": round(form["progress"]["tokens_done"] / seconds), **shares(talk.waits)}


def measure_wrk(server, seconds, connections):
    quoted = [", ".join(f'"{name}"' for name in some) for some in (NAMES, PLACES)]
    talk = Talk(server, "beside wrk")
    stop = threading.Event()

    def tell():
        while not stop.is_set():
            talk.turn()

    teller = threading.Thread(target=tell)
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(WRK_SCRIPT % tuple(quoted))
        script.flush()
        teller.start()
        done = subprocess.run(["wrk", "-t", "2", "-c", str(connections), "-d", f"{seconds}s", "--timeout", "30s",
                               "-s", script.name, server.url + "/v1/recall"],
                              capture_output=True, text=True, check=True)
    stop.set()
    teller.join()
    line = next(line for line in done.stdout.splitlines() if line.startswith("JSON "))
    return {**json.loads(line[5:]), "teller": {"messages": len(talk.waits["remember"]), **shares(talk.waits)}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("binary", type=pathlib.Path)
    parser.add_argument("model", type=pathlib.Path)
    parser.add_argument("texts", type=pathlib.Path, nargs="+")
    parser.add_argument("--rounds", type=int, default=300)
    parser.add_argument("--answers", type=int, default=20)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--connections", type=int, default=32)
    asked = parser.parse_args()
    program = OnAllCores(asked.binary.resolve(), asked.model.resolve())
    tokens = sum(program.result("ingest", path.resolve(), "--no-gists")["tokens"] for path in asked.texts)
    server = agent.HttpProcess(program)
    alone = Talk(server, "alone")
    for _ in range(asked.rounds):
        alone.turn()
    found = {"memory_tokens": tokens, "alone": shares(alone.waits), "events": measure_events(server, asked.answers),
             "beside": measure_beside(server, asked.texts[0].read_text(encoding="utf-8", errors="replace"))}
    if shutil.which("wrk"):
        found["wrk"] = measure_wrk(server, asked.seconds, asked.connections - 1)
    assert server.close() == 0
    program.close()
    print(json.dumps(found))


if __name__ == "__main__":
    main()

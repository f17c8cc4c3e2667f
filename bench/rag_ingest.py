#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How fast a text becomes durable and can be found: this program beside the usual way of RAG.

The usual way: MiniLM-L6 in f32 by PyTorch, chunks of 128 of its tokens, a Chroma collection on
disk. Both take in the same text, by turns, with as many threads; what loading the models takes is
left out of both. A fact that nobody knows stands in the text, and both must find it before their
time counts. Prints one line of JSON a round and the ratio of the medians.

Needs what the program does not: pip install chromadb torch transformers. Arguments: the binary,
the base model, the folder of all-MiniLM-L6-v2, texts; --bytes, --rounds, --threads.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

FACT = "The lantern keeper of Vellmarsh is called Odalys Brenn."
QUESTION = "What is the name of the lantern keeper of Vellmarsh?"
CHUNK_TOKENS = 128
BATCH = 32

PEER = """
import json, sys, time
import torch, chromadb
from transformers import AutoModel, AutoTokenizer
folder, text_file, store, threads, chunk_tokens, batch, question = sys.argv[1:]
chunk_tokens, batch = int(chunk_tokens), int(batch)
torch.set_num_threads(int(threads))
tokenizer = AutoTokenizer.from_pretrained(folder)
model = AutoModel.from_pretrained(folder, torch_dtype=torch.float32).eval()
text = open(text_file, encoding="utf-8").read()
collection = chromadb.PersistentClient(store).create_collection("peer")

def embed(texts):
    with torch.inference_mode():
        inputs = tokenizer(texts, padding=True, truncation=True, max_length=chunk_tokens + 2, return_tensors="pt")
        states = model(**inputs).last_hidden_state
        mask = inputs["attention_mask"].unsqueeze(-1)
        mean = (states * mask).sum(1) / mask.sum(1)
        return torch.nn.functional.normalize(mean, dim=1).numpy()

embed(["warm"])
begin = time.monotonic()
offsets = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)["offset_mapping"]
chunks = [text[offsets[i][0]:offsets[min(i + chunk_tokens, len(offsets)) - 1][1]] for i in range(0, len(offsets), chunk_tokens)]
for i in range(0, len(chunks), batch):
    part = chunks[i:i + batch]
    collection.add(ids=[str(i + k) for k in range(len(part))], documents=part, embeddings=embed(part))
seconds = time.monotonic() - begin
found = collection.query(query_embeddings=embed([question]), n_results=1)["documents"][0][0]
print(json.dumps({"seconds": seconds, "found": found}))
"""


def text_of(files, size):
    text = "".join(pathlib.Path(file).read_text(encoding="utf-8") for file in files)[:size]
    middle = text.index("\n\n", len(text) // 2)
    return text[:middle] + "\n\n" + FACT + text[middle:]


def run(command, **more):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, **more)
    if done.returncode != 0:
        sys.exit(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


def peer_seconds(arguments, text_file, folder):
    out = run([sys.executable, "-c", PEER, arguments.embedder, text_file, folder / "chroma", arguments.threads,
               CHUNK_TOKENS, BATCH, QUESTION])
    told = json.loads(out.splitlines()[-1])
    if "Odalys" not in told["found"]:
        sys.exit("the peer does not find the fact")
    return told["seconds"]


def our_seconds(arguments, text_file, folder, *more):
    """Wall time of the command, without what it takes for a text of one line."""
    def ingest(file, store, *more):
        begin = time.monotonic()
        run([arguments.binary, "--model", arguments.model, "--store", store, "--threads", arguments.threads, "ingest",
             file, *more])
        return time.monotonic() - begin

    short = folder / "short.txt"
    short.write_text("One line.\n")
    load = ingest(short, folder / "short", *more)
    seconds = ingest(text_file, folder / "ours", *more) - load
    found = json.loads(run([arguments.binary, "--model", arguments.model, "--store", folder / "ours", "query",
                            QUESTION, "--json"]))
    if "Odalys" not in found["evidence"][0]["text"]:
        sys.exit("the program does not find the fact")
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("binary", "model", "embedder"):
        parser.add_argument(name)
    parser.add_argument("texts", nargs="+")
    parser.add_argument("--bytes", type=int, default=400_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--with-gists", action="store_true", help="also until all gists are made")
    arguments = parser.parse_args()
    ways = {"peer": peer_seconds, "found": lambda *given: our_seconds(*given, "--no-gists")}
    if arguments.with_gists:
        ways["gists"] = our_seconds
    rates = {way: [] for way in ways}
    text = text_of(arguments.texts, arguments.bytes)
    for _ in range(arguments.rounds):
        for way, measure in ways.items():
            with tempfile.TemporaryDirectory() as folder:
                folder = pathlib.Path(folder)
                text_file = folder / "text.txt"
                text_file.write_text(text, encoding="utf-8")
                rates[way].append(len(text.encode()) / measure(arguments, text_file, folder))
        print(json.dumps({way: round(values[-1]) for way, values in rates.items()}), flush=True)
    middle = {way: statistics.median(values) for way, values in rates.items()}
    print(json.dumps({"bytes_per_second": {way: round(rate) for way, rate in middle.items()},
                      "ratio": {way: round(rate / middle["peer"], 3) for way, rate in middle.items()}}))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares our token ids with those of PyPI `tokenizers` on more than 2 MB of mixed text.

    tokenizer_parity.py MODEL DUMP_TOKEN_IDS WORK_FOLDER
    tokenizer_parity.py MODEL.gguf --golden FILE

The second form writes tests/golden/tokenizer/smollm.golden: tricky strings with their ids, so that
a build without Python checks parity too. Exit status 77 (skipped) names what is missing.

MODEL is a GGUF or a folder with a tokenizer.json. The reference is built from the GGUF's own
vocabulary and merges, or read from tokenizer.json, without control tokens and normaliser: text is
encoded as it stands, also where it spells a control token. Left out are the characters that the
vocabulary cannot spell: the reference drops their bytes. The text is made from fixed seeds and from
files that a Debian machine has; a part whose file is absent is replaced by generated words.
"""
import array
import glob
import json
import os
import random
import subprocess
import sys
import unicodedata

SKIPPED = 77
TEXT_BYTES_MIN = 2_000_000

try:
    from gguf import GGUFReader
    from tokenizers import Tokenizer, models, pre_tokenizers
except ImportError as missing:
    print(f"skipped: this Python lacks a package: {missing}")
    sys.exit(SKIPPED)

CONTROL_SPELLINGS = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>", "<file_sep>"]

TRICKY = [
    "", " ", "  ", "   ", "\n", "\n\n\n", "\t\t", "\r\n", " \n", "\n ",
    "a  b", "a   b", "  a", "a  ",
    "\u00a0\u00a0x", "\u3000\u3000\u4e2d", "\u2028\u2029", "\u180e x", "\x0b\x0c\x85y",
    "\x1c\x1d\x1f",
    "don't can't we're I've I'm he'll she'd it's", "DON'T 'S 'll' ''s 'rex 'vent", "'", "''", "'r",
    "12345", "a1b2", " 1 22  333   4", "\u0661\u0662\u0663", "x\u00b2\u00bd\u2167\u3007", "  7",
    "\n7\n", "3.14e-10, 1,000,000", "caf\u00e9 na\u00efve", "e\u0301\u0302\u0303",
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!", "\u0645\u0631\u062d\u0628\u0627",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f600\U0001f1e9\U0001f1ea",
    "for (int i = 0; i < n; ++i) {\n\t\treturn x->y[i] != nullptr;\n    }\n",
    "<|im_start|>user\nhi<|im_end|>\n<|endoftext|>", "\x00\x01\x02", "\ufeff\ufffd\ufffe",
    "http://example.org/a_b?c=d&e=%20#f", "____----====....", "a" * 300, " " * 300,
    "ab " * 50 + "!",
]


def reference_tokenizer(reader):
    field = lambda key: reader.fields[key].contents()
    vocabulary = {token: i for i, token in enumerate(field("tokenizer.ggml.tokens"))}
    merges = [tuple(line.split(" ")) for line in field("tokenizer.ggml.merges")]
    reference = Tokenizer(models.BPE(vocab=vocabulary, merges=merges))
    digits = pre_tokenizers.Digits(individual_digits=True)
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)
    assert field("tokenizer.ggml.pre") == "smollm", "the reference below is SmolLM's"
    reference.pre_tokenizer = pre_tokenizers.Sequence([digits, byte_level])
    return reference, set(vocabulary)


def folder_tokenizer(folder):
    with open(os.path.join(folder, "tokenizer.json"), encoding="utf-8") as file:
        document = json.load(file)
    plain = {**document, "normalizer": None, "added_tokens": []}
    return Tokenizer.from_str(json.dumps(plain)), set(document["model"]["vocab"])


def open_reference(model):
    if os.path.isdir(model):
        return folder_tokenizer(model)
    return reference_tokenizer(GGUFReader(model))


def missing_bytes(vocabulary):
    """The bytes that the vocabulary cannot spell, by GPT-2's byte alphabet."""
    prints = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in prints]
    spelling = {byte: chr(byte) for byte in prints}
    spelling.update({byte: chr(256 + i) for i, byte in enumerate(others)})
    return {byte for byte in range(256) if spelling[byte] not in vocabulary}


def files_text(rng):
    """English and code that this machine has."""
    patterns = ["/usr/share/common-licenses/*", "/usr/share/perl/5*/*.pm"]
    patterns.append(os.path.join(os.path.dirname(os.__file__), "*.py"))
    parts, total = [], 0
    for pattern in patterns:
        part_bytes = 0
        for path in sorted(glob.glob(pattern)):
            if not os.path.isfile(path) or part_bytes > 400_000:
                continue
            with open(path, encoding="utf-8", errors="ignore") as file:
                parts.append(file.read())
            part_bytes += len(parts[-1])
        total += part_bytes
    words = ["memory", "The", "gist", "of", "it", "isn't", "a", "B", "we'll", "tree,", "end."]
    while total < 1_000_000:
        parts.append(" ".join(rng.choice(words) for _ in range(200)) + "\n\n")
        total += len(parts[-1])
    return "".join(parts)


def sweep_text():
    """Every character of Unicode 3.2, whose properties no later version moved, in five contexts."""
    parts = []
    for code in range(0x110000):
        c = chr(code)
        if unicodedata.ucd_3_2_0.category(c) in ("Cn", "Cs", "Co"):
            continue
        # The large uniform blocks are sampled.
        if (0x3400 <= code < 0xA000 or 0xAC00 <= code < 0xD7A4 or code >= 0x20000) and code % 41:
            continue
        parts.append(f"{c} a{c}b {c}{c} '{c}1{c}  {c}")
    return "".join(parts)


def random_text(rng):
    """Runs of one script after another, with odd whitespace and control-token spellings between."""
    ranges = [
        (0x20, 0x7E), (0x30, 0x39), (0x41, 0x5A), (0xC0, 0x24F), (0x300, 0x36F), (0x391, 0x3C9),
        (0x410, 0x44F), (0x5D0, 0x5EA), (0x621, 0x64A), (0x660, 0x669), (0x905, 0x939),
        (0x966, 0x96F), (0xE01, 0xE30), (0x1100, 0x1112), (0x2000, 0x206F), (0x2150, 0x2188),
        (0x2200, 0x22FF), (0x2460, 0x249B), (0x3041, 0x3096), (0x30A1, 0x30FA),
        (0x4E00, 0x9FA5), (0xAC00, 0xD7A3), (0xFF10, 0xFF5A), (0x1D400, 0x1D454),
        (0x1F300, 0x1F64F), (0x10400, 0x1044F),
    ]
    spaces = [" ", "  ", "\n", "\n\n", "\t", " \t ", "\r\n", "\u00a0", "\u2003", "\u3000",
              "\x0b", "      "]
    glue = ["'s", "'re", "'", "'ll ", "1", "42", "-", "...", "_", *CONTROL_SPELLINGS]
    parts, total = [], 0
    while total < 900_000:
        low, high = rng.choice(ranges)
        run = "".join(chr(rng.randint(low, high)) for _ in range(rng.randint(1, 12)))
        parts.append(run + rng.choice(spaces if rng.random() < 0.6 else glue))
        total += len(parts[-1].encode())
    return "".join(parts)


def mixed_text(missing):
    rng = random.Random(20240229)
    text = files_text(rng) + sweep_text() + random_text(rng) + "".join(TRICKY)
    kept = "".join(c for c in text if not missing.intersection(c.encode()))
    assert len(kept.encode()) >= TEXT_BYTES_MIN, "less text than promised"
    return kept


def report_difference(reference, text, expected, ours):
    shorter = min(len(expected), len(ours))
    at = next((i for i in range(shorter) if expected[i] != ours[i]), shorter)
    where = reference.encode(text).offsets[at][0] if at < len(expected) else len(text)
    print(f"FAILED at token {at} of {len(expected)} (ours: {len(ours)}), character {where}")
    print("text:     ", ascii(text[max(0, where - 30):where + 30]))
    print("reference:", expected[max(0, at - 3):at + 6])
    print("ours:     ", ours[max(0, at - 3):at + 6])


def compare(model, dump, folder):
    reference, vocabulary = open_reference(model)
    text = mixed_text(missing_bytes(vocabulary))
    os.makedirs(folder, exist_ok=True)
    text_path, ids_path = os.path.join(folder, "parity.txt"), os.path.join(folder, "parity.ids")
    with open(text_path, "wb") as file:
        file.write(text.encode())
    subprocess.run([dump, model, text_path, ids_path], check=True)
    ours = array.array("i")
    with open(ids_path, "rb") as file:
        ours.frombytes(file.read())
    expected = reference.encode(text, add_special_tokens=False).ids
    if expected != ours.tolist():
        report_difference(reference, text, expected, ours.tolist())
        return 1
    print(f"{len(text.encode())} bytes of text, {len(expected)} ids, all equal")
    return 0


def write_golden(model, path):
    """One line per string: its UTF-8 in hexadecimal ('-' when empty), a colon, its ids."""
    reference, vocabulary = open_reference(model)
    missing = missing_bytes(vocabulary)
    with open(path, "w", encoding="ascii") as file:
        file.write("# hex of the text: ids, by PyPI tokenizers; made by tokenizer_parity.py\n")
        for text in TRICKY:
            text = "".join(c for c in text if not missing.intersection(c.encode()))
            ids = " ".join(map(str, reference.encode(text).ids))
            file.write(f"{text.encode().hex() or '-'}: {ids}".rstrip() + "\n")
    return 0


def main(arguments):
    if len(arguments) != 3:
        print(__doc__)
        return 2
    if not os.path.exists(arguments[0]):
        print(f"skipped: no model {arguments[0]}")
        return SKIPPED
    if arguments[1] == "--golden":
        return write_golden(arguments[0], arguments[2])
    return compare(*arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

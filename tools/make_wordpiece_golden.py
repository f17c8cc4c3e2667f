#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes tests/golden/embedder/wordpiece.json: what Hugging Face's tokenizer makes of awkward texts.

    pip install tokenizers==0.23.3
    tools/make_wordpiece_golden.py FOLDER tests/golden/embedder/wordpiece.json

FOLDER is the default embedder's, for its tokenizer.json. Format: a list of {"text", "times" (the text is
repeated so often, 1 where absent), "ids"}. Text that spells a control token counts as text. Random texts
keep to characters of Unicode 8, whose tables that package has.
"""
import json
import pathlib
import random
import sys

import tokenizers

TOKENS_MAX = 256
RANDOM_TEXTS = 60

TEXTS = [
    "", " ", "\n\t \r\n", "Hello, world!", "The quick brown fox jumps over the lazy dog.",
    "don't can't it's O'Neill's", "e-mail: someone@example.org, http://example.org/a?b=c#d",
    "3.14159 1,000,000 0x7f 50% $12.50 a_b a-b a/b a\\b",
    "Café naïve résumé coöperate Ångström", "cafe\u0301 A\u030angstro\u0308m", "\u0301\u0300 lone accents",
    "ÀÉÎÕÜ ŁÓDŹ İstanbul ı ẞ ß ſ ﬁ Ǆ Σίσυφος ΣΑΣ", "Ὀδυσσεύς ᾳ ῷ", "Привет, мир! ЁЖ", "שָׁלוֹם עולם", "مرحبا بالعالم",
    "हिन्दी नमस्ते", "ภาษาไทย", "日本語のテキスト", "中文字符和English混合", "한국어 텍스트 각", "\uf900\ufa0e \U0002f800 \U00020000",
    "😀 emoji 👩‍👩‍👧‍👦 family 🏳️‍🌈", "a\u200bb\u200dc\ufeffd\u00ade", "a\x00b\x01c\x07d\x0be\x0cf\x1bg\x7fh\x85i",
    "a\u00a0b\u2003c\u2028d\u2029e\u3000f\u1680g", "\ufffd a\ufffdb", "a\ue000b \uf8ff", "a\u0378b \U0001fffe",
    "“quotes” ‘single’ — dash – en … ellipsis « » ¿ ¡ § ¶ †", "!!!???...,,,;;;:::", "()[]{}<>|~`^*+=&%$#@",
    "≠ ≤ \u037e \u1fef", "[SEP] [CLS] [MASK] [PAD] [UNK] [unused5]", "[CLS]", "##ing ##", "# # ## ###",
    "antidisestablishmentarianism supercalifragilisticexpialidocious", "zzzzqqqqxxxx", "x²+y³=z½ ™ ℃ №",
    "if (x != 0) { return f(a->b, c::d); } // 42", "SELECT * FROM t WHERE id='a' -- c",
    "{\"key\": [1, 2.5, null], \"b\": \"\\u00e9\"}", "f81d4fae-7dec-11d0-a765-00a0c91e6bf6",
]
REPEATED = [("x", 99), ("x", 100), ("x", 101), ("x", 100_000), ("日", 300), ("ab ", 300), ("!", 300), ("é", 100),
            ("é", 101), ("e\u0301", 60), ("a,", 200), (" ", 100_000), ("\u0301", 500), ("가", 40)]


def random_texts():
    rng = random.Random(7)
    blocks = [(32, 126)] * 6 + [(0xA1, 0x17F), (0x300, 0x36F), (0x391, 0x3C9), (0x410, 0x44F), (0x5D0, 0x5EA),
                                (0x4E00, 0x4E7F), (0xAC00, 0xAC7F), (0x3041, 0x3096), (0x1F600, 0x1F642),
                                (0x2010, 0x2027), (9, 13), (0x1E00, 0x1EFF), (0x200B, 0x200F)]
    for _ in range(RANDOM_TEXTS):
        yield "".join(chr(rng.randint(*rng.choice(blocks))) for _ in range(rng.randrange(1, 80)))


def main(folder, out_path):
    tokenizer = tokenizers.Tokenizer.from_file(str(pathlib.Path(folder) / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(TOKENS_MAX)
    tokenizer.encode_special_tokens = True
    cases = [(text, 1) for text in [*TEXTS, *random_texts()]] + REPEATED
    rows = []
    for text, times in cases:
        row = {"text": text, "times": times} if times > 1 else {"text": text}
        row["ids"] = tokenizer.encode(text * times).ids
        rows.append(json.dumps(row, separators=(",", ":")))
    pathlib.Path(out_path).write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="ascii")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])

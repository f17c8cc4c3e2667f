#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what every text file must and must not say.

Must: an SPDX line in every source; a comment under it in every header, saying what it is.
Must not: a path or a host of one machine, an issue's number, an overdue TODO, a trailing space.
"""

import re

import source_tree

SPDX = "SPDX-License-Identifier: Apache-2.0"
SPDX_SUFFIXES = source_tree.CODE_SUFFIXES | {".py", ".sh", ".capnp"}
HEADER_COMMENT_LENGTH_MIN = 20

# Folders that exist on one machine only, and hosts that only a package client needs to know.
FOLDERS = ("home", "root", "work", "tmp", "mnt", "Users")
HOSTS = ("pypi" + ".org", "pythonhosted" + ".org", "deb.debian" + ".org", "huggingface" + ".co",
         "pytorch" + ".org", "npmjs" + ".org", "crates" + ".io", "anaconda" + ".org")

FORBIDDEN = [
    (re.compile(r"(?<![\w.$}*>)])/(?:" + "|".join(FOLDERS) + r")/\w"), "a path of one machine"),
    (re.compile("|".join(re.escape(h) for h in HOSTS)), "a package registry's host"),
    (re.compile(r"\bissues?\s+#?\d", re.IGNORECASE), "an issue's number"),
    (re.compile(r"TODO\(" + "now"), "work that was to be done before this"),
    (re.compile(r"[ \t]$"), "a trailing space"),
]


def check_spdx(path, lines):
    is_script = path.parts[0] in {"scripts", ".ci"}
    if not (is_script or path.suffix in SPDX_SUFFIXES):
        return []
    first = 1 if lines[0].startswith("#!") else 0
    if first < len(lines) and SPDX in lines[first]:
        return []
    return [f"{path}:1: no SPDX line ({SPDX})"]


def check_header_comment(path, lines):
    if path.suffix != ".h" or path.parts[0] in {"tests", "bench"}:
        return []
    comment = lines[1] if len(lines) > 1 else ""
    if comment.startswith("//") and len(comment) >= HEADER_COMMENT_LENGTH_MIN:
        return []
    return [f"{path}:2: a header begins by saying what it is"]


def check_forbidden(path, lines):
    return [f"{path}:{number}: {what}"
            for number, line in enumerate(lines, 1)
            for pattern, what in FORBIDDEN if pattern.search(line)]


def check(root):
    findings = []
    for path in source_tree.files(root):
        text = source_tree.read_text(root / path)
        if text is None:
            continue
        lines = text.split("\n")
        findings += check_spdx(path, lines) + check_header_comment(path, lines)
        if "golden" not in path.parts:
            findings += check_forbidden(path, lines)
        if text and not text.endswith("\n"):
            findings.append(f"{path}: no newline at the end")
    return findings


if __name__ == "__main__":
    source_tree.finish(check(source_tree.root_from_arguments()), "text rules")

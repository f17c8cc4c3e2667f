#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on a file of more than 600 lines; above 400 it advises to split."""

import source_tree

LINES_MAX = 600
LINES_ADVISED = 400
SUFFIXES = source_tree.CODE_SUFFIXES | {".py", ".cmake", ".sh", ".capnp", ".txt"}


def check(root):
    findings = []
    for path in source_tree.files(root):
        is_script = path.parts[0] in {"scripts", ".ci"}
        is_fixture = path.parts[0] == "tests" and path.suffix == ".txt"
        if is_fixture or not (is_script or path.suffix in SUFFIXES):
            continue
        count = (root / path).read_bytes().count(b"\n")
        if count > LINES_MAX:
            findings.append(f"{path}: {count} lines, the limit is {LINES_MAX}")
        elif count > LINES_ADVISED:
            print(f"{path}: {count} lines, advice: split above {LINES_ADVISED}")
    return findings


if __name__ == "__main__":
    source_tree.finish(check(source_tree.root_from_arguments()), "file size")

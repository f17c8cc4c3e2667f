#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on a file of more than 600 lines, and on a function of more than 70; above 400 it advises to
split the file."""

import function_length
import source_tree

LINES_MAX = 600
LINES_ADVISED = 400
FUNCTION_LINES_MAX = 70  # what fits a screen
SUFFIXES = source_tree.CODE_SUFFIXES | {".py", ".cmake", ".sh", ".capnp", ".txt"}


def check_file(path, text):
    count = text.count("\n")
    if count > LINES_MAX:
        yield f"{path}: {count} lines, the limit is {LINES_MAX}"
    elif count > LINES_ADVISED:
        print(f"{path}: {count} lines, advice: split above {LINES_ADVISED}")


def check_functions(path, text):
    functions = []
    if path.suffix in source_tree.CODE_SUFFIXES:
        functions = function_length.cpp_functions(text)
    elif path.suffix == ".py":
        functions = function_length.python_functions(text)
    for name, line, count in functions:
        if count > FUNCTION_LINES_MAX:
            yield f"{path}:{line}: {name} has {count} lines, the limit is {FUNCTION_LINES_MAX}"


def check(root):
    findings = []
    for path in source_tree.files(root):
        is_script = path.parts[0] in {"scripts", ".ci"}
        is_fixture = path.parts[0] == "tests" and path.suffix == ".txt"
        if is_fixture or not (is_script or path.suffix in SUFFIXES):
            continue
        text = (root / path).read_text(errors="replace")
        findings += [*check_file(path, text), *check_functions(path, text)]
    return findings


if __name__ == "__main__":
    source_tree.finish(check(source_tree.root_from_arguments()), "size")

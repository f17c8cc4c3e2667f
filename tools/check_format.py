#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on C++ that clang-format 14 would write otherwise; status 77 (skipped) without that version."""

import re
import shutil
import subprocess
import sys

import source_tree

SKIPPED = 77
VERSION = 14


def clang_format():
    """The command of the pinned version, or None."""
    for name in (f"clang-format-{VERSION}", "clang-format"):
        path = shutil.which(name)
        if path is None:
            continue
        answer = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
        if re.search(rf"version {VERSION}\.", answer.stdout):
            return path
    return None


def check(root, command):
    paths = [path.as_posix() for path in source_tree.files(root, source_tree.CODE_SUFFIXES)]
    answer = subprocess.run([command, "--style=file", "--dry-run", "-Werror", *paths], cwd=root,
                            capture_output=True, text=True, check=False)
    first_lines = {}
    for path, line in re.findall(r"^(\S+):(\d+):\d+: error", answer.stderr, re.MULTILINE):
        first_lines.setdefault(path, line)
    if answer.returncode != 0 and not first_lines:
        return [answer.stderr.strip()]
    return [f"{path}:{line}: clang-format -i {path}" for path, line in first_lines.items()]


if __name__ == "__main__":
    tool = clang_format()
    if tool is None:
        print(f"skipped: clang-format {VERSION} is not installed")
        sys.exit(SKIPPED)
    source_tree.finish(check(source_tree.root_from_arguments(), tool), "format")

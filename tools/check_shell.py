#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs shellcheck over every shell script; status 77 (skipped) where it is not installed."""

import shutil
import subprocess
import sys

import source_tree

SKIPPED = 77


def is_shell(path):
    with path.open("rb") as file:
        first = file.readline(80)
    return path.suffix == ".sh" or (first.startswith(b"#!") and b"sh" in first.split(b"/")[-1])


def check(root):
    findings = []
    for path in source_tree.files(root):
        if not is_shell(root / path):
            continue
        answer = subprocess.run(["shellcheck", "--external-sources", "--format=gcc", str(path)],
                                cwd=root, capture_output=True, text=True, check=False)
        findings += answer.stdout.splitlines()
    return findings


if __name__ == "__main__":
    if shutil.which("shellcheck") is None:
        print("skipped: shellcheck is not installed")
        sys.exit(SKIPPED)
    source_tree.finish(check(source_tree.root_from_arguments()), "shell")

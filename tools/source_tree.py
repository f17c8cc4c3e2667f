# SPDX-License-Identifier: Apache-2.0
"""The files that the lint tools look at, and the one way in which they report."""

import os
import pathlib
import sys

SKIPPED = {".git", "build", "__pycache__"}  # .git is a file in a second work tree
CODE_SUFFIXES = {".h", ".cpp", ".cu", ".cuh"}


def files(root, suffixes=None):
    """Paths below root, relative to it and sorted, that are no build output."""
    found = []
    for folder, names, file_names in os.walk(root):
        names[:] = [n for n in names if n not in SKIPPED]
        for name in set(file_names) - SKIPPED:
            path = pathlib.Path(folder, name)
            if suffixes is None or path.suffix in suffixes:
                found.append(path.relative_to(root))
    return sorted(found)


def read_text(path):
    """The file's text, or None for a binary file."""
    content = path.read_bytes()
    if b"\0" in content:
        return None
    return content.decode("utf-8", errors="replace")


def root_from_arguments():
    if len(sys.argv) != 2:
        sys.exit(f"usage: {sys.argv[0]} SOURCE_FOLDER")
    return pathlib.Path(sys.argv[1]).resolve()


def finish(findings, what):
    """Prints the findings and ends the process: status 1 when there are any."""
    for finding in findings:
        print(finding)
    print(f"{what}: {len(findings)} finding(s)")
    sys.exit(1 if findings else 0)

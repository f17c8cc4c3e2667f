#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails on a file that no build names: a test that would never run, a source that is dead."""

import re

import room_table
import source_tree

ADDED = re.compile(r"set\(suites\s+([^)]*)\)")


def names_of(cmake_file):
    """The file and folder names that a CMakeLists.txt mentions, comments left out."""
    if not cmake_file.exists():
        return set()
    text = re.sub(r"#.*|\$\{\w+\}/", "", cmake_file.read_text())
    return set(re.findall(r"[\w./+-]+", text))


def is_named(root, path):
    """True when a CMakeLists.txt in the file's folder or above names it relative to itself."""
    for folder in path.parents:
        if path.relative_to(folder).as_posix() in names_of(root / folder / "CMakeLists.txt"):
            return True
    return False


def check(root):
    findings = []
    layers = {folder.split("/")[0] for folder in room_table.read(root)}
    suites = set(ADDED.search((root / "tests/CMakeLists.txt").read_text()).group(1).split())
    for path in source_tree.files(root, {".cpp", ".cu", ".py", ".txt"}):
        folder = path.parts[0]
        is_test = folder == "tests" and path.stem.endswith("_test")
        is_source = folder in layers | {"bench"} and path.suffix in {".cpp", ".cu"}
        if (is_test or is_source) and not is_named(root, path):
            findings.append(f"{path}: no CMakeLists.txt names it")
        is_suite = folder == "tests" and path.name == "CMakeLists.txt" and len(path.parts) > 2
        if is_suite and path.relative_to("tests").parent.as_posix() not in suites:
            findings.append(f"{path}: tests/CMakeLists.txt does not list the suite")
    return findings


if __name__ == "__main__":
    source_tree.finish(check(source_tree.root_from_arguments()), "files that no build names")

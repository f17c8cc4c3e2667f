#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Asks clang whether what a mutex guards is touched under it alone (core/mutex.h), in every source that
includes core/mutex.h by itself or by a header that it names. Refuses the mutexes of the standard, which
carry no marks.
Skipped (status 77) without clang++."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import source_tree

MUTEX_HEADER = "core/mutex.h"
CLANG = ["clang++", "-fsyntax-only", "-std=c++20", "-Wthread-safety", "-Werror=thread-safety",
         '-DMC_VERSION=""', '-DMC_MODEL_WHEEL=""']  # what CMake defines
UNMARKED = re.compile(r"\bstd::(?:shared_|recursive_|timed_)*(?:mutex|lock_guard|unique_lock|scoped_lock"
                      r"|shared_lock)\b")
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
FREE_FOLDERS = {"tests", "bench", "examples"}
# libstdc++ has the type only for compilers with a builtin that clang 14 lacks.
SOURCE_LOCATION = """#pragma once
namespace std {
struct source_location {
    const char* file = "";
    unsigned at = 0;
    static constexpr source_location current(const char* file = __builtin_FILE(),
                                             unsigned at = __builtin_LINE()) {
        return {file, at};
    }
    constexpr const char* file_name() const { return file; }
    constexpr unsigned line() const { return at; }
};
}
"""


def included(root, name):
    path = root / name
    return INCLUDE.findall(path.read_text(errors="replace")) if path.exists() else []


def reaches_mutex(root, name):
    """Whether a file includes the header of mutexes, by itself or by a header that it names: what is
    guarded is private, so nobody further away can touch it."""
    headers = included(root, name)
    return MUTEX_HEADER in headers or any(MUTEX_HEADER in included(root, header) for header in headers)


def check_marks(root, paths):
    for path in paths:
        for number, line in enumerate((root / path).read_text(errors="replace").split("\n"), 1):
            match = UNMARKED.search(line.split("//")[0])
            if match and path.as_posix() != MUTEX_HEADER:
                yield f"{path}:{number}: {match.group()} carries no marks; core/mutex.h has some that do"


def check_source(root, path, stand_ins):
    done = subprocess.run([*CLANG, f"-I{stand_ins}", f"-I{root}", str(path)], cwd=root,
                          capture_output=True, text=True, check=False)
    return [line for line in done.stderr.split("\n") if re.search(r": (?:fatal )?error: ", line)]


def check(root):
    paths = [path for path in source_tree.files(root, source_tree.CODE_SUFFIXES)
             if path.parts[0] not in FREE_FOLDERS]
    findings = list(check_marks(root, paths))
    with tempfile.TemporaryDirectory() as stand_ins:
        pathlib.Path(stand_ins, "source_location").write_text(SOURCE_LOCATION)
        for path in paths:
            if path.suffix == ".cpp" and reaches_mutex(root, path.as_posix()):
                findings += check_source(root, path, stand_ins)
    return findings


if __name__ == "__main__":
    if shutil.which(CLANG[0]) is None:
        print("skipped: no clang++")
        sys.exit(77)
    source_tree.finish(check(source_tree.root_from_arguments()), "thread safety")

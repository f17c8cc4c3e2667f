#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks every #include against the layer table of cmake/Layers.cmake and the table of rim files.

The link order of the same table is checked by mc_module() when CMake configures.
"""

import fnmatch
import re

import source_tree

# Third-party headers: where they may be included. A library that throws, aborts or is slow to
# compile stays in its rim; tests and benchmarks may include what they like.
THIRD_PARTY = [
    # header pattern, allowed files, reason
    ("torch/*", ["lm/internal/*", "gistnet/internal/*", "lensnet/internal/*"], "12 s a file, throws"),
    ("ATen/*", ["lm/internal/*", "gistnet/internal/*", "lensnet/internal/*"], "throws"),
    ("c10/*", ["lm/internal/*", "gistnet/internal/*", "lensnet/internal/*"], "throws"),
    ("cuda*", ["lm/internal/*", "gistnet/internal/*", "lensnet/internal/*"], "optional toolkit"),
    ("lmdb.h", ["storage/internal/*"], "raw pages die with their transaction"),
    ("capnp/*", ["storage/internal/*"], "throws"),
    ("kj/*", ["storage/internal/*"], "throws"),
    ("faiss/*", ["storage/internal/*"], "throws and aborts"),
    ("sqlite3.h", ["storage/internal/*"], "codes, not results"),
    ("unicode/*", ["text/internal/*"], "codes, not results"),
    ("libstemmer.h", ["text/internal/*"], "raw pointers"),
    ("pcre2.h", ["lm/tokenizer_split.cpp"], "codes, not results"),
    ("histedit.h", ["apps/*.cpp"], "terminal only"),
    ("editline/*", ["apps/*.cpp"], "terminal only"),
    ("CLI/*", ["apps/*"], "throws; command lines only"),
    ("boost/*", ["tree/*.cpp", "runtime/*.cpp", "apps/*.cpp"], "graph views; slow to compile"),
    ("spdlog/*", ["telemetry/log.cpp"], "one logger for the program"),
    ("prometheus/*", ["telemetry/metrics.cpp"], "one metric schema for the program"),
    ("nlohmann/json.hpp", ["*.cpp", "apps/*"], "slow to compile"),
    ("nlohmann/json_fwd.hpp", ["*"], "declarations only"),
    ("toml++/*", ["core/config_toml.cpp"], "slow to compile"),
    ("xxhash.h", ["core/hash.cpp"], "one checksum for the program"),
    ("tl/expected.hpp", ["core/result.h"], "one Result for the program"),
    ("gtest/*", [], "tests only"),
    ("rapidcheck*", [], "tests only"),
    ("benchmark/*", [], "benchmarks only"),
]
FREE_FOLDERS = {"tests", "bench"}  # may include every layer and library
SYSTEM_PREFIXES = ("sys/", "linux/", "asm/", "netinet/", "arpa/")

# A layer's internal folder is its own, but for the model layers, which share lm's torch fence.
INTERNAL_GUESTS = {
    "lm": ["gistnet/internal/*", "lensnet/internal/*", "gistnet/base_model_gist_encoder.cpp"],
}

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')
SEES = re.compile(r"set\(MEGACONTEXT_SEES_(\w+)\s+([^)]*)\)")
LAYERS = re.compile(r"set\(MEGACONTEXT_LAYERS\s+([^)]*)\)")


def layer_table(text):
    table = {name: set(seen.replace('"', " ").split()) for name, seen in SEES.findall(text)}
    order = LAYERS.search(text).group(1).split()
    if set(order) != set(table):
        raise SystemExit("cmake/Layers.cmake: the list of layers and the SEES rows differ")
    return table


def check_house(path, header, table):
    layer, seen = path.parts[0], header.split("/")[0]
    if seen not in table:
        return None if layer in FREE_FOLDERS else f'"{header}" names no layer'
    if layer in table and seen != layer and seen not in table[layer]:
        return f"{layer} may not see {seen} ({header})"
    if "/internal/" not in header or layer in FREE_FOLDERS:
        return None
    folder = path.parent.as_posix()
    guests = INTERNAL_GUESTS.get(seen, [])
    if seen != layer and not any(fnmatch.fnmatch(path.as_posix(), guest) for guest in guests):
        return f"{header} is internal to {seen}"
    if seen == layer and path.suffix == ".h" and not folder.startswith(f"{layer}/internal"):
        return f"public header includes the internal {header}"
    return None


def check_third_party(path, header):
    if path.parts[0] in FREE_FOLDERS:
        return None
    for pattern, allowed, reason in THIRD_PARTY:
        if not fnmatch.fnmatch(header, pattern):
            continue
        if any(fnmatch.fnmatch(path.as_posix(), a) for a in allowed):
            return None
        return f"<{header}> is allowed in {', '.join(allowed) or 'tests'} only ({reason})"
    if "/" in header and not header.startswith(SYSTEM_PREFIXES):
        return f"<{header}> is not in the table of third-party headers (tools/check_layers.py)"
    return None


def check(root):
    table = layer_table((root / "cmake/Layers.cmake").read_text())
    findings = []
    for path in source_tree.files(root, source_tree.CODE_SUFFIXES):
        for number, line in enumerate((root / path).read_text(errors="replace").split("\n"), 1):
            match = INCLUDE.match(line)
            if not match:
                continue
            house, third_party = match.groups()
            wrong = (check_house(path, house, table) if house
                     else check_third_party(path, third_party))
            if wrong:
                findings.append(f"{path}:{number}: {wrong}")
    return findings


if __name__ == "__main__":
    source_tree.finish(check(source_tree.root_from_arguments()), "layer rule")

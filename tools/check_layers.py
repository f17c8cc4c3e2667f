#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks every #include against the rows of cmake/Layers.cmake and the table of rim files.

A row may list rows above it alone, so there is no arrow upward and no circle. A folder with sources
needs a row, a row needs its folder, and what a row lists must be included by some file of the room.
"""

import fnmatch
import re

import room_table
import source_tree

# Third-party headers: where they may be included, by a file itself or by what it includes. A library
# that throws, aborts or is slow to compile stays in its rim; tests and benchmarks may include what
# they like.
THIRD_PARTY = [
    # header pattern, allowed files, reason
    ("torch/csrc/distributed/c10d/TCPStore.hpp", ["ranks/c10d/store_group.cpp"], "throws"),
    ("torch/*", [], "12 s a file; ATen has what we need"),
    ("ATen/*", ["lm/torch/torch_fence.h"], "throws; the one header that is precompiled"),
    ("c10/*", ["lm/torch/torch_fence.h"], "throws; the one header that is precompiled"),
    ("cuda*", ["cuda/*.cu*", "cuda/device.cpp"], "optional toolkit; codes, not results"),
    ("mma.h", ["cuda/device_block.cuh"], "optional toolkit"),
    ("lmdb.h", ["storage/lmdb/*"], "raw pages die with their transaction"),
    ("capnp/*", ["storage/lmdb/*"], "throws"),
    ("kj/*", ["storage/lmdb/*"], "throws"),
    ("faiss/*", ["storage/codec/codebook_coder.h", "storage/index/*.cpp"], "throws and aborts"),
    ("sqlite3.h", ["storage/index/*.cpp"], "codes, not results"),
    ("sodium.h", ["storage/seal/*.cpp"], "codes, not results; one way of sealing"),
    ("unicode/*", ["text/*.cpp", "embedder/bert_words.cpp"], "codes, not results"),
    ("libstemmer.h", ["text/stemmer.cpp"], "raw pointers"),
    ("pcre2.h", ["lm/tokenizer/tokenizer_split.cpp"], "codes, not results"),
    ("histedit.h", ["apps/repl/line_reader.cpp"], "terminal only"),
    ("libxml/*", ["documents/converters/*"], "codes, not results; global state"),
    ("zip.h", ["documents/converters/zip_archive.cpp"], "codes, not results"),
    ("poppler/*", ["documents/converters/pdf.cpp"], "GPL; the converter program alone"),
    ("gmime/*", ["documents/converters/mail.cpp"], "macros; GObject"),
    ("CLI/*", ["apps/*.cpp"], "throws; command lines only"),
    ("httplib.h", ["serve/http/http_server.cpp", "reader/http_post.cpp"], "throws; slow to compile"),
    ("nats/nats.h", ["cluster/nats_fence.h"], "statuses, not results; raw pointers"),
    ("openssl/*", ["serve/http/secrets.cpp", "serve/http/tls.cpp", "storage/seal/sector_cipher.cpp"],
     "codes, not results"),
    ("pybind11/*", ["bindings/python/module.cpp"], "throws; Python only"),
    ("boost/*", ["tree/*.cpp"], "graph views; slow to compile"),
    ("spdlog/*", ["telemetry/log.cpp"], "one logger for the program"),
    ("prometheus/*", ["telemetry/metrics.cpp"], "one metric schema for the program"),
    ("nlohmann/json.hpp", ["*.cpp", "apps/commands/*"], "slow to compile"),
    ("nlohmann/json_fwd.hpp", ["*"], "declarations only"),
    ("toml++/*", ["core/config_toml.cpp"], "slow to compile"),
    ("xxhash.h", ["core/hash.cpp"], "one checksum for the program"),
    ("tl/expected.hpp", ["core/result.h"], "one Result for the program"),
    ("gtest/*", [], "tests only"),
    ("rapidcheck*", [], "tests only"),
    ("benchmark/*", [], "benchmarks only"),
]
# Libraries that a header may hand on to other rooms.
HANDED_ON = ["tl/expected.hpp", "nlohmann/json_fwd.hpp"]
# The room whose headers hand libtorch on to the rooms that see it, and to no other.
TORCH_ROOM = "lm/torch"
TORCH_HEADERS = ["ATen/*", "c10/*", "torch/*"]

FREE_FOLDERS = {"tests", "bench", "examples"}  # may include every room and library
SYSTEM_PREFIXES = ("sys/", "linux/", "asm/", "netinet/", "arpa/")

INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def matches(name, patterns):
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def folder_of(name):
    return name.rpartition("/")[0]


class Tree:
    """The sources with their includes: {path: [(line, house header or None, library header or None)]}."""

    def __init__(self, root):
        self.rooms = room_table.read(root)
        self.includes = {}
        self.libraries = {}
        for path in source_tree.files(root, source_tree.CODE_SUFFIXES):
            lines = (root / path).read_text(errors="replace").split("\n")
            found = [(number, INCLUDE.match(line)) for number, line in enumerate(lines, 1)]
            self.includes[path.as_posix()] = [(n, *m.groups()) for n, m in found if m]

    def libraries_of(self, header):
        """What a house header includes of third parties, by itself or by others."""
        if header not in self.libraries:
            self.libraries[header] = set()  # also ends circles of headers
            for _, house, library in self.includes.get(header, []):
                self.libraries[header] |= self.libraries_of(house) if house else {library}
        return self.libraries[header]


def is_free(path):
    return path.split("/")[0] in FREE_FOLDERS


def check_rows(tree, root):
    above = set()
    for room in tree.rooms.values():
        for seen in room.sees:
            if seen not in above:
                yield f"cmake/Layers.cmake: {room.folder} sees {seen}, which is not above it"
            elif tree.rooms[seen].needs_torch and not room.needs_torch:
                yield f"cmake/Layers.cmake: {room.folder} is without TORCH and sees {seen}"
        above.add(room.folder)
        if not (root / room.folder).is_dir():
            yield f"cmake/Layers.cmake: there is no folder {room.folder}"


def check_folders(tree):
    for folder in sorted({folder_of(path) for path in tree.includes if not is_free(path)}):
        if folder not in tree.rooms:
            yield f"{folder}: no row of cmake/Layers.cmake"


def check_permissions(tree):
    used = {(folder_of(path), folder_of(house))
            for path, found in tree.includes.items() for _, house, _ in found if house}
    for room in tree.rooms.values():
        for seen in room.sees:
            if (room.folder, seen) not in used:
                yield f"cmake/Layers.cmake: nothing in {room.folder} includes {seen}"


def check_house(tree, path, header):
    room, seen = folder_of(path), folder_of(header)
    if is_free(path) or room not in tree.rooms or room == seen:
        return None
    if seen not in tree.rooms:
        return f'"{header}" names no room'
    if seen not in tree.rooms[room].sees:
        return f"{room} may not see {seen} ({header})"
    for library in sorted(tree.libraries_of(header)):
        if matches(library, TORCH_HEADERS):
            if room != TORCH_ROOM and TORCH_ROOM not in tree.rooms[room].sees:
                return f"{header} brings <{library}>, and {room} does not see {TORCH_ROOM}"
        elif find_rule(library) and not matches(library, HANDED_ON):
            return f"{header} brings <{library}> to another room"
    return None


def find_rule(header):
    return next((rule for rule in THIRD_PARTY if fnmatch.fnmatch(header, rule[0])), None)


def check_third_party(path, header):
    if is_free(path):
        return None
    rule = find_rule(header)
    if rule:
        _, allowed, reason = rule
        if matches(path, allowed):
            return None
        return f"<{header}> is allowed in {', '.join(allowed) or 'tests'} only ({reason})"
    if "/" in header and not header.startswith(SYSTEM_PREFIXES):
        return f"<{header}> is not in the table of third-party headers (tools/check_layers.py)"
    return None


def check(root):
    tree = Tree(root)
    findings = [*check_rows(tree, root), *check_folders(tree), *check_permissions(tree)]
    for path, found in tree.includes.items():
        for number, house, library in found:
            wrong = (check_house(tree, path, house) if house
                     else check_third_party(path, library))
            if wrong:
                findings.append(f"{path}:{number}: {wrong}")
    return findings


if __name__ == "__main__":
    source_tree.finish(check(source_tree.root_from_arguments()), "layer rule")

// SPDX-License-Identifier: Apache-2.0
// What `ingest` is to take: names on the command line become inputs, each read when its turn comes.
//
// A store is made by the first document that goes into it, so a wrong name must not leave an empty
// one behind: an input is read and checked before the store is opened for it. Value types. Errors:
// per input, in its place in the list; the list itself never fails.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "runtime/source_text.h"

namespace mc::apps {

struct Input {
    std::string source_name;
    Path path;                         // empty: standard input
    bool in_folder = false;            // found there, not named by the user
    runtime::SourceText content = {};  // once loaded
    // Not to be ingested: a fault of what the user named, or a reason to pass over a file that was
    // only found in a folder.
    std::optional<Error> fault = {};
    std::optional<std::string> skipped = {};
};

// Expands folders; opens no file. source_name, where it is not empty: the name of the one input, or
// what stands before the names in the one folder. Requires: it is empty or names holds one name.
std::vector<Input> list_inputs(const std::vector<std::string>& names,
                               const std::string& source_name);

// The absolute path by which the input's document is known, links resolved; empty where it is known
// by the name that the user gave.
std::string identity_of(const Input& input);

// Reads and checks the input's content, or says why it is not to be ingested.
void load_input(Input& input, const runtime::SourceLimits& limits);

}  // namespace mc::apps

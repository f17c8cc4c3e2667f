// SPDX-License-Identifier: Apache-2.0
// What `ingest` is to take: names on the command line become files, checked before anything opens.
//
// A store is made by the first document that goes into it, so a wrong name must not leave an empty
// one behind. Value types. Errors: per input, in its place in the list; the list itself never
// fails.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "runtime/ingest.h"

namespace mc::apps {

struct Input {
    std::string source_name;
    Path path;                           // of a file
    std::optional<std::string> content;  // of standard input
    // Not to be ingested: a fault of what the user named, or a reason to pass over a file that was
    // only found in a folder.
    std::optional<Error> fault;
    std::optional<std::string> skipped;

    bool is_good() const { return !fault && !skipped; }
};

// Expands folders, reads standard input for "-", opens and checks every file.
// Requires: source_name is empty or names holds one name that is no folder.
std::vector<Input> gather_inputs(const std::vector<std::string>& names,
                                 const std::string& source_name,
                                 const runtime::IngestOptions& options);

}  // namespace mc::apps

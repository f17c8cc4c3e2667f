// SPDX-License-Identifier: Apache-2.0
// What `eval run gist-probes` is asked to probe. Value type.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/files.h"

namespace mc::eval {

struct GistProbeOptions {
    std::vector<Path> documents;
    Path output;  // a directory; made when missing
    std::uint32_t windows_per_document = 80;
    std::uint64_t seed = 1;
    std::vector<std::string> encoders = {"kv-mean", "kv-last"};  // as DeltaNllOptions::encoders
    std::string command_line;  // recorded in results.json as it is
};

}  // namespace mc::eval

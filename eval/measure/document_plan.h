// SPDX-License-Identifier: Apache-2.0
// A document to measure on and where its windows lie.
//
// Windows depend on seed and content, not on the other documents of a run. Value types.
// Errors: kInvalidInput for a document that is missing, too large, too short for its windows, or
// given twice.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/hash.h"
#include "eval/measure/scorer.h"

namespace mc::eval {

// A whole document is read and tokenised at once; books are near 1 MB.
inline constexpr std::uint64_t kDocumentBytesMax = 64ULL << 20;

struct DocumentPlan {
    std::string name;  // the path as it was given
    Hash128 content_hash;
    std::vector<TokenId> tokens;  // all of it
    std::vector<std::uint64_t> starts;
    std::vector<std::size_t> shuffled_source;   // per window, whose gists its control gets
    std::vector<std::vector<TokenId>> windows;  // whole: context and horizon where there is one
};

struct WindowPlan {
    std::uint32_t windows_per_document = 0;
    std::uint64_t window_tokens = 0;
    std::uint64_t seed = 0;
};

Result<std::vector<DocumentPlan>> plan_documents(const Scorer& scorer, std::span<const Path> paths,
                                                 const WindowPlan& plan);

}  // namespace mc::eval

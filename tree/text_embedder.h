// SPDX-License-Identifier: Apache-2.0
// Port: turns short texts into vectors that are near where the texts mean alike. embedder/
// implements it; tests/support/ has one that counts words.
//
// Threads: one thread at a time. Errors: kModel when the computation fails.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/result.h"

namespace mc {

struct TextEmbedderInfo {
    std::string name;       // "all-MiniLM-L6-v2"
    Hash128 hash;           // of weights and vocabulary: vectors of two hashes are not compared
    std::uint32_t dim = 0;  // numbers of one vector
};

class TextEmbedder {
  public:
    virtual ~TextEmbedder() = default;

    virtual const TextEmbedderInfo& info() const = 0;

    // (texts.size(), dim) row-major, each row at unit length; a text's vector does not depend on
    // the texts beside it (within rounding). A text beyond what the model reads is cut at its end.
    virtual Result<std::vector<float>> embed(std::span<const std::string> texts) = 0;
};

}  // namespace mc

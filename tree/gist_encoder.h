// SPDX-License-Identifier: Apache-2.0
// Port: turns text into gists. gistnet/ implements it on the base model; tests/support/ by hashing.
//
// Level 1: the base model reads a window of tokens once and every whole block of its new tokens
// becomes one gist, which depends on nothing after the block's end. Level n+1: 32 gists become one.
// Same input, same gist, whatever the batch (within rounding). Threads: one thread at a time.
// Errors: kModel when the base model fails.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "tree/gist.h"

namespace mc {

// Who made the gists of a store; a store opens only with the encoder that its meta names.
struct EncoderInfo {
    std::string name;  // "kv-last (untrained)"
    Hash128 hash;      // of name, parameters and base model
    GistShape shape;
};

// Tokens for the base model to read in one pass, after BOS.
struct ReadWindow {
    std::vector<TokenId> tokens;  // left context, then new tokens
    std::uint32_t context_count = 0;
    // Requires: tokens.size() - context_count is a positive multiple of kBlockSize.
};

// 32 sibling gists, in order.
using SiblingGists = std::span<const Gist>;

class GistEncoder {
  public:
    virtual ~GistEncoder() = default;

    virtual const EncoderInfo& info() const = 0;

    // One gist per block of new tokens, window by window. with_statistics also fills
    // Gist::statistics, at the cost of the output head.
    virtual Result<std::vector<std::vector<Gist>>> encode_windows(
        std::span<const ReadWindow> windows, bool with_statistics) = 0;

    // One gist per family of 32.
    virtual Result<std::vector<Gist>> encode_parents(std::span<const SiblingGists> families) = 0;
};

}  // namespace mc

// SPDX-License-Identifier: Apache-2.0
// The gists of a text that goes on, block by block, as an ingest of it makes them.
//
// Keeps the tokens that the next read window needs, at most some hundred beyond those whose gists
// were not taken yet; nothing else grows. Ownership: borrows the encoder. Threads: one. Errors:
// those of the encoder.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "tree/gist.h"
#include "tree/gist_encoder.h"

namespace mc::runtime {

class GistSupply {
  public:
    explicit GistSupply(GistEncoder& encoder) : encoder_(encoder) {}

    // The text goes on.
    void append(std::span<const TokenId> tokens);

    // The gist of the oldest block that was not taken yet; makes those of all whole blocks when it
    // has none left. Requires: the text holds all of that block.
    Result<Gist> take();

  private:
    Result<void> make();

    GistEncoder& encoder_;
    std::vector<TokenId> text_;     // from text_begin_ on
    std::uint64_t text_begin_ = 0;  // token
    std::uint64_t made_end_ = 0;    // token: below it gists were made
    std::deque<Gist> made_;         // and not taken yet, oldest first
};

}  // namespace mc::runtime

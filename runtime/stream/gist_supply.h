// SPDX-License-Identifier: Apache-2.0
// The gists of a text that goes on, block by block, as an ingest of it makes them.
//
// advance() makes one block's gist at a time, so that no step waits for many: the encoder goes on
// from what it read of the window (gistnet/open_windows.h). Each window's left context is read
// while the window before it fills, block by block too. Keeps the tokens that the next read window
// needs; nothing else grows but with the gists that are not taken. Ownership: borrows the encoder.
// Threads: one. Errors: those of the encoder.
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

    // Makes the gist of the oldest block that has none, if one is whole. Cost: 32 tokens read, in
    // the later half of a window 64.
    Result<void> advance();

    // The gist of the oldest block that was not taken yet, made if it has to be. Requires: the text
    // holds all of that block.
    Result<Gist> take();

  private:
    Result<std::vector<Gist>> encode(ReadWindow window);
    Result<void> read_ahead();

    GistEncoder& encoder_;
    std::vector<TokenId> text_;     // from text_begin_ on
    std::uint64_t text_begin_ = 0;  // token
    std::uint64_t made_end_ = 0;    // token: below it gists were made
    std::deque<Gist> made_;         // and not taken yet, oldest first
};

}  // namespace mc::runtime

// SPDX-License-Identifier: Apache-2.0
// Reads a text of any length behind a working context of bounded size, in its narrative form.
//
// The window is BOS, gists of what is old, coarsest first, and the newest tokens raw. Every 32 new
// tokens it makes room: the oldest raw block (of a large window, blocks) gives way to its gist, and
// where a level holds 32 gists more than it may, the oldest 32 give way to their parent; at the
// highest level that the window shows, the oldest gist is left out. Gists need nothing when they
// move, keys of raw tokens are turned to their new places (lm::Sequence::splice). So a token costs
// the same, and memory stays the same, however long the text is.
//
// Without an encoder nothing stands for old text: BOS and the newest tokens, a sliding window with
// an attention sink (Xiao et al. 2023, arXiv 2309.17453, with one sink).
//
// Ownership: borrows model and encoder. Threads: one, with the model. Errors: kOverBudget for a
// budget that the model cannot read, or below kStreamBudgetMin; those of model and encoder, after
// which the reader is not to be used any more.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/ids.h"
#include "core/result.h"
#include "lm/base_model.h"
#include "runtime/stream/gist_supply.h"
#include "tree/gist_encoder.h"

namespace mc::runtime {

// Entries of the smallest window.
inline constexpr std::uint64_t kStreamBudgetMin = 128;

// Levels that a window shows. Level 3 says little about its text (docs/lab-log.md).
inline constexpr std::size_t kStreamLevels = 2;

// What a window of so many entries keeps as gists, at least, once the text is long enough: of level
// 1, 2, …; up to 31 more stand there until 32 give way together.
using GistFloors = std::array<std::uint64_t, kStreamLevels>;
GistFloors gist_floors(std::uint64_t budget);

struct StreamCounts {
    std::uint64_t tokens = 0;                          // read so far
    std::uint64_t raw = 0;                             // of them, raw in the window
    std::array<std::uint64_t, kStreamLevels> gists{};  // in the window, by level from 1
    std::uint64_t left_out = 0;                        // tokens that nothing stands for any more
    std::uint64_t edits = 0;                           // collapses and departures
    std::uint64_t entries_max = 0;                     // most that ever stood there

    std::uint64_t entries() const;  // BOS among them
};

class StreamReader {
  public:
    // encoder: null for a sliding window. floors: how many gists stay; without: gist_floors().
    static Result<std::unique_ptr<StreamReader>> make(const lm::BaseModel& model,
                                                      GistEncoder* encoder, std::uint64_t budget,
                                                      std::optional<GistFloors> floors = {});

    // NLL in nats of each token, given the window that stood before its block, and the block's
    // tokens before it. Any cut of a text into calls gives the same numbers within rounding.
    Result<std::vector<float>> read(std::span<const TokenId> tokens);

    const StreamCounts& counts() const { return counts_; }

  private:
    StreamReader(const lm::BaseModel& model, GistEncoder* encoder, std::uint64_t budget,
                 const GistFloors& floors);

    Result<void> supply_gists(std::span<const TokenId> tokens);
    Result<void> make_room(std::uint64_t entries);
    Result<void> collapse_raw(std::uint64_t blocks);
    Result<void> collapse_family(std::size_t level);
    Result<void> leave_out(std::size_t level);
    std::uint64_t begin_of(std::size_t level) const;

    GistEncoder* encoder_;
    std::uint64_t budget_;
    GistFloors floors_;
    std::unique_ptr<lm::Sequence> sequence_;
    std::optional<GistSupply> supply_;
    std::array<std::deque<Gist>, kStreamLevels> gists_;  // in the window, oldest first
    StreamCounts counts_;
};

}  // namespace mc::runtime

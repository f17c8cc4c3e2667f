// SPDX-License-Identifier: Apache-2.0
// How a text is cut into what the base model reads at once to make gists: the one rule of ingest,
// of training and of every measurement.
//
// Read windows are cut by token position: new tokens [512w, 512(w+1)), read after BOS and the 64
// tokens before them. A block's gist thus depends on its position and on the tokens around it,
// never on how they arrived; a text measured in any other way has gists that no store ever holds.
// Threads: pure functions.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/ids.h"
#include "core/span_math.h"
#include "tree/gist_encoder.h"

namespace mc {

// 512 + 64 costs 1.125 passes a token, and every block sees some sentences of past. More past makes
// gists no better (docs/lab-log.md, left context).
inline constexpr std::uint64_t kWindowNewTokens = 512;
inline constexpr std::uint64_t kWindowContextTokens = 64;
// The most that any version has read: what stored gists may have seen.
inline constexpr std::uint64_t kWindowContextTokensMax = 256;
static_assert(kWindowContextTokens <= kWindowContextTokensMax);

// Windows handed to an encoder at once: enough to fill a batch, few enough to keep memory flat.
inline constexpr std::size_t kWindowsPerCall = 16;

// Position of the first token that the window which holds position `token` reads.
std::uint64_t read_window_begin(std::uint64_t token);

// The window that holds position fresh.begin: its new tokens are those of [fresh.begin, fresh.end)
// that it reaches, its context everything that it reads before them. text[0] is at text_begin.
// Requires: text holds [read_window_begin(fresh.begin), fresh.end), and fresh is not empty.
ReadWindow read_window_at(std::span<const TokenId> text, std::uint64_t text_begin, TokenSpan fresh);

// How far before its own tokens a block's reading begins at most.
inline constexpr std::uint64_t kReadBeforeBlock =
    kWindowNewTokens - kBlockSize + kWindowContextTokensMax;

// The first windows of what is read for tokens `fresh`, at most kWindowsPerCall. text[0] is at
// text_begin. Requires: as read_window_at(); fresh ends with a block.
std::vector<ReadWindow> first_read_windows(std::span<const TokenId> text, std::uint64_t text_begin,
                                           TokenSpan fresh);

// Where the blocks end that may have read a token of `changed`, wherever their windows began. The
// first of them is the one that holds changed.begin. Requires: not empty.
std::uint64_t read_end(TokenSpan changed);

// Every window that an ingest of `text` reads for its tokens [fresh.begin, fresh.end), in order.
// Requires: fresh lies in text; begin and end are multiples of kBlockSize.
std::vector<ReadWindow> read_windows(std::span<const TokenId> text, TokenSpan fresh);

}  // namespace mc

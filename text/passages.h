// SPDX-License-Identifier: Apache-2.0
// Cuts text into passages: sentences of prose, lines of everything that is written in lines.
//
// Passages cover the text without a gap; white space belongs to the passage before it. A sentence
// ends by the rules of UAX 29 with the tables of ICU, and a few more: an abbreviation or an initial
// does not end one, an ASCII full stop, question or exclamation mark needs white space after it,
// and a line that is wrapped (by a mail program, at some column) goes on in the next. Headings,
// list items, labelled lines ("POL-358: …", "mara: …"), lines of logs, code and tables are passages
// of their own, blank lines end one. Shapes are judged from what stands there, line by line.
//
// Two laws (tests/text/): cutting from the begin of any passage gives the passages that cutting the
// whole gives; and what is appended to a text changes its last passage alone. So a growing document
// goes on from its last passage. Invalid bytes are text like any other. Pure functions; linear
// time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/ids.h"

namespace mc::text {

enum class TextShape {
    kAuto,   // judged line by line
    kProse,  // sentences
    kLines,  // every line is a passage
};

// Longest passage where no tokens are known; a longer sentence is cut at white space.
inline constexpr std::size_t kPassageBytesMax = 1200;

// The ends of the passages in bytes, ascending; the last is the text's.
std::vector<std::size_t> passage_ends(std::string_view text, TextShape shape = TextShape::kAuto);

// The passages in tokens, from token 0. A token belongs to the passage that holds its last byte:
// " He" to the sentence that it begins. A passage has at most tokens_max tokens; a longer sentence
// is cut after a clause or at white space, and inside a character only where its tokens leave no
// choice. Requires: the sizes add up to the text's, none is 0; tokens_max > 0.
std::vector<TokenSpan> passage_tokens(std::string_view text,
                                      std::span<const std::uint16_t> token_sizes_bytes,
                                      std::uint64_t tokens_max, TextShape shape = TextShape::kAuto);

}  // namespace mc::text

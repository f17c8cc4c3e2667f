// SPDX-License-Identifier: Apache-2.0
// Splits folded text into its words, runs of scripts without spaces, and pairs of an identifier's
// parts. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mc::text {

enum class SplitKind {
    kWord,  // between spaces or marks
    kRun,   // characters of scripts without spaces; a mark belongs to the character before it
    kPair,  // two neighbouring parts of an identifier, kPairJoiner between them
    kPictograph,
};

// Between the parts of a pair: a hyphen that no word holds, because folding leaves it a mark.
inline constexpr std::string_view kPairJoiner = "\u2010";

struct SplitWord {
    SplitKind kind = SplitKind::kWord;
    std::string text;
    std::vector<std::string> units;  // of a run: its characters
};

// Requires: text comes from fold().
std::vector<SplitWord> split_words(std::string_view folded);

}  // namespace mc::text

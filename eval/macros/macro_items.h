// SPDX-License-Identifier: Apache-2.0
// Instructions and messages of the suite `macro`, from instructions.tsv, by seed.
//
// Sets: seen, which steps and rates were chosen on; unseen, made by the same rule of other
// sentences, which nothing was chosen on; human, written as a whole. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mc::eval {

inline constexpr std::string_view kMacroSets[] = {"seen", "unseen", "human"};

// Instructions that each set has.
inline constexpr std::size_t kMacroInstructionsMax = 6;

struct MacroInstruction {
    std::string set;
    std::size_t index = 0;  // in its set
    std::string text;
    std::vector<std::string> messages;  // that a user writes, another choice for each
};

// The first `count` of a set, each with so many messages. Requires: a set of kMacroSets; count ≤
// kMacroInstructionsMax; messages ≤ kMacroMessagesMax.
inline constexpr std::size_t kMacroMessagesMax = 12;
std::vector<MacroInstruction> macro_instructions(std::string_view set, std::size_t count,
                                                 std::size_t messages, std::uint64_t seed);

}  // namespace mc::eval

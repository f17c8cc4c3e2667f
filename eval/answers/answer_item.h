// SPDX-License-Identifier: Apache-2.0
// What the suite `answers` asks: a question, the facts that answer it, and candidates to choose
// from. Value types.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace mc::eval {

// A sentence that goes into a memory. value: the part of it that the answer rests on, which occurs
// in it once.
struct Fact {
    std::string text;
    std::string value;
};

// Where in its block a fact's first token stands. kAcross: so that a block ends in its middle.
enum class BlockPlace { k0, k8, k16, k24, k31, kAcross };

inline constexpr std::array kBlockPlaces{BlockPlace::k0,  BlockPlace::k8,  BlockPlace::k16,
                                         BlockPlace::k24, BlockPlace::k31, BlockPlace::kAcross};

// "0", "8", "16", "24", "31", "across".
std::string_view name_of(BlockPlace place);
// 0 to 31.
std::uint64_t block_offset(BlockPlace place, std::uint64_t fact_tokens);

struct AnswerItem {
    std::string task;         // what kind of question: items of a task stand or fall together
    std::vector<Fact> facts;  // all of them are needed, told in this order
    std::string document;     // the text that is asked about as a whole; empty: what memory holds
    std::string question;
    std::string lead;                     // how the answer begins; the candidates go on from here
    std::vector<std::string> candidates;  // of equal token count; each begins with a space
    std::size_t right = 0;                // of candidates
    BlockPlace place = BlockPlace::k0;    // of the first fact
};

// Items that share a memory, and what else goes into it with them. Two groups of one topic never
// share a memory: one would answer the other's questions.
struct FactGroup {
    std::vector<std::size_t> items;
    std::vector<Fact> others;
    std::string topic;
    bool is_story = false;  // the others are told before the items' facts
};

struct ItemSet {
    std::string family;
    std::vector<AnswerItem> items;
    std::vector<FactGroup> groups;
};

}  // namespace mc::eval

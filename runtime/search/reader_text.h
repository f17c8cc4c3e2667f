// SPDX-License-Identifier: Apache-2.0
// What stands around memory in the reader's prompt, and where its answer ends.
// Pure. Threads: one.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lm/tokenizer/tokenizer.h"

namespace mc::runtime {

// The tokens that part two passages: a blank line.
std::vector<TokenId> passage_separator(const lm::Tokenizer& tokenizer);

// What is said in place of an answer when no passage is likely to hold one.
inline constexpr std::string_view kUnknownAnswer = "The memory does not tell.";

// Watches an answer as it is written and says where it should end.
class AnswerCut {
  public:
    // sentences_max: 0 for no end by sentences.
    explicit AnswerCut(std::uint32_t sentences_max) : sentences_max_(sentences_max) {}

    // The part of the text so far that belongs to the answer; shorter than what was pushed once an
    // end was found. Call with all that was written.
    std::string_view keep(std::string_view written);

    // As much of keep() as nothing written later can take back, in whole characters: what may be
    // the start of a repetition is left out until it has gone on in another way. Call after keep().
    std::string_view settled(std::string_view written) const;

    bool ended() const { return by_sentence_ || by_loop_; }

    bool ended_by_sentence() const { return by_sentence_; }

    bool ended_by_loop() const { return by_loop_; }

  private:
    std::uint32_t sentences_max_;
    std::size_t kept_bytes_ = 0;  // by the last keep()
    bool by_sentence_ = false;
    bool by_loop_ = false;
};

// Which texts an answer's words come from, as ranks from 1 in order: those that hold the most of
// the answer's words, the question's own words not counted; where no text holds any of those, of
// all its words. Empty when none holds any.
std::vector<std::size_t> sources_of(std::string_view answer, std::string_view question,
                                    std::span<const std::string> texts);

}  // namespace mc::runtime

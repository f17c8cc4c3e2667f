// SPDX-License-Identifier: Apache-2.0
// Questions about a piece of text, made by rules alone: for training search and for measuring it.
//
// The rarest content words of the text, in another order, some by a synonym, in question form.
// Function words, the words at the text's edges (which a block's bounds may have cut) and the order
// of words are lost. Nothing here understands the text: such a question says which words matter,
// not what they mean. Value types. Threads: const, free. Same text, counts and generator state,
// same question.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/rng.h"

namespace mc::gistnet {

// How often each word occurs in some texts; case does not count.
class WordCounts {
  public:
    void add(std::string_view text);
    std::uint64_t of(const std::string& lower_case_word) const;

  private:
    std::unordered_map<std::string, std::uint64_t> counts_;
};

struct QuestionForms {
    std::span<const std::string_view> templates;  // each with one "{}", where the words stand
    // Lower-case word → lower-case word; may be null. Of the words that have one, about half are
    // replaced.
    const std::unordered_map<std::string, std::string>* synonyms = nullptr;
};

// The forms that training uses, without synonyms; a measurement brings its own.
QuestionForms training_questions();

// Words of letters, as they stand in the text. What is beyond ASCII is a letter, but for
// typographic quotes, dashes and blanks.
std::vector<std::string> split_words(std::string_view text);

// nullopt for a text with fewer than three content words. Requires: forms.templates is not empty.
std::optional<std::string> make_question(std::string_view text, const WordCounts& counts,
                                         const QuestionForms& forms, Rng& rng);

}  // namespace mc::gistnet

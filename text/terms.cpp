// SPDX-License-Identifier: Apache-2.0
#include "text/terms.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "text/characters.h"
#include "text/stemmer.h"
#include "text/word_splitter.h"

namespace mc::text {
namespace {

// Of words that make a question and say nothing of what is asked for.
constexpr float kFunctionWordWeight = 0.1F;

// Sorted; folded, not stemmed.
constexpr std::array<std::string_view, 84> kFunctionWords = {
    "a",      "about", "all",   "am",    "an",    "and",  "any",   "are",   "as",    "at",
    "be",     "been",  "being", "but",   "by",    "can",  "could", "did",   "do",    "does",
    "for",    "from",  "had",   "has",   "have",  "he",   "her",   "him",   "his",   "how",
    "i",      "if",    "in",    "into",  "is",    "it",   "its",   "many",  "may",   "me",
    "much",   "my",    "no",    "not",   "of",    "on",   "or",    "our",   "shall", "she",
    "should", "so",    "some",  "tell",  "than",  "that", "the",   "their", "them",  "then",
    "there",  "these", "they",  "this",  "those", "to",   "us",    "was",   "we",    "were",
    "what",   "when",  "where", "which", "who",   "whom", "whose", "why",   "will",  "with",
    "would",  "you",   "your",  "yours"};
static_assert(std::is_sorted(kFunctionWords.begin(), kFunctionWords.end()));

std::string limited(std::string term) {
    if (term.size() <= kTermBytesMax) return term;
    return std::string(whole_characters(std::string_view(term).substr(0, kTermBytesMax)));
}

class TermList {
  public:
    void add(std::string term, bool prefix, float weight) {
        term = limited(std::move(term));
        if (known_.insert((prefix ? "*" : "") + term).second)
            terms_.push_back({std::move(term), prefix, weight});
    }

    std::vector<QuestionTerm> take() { return std::move(terms_); }

  private:
    std::vector<QuestionTerm> terms_;
    std::unordered_set<std::string> known_;
};

void add_pairs(TermList& list, const std::vector<std::string>& units) {
    for (std::size_t i = 0; i + 1 < units.size(); ++i) list.add(units[i] + units[i + 1], false, 1);
}

bool is_function_word(std::string_view word) {
    return std::binary_search(kFunctionWords.begin(), kFunctionWords.end(), word);
}

std::vector<QuestionTerm> terms_of(std::string_view text, bool question) {
    TermList list;
    Stemmer stemmer;
    for (SplitWord& word : split_words(fold(text))) {
        if (word.kind == SplitKind::kRun) {
            add_pairs(list, word.units);
            // The last character of a run begins no pair: alone in the text, it answers to a
            // question of one character like all others.
            if (!question)
                list.add(word.units.back(), false, 1);
            else if (word.units.size() == 1)
                list.add(word.units[0], true, 1);
        } else if (word.kind == SplitKind::kWord) {
            const float weight = is_function_word(word.text) ? kFunctionWordWeight : 1;
            list.add(stemmer.stem(word.text), false, weight);
        } else {
            list.add(std::move(word.text), false, 1);
        }
    }
    return list.take();
}

}  // namespace

std::vector<std::string> text_terms(std::string_view text) {
    std::vector<std::string> terms;
    for (QuestionTerm& term : terms_of(text, false)) terms.push_back(std::move(term.text));
    return terms;
}

std::vector<QuestionTerm> question_terms(std::string_view question) {
    return terms_of(question, true);
}

}  // namespace mc::text

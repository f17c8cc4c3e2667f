// SPDX-License-Identifier: Apache-2.0
#include "text/terms.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "text/characters.h"
#include "text/full_names.h"
#include "text/stemmer.h"
#include "text/word_splitter.h"

namespace mc::text {
namespace {

// Of words that make a question and say nothing of what is asked for.
constexpr float kFunctionWordWeight = 0.1F;
// Of names. What is asked for may be said in other words, who it is asked of hardly ever; and among
// many people of one name it is the initial that tells them apart.
constexpr float kNameWeight = 6;

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

bool is_small(char c) {
    return c >= 'a' && c <= 'z';
}

bool is_capital(char c) {
    return c >= 'A' && c <= 'Z';
}

// A word of ASCII letters, as function words are.
struct PlainWord {
    std::string_view text;
    bool before_full_stop = false;
};

std::vector<PlainWord> plain_words(std::string_view text) {
    std::vector<PlainWord> words;
    for (std::size_t at = 0; at < text.size();) {
        std::size_t end = at;
        while (end < text.size() && (is_small(text[end]) || is_capital(text[end]))) ++end;
        if (end > at)
            words.push_back({text.substr(at, end - at), end < text.size() && text[end] == '.'});
        at = std::max(end, at + 1);
    }
    return words;
}

// Whether capitals make a name of a word, wherever it stands but at the begin ("Will", "US"); of a
// letter its full stop does ("Nathan I. Merriweather"), because "I" has a capital anyway.
bool is_written_as_name(const PlainWord& word, bool first) {
    const std::string_view rest = word.text.substr(1);
    if (!is_capital(word.text[0])) return false;
    if (rest.empty()) return word.before_full_stop || (!first && word.text != "I");
    return !first && (std::ranges::all_of(rest, is_small) || std::ranges::all_of(rest, is_capital));
}

// Folded words of a question that are names there, function words or not. Where no word is written
// small, capitals tell nothing.
std::unordered_set<std::string> words_written_as_names(std::string_view question) {
    const std::vector<PlainWord> words = plain_words(question);
    std::unordered_set<std::string> names;
    const auto begins_small = [](const PlainWord& word) { return is_small(word.text[0]); };
    if (std::ranges::none_of(words, begins_small)) return names;
    for (std::size_t i = 0; i < words.size(); ++i)
        if (is_written_as_name(words[i], i == 0)) names.insert(fold(words[i].text));
    for (const std::string& word : capitalised_words(question)) {  // beyond ASCII: "Émile"
        std::string folded = fold(word);
        if (!is_function_word(folded)) names.insert(std::move(folded));
    }
    return names;
}

std::vector<QuestionTerm> terms_of(std::string_view text, bool question) {
    TermList list;
    Stemmer stemmer;
    std::unordered_set<std::string> names;
    if (question) names = words_written_as_names(text);
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
            const float weight = names.contains(word.text)     ? kNameWeight
                                 : is_function_word(word.text) ? kFunctionWordWeight
                                                               : 1;
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

// SPDX-License-Identifier: Apache-2.0
#include "gistnet/search/search_questions.h"

#include <algorithm>
#include <array>
#include <unordered_set>
#include <utility>

#include "core/check.h"

namespace mc::gistnet {
namespace {

constexpr std::size_t kWordLengthMin = 4;
constexpr std::size_t kWordsMin = 3;
constexpr std::size_t kWordsMax = 5;
constexpr std::string_view kPlaceholder = "{}";

// Words of four letters or more that say little of what a text is about; shorter ones never count.
constexpr std::string_view kFunctionWords =
    "about above after again against almost alone along already also although always among "
    "another anything around away back became because become been before began behind being below "
    "beside between both came cannot come could does doing done down during each either else "
    "enough even ever every first from gave give good great hadn have having hers herself himself "
    "however indeed into itself just keep knew know known last least left less like little long "
    "look made make many might mine more most much must myself near neither never nothing often "
    "once only other others ours ourselves over perhaps quite rather round said same says seem "
    "seemed shall should since some something soon still such take than that their theirs them "
    "themselves then there therefore these they thing things think this those though thought "
    "through thus till time together told took toward towards under until upon very went were "
    "what whatever when where whether which while whole whom whose will with within without "
    "would your yours yourself didn wouldn couldn wasn isn weren";

constexpr std::array<std::string_view, 6> kTrainingTemplates = {
    "What is said about {}?", "Where does the text tell of {}?", "Who has to do with {}?",
    "What happens with {}?",  "When is there talk of {}?",       "Why does it speak of {}?"};

// Typographic quotes and dashes (U+2000 to U+203F) are two certain bytes and a third.
constexpr std::string_view kPunctuation = "\xe2\x80";
constexpr std::size_t kPunctuationSize = 3;

bool is_letter(std::string_view text, std::size_t at) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) >= 128) return !text.substr(at).starts_with(kPunctuation);
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

std::string lower_case(std::string word) {
    for (char& c : word)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return word;
}

const std::unordered_set<std::string>& function_words() {
    static const std::unordered_set<std::string> words = [] {
        std::unordered_set<std::string> out;
        for (std::string& word : split_words(kFunctionWords)) out.insert(std::move(word));
        return out;
    }();
    return words;
}

struct ContentWord {
    std::string word;
    std::uint64_t count = 0;
};

// Each once, the rarest first; words of one count as they stand in the text.
std::vector<ContentWord> content_words(std::string_view text, const WordCounts& counts) {
    std::vector<std::string> all = split_words(text);
    if (all.size() <= 2) return {};
    std::vector<ContentWord> out;
    std::unordered_set<std::string> seen;
    for (std::size_t i = 1; i + 1 < all.size(); ++i) {
        const std::string lower = lower_case(all[i]);
        if (lower.size() < kWordLengthMin || function_words().contains(lower)) continue;
        if (seen.insert(lower).second) out.push_back({std::move(all[i]), counts.of(lower)});
    }
    std::stable_sort(out.begin(), out.end(),
                     [](const ContentWord& a, const ContentWord& b) { return a.count < b.count; });
    return out;
}

std::string list_of(const std::vector<ContentWord>& words) {
    std::string out;
    for (std::size_t i = 0; i < words.size(); ++i) {
        if (i > 0) out += i + 1 == words.size() ? " and " : ", ";
        out += words[i].word;
    }
    return out;
}

}  // namespace

void WordCounts::add(std::string_view text) {
    for (std::string& word : split_words(text)) ++counts_[lower_case(std::move(word))];
}

std::uint64_t WordCounts::of(const std::string& lower_case_word) const {
    const auto found = counts_.find(lower_case_word);
    return found == counts_.end() ? 0 : found->second;
}

QuestionForms training_questions() {
    return {kTrainingTemplates, nullptr};
}

std::vector<std::string> split_words(std::string_view text) {
    std::vector<std::string> words;
    std::size_t at = 0;
    while (at < text.size()) {
        if (text.substr(at).starts_with(kPunctuation)) {
            at += kPunctuationSize;
            continue;
        }
        std::size_t end = at;
        while (end < text.size() && is_letter(text, end)) ++end;
        if (end > at) words.emplace_back(text.substr(at, end - at));
        at = std::max(end, at + 1);
    }
    return words;
}

std::optional<std::string> make_question(std::string_view text, const WordCounts& counts,
                                         const QuestionForms& forms, Rng& rng) {
    MC_CHECK(!forms.templates.empty(), "a question needs a form");
    std::vector<ContentWord> words = content_words(text, counts);
    if (words.size() < kWordsMin) return std::nullopt;
    const std::size_t wanted = kWordsMin + rng.below(kWordsMax - kWordsMin + 1);
    // One more than wanted, so that not always the very rarest are asked for.
    if (words.size() > wanted + 1) words.resize(wanted + 1);
    for (std::size_t i = words.size() - 1; i > 0; --i) std::swap(words[i], words[rng.below(i + 1)]);
    if (words.size() > wanted) words.resize(wanted);
    if (forms.synonyms != nullptr)
        for (ContentWord& word : words) {
            const auto synonym = forms.synonyms->find(lower_case(word.word));
            if (synonym != forms.synonyms->end() && rng.below(2) == 0) word.word = synonym->second;
        }
    std::string question(forms.templates[rng.below(forms.templates.size())]);
    const std::size_t hole = question.find(kPlaceholder);
    MC_CHECK(hole != std::string::npos, "a form has a place for the words");
    return question.replace(hole, kPlaceholder.size(), list_of(words));
}

}  // namespace mc::gistnet

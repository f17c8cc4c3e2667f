// SPDX-License-Identifier: Apache-2.0
// Family one-sentence: what somebody likes and where they live, each a document.
#include <array>
#include <unordered_set>
#include <utility>

#include "eval/answers/candidates.h"
#include "eval/answers/families.h"
#include "eval/answers/word_lists.h"

namespace mc::eval {
namespace {

// {n}: name, {d}: drink, {c}: city.
constexpr std::array kSentences{"{n} likes {d} and lives in {c}.",
                                "{n} has moved to {c} and drinks {d} every morning.",
                                "{n}, who is fond of {d}, has a flat in {c}."};

struct SentenceQuestion {
    const char* task;
    const char* list;
    const char* text;
    const char* lead;
};

constexpr std::array kSentenceQuestions{
    SentenceQuestion{"city", "city", "In which city is the home of {n}?", "The home of {n} is in"},
    SentenceQuestion{"drink", "drink", "What is the favourite drink of {n}?",
                     "The favourite drink of {n} is"}};

std::string draw_word(const char* list, Rng& rng) {
    const auto& all = words(list);
    return all[rng.below(all.size())];
}

// With a middle initial there are half a million of them.
std::string draw_name(Rng& rng) {
    const auto initial = static_cast<char>('A' + rng.below(26));
    const std::string given = draw_word("given", rng);
    return given + " " + initial + ". " + draw_word("surname", rng);
}

std::string sentence_of(std::size_t pattern, const std::string& name, const std::string& drink,
                        const std::string& city) {
    std::string text = kSentences[pattern % kSentences.size()];
    text = fill_slot(std::move(text), "n", name);
    text = fill_slot(std::move(text), "d", drink);
    return fill_slot(std::move(text), "c", city);
}

}  // namespace

ItemSet make_one_sentences(std::size_t count, Rng rng, const lm::Tokenizer& tokenizer) {
    ItemSet set;
    std::unordered_set<std::string> names;
    for (std::size_t i = 0; i < count;) {
        const std::string name = draw_name(rng);
        const SentenceQuestion& question = kSentenceQuestions[i % kSentenceQuestions.size()];
        const auto drawn = draw_candidates(words(question.list), tokenizer, rng);
        MC_CHECK(drawn.has_value(), "some cities and drinks have names of equal length");
        if (!names.insert(name).second) continue;
        const bool asks_city = i % kSentenceQuestions.size() == 0;
        const std::string drink = asks_city ? draw_word("drink", rng) : drawn->value();
        const std::string city = asks_city ? drawn->value() : draw_word("city", rng);
        AnswerItem item;
        item.task = question.task;
        item.facts = {{sentence_of(i, name, drink, city), drawn->value()}};
        item.question = fill_slot(question.text, "n", name);
        item.lead = fill_slot(question.lead, "n", name);
        item.candidates = drawn->texts;
        item.right = drawn->right;
        set.items.push_back(std::move(item));
        set.groups.push_back({{i}, {}, name});
        ++i;
    }
    return set;
}

std::vector<std::string> other_sentences(const ItemSet& items, std::size_t count, Rng rng) {
    std::unordered_set<std::string> names;
    for (const FactGroup& group : items.groups) names.insert(group.topic);
    std::vector<std::string> sentences;
    while (sentences.size() + items.items.size() < count) {
        const std::string name = draw_name(rng);
        const std::string drink = draw_word("drink", rng);
        const std::string city = draw_word("city", rng);
        if (names.insert(name).second)
            sentences.push_back(sentence_of(sentences.size(), name, drink, city));
    }
    return sentences;
}

}  // namespace mc::eval

// SPDX-License-Identifier: Apache-2.0
// Family whole-document: who is the main person of a document, what is it about. Documents are
// stretches of the user's.
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "eval/answers/candidates.h"
#include "eval/answers/families.h"
#include "eval/answers/names_in_text.h"

namespace mc::eval {
namespace {

using Counts = std::map<std::string, std::size_t, std::less<>>;

struct Stretch {
    std::string text;
    Counts names;
    Counts words;
};

struct Question {
    const char* task;
    Counts Stretch::*kind;
    const char* text;
    const char* lead;
};

constexpr std::array kQuestions{
    Question{"main-person", &Stretch::names, "Who is the main person of this text?",
             "The main person of this text is"},
    Question{"subject", &Stretch::words, "What is this text about?", "This text is about"}};

std::vector<Stretch> cut_stretches(const SentencePool& pool) {
    std::vector<Stretch> out;
    Stretch current;
    std::uint64_t tokens = 0;
    std::uint32_t document = 0;
    for (const Sentence& sentence : pool.sentences) {
        if (sentence.document != document) {
            current = {};
            tokens = 0;
            document = sentence.document;
        }
        current.text += tokens == 0 ? sentence.bare() : std::string_view(sentence.text);
        tokens += sentence.tokens;
        if (tokens < kWholeDocumentTokens) continue;
        current.names = names_of(current.text);
        current.words = small_words_of(current.text);
        out.push_back(std::exchange(current, {}));
        tokens = 0;
    }
    return out;
}

// How much a count says of this stretch: words that many others have say little.
double weight_of(const std::string& word, std::size_t count, Counts Stretch::*kind,
                 const std::vector<Stretch>& all) {
    std::size_t holders = 0;
    for (const Stretch& one : all) holders += (one.*kind).contains(word) ? 1 : 0;
    return static_cast<double>(count) *
           std::log(static_cast<double>(all.size() + 1) / static_cast<double>(holders));
}

// Of every stretch its most telling word.
std::vector<std::string> telling_words(Counts Stretch::*kind, const std::vector<Stretch>& all) {
    std::vector<std::string> out;
    for (const Stretch& one : all) {
        std::string best;
        double highest = 0;
        for (const auto& [word, count] : one.*kind) {
            const double weight = weight_of(word, count, kind, all);
            if (weight <= highest) continue;
            highest = weight;
            best = word;
        }
        out.push_back(std::move(best));
    }
    return out;
}

// The telling words of other stretches that this one does not hold.
std::vector<std::string> others_for(const Stretch& stretch, Counts Stretch::*kind,
                                    const std::vector<std::string>& telling) {
    std::set<std::string> others;
    for (const std::string& word : telling)
        if (!word.empty() && !(stretch.*kind).contains(word)) others.insert(word);
    return {others.begin(), others.end()};
}

}  // namespace

ItemSet make_whole_documents(std::size_t count, Rng rng, const ItemSources& sources) {
    const std::vector<Stretch> all = cut_stretches(sources.pool);
    std::vector<std::size_t> order(all.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    shuffle(order, rng);
    ItemSet set;
    const std::vector<std::vector<std::string>> telling = {telling_words(kQuestions[0].kind, all),
                                                           telling_words(kQuestions[1].kind, all)};
    for (std::size_t i = 0; i < order.size() && set.items.size() < count; ++i) {
        const Question& question = kQuestions[i % kQuestions.size()];
        const std::string& right = telling[i % kQuestions.size()][order[i]];
        if (right.empty()) continue;
        const auto drawn = candidates_around(
            right, others_for(all[order[i]], question.kind, telling[i % kQuestions.size()]),
            sources.tokenizer, rng);
        if (!drawn) continue;
        AnswerItem item;
        item.task = question.task;
        item.document = all[order[i]].text;
        item.question = question.text;
        item.lead = question.lead;
        item.candidates = drawn->texts;
        item.right = drawn->right;
        set.groups.push_back({{set.items.size()}, {}, {}, false});
        set.items.push_back(std::move(item));
    }
    return set;
}

}  // namespace mc::eval

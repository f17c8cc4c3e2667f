// SPDX-License-Identifier: Apache-2.0
// Family cloze: a sentence of the documents lacks a name or a number; others of the same document
// are the wrong candidates.
#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "eval/answers/candidates.h"
#include "eval/answers/families.h"
#include "eval/answers/names_in_text.h"

namespace mc::eval {
namespace {

// Sentences that say enough around their gap, and not so much that the question is a page.
constexpr std::uint32_t kSentenceTokensFrom = 12;
constexpr std::uint32_t kSentenceTokensTo = 48;

constexpr std::string_view kGap = "____";

// What can fill gaps in one document.
struct Fillers {
    std::vector<std::string> names;
    std::vector<std::string> numbers;
};

std::vector<Fillers> fillers_of(const SentencePool& pool) {
    std::vector<std::string> texts(pool.document_names.size());
    for (const Sentence& sentence : pool.sentences) texts[sentence.document] += sentence.text;
    std::vector<Fillers> out;
    for (const std::string& text : texts) {
        Fillers fillers;
        for (const auto& [name, count] : names_of(text))
            if (count > 1) fillers.names.push_back(name);
        std::set<std::string> numbers;
        for (const WordAt& word : words_in(text))
            if (is_number(word.text)) numbers.emplace(word.text);
        fillers.numbers.assign(numbers.begin(), numbers.end());
        out.push_back(std::move(fillers));
    }
    return out;
}

// The only word of the sentence that is among the fillers, if it stands inside it.
std::optional<WordAt> gap_in(std::string_view sentence, const std::vector<std::string>& fillers) {
    std::optional<WordAt> found;
    for (const WordAt& word : words_in(sentence)) {
        if (!std::ranges::binary_search(fillers, word.text)) continue;
        if (found || word.starts_sentence) return std::nullopt;
        found = word;
    }
    return found;
}

std::optional<AnswerItem> item_of(const Sentence& sentence, const std::vector<std::string>& fillers,
                                  const char* task, const ItemSources& sources, Rng& rng) {
    const std::string_view text = sentence.bare();
    const auto gap = gap_in(text, fillers);
    if (!gap || gap->begin == 0 || text[gap->begin - 1] != ' ') return std::nullopt;
    std::vector<std::string> others = fillers;
    std::erase(others, gap->text);
    const std::string right(gap->text);
    const auto drawn = candidates_around(right, std::move(others), sources.tokenizer, rng);
    if (!drawn) return std::nullopt;
    AnswerItem item;
    item.task = task;
    item.facts = {{std::string(text), right}};
    std::string gapped(text);
    gapped.replace(gap->begin, gap->text.size(), kGap);
    item.question = "Which word is missing in this sentence? " + gapped;
    item.lead = "The missing word is";
    item.candidates = drawn->texts;
    item.right = drawn->right;
    return item;
}

}  // namespace

ItemSet make_cloze(std::size_t count, Rng rng, const ItemSources& sources) {
    const std::vector<Fillers> fillers = fillers_of(sources.pool);
    std::vector<const Sentence*> order;
    for (const Sentence& sentence : sources.pool.sentences)
        if (sentence.tokens >= kSentenceTokensFrom && sentence.tokens <= kSentenceTokensTo)
            order.push_back(&sentence);
    shuffle(order, rng);
    ItemSet set;
    // Numbers are rare in prose: they get half of the items where there are so many.
    for (const bool numbers : {true, false}) {
        const std::size_t limit = numbers ? count / 2 : count;
        for (const Sentence* sentence : order) {
            if (set.items.size() >= limit) break;
            const Fillers& own = fillers[sentence->document];
            auto item = item_of(*sentence, numbers ? own.numbers : own.names,
                                numbers ? "number" : "name", sources, rng);
            if (!item) continue;
            set.groups.push_back({{set.items.size()}, {}, item->facts.front().text, false});
            set.items.push_back(std::move(*item));
        }
    }
    return set;
}

}  // namespace mc::eval

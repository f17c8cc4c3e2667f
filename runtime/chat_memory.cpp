// SPDX-License-Identifier: Apache-2.0
#include "runtime/chat_memory.h"

#include <algorithm>

#include "runtime/search/leads.h"
#include "working_context/passage_ranking.h"

namespace mc::runtime {
namespace {

// Of the ranking's begin, more than any window takes.
constexpr std::size_t kJudgedCount = 16;

bool only_asks(std::string_view passage) {
    const std::size_t last = passage.find_last_not_of(" \t\r\n\"')");
    return last != std::string_view::npos && passage[last] == '?';
}

// Takes out of the begin of a ranking what only asks.
Result<void> pass_over_questions(const BankText& text, std::vector<RankedPassage>& ranking) {
    const std::size_t count = std::min(kJudgedCount, ranking.size());
    std::vector<RankedPassage> kept;
    for (std::size_t i = 0; i < count; ++i) {
        const Passage& passage = ranking[i].passage;
        MC_ASSIGN(const std::string words, text.read_text(passage.document, passage.tokens));
        if (!only_asks(words)) kept.push_back(ranking[i]);
    }
    ranking.erase(ranking.begin(), ranking.begin() + static_cast<std::ptrdiff_t>(count));
    ranking.insert(ranking.begin(), kept.begin(), kept.end());
    return {};
}

}  // namespace

Result<std::vector<Stretch>> find_chat_memory(BankSession& bank, const ChatQuery& query) {
    MC_ASSIGN(const BankSearch* const search, bank.search());
    if (search->index().size() == 0) return std::vector<Stretch>();
    std::vector<PassageRange> ranges;
    if (!query.with_documents) ranges.push_back({query.conversation});
    MC_ASSIGN(PassageHits hits, search->find(query.message, kCandidateCount, ranges));
    const auto is_shown = [&](const PassageHit& hit) {
        return hit.passage.document == query.conversation &&
               hit.passage.tokens.end > query.shown_begin;
    };
    std::erase_if(hits.by_words, is_shown);
    std::erase_if(hits.by_vectors, is_shown);
    const PassageRule rule;
    auto ranking = rank_passages(hits.by_words, hits.by_vectors, rule);
    MC_TRY(pass_over_questions(bank.text(), ranking));
    ranking.resize(choose_by_rule(ranking, rule));
    MC_ASSIGN(const auto leads, follow_leads(bank.text(), *search, query.message, ranking, ranges));
    ranking.insert(ranking.end(), leads.begin(), leads.end());
    return stretches_of(bank.text(), search->index(), ranking, ranking.size());
}

}  // namespace mc::runtime

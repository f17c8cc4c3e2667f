// SPDX-License-Identifier: Apache-2.0
#include "runtime/evidence.h"

#include <algorithm>
#include <utility>

#include "core/span_math.h"
#include "core/utf8.h"

namespace mc::runtime {
namespace {

struct Stretch {
    DocumentId document;
    TokenSpan tokens;
    Level level;
    double score;
    NodeId best;  // the block that the score comes from
};

// The level at which a window shows a block; nullopt when it does not cover it.
std::optional<Level> level_in(const Window* window, NodeId block) {
    if (window == nullptr) return Level(1);
    const auto position = window->position_of(block.document, span_of(block).begin);
    if (!position) return std::nullopt;
    return window->entries()[*position].entry.level;
}

std::string rank_in(const std::vector<SearchHit>& hits, NodeId block, const char* name) {
    const auto hit =
        std::find_if(hits.begin(), hits.end(), [&](const SearchHit& h) { return h.node == block; });
    if (hit == hits.end()) return "";
    return std::string(name) + " rank " + std::to_string(hit - hits.begin() + 1);
}

std::string explain(const Candidates& candidates, NodeId block) {
    std::string why = rank_in(candidates.bm25, block, "bm25");
    const std::string cosine = rank_in(candidates.cosine, block, "cosine");
    if (!why.empty() && !cosine.empty()) why += ", ";
    why += cosine;
    return why.empty() ? "chosen by the policy alone" : why;
}

// Blocks in reading order become stretches; neighbours of one level join.
std::vector<Stretch> join_neighbours(const Window* window, const BlockScores& scores) {
    std::vector<std::pair<NodeId, double>> blocks(scores.begin(), scores.end());
    std::sort(blocks.begin(), blocks.end());
    std::vector<Stretch> stretches;
    for (const auto& [block, score] : blocks) {
        const auto level = level_in(window, block);
        if (!level) continue;
        const TokenSpan span = span_of(block);
        Stretch* last = stretches.empty() ? nullptr : &stretches.back();
        if (last != nullptr && last->document == block.document && last->level == *level &&
            last->tokens.end == span.begin) {
            last->tokens.end = span.end;
            if (score > last->score) {
                last->score = score;
                last->best = block;
            }
        } else {
            stretches.push_back({block.document, span, *level, score, block});
        }
    }
    return stretches;
}

}  // namespace

Result<std::vector<Evidence>> collect_evidence(const BankSession& bank, const Window* window,
                                               const BlockScores& scores,
                                               const Candidates& candidates, std::size_t count) {
    std::vector<Stretch> stretches = join_neighbours(window, scores);
    std::stable_sort(stretches.begin(), stretches.end(),
                     [](const Stretch& a, const Stretch& b) { return a.score > b.score; });
    if (stretches.size() > count) stretches.resize(count);
    std::vector<Evidence> evidence;
    for (const Stretch& stretch : stretches) {
        Evidence item;
        MC_ASSIGN(auto document, bank.nodes().find_document(stretch.document));
        if (!document)
            return fail(ErrorCode::kStaleIndex,
                        "an index names document d" + std::to_string(stretch.document.value) +
                            ", which the bank does not have; delete the store's indexes folder");
        item.document = std::move(*document);
        item.tokens = stretch.tokens;
        item.level = stretch.level;
        item.score = stretch.score;
        item.why = explain(candidates, stretch.best);
        MC_ASSIGN(item.bytes, bank.byte_span_of(stretch.document, stretch.tokens));
        MC_ASSIGN(const std::string text, bank.read_text(stretch.document, stretch.tokens));
        item.text = to_valid_utf8(text);
        evidence.push_back(std::move(item));
    }
    return evidence;
}

}  // namespace mc::runtime

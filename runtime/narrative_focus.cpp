// SPDX-License-Identifier: Apache-2.0
// FocusSession's narrative form: covers of whole documents, with detail where a policy wants it.
#include <algorithm>
#include <set>
#include <utility>

#include "core/span_math.h"
#include "runtime/focus_session.h"

namespace mc::runtime {
namespace {

// Share of the budget that the coarsest covers of the documents may take; the rest is for detail.
constexpr std::uint64_t kCoverShareDivisor = 2;

// Entries of a document's coarsest cover: the base-32 digits of what has gists, and the rest raw.
std::uint64_t coarsest_cost(const DocumentRecord& document) {
    std::uint64_t cost = document.token_count - document.gist_end;
    for (std::uint64_t blocks = document.gist_end / kBlockSize; blocks > 0; blocks >>= kBlockBits)
        cost += blocks & (kBlockSize - 1);
    return cost;
}

tl::unexpected<Error> gists_wanted(const DocumentRecord& document) {
    return fail(ErrorCode::kInvalidInput, "a window that covers documents needs their gists, and " +
                                              std::to_string(tokens_without_gists(document)) +
                                              " tokens of document d" +
                                              std::to_string(document.id.value) +
                                              " have none yet; make them with: megacontext gists");
}

// A block has the best score of the passages that it shares a token with; blocks that are not whole
// yet stand raw in every window. Best first.
std::vector<SearchHit> block_hits(std::span<const PassageHit> passages) {
    std::vector<SearchHit> hits;
    std::set<NodeId> seen;
    for (const PassageHit& hit : passages) {
        const auto [document, tokens] = hit.passage;
        const std::uint64_t last = node_holding(tokens.end - 1, Level(1)).value;
        for (std::uint64_t block = node_holding(tokens.begin, Level(1)).value; block <= last;
             ++block) {
            const NodeId node{document, Level(1), NodeIndex(block)};
            if (seen.insert(node).second) hits.push_back({node, hit.score});
        }
    }
    return hits;
}

}  // namespace

Result<void> FocusSession::focus_narrative(const QueryOptions& options, FocusScorer& policy,
                                           QueryReport& report) {
    MC_ASSIGN(const auto documents, choose_documents(options));
    MC_TRY(prepare_window(documents, options));
    answer_window_.reset();
    MC_ASSIGN(BlockScores scores, refocus(options, policy, report));
    std::erase_if(scores, [&](const auto& score) {
        return !options.scope.holds_any(score.first.document, span_of(score.first));
    });
    MC_ASSIGN(const BankSearch* const search, bank_.search());
    // A policy that follows the search shows what the search found, in the tail too.
    const bool follows_search =
        options.policy == "bm25" || options.policy == "cosine" || options.policy == "hybrid";
    MC_ASSIGN(const auto stretches,
              follows_search ? stretches_of(bank_.text(), search->index(), asked_->ranking,
                                            options.evidence_count)
                             : stretches_of_blocks(search->index(), scores, asked_->ranking,
                                                   options.evidence_count));
    for (const Stretch& stretch : stretches) {
        MC_ASSIGN(Evidence evidence, read_evidence(bank_.text(), stretch));
        const auto position = window_->position_of(stretch.document, stretch.tokens.begin);
        if (position) evidence.level = window_->entries()[*position].entry.level;
        report.evidence.push_back(std::move(evidence));
    }
    report.cost = window_->cost();
    for (const DocumentRecord& document : documents) report.covered_tokens += document.token_count;
    return {};
}

// The documents asked for, or those of the best passages and then the newest, as many as fit.
Result<std::vector<DocumentRecord>> FocusSession::choose_documents(const QueryOptions& options) {
    std::vector<DocumentRecord> chosen;
    std::set<DocumentId> looked_at;
    std::uint64_t cost = 0;
    const bool asked_for = !options.scope.documents.empty();
    // False when there is no more room.
    const auto take = [&](DocumentId id) -> Result<bool> {
        if (!looked_at.insert(id).second) return true;
        MC_ASSIGN(DocumentRecord record, record_of(id));
        if (record.token_count == 0) return true;
        cost += coarsest_cost(record);
        const bool is_too_much = cost > options.budget / kCoverShareDivisor;
        if (is_too_much && tokens_without_gists(record) > 0) return gists_wanted(record);
        if (!asked_for && !chosen.empty() && is_too_much) return false;
        chosen.push_back(std::move(record));
        return true;
    };
    bool has_room = true;
    for (const DocumentId id : options.scope.documents) MC_TRY(take(id));
    if (!asked_for) {
        for (const RankedPassage& ranked : asked_->ranking) {
            if (!has_room) break;
            MC_ASSIGN(has_room, take(ranked.passage.document));
        }
        // Documents without a hit follow, newest first: a policy may want them.
        if (has_room) {
            MC_ASSIGN(const auto newest, bank_.nodes().newest_documents(options.budget));
            for (const DocumentRecord& record : newest) {
                if (!has_room) break;
                if (!options.scope.holds_any(record.id, {0, record.token_count})) continue;
                MC_ASSIGN(has_room, take(record.id));
            }
        }
    }
    if (chosen.empty())
        return fail(ErrorCode::kInvalidInput, "the documents asked for hold no text");
    std::ranges::sort(chosen, {}, &DocumentRecord::id);
    return chosen;
}

Result<void> FocusSession::prepare_window(const std::vector<DocumentRecord>& documents,
                                          const QueryOptions& options) {
    WindowSpec spec;
    for (const DocumentRecord& document : documents)
        spec.selections.push_back(
            {DocumentShape{document.id, document.token_count, document.gist_end},
             TokenSpan{0, document.token_count}});
    spec.budget_entries = options.budget;
    spec.reserved_entries = asked_->tokens.size();
    const bool same = window_ && window_->selections() == spec.selections &&
                      window_->budget_entries() == options.budget;
    if (same && window_->set_budget(options.budget, spec.reserved_entries)) {
        window_->begin_step();
        return {};
    }
    MC_ASSIGN(window_, Window::make_coarsest(std::move(spec)));
    return {};
}

Result<BlockScores> FocusSession::refocus(const QueryOptions& options, FocusScorer& policy,
                                          QueryReport& report) {
    FocusRequest request;
    request.lexical_hits = block_hits(asked_->hits.by_words);
    request.vector_hits = block_hits(asked_->hits.by_vectors);
    request.seed = options.seed;
    request.find_statistics = [this](NodeId node) -> Result<NodeStatistics> {
        MC_ASSIGN(const auto group,
                  bank_.nodes().find_gists(node.document, node.level, parent_of(node).index));
        if (!group || slot_in_parent(node) >= group->gists.size()) return NodeStatistics{};
        return group->gists[slot_in_parent(node)].statistics;
    };
    MC_ASSIGN(const auto scores, policy.score(*window_, request));
    const AllocatorLimits limits;
    MC_ASSIGN(const EditPlan plan, plan_edits(*window_, scores, options.budget, limits));
    MC_TRY(window_->apply(plan.edits, limits));
    report.edits = plan.edits.size();
    bank_.engine().metrics().add(telemetry::Counter::kFocusEdits, report.edits);
    BlockScores blocks;
    for (const NodeScore& score : scores)
        if (score.node.level == Level(1) && score.gain > 0) blocks[score.node] = score.gain;
    return blocks;
}

}  // namespace mc::runtime

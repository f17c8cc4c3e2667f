// SPDX-License-Identifier: Apache-2.0
#include "runtime/focus_session.h"

#include <algorithm>
#include <utility>

#include "core/span_math.h"
#include "working_context/hit_fusion.h"
#include "working_context/policies.h"

namespace mc::runtime {
namespace {

// Hits asked of each index: enough for a window of a few thousand entries to be filled with them.
constexpr std::size_t kCandidateCount = 64;

// Share of the budget that the coarsest covers of the documents may take; the rest is for detail.
constexpr std::uint64_t kCoverShareDivisor = 2;

// Entries of a document's coarsest cover: the base-32 digits of its length.
std::uint64_t coarsest_cost(std::uint64_t token_count) {
    std::uint64_t cost = 0;
    for (; token_count > 0; token_count >>= kBlockBits) cost += token_count & (kBlockSize - 1);
    return cost;
}

double seconds_between(std::int64_t begin_ns, std::int64_t end_ns) {
    return static_cast<double>(end_ns - begin_ns) * 1e-9;
}

// Documents of the hits, those with the best hit first.
std::vector<DocumentId> rank_documents(const Candidates& candidates) {
    const WeightedHits lists[] = {{candidates.bm25, kLexicalWeight},
                                  {candidates.cosine, kVectorWeight}};
    std::unordered_map<DocumentId, double> best;
    for (const auto& [block, score] : fuse_hits(lists))
        best[block.document] = std::max(best[block.document], score);
    std::vector<std::pair<double, DocumentId>> ranked;
    for (const auto& [document, score] : best) ranked.emplace_back(-score, document);
    std::sort(ranked.begin(), ranked.end());
    std::vector<DocumentId> documents;
    for (const auto& [score, document] : ranked) documents.push_back(document);
    return documents;
}

}  // namespace

Result<Candidates> FocusSession::find_candidates(const std::string& question,
                                                 const QueryOptions& options) {
    Candidates found;
    const SearchFilter filter{options.documents, Level(1)};
    MC_ASSIGN(found.bm25, bank_.texts().search(question, kCandidateCount, filter));
    if (bank_.vectors().size() == 0) return found;
    const auto tokens = bank_.tokenizer().encode(question);
    MC_ASSIGN(const auto query, bank_.engine().encoder().encode_query(tokens));
    MC_ASSIGN(found.cosine, bank_.vectors().search(query, kCandidateCount, filter));
    return found;
}

Result<std::vector<DocumentRecord>> FocusSession::choose_documents(
    const Candidates& candidates, const QueryOptions& options) const {
    MC_ASSIGN(auto all, bank_.nodes().list_documents());
    std::erase_if(all, [](const DocumentRecord& d) { return d.token_count == 0; });
    if (all.empty())
        return fail(ErrorCode::kInvalidInput,
                    "bank " + bank_.nodes().bank().name + " holds no text; ingest a file first");
    std::vector<DocumentId> order = options.documents;
    if (order.empty()) {
        order = rank_documents(candidates);
        // Documents without a hit follow, newest first: a policy may want them.
        for (auto document = all.rbegin(); document != all.rend(); ++document)
            if (std::find(order.begin(), order.end(), document->id) == order.end())
                order.push_back(document->id);
    }
    std::vector<DocumentRecord> chosen;
    std::uint64_t cost = 0;
    for (const DocumentId id : order) {
        const auto record =
            std::find_if(all.begin(), all.end(), [&](const auto& d) { return d.id == id; });
        if (record == all.end())
            return fail(ErrorCode::kInvalidInput, "no text in document d" +
                                                      std::to_string(id.value) + " of bank " +
                                                      bank_.nodes().bank().name);
        cost += coarsest_cost(record->token_count);
        const bool asked_for = !options.documents.empty();
        if (!asked_for && !chosen.empty() && cost > options.budget / kCoverShareDivisor) break;
        chosen.push_back(*record);
    }
    std::sort(chosen.begin(), chosen.end(),
              [](const auto& a, const auto& b) { return a.id < b.id; });
    return chosen;
}

Result<void> FocusSession::prepare_window(const std::vector<DocumentRecord>& documents,
                                          const QueryOptions& options,
                                          std::uint64_t reserved_entries) {
    WindowSpec spec;
    for (const DocumentRecord& document : documents)
        spec.selections.push_back({DocumentShape::of(document.id, document.token_count),
                                   TokenSpan{0, document.token_count}});
    spec.budget_entries = options.budget;
    spec.reserved_entries = reserved_entries;
    const bool same = window_ && window_->selections() == spec.selections &&
                      window_->budget_entries() == options.budget;
    if (same && window_->set_budget(options.budget, reserved_entries)) {
        window_->begin_step();
        return {};
    }
    MC_ASSIGN(window_, Window::make_coarsest(std::move(spec)));
    return {};
}

Result<BlockScores> FocusSession::refocus(const Candidates& candidates, const QueryOptions& options,
                                          QueryReport& report) {
    MC_ASSIGN(const auto policy, make_policy(options.policy));
    FocusRequest request;
    request.lexical_hits = candidates.bm25;
    request.vector_hits = candidates.cosine;
    request.seed = options.seed;
    request.find_statistics = [this](NodeId node) -> Result<NodeStatistics> {
        MC_ASSIGN(const auto group,
                  bank_.nodes().find_gists(node.document, node.level, parent_of(node).index));
        if (!group || slot_in_parent(node) >= group->gists.size()) return NodeStatistics{};
        return group->gists[slot_in_parent(node)].statistics;
    };
    MC_ASSIGN(const auto scores, policy->score(*window_, request));
    const AllocatorLimits limits;
    MC_ASSIGN(const EditPlan plan, plan_edits(*window_, scores, options.budget, limits));
    MC_TRY(window_->apply(plan.edits, limits));
    report.edits = plan.edits.size();
    BlockScores blocks;
    for (const NodeScore& score : scores)
        if (score.node.level == Level(1) && score.gain > 0) blocks[score.node] = score.gain;
    return blocks;
}

Result<QueryReport> FocusSession::ask(const std::string& question, const QueryOptions& options) {
    if (question.find_first_not_of(" \t\r\n") == std::string::npos)
        return fail(ErrorCode::kInvalidInput, "the question is empty");
    MC_TRY(make_policy(options.policy));  // a wrong name is said before any work
    const Clock& clock = bank_.engine().clock();
    QueryReport report;
    report.question = question;
    report.policy = options.policy;
    report.budget = options.budget;

    const std::int64_t begin_ns = clock.monotonic_ns();
    MC_ASSIGN(const Candidates candidates, find_candidates(question, options));
    const std::int64_t found_ns = clock.monotonic_ns();
    MC_ASSIGN(const auto documents, choose_documents(candidates, options));
    const auto reserved = bank_.tokenizer().encode(question).size();
    MC_TRY(prepare_window(documents, options, reserved));
    MC_ASSIGN(const BlockScores blocks, refocus(candidates, options, report));
    MC_ASSIGN(report.evidence,
              collect_evidence(bank_, &*window_, blocks, candidates, options.evidence_count));
    MC_TRY(record_use(report.evidence));
    report.cost = window_->cost();
    for (const DocumentRecord& document : documents) report.covered_tokens += document.token_count;
    report.seconds_search = seconds_between(begin_ns, found_ns);
    report.seconds_focus = seconds_between(found_ns, clock.monotonic_ns());
    question_ = question;
    return report;
}

// Counts one access of each block shown as evidence; a reader of a store writes nothing.
Result<void> FocusSession::record_use(const std::vector<Evidence>& evidence) {
    if (!bank_.engine().store().writable()) return {};
    std::vector<NodeId> blocks;
    for (const Evidence& item : evidence)
        for (std::uint64_t at = item.tokens.begin; at < item.tokens.end; at += kBlockSize)
            blocks.push_back({item.document.id, Level(1), node_holding(at, Level(1))});
    return bank_.nodes().record_use(blocks, bank_.engine().clock().now_us());
}

Result<std::vector<Evidence>> FocusSession::search(const std::string& question,
                                                   const QueryOptions& options) {
    MC_ASSIGN(const Candidates candidates, find_candidates(question, options));
    std::vector<WeightedHits> lists;
    if (options.policy != "cosine") lists.push_back({candidates.bm25, kLexicalWeight});
    if (options.policy != "bm25") lists.push_back({candidates.cosine, kVectorWeight});
    return collect_evidence(bank_, nullptr, fuse_hits(lists), candidates, options.evidence_count);
}

Result<void> FocusSession::expand(NodeId node) {
    if (!window_) return fail(ErrorCode::kInvalidInput, "no window yet; ask a question first");
    MC_TRY(window_->apply(Edit{Edit::Kind::kExpand, node}));
    return {};
}

Result<void> FocusSession::collapse(NodeId node) {
    if (!window_) return fail(ErrorCode::kInvalidInput, "no window yet; ask a question first");
    MC_TRY(window_->apply(Edit{Edit::Kind::kCollapse, node}));
    return {};
}

}  // namespace mc::runtime

// SPDX-License-Identifier: Apache-2.0
#include "runtime/focus_session.h"

#include <algorithm>
#include <utility>

#include "core/span_math.h"
#include "runtime/search/leads.h"
#include "working_context/policies.h"

namespace mc::runtime {

Result<FocusSession::Asked> FocusSession::search_for(const std::string& question,
                                                     const QueryOptions& options) {
    if (question.find_first_not_of(" \t\r\n") == std::string::npos)
        return fail(ErrorCode::kInvalidInput, "the question is empty");
    MC_ASSIGN(const BankSearch* const search, bank_.search());
    if (search->index().size() == 0)
        return fail(ErrorCode::kInvalidInput,
                    "bank " + bank_.nodes().bank().name + " holds no text; ingest a file first");
    Asked asked;
    asked.text = question;
    asked.tokens = bank_.text().tokenizer().encode(question);
    if (!options.scope.is_nothing()) {
        MC_ASSIGN(asked.hits, search->find(question, kCandidateCount, options.scope.ranges));
    }
    if (options.policy == "bm25") asked.hits.by_vectors.clear();
    if (options.policy == "cosine") asked.hits.by_words.clear();
    asked.ranking = rank_passages(asked.hits.by_words, asked.hits.by_vectors, options.rule);
    asked.wanted = choose_by_rule(asked.ranking, options.rule);
    MC_TRY(add_leads(*search, options, asked));
    if (options.policy == kLensPolicy) MC_TRY(weigh_by_lens(asked));
    return asked;
}

// Behind what the question found, because that led to them.
Result<void> FocusSession::add_leads(const BankSearch& search, const QueryOptions& options,
                                     Asked& asked) {
    if (!makes_answering_form(options.policy)) return {};
    auto& ranking = asked.ranking;
    MC_ASSIGN(auto leads,
              follow_leads(bank_.text(), search, asked.text, std::span(ranking).first(asked.wanted),
                           options.scope.ranges));
    for (RankedPassage& lead : leads) {
        std::erase_if(ranking, [&](const auto& one) { return one.passage == lead.passage; });
        lead.choice = PassageChoice::kLead;
    }
    ranking.insert(ranking.begin() + static_cast<std::ptrdiff_t>(asked.wanted), leads.begin(),
                   leads.end());
    asked.wanted += leads.size();
    return {};
}

Result<QueryReport> FocusSession::ask(const std::string& question, const QueryOptions& options) {
    MC_ASSIGN(BankSearch* const search, bank_.search());
    MC_TRY(search->show_versions(options.scope.versions));
    auto report = ask_what_is_shown(question, options);
    search->hide_versions();
    return report;
}

Result<QueryReport> FocusSession::ask_what_is_shown(const std::string& question,
                                                    const QueryOptions& options) {
    std::unique_ptr<FocusScorer> policy;
    if (!makes_answering_form(options.policy)) {
        MC_ASSIGN(policy, make_policy(options.policy));  // a wrong name is said before any work
    }
    const Clock& clock = bank_.engine().clock();
    QueryReport report;
    report.question = question;
    report.policy = options.policy;
    report.budget = options.budget;
    const std::int64_t begin_ns = clock.monotonic_ns();
    MC_ASSIGN(asked_, search_for(question, options));
    const std::int64_t found_ns = clock.monotonic_ns();
    if (policy && !options.scope.is_nothing())
        MC_TRY(focus_narrative(options, *policy, report));
    else
        MC_TRY(focus_on_passages(options, report));
    // A full disk stops who writes, not who asks.
    const auto counted = record_use(report.evidence);
    if (!counted && counted.error().code() != ErrorCode::kOutOfSpace) return fail(counted.error());
    report.seconds_search = seconds_between(begin_ns, found_ns);
    report.seconds_focus = seconds_between(found_ns, clock.monotonic_ns());
    telemetry::Metrics& metrics = bank_.engine().metrics();
    metrics.add(telemetry::Counter::kQuestions);
    metrics.observe(telemetry::Timing::kSearch, report.seconds_search);
    metrics.observe(telemetry::Timing::kFocus, report.seconds_focus);
    evidence_ = report.evidence;
    known_ = report.known;
    return report;
}

// Counts one access of each block shown as evidence; a reader of a store writes nothing.
Result<void> FocusSession::record_use(const std::vector<Evidence>& evidence) {
    if (!bank_.engine().store().writable()) return {};
    std::vector<NodeId> blocks;
    for (const Evidence& item : evidence) {
        const std::uint64_t blocks_end = item.document.token_count / kBlockSize;
        const std::uint64_t last = node_holding(item.tokens.end - 1, Level(1)).value;
        for (std::uint64_t block = node_holding(item.tokens.begin, Level(1)).value;
             block <= last && block < blocks_end; ++block)
            blocks.push_back({item.document.id, Level(1), NodeIndex(block)});
    }
    if (blocks.empty()) return {};
    return bank_.nodes().record_use(blocks, bank_.engine().clock().now_us());
}

Result<std::vector<Evidence>> FocusSession::search(const std::string& question,
                                                   const QueryOptions& options) {
    MC_ASSIGN(const Asked asked, search_for(question, options));
    MC_ASSIGN(const BankSearch* const search, bank_.search());
    MC_ASSIGN(const auto stretches,
              stretches_of(bank_.text(), search->index(), asked.ranking, options.evidence_count));
    std::vector<Evidence> found;
    for (const Stretch& stretch : stretches) {
        MC_ASSIGN(Evidence evidence, read_evidence(bank_.text(), stretch));
        found.push_back(std::move(evidence));
    }
    return found;
}

Result<void> FocusSession::edit(Edit::Kind kind, NodeId node) {
    if (window_) {
        MC_TRY(window_->apply(Edit{kind, node}));
        bank_.engine().metrics().add(telemetry::Counter::kFocusEdits);
        return {};
    }
    if (answer_window_)
        return fail(ErrorCode::kInvalidInput,
                    "a window of passages has nothing to expand or collapse; choose another policy "
                    "and ask again");
    return fail(ErrorCode::kInvalidInput, "no window yet; ask a question first");
}

Result<void> FocusSession::expand(NodeId node) {
    return edit(Edit::Kind::kExpand, node);
}

Result<void> FocusSession::collapse(NodeId node) {
    return edit(Edit::Kind::kCollapse, node);
}

}  // namespace mc::runtime

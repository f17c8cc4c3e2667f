// SPDX-License-Identifier: Apache-2.0
#include "runtime/focus_session.h"

#include <algorithm>
#include <functional>
#include <utility>

#include "core/span_math.h"
#include "runtime/search/leads.h"
#include "working_context/policies.h"

namespace mc::runtime {
namespace {

bool looks_back(const RecallScope& scope) {
    return !scope.versions.empty() || !scope.shortened.empty();
}

}  // namespace

Result<std::vector<FocusSession::Home>> FocusSession::open_homes() {
    std::vector<Home> homes;
    for (BankSession* const bank : banks_) {
        MC_ASSIGN(const BankSearch* const search, bank->search());
        if (search->index().size() > 0) homes.push_back({bank, search});
    }
    if (!homes.empty()) return homes;
    const std::string where = banks_.size() == 1 ? "bank " + bank_.nodes().bank().name + " holds"
                                                 : "the banks that were named hold";
    return fail(ErrorCode::kInvalidInput, where + " no text; ingest a file first");
}

Result<FocusSession::Asked> FocusSession::search_for(const std::string& question,
                                                     const QueryOptions& options) {
    if (question.find_first_not_of(" \t\r\n") == std::string::npos)
        return fail(ErrorCode::kInvalidInput, "the question is empty");
    if (banks_.size() > 1 && options.policy != kPassagesPolicy)
        return fail(ErrorCode::kUsage,
                    "several banks are asked at once with policy passages, not " + options.policy +
                        "; choose that or ask one bank");
    MC_ASSIGN(const std::vector<Home> homes, open_homes());
    Asked asked;
    asked.text = question;
    asked.tokens = bank_.text().tokenizer().encode(question);
    asked.shortened = options.scope.shortened;
    if (!options.scope.is_nothing())
        for (const Home& home : homes) MC_TRY(search_in(home, options, asked));
    std::ranges::stable_sort(asked.ranking, std::greater(), &RankedPassage::score);
    PassageRule rule = options.rule;
    // Whoever names documents may ask what they are about, and of that no passage says more than
    // the next.
    if (!options.scope.ranges.empty()) rule.stand_out_min = 0;
    asked.wanted = choose_by_rule(asked.ranking, rule);
    MC_TRY(add_leads(homes, options, asked));
    if (options.policy == kLensPolicy) MC_TRY(weigh_by_lens(asked));
    return asked;
}

Result<void> FocusSession::search_in(const Home& home, const QueryOptions& options, Asked& asked) {
    MC_ASSIGN(asked.hits, home.search->find(asked.text, kCandidateCount, options.scope.ranges));
    if (options.policy == "bm25") asked.hits.by_vectors.clear();
    if (options.policy == "cosine") asked.hits.by_words.clear();
    for (RankedPassage& found :
         rank_passages(asked.hits.by_words, asked.hits.by_vectors, options.rule)) {
        asked.homes.emplace(found.passage.document, home);
        asked.ranking.push_back(std::move(found));
    }
    return {};
}

// Behind what the question found, because that led to them.
Result<void> FocusSession::add_leads(std::span<const Home> homes, const QueryOptions& options,
                                     Asked& asked) {
    if (!makes_answering_form(options.policy)) return {};
    auto& ranking = asked.ranking;
    std::vector<RankedPassage> leads;
    for (const Home& home : homes) {
        std::vector<RankedPassage> found(
            ranking.begin(), ranking.begin() + static_cast<std::ptrdiff_t>(asked.wanted));
        std::erase_if(found, [&](const auto& one) {
            return asked.homes.at(one.passage.document).bank != home.bank;
        });
        MC_ASSIGN(const auto led_to, follow_leads(home.bank->text(), *home.search, asked.text,
                                                  found, options.scope.ranges));
        for (const RankedPassage& lead : led_to) asked.homes.emplace(lead.passage.document, home);
        leads.insert(leads.end(), led_to.begin(), led_to.end());
    }
    if (leads.size() > kLeadsMax) {
        std::ranges::stable_sort(leads, std::greater(), &RankedPassage::score);
        leads.resize(kLeadsMax);
    }
    for (RankedPassage& lead : leads) {
        std::erase_if(ranking, [&](const auto& one) { return one.passage == lead.passage; });
        lead.choice = PassageChoice::kLead;
    }
    ranking.insert(ranking.begin() + static_cast<std::ptrdiff_t>(asked.wanted), leads.begin(),
                   leads.end());
    asked.wanted += leads.size();
    return {};
}

HomeOf FocusSession::Asked::home_of() const {
    return [this](DocumentId document) {
        const Home& home = homes.at(document);
        return PassageHome{home.bank->text(), home.search->index()};
    };
}

BankSession& FocusSession::bank_of(DocumentId document) const {
    const auto home = asked_->homes.find(document);
    return home == asked_->homes.end() ? bank_ : *home->second.bank;
}

Result<DocumentRecord> FocusSession::record_of(DocumentId document) const {
    const auto found = std::ranges::find(asked_->shortened, document, &DocumentRecord::id);
    if (found != asked_->shortened.end()) return *found;
    return bank_of(document).text().require_document(document);
}

Result<QueryReport> FocusSession::ask(const std::string& question, const QueryOptions& options) {
    auto report = ask_with_versions(question, options);
    if (looks_back(options.scope)) hide_versions();
    return report;
}

// Each in the bank that holds it.
Result<void> FocusSession::show_versions(const RecallScope& scope) {
    if (!looks_back(scope)) return {};
    for (BankSession* const bank : banks_) {
        const auto own = [bank](const std::vector<DocumentRecord>& documents) {
            std::vector<DocumentRecord> found;
            for (const DocumentRecord& document : documents)
                if (document.bank == bank->nodes().bank().id) found.push_back(document);
            return found;
        };
        MC_ASSIGN(BankSearch* const search, bank->search());
        MC_TRY(search->show_versions(own(scope.versions), own(scope.shortened)));
    }
    return {};
}

void FocusSession::hide_versions() {
    for (BankSession* const bank : banks_)
        if (const auto search = bank->search()) (*search)->hide_versions();
}

Result<QueryReport> FocusSession::ask_with_versions(const std::string& question,
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
    MC_TRY(show_versions(options.scope));
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
    std::map<BankSession*, std::vector<NodeId>> blocks;
    for (const Evidence& item : evidence) {
        auto& of_bank = blocks[&bank_of(item.document.id)];
        const std::uint64_t blocks_end = item.document.token_count / kBlockSize;
        const std::uint64_t last = node_holding(item.tokens.end - 1, Level(1)).value;
        for (std::uint64_t block = node_holding(item.tokens.begin, Level(1)).value;
             block <= last && block < blocks_end; ++block)
            of_bank.push_back({item.document.id, Level(1), NodeIndex(block)});
    }
    for (const auto& [bank, used] : blocks)
        if (!used.empty()) MC_TRY(bank->nodes().record_use(used, bank_.engine().clock().now_us()));
    return {};
}

Result<std::vector<Evidence>> FocusSession::search(const std::string& question,
                                                   const QueryOptions& options) {
    MC_ASSIGN(const Asked asked, search_for(question, options));
    MC_ASSIGN(const auto stretches,
              stretches_of(asked.home_of(), asked.ranking, options.evidence_count));
    std::vector<Evidence> found;
    for (const Stretch& stretch : stretches) {
        MC_ASSIGN(Evidence evidence,
                  read_evidence(asked.home_of()(stretch.document).text, stretch));
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

// SPDX-License-Identifier: Apache-2.0
#include "eval/delta_nll/protocol.h"

#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"
#include "eval/delta_nll/document_gists.h"
#include "eval/delta_nll/document_scoring.h"
#include "eval/measure/score_log.h"
#include "eval/measure/training_check.h"
#include "eval/report/plots.h"

namespace mc::eval {

namespace {

Result<void> refuse(std::string what) {
    return fail(ErrorCode::kUsage, std::move(what));
}

// Of levels 1 and 2: the model reads the whole context raw.
Result<void> check_context(const DeltaNllOptions& options, const ScorerFacts& facts) {
    const std::uint64_t entries =
        1ULL + std::uint64_t{options.context_tokens} + options.horizon_tokens;
    if (entries > facts.context_length)
        return refuse("BOS, context and horizon are " + std::to_string(entries) +
                      " entries; the model reads " + std::to_string(facts.context_length));
    if (options.levels == 2 && options.context_tokens % tokens_per_node(Level(2)) != 0)
        return refuse("gists of level 2 need a context that is a multiple of " +
                      std::to_string(tokens_per_node(Level(2))) + " tokens");
    return {};
}

Result<void> check_deep_context(const DeltaNllOptions& options, const ScorerFacts& facts) {
    const std::uint64_t node = tokens_per_node(Level(3));
    if (options.context_tokens <= kRawTail || gist_tokens(options) % node != 0)
        return refuse("gists of level 3 need a context of a multiple of " + std::to_string(node) +
                      " tokens and " + std::to_string(kRawTail) + " more, which stay raw");
    if (longest_raw(options, facts) == 0)
        return refuse("the model reads " + std::to_string(facts.context_length) +
                      " entries, too few for a long raw stretch to compare gists with");
    if (options.oracle_windows > 0)
        return refuse("optimised gists need a context that the model reads whole: levels 1 or 2");
    return {};
}

Result<void> check_options(const DeltaNllOptions& options, const ScorerFacts& facts) {
    if (options.documents.empty()) return refuse("no documents to evaluate on");
    if (options.windows_per_document < 2 || options.windows_per_document > kWindowsPerDocumentMax)
        return refuse("windows per document must be 2 to " +
                      std::to_string(kWindowsPerDocumentMax) +
                      ": the shuffled control needs another window");
    if (options.context_tokens == 0 || options.context_tokens % kBlockSize != 0)
        return refuse("context must be a positive multiple of " + std::to_string(kBlockSize) +
                      " tokens");
    if (options.horizon_tokens < 16) return refuse("horizon must be at least 16 tokens");
    if (options.levels < 1 || options.levels > 3) return refuse("levels must be 1, 2 or 3");
    MC_TRY(is_deep(options) ? check_deep_context(options, facts) : check_context(options, facts));
    if (options.oracle_windows > 0 && options.encoders.empty())
        return refuse("optimised gists start from an encoder's: give one");
    const std::uint64_t gist_bytes =
        2 * std::uint64_t{options.windows_per_document} * options.encoders.size() *
        (options.context_tokens / kBlockSize) * facts.gist_shape.kv_count() * sizeof(std::uint16_t);
    if (gist_bytes > kGistBytesMax)
        return refuse("the gists of two documents' windows would take " +
                      std::to_string(gist_bytes >> 20) +
                      " MB of memory: ask for fewer windows or encoders");
    for (const std::string& name : options.encoders)
        if (std::count(options.encoders.begin(), options.encoders.end(), name) > 1)
            return refuse("encoder " + name + " is given twice");
    MC_CHECK(options.encoders.size() == facts.encoders.size(),
             "the scorer has other encoders than the options");
    return {};
}

std::size_t batch_count(const DocumentPlan& document) {
    return (document.windows.size() + kBatchWindows - 1) / kBatchWindows;
}

DocumentScores empty_scores(const Protocol& protocol, const DocumentPlan& document) {
    DocumentScores scores;
    scores.document = document.name;
    for (const Condition& condition : protocol.conditions)
        scores.conditions.push_back({condition.name, condition.control,
                                     condition.raw_tokens_alone(), condition.own_gists_alone()});
    scores.window_count = document.windows.size();
    scores.horizon = protocol.options.horizon_tokens;
    scores.nll.assign(scores.conditions.size() * scores.window_count * scores.horizon,
                      std::numeric_limits<double>::quiet_NaN());
    return scores;
}

// Fills a document's scores from its lines, which come in the order of the log.
class ScoreFiller {
  public:
    ScoreFiller(const Protocol& protocol, const DocumentPlan& document)
        : protocol_(protocol), document_(document), scores_(empty_scores(protocol, document)) {}

    // Errors: kCorruption when the line is not the one that comes next.
    Result<void> add(const ScoreLine& line) {
        const auto [window, c] = next_;
        if (window >= scores_.window_count || line.document != document_.name ||
            line.window != window || line.start != document_.starts[window] ||
            line.condition != protocol_.conditions[c].name || line.nll.size() != scores_.horizon)
            return fail(ErrorCode::kCorruption,
                        "tokens.jsonl has a line out of order, for window " +
                            std::to_string(line.window) + " of " + line.document +
                            ": delete the file, or give another output directory");
        const std::size_t offset = (c * scores_.window_count + window) * scores_.horizon;
        std::copy(line.nll.begin(), line.nll.end(),
                  scores_.nll.begin() + static_cast<std::ptrdiff_t>(offset));
        advance();
        return {};
    }

    DocumentScores&& take() && { return std::move(scores_); }

  private:
    void advance() {
        auto& [window, c] = next_;
        do {
            if (++c < protocol_.conditions.size()) continue;
            c = 0;
            ++window;
        } while (!protocol_.conditions[c].covers_window(window, protocol_.options));
    }

    const Protocol& protocol_;
    const DocumentPlan& document_;
    DocumentScores scores_;
    std::pair<std::size_t, std::size_t> next_ = {0, 0};  // window and condition of the next line
};

// Walks every batch of every document: reads it from the log, or scores and appends it.
class ProtocolRun {
  public:
    ProtocolRun(Scorer& scorer, const Protocol& protocol, ScoreLog& log,
                const SuiteProgressCallback& progress, const std::atomic<bool>* cancelled)
        : scorer_(scorer),
          protocol_(protocol),
          log_(log),
          progress_(progress),
          cancelled_(cancelled) {
        for (const DocumentPlan& document : protocol.documents)
            status_.windows_total += document.windows.size();
        gists_.resize(protocol.documents.size());
    }

    Result<std::vector<DocumentScores>> run() {
        lines_there_ = whole_batch_lines();
        MC_TRY(log_.keep(lines_there_));
        std::vector<DocumentScores> scores;
        for (std::size_t d = 0; d < protocol_.documents.size(); ++d) {
            MC_ASSIGN(DocumentScores of_document, run_document(d));
            scores.push_back(std::move(of_document));
        }
        return scores;
    }

  private:
    // Lines of the log that belong to whole batches; a kill leaves part of at most one more.
    std::size_t whole_batch_lines() const {
        std::size_t whole = 0;
        for (const DocumentPlan& document : protocol_.documents)
            for (std::size_t b = 0; b < batch_count(document); ++b) {
                const std::size_t end = whole + batch_lines(document, b);
                if (end > log_.lines().size()) return whole;
                whole = end;
            }
        return whole;
    }

    static std::pair<std::size_t, std::size_t> batch_windows(const DocumentPlan& document,
                                                             std::size_t batch) {
        const std::size_t begin = batch * kBatchWindows;
        return {begin, std::min(begin + kBatchWindows, document.windows.size())};
    }

    std::size_t batch_lines(const DocumentPlan& document, std::size_t batch) const {
        const auto [begin, end] = batch_windows(document, batch);
        std::size_t count = 0;
        for (std::size_t w = begin; w < end; ++w)
            for (const Condition& condition : protocol_.conditions)
                count += condition.covers_window(w, protocol_.options) ? 1 : 0;
        return count;
    }

    DocumentGists& gists_of(std::size_t document) {
        if (!gists_[document])
            gists_[document] =
                std::make_unique<DocumentGists>(scorer_, protocol_, protocol_.documents[document]);
        return *gists_[document];
    }

    // Another document's gists are those of the one before it; the first takes the second's, so
    // that two documents' gists are all that is ever needed at once.
    Result<DocumentScores> run_document(std::size_t d) {
        const DocumentPlan& document = protocol_.documents[d];
        if (d >= 2) gists_[d - 2].reset();
        const bool is_alone = protocol_.documents.size() == 1;
        DocumentScoring scoring(scorer_, protocol_, document, gists_of(d),
                                is_alone ? nullptr : &gists_of(d == 0 ? 1 : d - 1));
        ScoreFiller filler(protocol_, document);
        for (std::size_t b = 0; b < batch_count(document); ++b) {
            const auto [begin, end] = batch_windows(document, b);
            const std::size_t count = batch_lines(document, b);
            if (lines_read_ + count <= lines_there_) {
                for (std::size_t i = 0; i < count; ++i)
                    MC_TRY(filler.add(log_.lines()[lines_read_ + i]));
                lines_read_ += count;
            } else {
                MC_ASSIGN(const auto lines, scoring.score(begin, end, cancelled_));
                MC_TRY(log_.append(lines));
                for (const ScoreLine& line : lines) MC_TRY(filler.add(line));
            }
            status_.windows_done += end - begin;
            if (progress_) progress_(status_);
        }
        return std::move(filler).take();
    }

    Scorer& scorer_;
    const Protocol& protocol_;
    ScoreLog& log_;
    const SuiteProgressCallback& progress_;
    const std::atomic<bool>* cancelled_;
    SuiteProgress status_;
    std::vector<std::unique_ptr<DocumentGists>> gists_;  // per document; null: not needed
    std::size_t lines_there_ = 0;
    std::size_t lines_read_ = 0;
};

// Metrics of every document and of the pool.
void add_groups(std::vector<GroupMetrics>& groups, std::span<const DocumentScores> scores,
                std::uint64_t seed, const std::string& subset) {
    const std::size_t first = groups.size();
    for (const DocumentScores& document : scores)
        groups.push_back(document_metrics(document, seed));
    if (scores.size() > 1) groups.push_back(pooled_metrics(scores, seed));
    for (std::size_t g = first; g < groups.size(); ++g) groups[g].subset = subset;
}

bool is_oracle(const ScoredCondition& condition) {
    return condition.name == kConditionOracle;
}

// Every condition but the oracle on all windows; with the oracle, all conditions on its windows.
std::vector<GroupMetrics> groups_of(const Protocol& protocol,
                                    std::span<const DocumentScores> scores) {
    const DeltaNllOptions& options = protocol.options;
    std::vector<DocumentScores> all_windows;
    std::vector<DocumentScores> oracle_windows;
    for (const DocumentScores& document : scores) {
        all_windows.push_back(part_of_scores(document, document.window_count,
                                             [](const auto& c) { return !is_oracle(c); }));
        oracle_windows.push_back(
            part_of_scores(document, options.oracle_windows, [](const auto&) { return true; }));
    }
    std::vector<GroupMetrics> groups;
    add_groups(groups, all_windows, options.seed, "");
    if (options.oracle_windows > 0)
        add_groups(groups, oracle_windows, options.seed, std::string(kConditionOracle));
    return groups;
}

Result<DeltaNllReport> write_report(const Protocol& protocol, const ScorerFacts& facts,
                                    const std::string& configuration,
                                    std::span<const DocumentScores> scores) {
    std::vector<GroupMetrics> groups = groups_of(protocol, scores);
    const RunFindings findings{protocol.conditions, protocol.codecs, facts.gist_shape, groups,
                               protocol.training};
    const DeltaNllOptions& options = protocol.options;
    MC_ASSIGN(SuiteReport report,
              write_suite_report(options.output / "tokens.jsonl", results_table(findings),
                                 results_json(configuration, options.command_line, findings),
                                 result_plots(groups, scores)));
    return DeltaNllReport{std::move(report), std::move(groups)};
}

}  // namespace

Result<Protocol> plan_protocol(const Scorer& scorer, const DeltaNllOptions& options) {
    MC_TRY(check_options(options, scorer.facts()));
    const ScorerFacts& facts = scorer.facts();
    MC_ASSIGN(auto codecs, named_codecs(options.codecs, facts.gist_shape, facts.encoders));
    MC_ASSIGN(auto conditions, conditions_for(options, codecs, facts));
    Protocol protocol{options, std::move(codecs), std::move(conditions), {}, {}};
    const WindowPlan windows{options.windows_per_document,
                             std::uint64_t{options.context_tokens} + options.horizon_tokens,
                             options.seed};
    MC_ASSIGN(protocol.documents, plan_documents(scorer, options.documents, windows));
    MC_ASSIGN(protocol.training,
              check_training(scorer, options.train_documents, protocol.documents));
    return protocol;
}

Result<DeltaNllReport> run_delta_nll(Scorer& scorer, const DeltaNllOptions& options,
                                     const SuiteProgressCallback& progress,
                                     const std::atomic<bool>* cancelled) {
    MC_ASSIGN(const Protocol protocol, plan_protocol(scorer, options));
    const std::string configuration = configuration_json(
        options, scorer.facts(), protocol.conditions, protocol.codecs, protocol.documents);
    std::error_code error;
    std::filesystem::create_directories(options.output, error);
    if (error) return fail(system_error(error.value(), "cannot create", options.output));
    MC_ASSIGN(const auto log, ScoreLog::open(options.output / "tokens.jsonl", configuration));
    ProtocolRun run(scorer, protocol, *log, progress, cancelled);
    MC_ASSIGN(const auto scores, run.run());
    return write_report(protocol, scorer.facts(), configuration, scores);
}

}  // namespace mc::eval

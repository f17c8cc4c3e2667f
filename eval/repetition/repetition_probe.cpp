// SPDX-License-Identifier: Apache-2.0
#include "eval/repetition/repetition_probe.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"
#include "eval/delta_nll/conditions.h"
#include "eval/delta_nll/delta_nll.h"
#include "eval/delta_nll/document_gists.h"
#include "eval/delta_nll/protocol.h"

namespace mc::eval {

namespace {

constexpr std::size_t kBlocks = kRepeatedTokens / kBlockSize;

// none, full, and of every encoder X: X, shuffled-X.
std::vector<ScoredCondition> conditions_of(const GistProbeOptions& options) {
    std::vector<ScoredCondition> conditions = {{std::string(kConditionNone), "", 0, 0},
                                               {std::string(kConditionFull), "", 0, 0}};
    for (const std::string& encoder : options.encoders) {
        const std::string name = encoder_label(encoder);
        const std::string control = std::string(kShuffledPrefix) + name;
        conditions.push_back({name, control, 0, 0});
        conditions.push_back({control, "", 0, 0});
    }
    return conditions;
}

Result<void> check_options(const GistProbeOptions& options, const ScorerFacts& facts) {
    const auto refuse = [](std::string what) { return fail(ErrorCode::kUsage, std::move(what)); };
    if (options.documents.empty()) return refuse("no documents to probe on");
    if (options.encoders.empty()) return refuse("no encoder to probe");
    if (options.windows_per_document < 2 || options.windows_per_document > kWindowsPerDocumentMax)
        return refuse("windows per document must be 2 to " +
                      std::to_string(kWindowsPerDocumentMax) +
                      ": the shuffled control needs another window");
    const std::uint64_t entries = 1ULL + 2 * kRepeatedTokens;
    if (entries > facts.context_length)
        return refuse("BOS, a window and its repetition are " + std::to_string(entries) +
                      " entries; the model reads " + std::to_string(facts.context_length));
    const std::uint64_t gist_bytes = std::uint64_t{options.windows_per_document} *
                                     options.documents.size() * options.encoders.size() * kBlocks *
                                     facts.gist_shape.kv_count() * sizeof(std::uint16_t);
    if (gist_bytes > kGistBytesMax)
        return refuse("the gists of all windows would take " + std::to_string(gist_bytes >> 20) +
                      " MB of memory: ask for fewer windows or encoders");
    const std::vector<ScoredCondition> conditions = conditions_of(options);
    for (const ScoredCondition& one : conditions)
        if (std::count_if(conditions.begin(), conditions.end(),
                          [&](const ScoredCondition& c) { return c.name == one.name; }) > 1)
            return refuse("two conditions would be called " + one.name +
                          ": name the encoders, NAME=ENCODER");
    MC_CHECK(options.encoders.size() == facts.encoders.size(),
             "the scorer has other encoders than the options");
    return {};
}

// One document's windows under every condition.
class DocumentRepetition {
  public:
    DocumentRepetition(Scorer& scorer, const DocumentPlan& document,
                       std::vector<ScoredCondition> conditions)
        : scorer_(scorer), document_(document), gists_(scorer.facts().encoders.size()) {
        scores_.document = document.name;
        scores_.conditions = std::move(conditions);
        scores_.window_count = document.windows.size();
        scores_.horizon = kRepeatedTokens;
        scores_.nll.resize(scores_.conditions.size() * scores_.window_count * kRepeatedTokens);
    }

    Result<void> encode(std::size_t begin, std::size_t end) {
        std::vector<ReadWindow> windows;
        for (std::size_t w = begin; w < end; ++w) windows.push_back({document_.windows[w], 0});
        for (std::size_t e = 0; e < gists_.size(); ++e) {
            MC_ASSIGN(auto made, scorer_.encode_windows(e, windows));
            MC_CHECK(made.size() == windows.size(), "an encoder returned other windows");
            for (std::vector<Gist>& window : made) {
                MC_CHECK(window.size() == kBlocks, "an encoder returned another number of gists");
                std::move(window.begin(), window.end(), std::back_inserter(gists_[e]));
            }
        }
        return {};
    }

    // Windows [begin, end) under one condition. Requires: every window was encoded.
    Result<std::vector<ScoreLine>> score(std::size_t condition, std::size_t begin,
                                         std::size_t end) {
        std::vector<lm::ScoringCase> cases;
        for (std::size_t w = begin; w < end; ++w) cases.push_back(case_of(condition, w));
        MC_ASSIGN(const auto scored, scorer_.score_batch(cases));
        MC_CHECK(scored.size() == cases.size(), "the model scored another number of cases");
        std::vector<ScoreLine> lines;
        for (std::size_t w = begin; w < end; ++w) {
            MC_ASSIGN(auto nll, logged_nll(scored[w - begin], kRepeatedTokens));
            const std::size_t row = condition * scores_.window_count + w;
            std::copy(nll.begin(), nll.end(),
                      scores_.nll.begin() + static_cast<std::ptrdiff_t>(row * kRepeatedTokens));
            lines.push_back({document_.name, w, document_.starts[w],
                             scores_.conditions[condition].name, std::move(nll)});
        }
        return lines;
    }

    const DocumentScores& scores() const { return scores_; }

    // Per encoder.
    std::vector<std::vector<Gist>>& gists() { return gists_; }

  private:
    lm::ScoringCase case_of(std::size_t condition, std::size_t window) const {
        const std::vector<TokenId>& tokens = document_.windows[window];
        lm::ScoringCase one{{lm::Segment::of_tokens({scorer_.facts().bos})}, tokens};
        if (condition == 1) one.context.push_back(lm::Segment::of_tokens(tokens));
        if (condition < 2) return one;
        const bool is_shuffled = condition % 2 == 1;
        const std::size_t source = is_shuffled ? document_.shuffled_source[window] : window;
        const std::span<const Gist> gists = gists_[condition / 2 - 1];
        one.context.push_back(segment_of_gists(gists.subspan(source * kBlocks, kBlocks)));
        return one;
    }

    Scorer& scorer_;
    const DocumentPlan& document_;
    std::vector<std::vector<Gist>> gists_;
    DocumentScores scores_;
};

Result<void> check_cancelled(const std::atomic<bool>* cancelled) {
    if (cancelled == nullptr || !cancelled->load()) return {};
    return fail(ErrorCode::kCancelled, "interrupted; the same command starts over");
}

}  // namespace

Result<std::vector<DocumentPlan>> plan_repetition(const Scorer& scorer,
                                                  const GistProbeOptions& options) {
    MC_TRY(check_options(options, scorer.facts()));
    return plan_documents(scorer, options.documents,
                          {options.windows_per_document, kRepeatedTokens, options.seed});
}

Result<RepetitionFindings> run_repetition(Scorer& scorer, const GistProbeOptions& options,
                                          std::span<const DocumentPlan> documents, ScoreLog& log,
                                          const SuiteProgressCallback& progress,
                                          const std::atomic<bool>* cancelled) {
    RepetitionFindings findings;
    findings.gists.resize(options.encoders.size());
    SuiteProgress status{0, options.windows_per_document * documents.size()};
    for (const DocumentPlan& document : documents) {
        DocumentRepetition repetition(scorer, document, conditions_of(options));
        const std::size_t windows = document.windows.size();
        for (std::size_t begin = 0; begin < windows; begin += kBatchWindows) {
            MC_TRY(check_cancelled(cancelled));
            MC_TRY(repetition.encode(begin, std::min(begin + kBatchWindows, windows)));
        }
        for (std::size_t begin = 0; begin < windows; begin += kBatchWindows) {
            const std::size_t end = std::min(begin + kBatchWindows, windows);
            for (std::size_t c = 0; c < repetition.scores().conditions.size(); ++c) {
                MC_TRY(check_cancelled(cancelled));
                MC_ASSIGN(const auto lines, repetition.score(c, begin, end));
                MC_TRY(log.append(lines));
            }
            status.windows_done += end - begin;
            if (progress) progress(status);
        }
        findings.scores.push_back(repetition.scores());
        for (std::size_t e = 0; e < findings.gists.size(); ++e)
            std::move(repetition.gists()[e].begin(), repetition.gists()[e].end(),
                      std::back_inserter(findings.gists[e]));
    }
    return findings;
}

}  // namespace mc::eval

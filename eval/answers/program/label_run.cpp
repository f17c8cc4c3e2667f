// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/program/label_run.h"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <system_error>
#include <tuple>
#include <utility>

#include "eval/answers/answer_report.h"
#include "eval/answers/families.h"
#include "eval/answers/memory_plan.h"
#include "eval/answers/program/bank_memory.h"
#include "eval/answers/sentence_pool.h"
#include "eval/base_model/base_model_scorer.h"
#include "eval/measure/line_log.h"
#include "eval/report/record_json.h"
#include "lensnet/labelled_question.h"
#include "lensnet/subset_regression.h"
#include "runtime/engine.h"

namespace mc::eval {
namespace {

constexpr int kLabelsVersion = 1;

using lensnet::LabelledQuestion;
using lensnet::SubsetReading;

class LabelRun {
  public:
    LabelRun(const Config& config, telemetry::Metrics& metrics, const LabelOptions& options,
             const LabelProgressCallback& progress, const std::atomic<bool>* cancelled)
        : config_(config),
          metrics_(metrics),
          options_(options),
          progress_(progress),
          cancelled_(cancelled) {}

    Result<void> prepare();
    Result<void> run();
    LabelReport report() const;

  private:
    // A question of a memory.
    struct Asked {
        const AnswerItem& item;
        const PlacedItem& placed;
        const lm::BaseModel& model;
        BankMemory& memory;
    };

    std::string configuration(const ScorerFacts& facts) const;
    Result<void> run_length(const ItemSet& set, std::uint64_t length);
    Result<void> run_memory(const ItemSet& set, std::uint64_t length, const MemoryText& text,
                            runtime::Engine& engine, BankMemory& memory);
    Result<LabelledQuestion> label(LabelledQuestion question, const Asked& asked);
    Result<std::vector<double>> read(const Asked& asked,
                                     std::vector<std::vector<lm::Segment>> prompts) const;
    Result<void> keep(const LabelledQuestion& question);

    bool has(const ItemSet& set, std::uint64_t length, std::size_t item) const {
        return done_.contains({set.family, length, item});
    }

    const Config& config_;
    telemetry::Metrics& metrics_;
    const LabelOptions& options_;
    const LabelProgressCallback& progress_;
    const std::atomic<bool>* cancelled_;
    std::unique_ptr<lm::BaseModel> model_;  // whose tokenizer makes the items
    std::string embedder_hash_;             // empty: none
    SentencePool pool_;
    std::vector<ItemSet> sets_;
    std::unique_ptr<LineLog> log_;
    std::set<std::tuple<std::string, std::uint64_t, std::size_t>> done_;
    LabelProgress state_;
    LabelReport totals_;
    double reliability_sum_ = 0;
    std::uint64_t told_ = 0;
};

std::string LabelRun::configuration(const ScorerFacts& facts) const {
    auto json = json_configuration("lens-labels", kLabelsVersion, facts);
    json["seed"] = options_.seed;
    json["items"] = options_.items;
    json["subsets"] = options_.subsets;
    json["embedder_hash"] = embedder_hash_;
    json["documents"] = json_documents(pool_);
    return json_text(json, -1);
}

Result<void> LabelRun::prepare() {
    if (options_.items == 0) return fail(ErrorCode::kUsage, "items must be 1 or more");
    for (const std::string& family : options_.families) MC_TRY(check_family(family));
    MC_ASSIGN(model_, lm::BaseModel::open(runtime::model_options(config_)));
    MC_ASSIGN(pool_, read_sentences(options_.documents, model_->tokenizer()));
    const ItemSources sources{model_->tokenizer(), pool_};
    for (const std::string& family : options_.families) {
        MC_ASSIGN(ItemSet set, make_items(family, options_.items, options_.seed, sources));
        state_.questions_total += set.items.size() * options_.lengths.size();
        sets_.push_back(std::move(set));
    }
    std::error_code error;
    std::filesystem::create_directories(options_.output, error);
    if (error) return fail(system_error(error.value(), "cannot create", options_.output));
    MC_ASSIGN(const auto embedder, runtime::open_embedder(config_));
    if (embedder) embedder_hash_ = to_hex(embedder->info().hash);
    MC_ASSIGN(const auto scorer, BaseModelScorer::make(*model_, {config_.encoder}));
    totals_.labels = options_.output / "labels.jsonl";
    MC_ASSIGN(log_, LineLog::open(totals_.labels, configuration(scorer->facts())));
    for (const std::string& line : log_->take_lines()) {
        MC_ASSIGN(const LabelledQuestion question, lensnet::parse_labelled_question(line));
        done_.insert({question.family, question.length, question.item});
    }
    return {};
}

Result<void> LabelRun::run() {
    for (const ItemSet& set : sets_)
        for (const std::uint64_t length : options_.lengths) MC_TRY(run_length(set, length));
    return {};
}

Result<void> LabelRun::run_length(const ItemSet& set, std::uint64_t length) {
    MC_ASSIGN(const auto memories,
              plan_family(set, pool_, length, options_.seed, model_->tokenizer()));
    Config config = config_;
    config.store = options_.output / "stores" / (set.family + "-" + std::to_string(length));
    std::unique_ptr<runtime::Engine> engine;
    for (std::size_t m = 0; m < memories.size(); ++m) {
        const bool has_all = std::ranges::all_of(
            memories[m].items, [&](const auto& placed) { return has(set, length, placed.item); });
        if (has_all) {
            state_.questions_done += memories[m].items.size();
            continue;
        }
        if (!engine) {
            MC_ASSIGN(engine, runtime::Engine::open(config, runtime::Need::kModel,
                                                    runtime::Access::kWrite, metrics_));
        }
        MC_ASSIGN(const auto memory, BankMemory::open(*engine, "memory-" + std::to_string(m),
                                                      memories[m], true, cancelled_));
        MC_TRY(run_memory(set, length, memories[m], *engine, *memory));
    }
    return {};
}

Result<void> LabelRun::run_memory(const ItemSet& set, std::uint64_t length, const MemoryText& text,
                                  runtime::Engine& engine, BankMemory& memory) {
    for (const PlacedItem& placed : text.items) {
        ++state_.questions_done;
        if (has(set, length, placed.item)) continue;
        const AnswerItem& item = set.items[placed.item];
        LabelledQuestion question;
        question.family = set.family;
        question.task = item.task;
        question.length = length;
        question.item = placed.item;
        question.question = item.question;
        question.is_told = !placed.facts.empty();
        MC_ASSIGN(question, label(std::move(question), {item, placed, engine.model(), memory}));
        MC_TRY(keep(question));
    }
    return {};
}

Result<LabelledQuestion> LabelRun::label(LabelledQuestion question, const Asked& asked) {
    MC_ASSIGN(const BankMemory::Weighed weighed, asked.memory.weigh(asked.item, asked.placed));
    const auto& found = weighed.candidates.passages;
    for (std::size_t i = 0; i < found.size(); ++i) {
        const FoundSpan& span = weighed.spans[i];
        const bool holds = std::ranges::any_of(asked.placed.facts, [&](const PlacedFact& fact) {
            return fact.document == span.document && span.tokens.contains(fact.value);
        });
        question.candidates.push_back(
            {span.document, span.tokens, weighed.candidates.signals[i], holds, 0, 0});
    }
    const std::string purpose = "subsets/" + question.family + "/" +
                                std::to_string(question.length) + "/" +
                                std::to_string(question.item);
    const auto subsets =
        lensnet::subsets_to_read(found.size(), options_.subsets, rng_for(options_.seed, purpose));
    std::vector<std::vector<lm::Segment>> prompts;
    for (const auto& subset : subsets) {
        std::vector<FoundPassage> shown;
        for (const std::size_t i : subset)
            shown.push_back({found[i].passage.document, weighed.candidates.shown[i]});
        MC_ASSIGN(auto prompt, asked.memory.prompt_showing(asked.item.question, shown));
        prompts.push_back(std::move(prompt));
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        MC_ASSIGN(auto prompt,
                  asked.memory.prompt_showing_gists(asked.item.question, found[i].passage));
        prompts.push_back(std::move(prompt));
    }
    MC_ASSIGN(const auto likelihoods, read(asked, std::move(prompts)));
    for (std::size_t s = 0; s < subsets.size(); ++s)
        question.readings.push_back({subsets[s], likelihoods[s]});
    const auto gains = lensnet::fit_gains(question.readings, found.size());
    for (std::size_t i = 0; i < found.size(); ++i) question.candidates[i].gain = gains[i];
    for (std::size_t i = 0; subsets.size() + i < likelihoods.size(); ++i)
        question.candidates[i].gist_gain = likelihoods[subsets.size() + i] - likelihoods[0];
    question.reliability = lensnet::split_half_reliability(question.readings, found.size());
    return question;
}

// ln p(right answer) behind each prompt and the answer's begin.
Result<std::vector<double>> LabelRun::read(const Asked& asked,
                                           std::vector<std::vector<lm::Segment>> prompts) const {
    const lm::Tokenizer& tokenizer = asked.model.tokenizer();
    const std::vector<TokenId> lead = tokenizer.encode(asked.item.lead);
    const std::vector<TokenId> right = tokenizer.encode(asked.item.candidates[asked.item.right]);
    std::vector<lm::ScoringCase> cases;
    for (auto& prompt : prompts) {
        prompt.push_back(lm::Segment::of_tokens(lead));
        cases.push_back({std::move(prompt), right});
    }
    MC_ASSIGN(const auto nll, asked.model.score_batch(cases));
    std::vector<double> likelihoods;
    for (const std::vector<float>& one : nll)
        likelihoods.push_back(-std::accumulate(one.begin(), one.end(), 0.0));
    return likelihoods;
}

Result<void> LabelRun::keep(const LabelledQuestion& question) {
    MC_TRY(log_->append({lensnet::to_line(question)}));
    ++totals_.questions;
    totals_.readings += question.readings.size();
    if (question.is_told) {
        reliability_sum_ += question.reliability;
        ++told_;
    }
    if (progress_) progress_(state_);
    if (cancelled_ != nullptr && cancelled_->load())
        return fail(ErrorCode::kCancelled, "interrupted; the same command goes on from here");
    return {};
}

LabelReport LabelRun::report() const {
    LabelReport report = totals_;
    if (told_ > 0) report.mean_reliability = reliability_sum_ / static_cast<double>(told_);
    return report;
}

}  // namespace

Result<LabelReport> make_labels(const Config& config, telemetry::Metrics& metrics,
                                const LabelOptions& options, const LabelProgressCallback& progress,
                                const std::atomic<bool>* cancelled) {
    LabelRun run(config, metrics, options, progress, cancelled);
    MC_TRY(run.prepare());
    MC_TRY(run.run());
    return run.report();
}

}  // namespace mc::eval

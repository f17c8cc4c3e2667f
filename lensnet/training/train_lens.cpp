// SPDX-License-Identifier: Apache-2.0
#include "lensnet/training/train_lens.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "formats/json_text.h"
#include "lensnet/lens_file.h"
#include "lensnet/subset_regression.h"
#include "ranks/shared_work.h"

namespace mc::lensnet {
namespace {

constexpr std::size_t kFolds = 5;
constexpr std::uint64_t kLabelsBytesMax = std::uint64_t{1} << 30;

struct LabelFiles {
    std::vector<LabelledQuestion> questions;
    std::string model_hash;
    std::string model_name;
    std::string embedder_hash;
};

// The header names the model that read the passages.
Result<void> take_header(std::string_view line, const std::string& file, LabelFiles& labels) {
    MC_ASSIGN(const auto json, lm::parse_json(line, file));
    MC_ASSIGN(const auto fields, lm::JsonFields::of(json, file + ": "));
    MC_ASSIGN(const auto configuration, fields.get_object("configuration"));
    MC_ASSIGN(const std::string hash, configuration.get_string("model_hash"));
    MC_ASSIGN(labels.model_name, configuration.get_string("model"));
    MC_ASSIGN(const std::string embedder_hash, configuration.get_string("embedder_hash"));
    const bool differs = labels.model_hash != hash || labels.embedder_hash != embedder_hash;
    if (!labels.model_hash.empty() && differs)
        return fail(ErrorCode::kInvalidInput,
                    file +
                        ": made with another base model or another sentence embedder than the "
                        "files before it");
    labels.model_hash = hash;
    labels.embedder_hash = embedder_hash;
    return {};
}

// The readings are what was measured; gains follow from them by this program's regression.
void fit_anew(LabelledQuestion& question) {
    if (question.readings.empty()) return;
    const std::size_t count = question.candidates.size();
    const std::vector<double> gains = fit_gains(question.readings, count);
    for (std::size_t i = 0; i < count; ++i) question.candidates[i].gain = gains[i];
    question.reliability = split_half_reliability(question.readings, count);
}

Result<void> take_file(const Path& path, LabelFiles& labels) {
    MC_ASSIGN(const std::string content, read_file(path, kLabelsBytesMax));
    std::string_view rest = content;
    for (std::size_t number = 1; !rest.empty(); ++number) {
        const std::size_t end = rest.find('\n');
        if (end == std::string_view::npos) break;  // torn by a kill
        const std::string_view line = rest.substr(0, end);
        rest.remove_prefix(end + 1);
        const std::string where = path.string() + " line " + std::to_string(number);
        if (number == 1) {
            MC_TRY(take_header(line, path.string(), labels));
            continue;
        }
        auto question = parse_labelled_question(line);
        if (!question) return fail(std::move(question.error()).add_context(where));
        fit_anew(*question);
        labels.questions.push_back(std::move(*question));
    }
    return {};
}

// Items of a task and number share their words between lengths: they stay together.
std::size_t fold_of(const LabelledQuestion& question) {
    const std::string key = question.task + "/" + std::to_string(question.item);
    return xxh3_64(std::as_bytes(std::span(key))) % kFolds;
}

Lens lens_of(const FittedLens& fitted, LensFacts facts) {
    return {std::move(facts), fitted.means, fitted.scales, fitted.layers};
}

// The next of the gains that gains_of_fold() put together.
Result<std::vector<double>> take_gains(std::string_view& rest, std::size_t count) {
    std::vector<double> gains(count);
    const std::size_t bytes = count * sizeof(double);
    if (bytes > rest.size())
        return fail(ErrorCode::kCorruption,
                    "a rank trains on other labels than this one: give all the same --labels");
    if (bytes > 0) std::memcpy(gains.data(), rest.data(), bytes);
    rest.remove_prefix(bytes);
    return gains;
}

class LensTraining {
  public:
    LensTraining(const LensTrainOptions& options, const LensTrainProgress& progress,
                 const std::atomic<bool>* cancelled, const LabelFiles& labels,
                 ranks::RankGroup& group)
        : options_(options),
          group_(group),
          progress_(progress),
          cancelled_(cancelled),
          labels_(labels),
          price_(passage_price(labels.questions)) {}

    double price() const { return price_; }

    // Scores of a lens with so many hidden units on questions that it did not learn from.
    Result<LensScores> cross_validate(std::size_t hidden) {
        MC_ASSIGN(const auto folds, ranks::share_work(group_, kFolds, [&](std::size_t fold) {
                      return gains_of_fold(hidden, fold);
                  }));
        std::vector<Prediction> predictions;
        for (std::size_t fold = 0; fold < kFolds; ++fold) {
            std::string_view rest = folds[fold];
            for (const LabelledQuestion& question : labels_.questions) {
                if (fold_of(question) != fold) continue;
                MC_ASSIGN(auto gains, take_gains(rest, question.candidates.size()));
                predictions.push_back({&question, std::move(gains)});
            }
        }
        return score_predictions(predictions, price_);
    }

    Result<FittedLens> fit_all(std::size_t hidden) {
        std::vector<const LabelledQuestion*> all;
        for (const LabelledQuestion& question : labels_.questions) all.push_back(&question);
        return fit(all, hidden);
    }

    // The search's first candidate, whatever it gains.
    LensScores rule_scores() const {
        std::vector<Prediction> predictions;
        for (const LabelledQuestion& question : labels_.questions) {
            std::vector<double> gains(question.candidates.size(), 0.0);
            if (!gains.empty()) gains.front() = 1;
            predictions.push_back({&question, std::move(gains)});
        }
        return score_predictions(predictions, price_);
    }

  private:
    // Of all candidates of the fold's questions, by a lens that learned from the others.
    Result<std::string> gains_of_fold(std::size_t hidden, std::size_t fold) {
        std::vector<const LabelledQuestion*> learned;
        std::vector<const LabelledQuestion*> held_out;
        for (const LabelledQuestion& question : labels_.questions)
            (fold_of(question) == fold ? held_out : learned).push_back(&question);
        MC_ASSIGN(const FittedLens fitted, fit(learned, hidden));
        const Lens lens = lens_of(fitted, {});
        std::string out;
        for (const LabelledQuestion* const question : held_out) {
            const std::vector<double> gains = lens.gains(question->signals(options_.without));
            out.append(reinterpret_cast<const char*>(gains.data()), gains.size() * sizeof(double));
        }
        return out;
    }

    Result<FittedLens> fit(std::span<const LabelledQuestion* const> questions, std::size_t hidden) {
        if (cancelled_ != nullptr && cancelled_->load())
            return fail(ErrorCode::kCancelled, "interrupted; nothing was written");
        if (progress_) progress_(fits_, 2 * kFolds + 1);
        ++fits_;
        if (std::ranges::none_of(questions, [](const auto* q) {
                return weight_of(*q) > 0 && !q->candidates.empty();
            }))
            return fail(ErrorCode::kInvalidInput,
                        "too few questions with labels that can be relied on; make more with: "
                        "megacontext train labels");
        return fit_lens(questions, {hidden, options_.steps, options_.seed, options_.without});
    }

    const LensTrainOptions& options_;
    ranks::RankGroup& group_;
    const LensTrainProgress& progress_;
    const std::atomic<bool>* cancelled_;
    const LabelFiles& labels_;
    double price_;
    std::size_t fits_ = 0;
};

LensFacts facts_of(const LensTrainOptions& options, const LabelFiles& labels,
                   const LensScores& scores, double price) {
    const auto has = [&](Signal signal) {
        return std::ranges::find(options.without, signal) == options.without.end();
    };
    LensFacts facts;
    facts.base_model_hash = labels.model_hash;
    facts.base_model_name = labels.model_name;
    facts.embedder_hash = labels.embedder_hash;
    facts.known_gain_min = scores.known_gain_min;
    facts.passage_price = price;
    facts.reads_passages = has(Signal::kQuestionLikelihood);
    facts.reads_gists = has(Signal::kGistLikelihood);
    return facts;
}

}  // namespace

Result<LensTrainReport> train_lens(const LensTrainOptions& options,
                                   const LensTrainProgress& progress,
                                   const std::atomic<bool>* cancelled) {
    LabelFiles labels;
    for (const Path& path : options.labels) MC_TRY(take_file(path, labels));
    ranks::LoneRank alone;
    ranks::RankGroup& group = options.group != nullptr ? *options.group : alone;
    LensTraining training(options, progress, cancelled, labels, group);
    LensTrainReport report;
    report.questions = labels.questions.size();
    report.reliable = static_cast<std::size_t>(std::ranges::count_if(
        labels.questions, [](const auto& one) { return one.is_told && weight_of(one) > 0; }));
    report.rule = training.rule_scores();
    MC_ASSIGN(report.regression, training.cross_validate(0));
    MC_ASSIGN(report.net, training.cross_validate(options.hidden));
    report.net_is_better = report.net.captured_share > report.regression.captured_share;
    if (group.rank() != 0) return report;
    const LensScores& scores = report.net_is_better ? report.net : report.regression;
    MC_ASSIGN(const FittedLens fitted, training.fit_all(report.net_is_better ? options.hidden : 0));
    lm::SafetensorsMetadata metadata;
    metadata["command"] = options.command_line;
    metadata["questions"] = std::to_string(report.questions);
    metadata["captured_share"] = std::to_string(scores.captured_share);
    report.weights_path = options.output;
    MC_TRY(save_lens(options.output,
                     lens_of(fitted, facts_of(options, labels, scores, training.price())),
                     metadata));
    return report;
}

}  // namespace mc::lensnet

// SPDX-License-Identifier: Apache-2.0
#include "lensnet/training/lens_scores.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "lensnet/choice.h"
#include "lensnet/training/lens_fit.h"

namespace mc::lensnet {
namespace {

constexpr std::size_t kBins = 10;
// Nats from which on a passage alone answers.
constexpr double kAnswers = 1;
// One in so many questions that could be answered may be refused.
constexpr std::size_t kToldRefusedDivisor = 20;

double sum_of(std::span<const double> gains, std::span<const std::size_t> chosen) {
    double sum = 0;
    for (const std::size_t i : chosen) sum += gains[i];
    return sum;
}

std::vector<double> labels_of(const LabelledQuestion& question) {
    std::vector<double> gains;
    for (const LabelledCandidate& one : question.candidates) gains.push_back(one.gain);
    return gains;
}

void score_choices(std::span<const Prediction> predictions, double price, LensScores& scores) {
    for (const Prediction& one : predictions) {
        if (!one.question->is_told || weight_of(*one.question) == 0) continue;
        const std::vector<double> labels = labels_of(*one.question);
        const auto chosen = choice_by(one.gains, price);
        const double mean =
            std::accumulate(labels.begin(), labels.end(), 0.0) / static_cast<double>(labels.size());
        ++scores.questions;
        scores.chosen_gain += sum_of(labels, chosen);
        scores.random_gain += mean * static_cast<double>(chosen.size());
        scores.best_gain += sum_of(labels, choice_by(labels, 0));
    }
    if (scores.questions == 0) return;
    const auto count = static_cast<double>(scores.questions);
    for (double* const sum : {&scores.chosen_gain, &scores.random_gain, &scores.best_gain})
        *sum /= count;
    const double room = scores.best_gain - scores.random_gain;
    if (room > 0) scores.captured_share = (scores.chosen_gain - scores.random_gain) / room;
}

void score_order(std::span<const Prediction> predictions, LensScores& scores) {
    double count = 0;
    for (const Prediction& one : predictions) {
        const auto& candidates = one.question->candidates;
        if (std::ranges::none_of(candidates, &LabelledCandidate::holds_fact)) continue;
        const auto best =
            static_cast<std::size_t>(std::ranges::max_element(one.gains) - one.gains.begin());
        ++count;
        scores.fact_first += candidates[best].holds_fact ? 1 : 0;
        scores.rule_fact_first += candidates.front().holds_fact ? 1 : 0;
    }
    if (count == 0) return;
    scores.fact_first /= count;
    scores.rule_fact_first /= count;
}

// The best gain that one told question in twenty has less than is the threshold.
void score_known(std::span<const Prediction> predictions, LensScores& scores) {
    std::vector<double> told;
    std::vector<double> absent;
    for (const Prediction& one : predictions) {
        if (one.gains.empty()) continue;
        const double best = *std::ranges::max_element(one.gains);
        const bool holds =
            std::ranges::any_of(one.question->candidates, &LabelledCandidate::holds_fact);
        if (one.question->is_told && holds) told.push_back(best);
        if (!one.question->is_told) absent.push_back(best);
    }
    if (told.empty()) return;
    std::ranges::sort(told);
    scores.known_gain_min = told[told.size() / kToldRefusedDivisor];
    if (absent.empty()) return;
    const auto refused =
        std::ranges::count_if(absent, [&](double gain) { return gain < scores.known_gain_min; });
    scores.absent_refused = static_cast<double>(refused) / static_cast<double>(absent.size());
}

// Bins of equal numbers of candidates.
void score_calibration(std::span<const Prediction> predictions, LensScores& scores) {
    std::vector<std::pair<double, double>> pairs;
    for (const Prediction& one : predictions) {
        if (weight_of(*one.question) == 0) continue;
        for (std::size_t i = 0; i < one.gains.size(); ++i)
            pairs.emplace_back(one.gains[i], one.question->candidates[i].gain);
    }
    std::ranges::sort(pairs);
    for (std::size_t b = 0; b < kBins; ++b) {
        const std::size_t begin = pairs.size() * b / kBins;
        const std::size_t end = pairs.size() * (b + 1) / kBins;
        if (begin == end) continue;
        CalibrationBin bin;
        bin.candidates = end - begin;
        for (std::size_t i = begin; i < end; ++i) {
            bin.predicted += pairs[i].first / static_cast<double>(bin.candidates);
            bin.measured += pairs[i].second / static_cast<double>(bin.candidates);
        }
        scores.calibration_error += std::abs(bin.predicted - bin.measured) *
                                    static_cast<double>(bin.candidates) /
                                    static_cast<double>(pairs.size());
        scores.calibration.push_back(bin);
    }
}

}  // namespace

double passage_price(std::span<const LabelledQuestion> questions) {
    double sum = 0;
    double count = 0;
    for (const LabelledQuestion& question : questions) {
        if (!question.is_told || question.readings.empty()) continue;
        const SubsetReading* best = nullptr;
        for (const SubsetReading& one : question.readings)
            if (one.shown.size() == 1 && (best == nullptr || one.likelihood > best->likelihood))
                best = &one;
        // Where nothing answers, nothing is lost.
        if (best == nullptr || best->likelihood < question.readings.front().likelihood + kAnswers)
            continue;
        for (const SubsetReading& one : question.readings) {
            if (one.shown.size() < 2 || std::ranges::count(one.shown, best->shown[0]) == 0)
                continue;
            sum += (best->likelihood - one.likelihood) / static_cast<double>(one.shown.size() - 1);
            ++count;
        }
    }
    return count == 0 ? 0 : std::max(0.0, sum / count);
}

LensScores score_predictions(std::span<const Prediction> predictions, double passage_price) {
    LensScores scores;
    score_choices(predictions, passage_price, scores);
    score_order(predictions, scores);
    score_known(predictions, scores);
    score_calibration(predictions, scores);
    return scores;
}

}  // namespace mc::lensnet

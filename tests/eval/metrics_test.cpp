// SPDX-License-Identifier: Apache-2.0
#include "eval/measure/metrics.h"

#include <gtest/gtest.h>

#include <cmath>

#include "core/rng.h"

namespace mc::eval {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

// Two windows of 33 tokens; every token of a condition has the NLL that value(w, t) says.
template <class Value>
void add_condition(DocumentScores& scores, const std::string& name, Value value) {
    const bool is_gists = name.starts_with("kv-");
    std::uint32_t raw_tokens = 0;
    if (name.starts_with("last-"))
        raw_tokens = static_cast<std::uint32_t>(std::stoul(name.substr(5)));
    if (name == "full") raw_tokens = 256;
    scores.conditions.push_back(
        {name, is_gists ? "shuffled-" + name : "", raw_tokens, is_gists ? 8U : 0U});
    for (std::size_t w = 0; w < scores.window_count; ++w)
        for (std::size_t t = 0; t < scores.horizon; ++t)
            scores.nll.push_back(t == 0 ? kNan : value(w, t));
}

DocumentScores flat_scores(std::size_t windows, std::size_t horizon, double none, double full,
                           double gists, double shuffled) {
    DocumentScores scores{"d", {}, windows, horizon, {}};
    const auto always = [](double nll) { return [nll](std::size_t, std::size_t) { return nll; }; };
    add_condition(scores, "none", always(none));
    add_condition(scores, "full", always(full));
    add_condition(scores, "kv-last", always(gists));
    add_condition(scores, "shuffled-kv-last", always(shuffled));
    return scores;
}

TEST(Metrics, HandComputedRecoveries) {
    const GroupMetrics group = document_metrics(flat_scores(3, 96, 4.0, 3.0, 3.25, 3.75), 1);
    const ConditionMetrics* row = group.find("kv-last", "32");
    ASSERT_NE(row, nullptr);
    EXPECT_DOUBLE_EQ(row->nll.value, 3.25);
    EXPECT_DOUBLE_EQ(row->delta_nll.value, 0.25);
    EXPECT_DOUBLE_EQ(row->recovery.value, 0.75);  // (4 - 3.25) / (4 - 3)
    EXPECT_DOUBLE_EQ(row->gain.value, 0.75);
    EXPECT_DOUBLE_EQ(row->specific_gain.value, 0.5);
    EXPECT_DOUBLE_EQ(row->specific_recovery.value, 0.5 / 0.75);  // (3.75 - 3.25) / (3.75 - 3)
    EXPECT_DOUBLE_EQ(row->specific_recovery.low, 0.5 / 0.75);    // equal windows: no spread
    EXPECT_DOUBLE_EQ(row->specific_recovery.high, 0.5 / 0.75);
    EXPECT_DOUBLE_EQ(group.find("none", "32")->recovery.value, 0.0);
    EXPECT_DOUBLE_EQ(group.find("full", "32")->recovery.value, 1.0);
    EXPECT_TRUE(std::isnan(group.find("full", "32")->specific_recovery.value));
    EXPECT_TRUE(std::isnan(group.find("shuffled-kv-last", "32")->specific_recovery.value));
}

TEST(Metrics, WithoutAFullContextTheLongestRawOneIsTheReference) {
    DocumentScores scores{"d", {}, 2, 64, {}};
    const auto always = [](double nll) { return [nll](std::size_t, std::size_t) { return nll; }; };
    add_condition(scores, "none", always(4));
    add_condition(scores, "last-1024", always(3));
    add_condition(scores, "last-128", always(2.5));  // better here, and yet not the reference
    const GroupMetrics group = document_metrics(scores, 1);
    EXPECT_DOUBLE_EQ(group.find("last-1024", "64")->recovery.value, 1);
    EXPECT_DOUBLE_EQ(group.find("last-128", "64")->recovery.value, 1.5);
    EXPECT_DOUBLE_EQ(group.find("none", "64")->delta_nll.value, 1);
}

TEST(Metrics, SliceTakesTokensTwoToHAndThirtyThreeToTheEnd) {
    DocumentScores scores{"d", {}, 2, 96, {}};
    const auto position = [](std::size_t, std::size_t t) { return static_cast<double>(t + 1); };
    add_condition(scores, "none", [&](std::size_t w, std::size_t t) { return position(w, t) + 1; });
    add_condition(scores, "full", position);
    const GroupMetrics group = document_metrics(scores, 1);
    EXPECT_DOUBLE_EQ(group.find("full", "16")->nll.value, (2 + 16) / 2.0);
    EXPECT_DOUBLE_EQ(group.find("full", "32")->nll.value, (2 + 32) / 2.0);
    EXPECT_DOUBLE_EQ(group.find("full", "64")->nll.value, (2 + 64) / 2.0);
    EXPECT_DOUBLE_EQ(group.find("full", "33-96")->nll.value, (33 + 96) / 2.0);
    EXPECT_EQ(group.find("full", "128"), nullptr);
}

TEST(Metrics, TopDecileIsOfTheTokensThatContextHelpsMost) {
    DocumentScores scores{"d", {}, 2, 21, {}};  // 40 scored tokens, 4 in the decile
    const auto is_helped = [](std::size_t w, std::size_t t) {
        return w == 0 ? (t == 3 || t == 20) : (t == 5 || t == 6);
    };
    add_condition(scores, "none",
                  [&](std::size_t w, std::size_t t) { return is_helped(w, t) ? 9.0 : 4.0; });
    add_condition(scores, "full", [](std::size_t, std::size_t) { return 3.0; });
    add_condition(scores, "last-8",
                  [&](std::size_t w, std::size_t t) { return is_helped(w, t) ? 6.0 : 3.0; });
    const GroupMetrics group = document_metrics(scores, 1);
    EXPECT_DOUBLE_EQ(group.find("none", "top10")->nll.value, 9.0);
    EXPECT_DOUBLE_EQ(group.find("last-8", "top10")->nll.value, 6.0);
    EXPECT_DOUBLE_EQ(group.find("last-8", "top10")->recovery.value, 0.5);
}

TEST(Metrics, RecoveryIsUndefinedWhereContextDoesNotHelp) {
    const GroupMetrics group = document_metrics(flat_scores(2, 32, 3.0, 3.0, 3.5, 3.2), 1);
    EXPECT_TRUE(std::isnan(group.find("kv-last", "32")->recovery.value));
    EXPECT_TRUE(std::isnan(group.find("kv-last", "32")->recovery.low));
    // The control has room above full: own gists that are worse than foreign ones count against.
    EXPECT_NEAR(group.find("kv-last", "32")->specific_recovery.value, -1.5, 1e-12);  // -.3 / .2
}

// Windows whose NLL differs, by a seeded draw.
DocumentScores noisy_scores(const std::string& name, std::size_t windows, std::uint64_t seed) {
    Rng rng(seed);
    std::vector<double> noise(windows);
    for (double& value : noise) value = rng.uniform();
    DocumentScores scores{name, {}, windows, 32, {}};
    const auto shifted = [&](double nll, double share) {
        return [&noise, nll, share](std::size_t w, std::size_t) { return nll + share * noise[w]; };
    };
    add_condition(scores, "none", shifted(4, 1));
    add_condition(scores, "full", shifted(3, 0.5));
    add_condition(scores, "kv-last", shifted(3.4, 0.4));
    add_condition(scores, "shuffled-kv-last", shifted(3.8, 0.9));
    return scores;
}

TEST(Metrics, IntervalHoldsTheValueAndNarrowsWithMoreWindows) {
    const auto width = [](std::size_t windows) {
        const GroupMetrics group = document_metrics(noisy_scores("d", windows, 5), 1);
        const Estimate estimate = group.find("kv-last", "32")->specific_recovery;
        EXPECT_LT(estimate.low, estimate.value);
        EXPECT_GT(estimate.high, estimate.value);
        return estimate.high - estimate.low;
    };
    EXPECT_LT(width(400), width(25) / 2);  // 1/√n would make it a quarter
}

TEST(Metrics, IntervalOfTheMeanAgreesWithTheNormalApproximation) {
    const DocumentScores scores = noisy_scores("d", 200, 9);
    const Estimate nll = document_metrics(scores, 1).find("none", "32")->nll;
    double variance = 0;
    for (std::size_t w = 0; w < 200; ++w)
        variance += std::pow(scores.row(0, w)[1] - nll.value, 2) / 199;
    const double half_width = 1.96 * std::sqrt(variance / 200);
    EXPECT_NEAR(nll.high - nll.value, half_width, 0.1 * half_width);
    EXPECT_NEAR(nll.value - nll.low, half_width, 0.1 * half_width);
}

TEST(Metrics, ConditionsAreResampledTogether) {
    // Every window shifts none, full and gists alike, so R does not vary although NLL does.
    DocumentScores scores{"d", {}, 30, 32, {}};
    const auto shifted = [](double nll) {
        return [nll](std::size_t w, std::size_t) { return nll + static_cast<double>(w); };
    };
    add_condition(scores, "none", shifted(4));
    add_condition(scores, "full", shifted(3));
    add_condition(scores, "kv-last", shifted(3.25));
    const GroupMetrics group = document_metrics(scores, 1);
    const ConditionMetrics* row = group.find("kv-last", "32");
    EXPECT_GT(row->nll.high - row->nll.low, 1.0);
    EXPECT_NEAR(row->recovery.low, 0.75, 1e-9);
    EXPECT_NEAR(row->recovery.high, 0.75, 1e-9);
}

TEST(Metrics, SeedDecidesTheInterval) {
    const DocumentScores scores = noisy_scores("d", 20, 3);
    const auto low = [&](std::uint64_t seed) {
        return document_metrics(scores, seed).find("kv-last", "32")->specific_recovery.low;
    };
    EXPECT_EQ(low(1), low(1));
    EXPECT_NE(low(1), low(2));
}

TEST(Metrics, PoolWeighsWindowsAndHasAnIntervalFromFourDocumentsOn) {
    std::vector<DocumentScores> documents = {flat_scores(3, 32, 4, 3, 3.2, 3.8),
                                             flat_scores(1, 32, 6, 3, 4.0, 5.0)};
    const GroupMetrics two = pooled_metrics(documents, 1);
    EXPECT_EQ(two.window_count, 4U);
    const ConditionMetrics* row = two.find("kv-last", "32");
    EXPECT_DOUBLE_EQ(row->nll.value, (3 * 3.2 + 4.0) / 4);
    EXPECT_NEAR(row->recovery.value, (4.5 - 3.4) / (4.5 - 3.0), 1e-12);
    EXPECT_TRUE(std::isnan(row->nll.low));

    documents.push_back(documents[0]);
    documents.push_back(documents[0]);
    const GroupMetrics four = pooled_metrics(documents, 1);
    EXPECT_LT(four.find("kv-last", "32")->nll.low, four.find("kv-last", "32")->nll.high);
}

TEST(Metrics, APoolAlsoSaysHowFarItsWindowsAloneWouldMoveIt) {
    // Documents that differ much, of windows that do not differ at all.
    std::vector<DocumentScores> documents = {
        flat_scores(3, 32, 4, 3, 3.2, 3.8), flat_scores(3, 32, 6, 3, 4.0, 5.0),
        flat_scores(3, 32, 5, 3, 3.9, 4.0), flat_scores(3, 32, 4, 3, 3.3, 3.9)};
    const GroupMetrics alike = pooled_metrics(documents, 1);
    EXPECT_EQ(alike.document_count, 4U);
    const Estimate steady = alike.find("kv-last", "32")->nll;
    EXPECT_GT(steady.high - steady.low, 0.1);
    EXPECT_DOUBLE_EQ(steady.within.low, steady.value);
    EXPECT_DOUBLE_EQ(steady.within.high, steady.value);

    // And the other way round: one document five times, of windows that differ.
    const std::vector<DocumentScores> copies(5, noisy_scores("d", 20, 3));
    const Estimate noisy = pooled_metrics(copies, 1).find("kv-last", "32")->nll;
    EXPECT_NEAR(noisy.high, noisy.low, 1e-12);
    EXPECT_LT(noisy.within.low, noisy.value);
    EXPECT_GT(noisy.within.high, noisy.value);
    // Five times the windows, so a narrower interval than that of one document.
    const Estimate alone = document_metrics(copies[0], 1).find("kv-last", "32")->nll;
    EXPECT_NEAR((noisy.within.high - noisy.within.low) / (alone.high - alone.low), 1 / std::sqrt(5),
                0.06);
    EXPECT_TRUE(std::isnan(alone.within.low));
}

TEST(Metrics, SwappingGistsWithTheirControlTurnsTheSignOfRs) {
    DocumentScores scores = flat_scores(4, 32, 4, 3, 3.25, 3.75);
    std::swap(scores.conditions[2], scores.conditions[3]);
    const GroupMetrics group = document_metrics(scores, 1);
    EXPECT_DOUBLE_EQ(group.find("kv-last", "32")->specific_recovery.value, -0.5 / 0.25);
}

TEST(Metrics, EquivalentRawTokensAreReadOffTheCurveInLogTokens) {
    const std::vector<std::pair<double, double>> curve = {{8, 0.2}, {16, 0.4}, {64, 0.6}, {256, 1}};
    EXPECT_DOUBLE_EQ(equivalent_raw_tokens(curve, 0.2), 8);
    EXPECT_NEAR(equivalent_raw_tokens(curve, 0.4), 16, 1e-9);
    EXPECT_NEAR(equivalent_raw_tokens(curve, 0.5), 32, 1e-9);  // half way from 16 to 64
    EXPECT_NEAR(equivalent_raw_tokens(curve, 0.8), 128, 1e-9);
    EXPECT_NEAR(equivalent_raw_tokens(curve, 1.0), 256, 1e-9);
    EXPECT_TRUE(std::isnan(equivalent_raw_tokens(curve, 0.19)));
    EXPECT_TRUE(std::isnan(equivalent_raw_tokens(curve, 1.01)));
    EXPECT_TRUE(std::isnan(equivalent_raw_tokens({}, 0.5)));
    EXPECT_TRUE(std::isnan(equivalent_raw_tokens(curve, kNan)));
}

TEST(Metrics, OfSeveralEquivalentsTheSmallestCounts) {
    const std::vector<std::pair<double, double>> curve = {
        {8, 0.2}, {16, 0.6}, {32, 0.4}, {64, 0.8}};
    EXPECT_NEAR(equivalent_raw_tokens(curve, 0.6), 16, 1e-9);
    EXPECT_NEAR(equivalent_raw_tokens(curve, 0.4), std::sqrt(8.0 * 16), 1e-9);
}

TEST(Metrics, AGistsWorthInRawTokensIsPerGistAndOnlyOfGists) {
    DocumentScores scores = flat_scores(3, 32, 4.0, 3.0, 3.25, 3.75);  // R of the gists: .75
    add_condition(scores, "last-64", [](std::size_t, std::size_t) { return 3.5; });  // R .5
    const GroupMetrics group = document_metrics(scores, 1);
    EXPECT_NEAR(group.find("kv-last", "32")->raw_per_gist.value, 128.0 / 8, 1e-9);
    EXPECT_NEAR(group.find("kv-last", "32")->raw_per_gist.high, 128.0 / 8, 1e-9);
    EXPECT_TRUE(std::isnan(group.find("last-64", "32")->raw_per_gist.value));
    EXPECT_TRUE(std::isnan(group.find("shuffled-kv-last", "32")->raw_per_gist.value));
}

std::vector<std::string> names_of(const std::vector<TokenSlice>& slices) {
    std::vector<std::string> names;
    for (const TokenSlice& slice : slices) names.push_back(slice.name);
    return names;
}

TEST(Metrics, SlicesAreThoseThatFitTheHorizon) {
    using Names = std::vector<std::string>;
    EXPECT_EQ(names_of(standard_slices(20)), (Names{"16", "top10"}));
    EXPECT_EQ(names_of(standard_slices(96)), (Names{"16", "32", "64", "33-96", "top10"}));
    EXPECT_EQ(names_of(standard_slices(512)),
              (Names{"16", "32", "64", "512", "33-96", "33-512", "top10"}));
}

TEST(Metrics, PartOfScoresKeepsTheFirstWindowsOfTheChosenConditions) {
    DocumentScores scores{"d", {}, 3, 2, {}};
    for (const char* name : {"none", "oracle", "full"})
        add_condition(scores, name, [&](std::size_t w, std::size_t) {
            return 10.0 * static_cast<double>(scores.conditions.size()) + static_cast<double>(w);
        });
    const DocumentScores part =
        part_of_scores(scores, 2, [](const ScoredCondition& c) { return c.name != "oracle"; });
    ASSERT_EQ(part.conditions.size(), 2U);
    EXPECT_EQ(part.conditions[1].name, "full");
    EXPECT_EQ(part.window_count, 2U);
    ASSERT_EQ(part.nll.size(), 2U * 2 * 2);
    EXPECT_EQ(part.row(1, 1)[1], 31);
    EXPECT_EQ(part_of_scores(scores, 9, [](const auto&) { return true; }).window_count, 3U);
}

}  // namespace
}  // namespace mc::eval

// SPDX-License-Identifier: Apache-2.0
// Training finds what gists have in common, spends bytes where they help, and repeats itself.
#include "storage/codec/train_codebook.h"

#include <gtest/gtest.h>

#include <numeric>

#include "core/rng.h"
#include "formats/half_float.h"
#include "storage/codec/gist_coder.h"

namespace mc::storage {
namespace {

constexpr GistShape kShape{4, 2, 16, 0};
constexpr std::size_t kHeads = 16;
constexpr std::size_t kGists = 600;

double normal(Rng& rng) {
    double sum = -6;
    for (int i = 0; i < 12; ++i) sum += rng.uniform();
    return sum;
}

// Numbers around 5 that follow from four hidden ones, and a little noise.
std::vector<std::vector<std::uint16_t>> made_gists(std::uint64_t seed) {
    Rng maps(77);
    std::vector<double> map;
    for (std::size_t i = 0; i < 4 * kShape.kv_count(); ++i) map.push_back(normal(maps));
    Rng rng(seed);
    std::vector<std::vector<std::uint16_t>> gists(kGists);
    for (auto& gist : gists) {
        double hidden[4];
        for (double& one : hidden) one = normal(rng);
        for (std::size_t i = 0; i < kShape.kv_count(); ++i) {
            double value = 5 + 0.1 * normal(rng);
            for (std::size_t k = 0; k < 4; ++k) value += hidden[k] * map[4 * i + k];
            gist.push_back(float_to_half(static_cast<float>(value)));
        }
    }
    return gists;
}

GistCodebook train(const std::vector<float>& weights = {}, const CodebookTraining& options = {}) {
    auto book = train_codebook(kShape, made_gists(1), weights, options, {}, nullptr);
    EXPECT_TRUE(book) << book.error().to_string();
    return std::move(*book);
}

// Mean squared error of gists that were not learned from, by head.
std::vector<double> errors(const GistCodebook& book) {
    const auto coder = *GistCoder::make(GistCodec::kPq, kShape, &book);
    std::vector<double> sums(kHeads, 0);
    std::vector<std::byte> bytes(coder->gist_bytes());
    for (const auto& kv : made_gists(2)) {
        std::vector<std::uint16_t> back(kv.size());
        EXPECT_TRUE(coder->encode(kv, bytes));
        coder->decode(bytes, back);
        for (std::size_t i = 0; i < kv.size(); ++i) {
            const double off = static_cast<double>(half_to_float(kv[i]) - half_to_float(back[i]));
            sums[i / kShape.head_dim] += off * off / double(kGists * kShape.head_dim);
        }
    }
    return sums;
}

TEST(TrainCodebookTest, NewGistsLoseLittleOfWhatTheyShare) {
    const GistCodebook book = train();
    EXPECT_GT(book.shared_bytes, 0U);
    const auto lost = errors(book);
    // Variance is 4 and more; at one bit a number, coding each by itself loses a third of it.
    EXPECT_LT(std::accumulate(lost.begin(), lost.end(), 0.0) / kHeads, 0.4);
}

TEST(TrainCodebookTest, BytesStayWithinTheBudgetAndGoToHeadsThatWeighMore) {
    std::vector<float> weights(kShape.kv_count(), 1.0F);
    std::fill_n(weights.begin(), kShape.head_dim, 8.0F);
    CodebookTraining options;
    options.gist_bytes = 40;
    const GistCodebook book = train(weights, options);
    EXPECT_LE(book.gist_bytes(), 40U);
    EXPECT_GT(book.gist_bytes(), 30U);
    for (std::size_t head = 1; head < kHeads; ++head)
        EXPECT_GE(book.head_bytes[0], book.head_bytes[head]);
    const auto lost = errors(book);
    EXPECT_LT(lost[0], 0.5 * std::accumulate(lost.begin() + 1, lost.end(), 0.0) / (kHeads - 1));
}

TEST(TrainCodebookTest, TheSameArgumentsGiveTheSameCodebook) {
    const GistCodebook one = train();
    const GistCodebook two = train();
    EXPECT_EQ(one.head_centroids, two.head_centroids);
    EXPECT_EQ(one.shared_centroids, two.shared_centroids);
    EXPECT_EQ(one.shared_basis, two.shared_basis);
    EXPECT_EQ(one.head_bytes, two.head_bytes);
    CodebookTraining other;
    other.seed = 2;
    EXPECT_NE(train({}, other).head_centroids, one.head_centroids);
}

TEST(TrainCodebookTest, WhatCannotBeTrainedIsRefused) {
    auto gists = made_gists(1);
    const auto code_of = [&](const CodebookTraining& options, const std::atomic<bool>* cancelled) {
        const auto refused = train_codebook(kShape, gists, {}, options, {}, cancelled);
        EXPECT_FALSE(refused);
        return refused.error().code();
    };
    CodebookTraining options;
    options.gist_bytes = kHeads - 1;
    EXPECT_EQ(code_of(options, nullptr), ErrorCode::kInvalidInput);
    const std::atomic<bool> cancelled = true;
    EXPECT_EQ(code_of({}, &cancelled), ErrorCode::kCancelled);
    gists[300][7] = 0x7c00;
    EXPECT_EQ(code_of({}, nullptr), ErrorCode::kModel);
    gists.resize(kCodebookGistsMin - 1);
    EXPECT_EQ(code_of({}, nullptr), ErrorCode::kInvalidInput);
}

}  // namespace
}  // namespace mc::storage

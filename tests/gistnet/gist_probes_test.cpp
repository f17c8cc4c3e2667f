// SPDX-License-Identifier: Apache-2.0
// Laws of the gists' geometry, of what pooling queries look at, and of drift between evaluations.
#include "gistnet/probes/gist_probes.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>

#include "gistnet/pooling/gist_tensors.h"
#include "gistnet/probes/pooling_tally.h"
#include "gistnet/training/training_run.h"
#include "tests/support/tiny_model.h"

namespace mc::gistnet::test {
namespace {

constexpr GistShape kShape{2, 2, 8, 0};  // 16 numbers a layer

// Gists of kShape with the rows (N, H × D) of x as both layers' keys, and of y as their values.
std::vector<Gist> gists_of(const at::Tensor& x, const at::Tensor& y) {
    const auto placed = [](const at::Tensor& rows) {
        return rows.view({-1, 1, 2, 8}).expand({-1, 2, 2, 8});
    };
    return make_gists({placed(x), placed(y)}, at::ones({x.size(0), 1}));
}

TEST(GistGeometry, orthonormal_vectors_have_their_number_as_rank_and_copies_one) {
    for (const std::int64_t count : {2, 5, 16}) {
        const at::Tensor orthonormal = at::eye(16).narrow(0, 0, count);
        const at::Tensor copies = at::arange(16, at::kFloat).expand({count, 16}).contiguous();
        const auto layers = measure_geometry(gists_of(orthonormal, copies), kShape).value();
        ASSERT_EQ(layers.size(), 2U);
        for (const LayerGeometry& layer : layers) {
            EXPECT_NEAR(layer.keys.effective_rank, static_cast<double>(count), 1e-6);
            EXPECT_NEAR(layer.keys.mean_cosine, 0, 1e-6);
            EXPECT_NEAR(layer.values.effective_rank, 1, 1e-6);
            EXPECT_NEAR(layer.values.mean_cosine, 1, 1e-6);
        }
    }
}

TEST(GistGeometry, rank_and_cosine_are_those_of_the_definition) {
    // Two vectors of lengths 3 and 1 at a right angle: shares 3/4 and 1/4; two that are opposite.
    at::Tensor x = at::zeros({2, 16});
    x[0][0] = 3;
    x[1][1] = 1;
    at::Tensor y = at::zeros({2, 16});
    y[0][3] = 1;
    y[1][3] = -2;
    const LayerGeometry layer = measure_geometry(gists_of(x, y), kShape).value()[1];
    EXPECT_NEAR(layer.keys.effective_rank, std::exp(-0.75 * std::log(0.75) - 0.25 * std::log(0.25)),
                1e-9);
    EXPECT_NEAR(layer.keys.mean_cosine, 0, 1e-9);
    EXPECT_NEAR(layer.values.effective_rank, 1, 1e-9);
    EXPECT_NEAR(layer.values.mean_cosine, -1, 1e-9);
}

KeysValues random_positions(std::int64_t blocks) {
    return {at::randn({blocks, 2, 2, 32, 8}), at::randn({blocks, 2, 2, 32, 8})};
}

TEST(PoolingTally, even_weights_have_the_entropy_of_32_and_sharp_ones_none) {
    LevelParameters level = initial_parameters(kShape, 2, 1);
    level.biases.zero_();
    level.queries.zero_();
    level.biases.select(2, 1).select(2, 7).fill_(1e4);  // the second query sees position 7 alone
    PoolingTally tally(level);
    tally.add(random_positions(3));
    tally.add(random_positions(1));
    const std::vector<LayerPooling> layers = tally.result();
    ASSERT_EQ(layers.size(), 2U);
    for (const LayerPooling& layer : layers) {
        ASSERT_EQ(layer.entropy.size(), 2U);
        EXPECT_NEAR(layer.entropy[0], std::log(32.0), 1e-5);
        EXPECT_NEAR(layer.entropy[1], 0, 1e-5);
    }
}

TEST(PoolingTally, shares_are_of_the_norms_that_maps_add_and_sum_to_one) {
    LevelParameters level = initial_parameters(kShape, 3, 1);
    level.queries.zero_();
    level.biases.zero_();  // all queries pool the same mean; only their maps differ
    level.key_map.narrow(2, 8, 8).copy_(3 * at::eye(8));
    PoolingTally tally(level);
    tally.add(random_positions(2));
    for (const LayerPooling& layer : tally.result()) {
        EXPECT_NEAR(layer.key_share[0], 0.25, 1e-6);
        EXPECT_NEAR(layer.key_share[1], 0.75, 1e-6);
        EXPECT_NEAR(layer.key_share[2], 0, 1e-6);
        EXPECT_NEAR(layer.value_share[0], 1, 1e-6);
        EXPECT_NEAR(layer.value_share[1] + layer.value_share[2], 0, 1e-6);
    }
}

TEST(PoolingTally, is_the_mean_over_blocks_however_they_come) {
    const LevelParameters level = initial_parameters(kShape, 2, 1);
    const KeysValues all = random_positions(6);
    PoolingTally together(level);
    together.add(all);
    PoolingTally apart(level);
    for (const auto& [begin, count] : {std::pair<int, int>{0, 1}, {1, 5}})
        apart.add({all.keys.narrow(0, begin, count), all.values.narrow(0, begin, count)});
    for (std::size_t l = 0; l < 2; ++l)
        for (std::size_t j = 0; j < 2; ++j)
            EXPECT_NEAR(together.result()[l].entropy[j], apart.result()[l].entropy[j], 1e-6);
}

TEST(PoolingProbe, untrained_encoders_have_no_queries_and_unknown_ones_are_refused) {
    const auto model = lm::test::make_tiny_model();
    const std::vector<ReadWindow> windows = {
        {lm::test::random_tokens(model->tokenizer(), 64, 1), 0}};
    EXPECT_FALSE(measure_pooling(*model, "kv-last", windows, nullptr).value());
    EXPECT_FALSE(measure_pooling(*model, "auto", windows, nullptr).value());
    EXPECT_EQ(measure_pooling(*model, "kv-best", windows, nullptr).error().code(),
              ErrorCode::kUsage);
}

TEST(Drift, is_the_relative_change_since_the_call_before) {
    LevelParameters level = initial_parameters(kShape, 2, 1);
    DriftMeter meter;
    EXPECT_TRUE(meter.measure(level).empty());
    for (const auto& [name, tensor] : level.named()) tensor->mul_(1.1);
    for (const double expected : {0.1, 0.0}) {
        const Drift drift = meter.measure(level);
        ASSERT_EQ(drift.size(), 4U);
        EXPECT_EQ(drift[0].first, "queries");
        for (const auto& [name, change] : drift) EXPECT_NEAR(change, expected, 1e-6) << name;
    }
    level.biases.zero_();
    EXPECT_NEAR(meter.measure(level)[1].second, 1, 1e-6);
}

TEST(Drift, stands_in_the_evaluation_line_and_the_event_file) {
    const Path folder = Path(testing::TempDir()) / ("drift-" + std::to_string(::getpid()));
    std::filesystem::create_directories(folder);
    TrainLog log = TrainLog::open(folder / "train.jsonl", 0).value();
    ASSERT_TRUE(log.add_evaluation(0, 0, {"book"}, {}, {}));
    ASSERT_TRUE(log.add_evaluation(200, 9, {"book"}, {}, {{"queries", 0.125}, {"biases", 0.5}}));
    ASSERT_TRUE(log.write_events());
    const std::string lines = read_file(folder / "train.jsonl", 1 << 20).value();
    EXPECT_EQ(lines,
              "{\"step\":0,\"positions\":0,\"evaluation\":[]}\n"
              "{\"step\":200,\"positions\":9,\"evaluation\":[],"
              "\"drift\":{\"queries\":0.125,\"biases\":0.5}}\n");
    const std::string events =
        read_file(folder / "events.out.tfevents.0.megacontext", 1 << 20).value();
    EXPECT_NE(events.find("drift/queries"), std::string::npos);
    EXPECT_NE(events.find("drift/biases"), std::string::npos);
    std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace mc::gistnet::test

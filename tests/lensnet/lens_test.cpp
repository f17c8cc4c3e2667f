// SPDX-License-Identifier: Apache-2.0
#include "lensnet/lens.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "lensnet/lens_file.h"
#include "lensnet/shipped_lens.h"
#include "tests/lensnet/lens_fixture.h"

namespace mc::lensnet {
namespace {

// gain = 3 × cosine + 2 × cosine_margin + 1.
Lens linear_lens() {
    Features scales;
    scales.fill(1);
    DenseLayer layer{kFeatureCount, 1, std::vector<float>(kFeatureCount), {1}};
    layer.weights[0] = 3;
    layer.weights[kSignalCount] = 2;
    return {{"00", "model", "11", 0.25, 0.5, true, false}, {}, scales, {layer}};
}

TEST(Lens, IsARegressionWithOneLayer) {
    std::vector<Signals> candidates(2);
    candidates[0][Signal::kCosine] = 0.5;
    candidates[1][Signal::kCosine] = 0.25;
    const auto gains = linear_lens().gains(candidates);
    EXPECT_NEAR(gains[0], 3 * 0.5 + 2 * 0.25 + 1, 1e-9);
    EXPECT_NEAR(gains[1], 3 * 0.25 - 2 * 0.25 + 1, 1e-9);
}

TEST(Lens, HiddenUnitsBelowZeroAreSilent) {
    Features scales;
    scales.fill(1);
    DenseLayer below{kFeatureCount, 2, std::vector<float>(2 * kFeatureCount), {0, 0}};
    below.weights[0] = 1;
    below.weights[kFeatureCount] = -1;
    const Lens lens({}, {}, scales, {below, {2, 1, {1, 10}, {0}}});
    std::vector<Signals> candidates(1);
    candidates[0][Signal::kCosine] = 0.5;
    EXPECT_NEAR(lens.gains(candidates)[0], 0.5, 1e-9);
    candidates[0][Signal::kCosine] = -0.5;
    EXPECT_NEAR(lens.gains(candidates)[0], 5, 1e-9);
}

TEST(Lens, PartsOfARegressionSumToItsGain) {
    Rng rng(4);
    std::vector<Signals> candidates;
    for (int i = 0; i < 5; ++i) candidates.push_back(random_signals(rng));
    const Lens lens = linear_lens();
    const auto parts = lens.parts(candidates, 3);
    double sum = 1;  // the gain at the mean
    for (const double part : parts) sum += part;
    EXPECT_NEAR(sum, lens.gains(candidates)[3], 1e-9);
    EXPECT_EQ(parts[static_cast<std::size_t>(Signal::kNames)], 0);
}

TEST(Lens, AnotherQuestionsSignalsGiveOtherGains) {
    Rng rng(5);
    std::vector<Signals> a;
    std::vector<Signals> b;
    for (int i = 0; i < 4; ++i) {
        a.push_back(random_signals(rng));
        b.push_back(random_signals(rng));
    }
    EXPECT_NE(linear_lens().gains(a), linear_lens().gains(b));
}

class LensFile : public testing::Test {
  protected:
    void SetUp() override {
        path_ = Path(testing::TempDir()) / "lens_test.safetensors";
        ASSERT_TRUE(save_lens(path_, linear_lens(), {{"command", "by hand"}}));
    }

    void TearDown() override { std::filesystem::remove(path_); }

    std::string content() const {
        std::ifstream file(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }

    Path path_;
};

TEST_F(LensFile, IsReadBackAsItWasWritten) {
    const auto file = lm::SafetensorsFile::open(path_);
    ASSERT_TRUE(file);
    const auto lens = parse_lens(**file);
    ASSERT_TRUE(lens) << lens.error().to_string();
    EXPECT_EQ(lens->facts().base_model_name, "model");
    EXPECT_EQ(lens->facts().known_gain_min, 0.25);
    EXPECT_EQ(lens->facts().passage_price, 0.5);
    EXPECT_TRUE(lens->facts().reads_passages);
    EXPECT_FALSE(lens->facts().reads_gists);
    Rng rng(1);
    std::vector<Signals> candidates = {random_signals(rng), random_signals(rng)};
    EXPECT_EQ(lens->gains(candidates), linear_lens().gains(candidates));
}

TEST_F(LensFile, OfAnotherFormIsRefused) {
    const auto refused = [&](const std::string& what, const std::string& by) {
        std::string bytes = content();
        const std::size_t at = bytes.find(what);
        EXPECT_NE(at, std::string::npos) << what;
        bytes.replace(at, what.size(), by);
        const auto file = lm::SafetensorsFile::parse(std::as_bytes(std::span(bytes)), "damaged");
        return !file || !parse_lens(**file);
    };
    EXPECT_FALSE(refused("by hand", "by mind"));
    EXPECT_TRUE(refused("megacontext-lensnet-1", "megacontext-lensnet-9"));
    EXPECT_TRUE(refused("cosine,words", "cosine,wards"));
    EXPECT_TRUE(refused("\"weights.0\"", "\"weights.7\""));
    EXPECT_TRUE(refused("\"0.250000\"", "\"0.25x000\""));
}

TEST(ShippedLens, CanBeRead) {
    const auto file = lm::SafetensorsFile::parse(shipped_lens(), "shipped");
    ASSERT_TRUE(file);
    const auto lens = parse_lens(**file);
    ASSERT_TRUE(lens) << lens.error().to_string();
    EXPECT_NE(lens->facts().base_model_hash, "");
}

}  // namespace
}  // namespace mc::lensnet

// SPDX-License-Identifier: Apache-2.0
// Damages each file of a small embedder's folder in turn. Opening it and embedding texts ends in
// vectors of unit length or in an error, never in a crash.
#include <gtest/gtest.h>

#include <cmath>
#include <iostream>

#include "embedder/sentence_embedder.h"
#include "tests/embedder/tiny_bert.h"
#include "tests/fuzz/mutations.h"

namespace mc::embedder::test {
namespace {

constexpr int kMutationsOfEachFile = 400;

struct Outcomes {
    int refused = 0;
    int failed = 0;
    int embedded = 0;
};

void use(const Path& folder, Outcomes& outcomes) {
    const auto opened = open_sentence_embedder(folder, {1, Precision::kAuto});
    if (!opened) {
        EXPECT_EQ(opened.error().code(), ErrorCode::kInvalidInput) << opened.error().to_string();
        ++outcomes.refused;
        return;
    }
    const std::vector<std::string> texts = {"the red houses, boats.", "", "日本 \xff q"};
    const auto vectors = (*opened)->embed(texts);
    if (!vectors) {
        EXPECT_EQ(vectors.error().code(), ErrorCode::kModel);
        ++outcomes.failed;
        return;
    }
    ++outcomes.embedded;
    const std::size_t dim = (*opened)->info().dim;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        double square = 0;
        for (std::size_t d = 0; d < dim; ++d)
            square += double{(*vectors)[i * dim + d]} * double{(*vectors)[i * dim + d]};
        EXPECT_NEAR(square, 1, 1e-4);
    }
}

TEST(EmbedderMutation, damaged_folders_are_refused_or_read_and_never_crash) {
    constexpr std::uint64_t kSeed = 20240311;
    std::cout << "seed " << kSeed << "\n";
    const TinyBert tiny("fuzz");
    Rng rng(kSeed);
    Outcomes outcomes;
    use(tiny.path(), outcomes);
    ASSERT_EQ(outcomes.embedded, 1) << "the folder to be damaged must be valid";
    for (const auto* const file : {"model.safetensors", "vocab.txt", "config.json",
                                   "1_Pooling/config.json", "sentence_bert_config.json"}) {
        const std::string valid = tiny.read(file);
        for (int i = 0; i < kMutationsOfEachFile && !HasFatalFailure(); ++i) {
            SCOPED_TRACE(std::string(file) + ", mutation " + std::to_string(i));
            tiny.write(file, mc::test::mutate(valid, rng));
            use(tiny.path(), outcomes);
        }
        tiny.write(file, valid);
    }
    std::cout << outcomes.refused << " refused, " << outcomes.failed << " failed, "
              << outcomes.embedded << " embedded\n";
    EXPECT_GT(outcomes.refused, kMutationsOfEachFile);
    EXPECT_GT(outcomes.embedded, kMutationsOfEachFile / 100);
}

}  // namespace
}  // namespace mc::embedder::test

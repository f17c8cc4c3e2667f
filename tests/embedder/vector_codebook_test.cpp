// SPDX-License-Identifier: Apache-2.0
// The program's codebook of sentence vectors belongs to the embedder that the program installs.
#include <gtest/gtest.h>

#include <filesystem>

#include "embedder/sentence_embedder.h"
#include "storage/index/vector_codebook.h"

namespace mc::storage {
namespace {

TEST(ShippedVectorCodebook, fits_the_default_embedder) {
    if (!std::filesystem::exists(MC_DEFAULT_EMBEDDER))
        GTEST_SKIP() << "no default embedder at " << MC_DEFAULT_EMBEDDER << ": run scripts/setup";
    const auto embedder = embedder::open_sentence_embedder(MC_DEFAULT_EMBEDDER).value();
    const auto codec = codec_for(embedder->info()).value();
    EXPECT_EQ(codec->name().substr(0, 3), "pq ") << to_hex(embedder->info().hash);
    const std::vector<std::string> texts = {"Mara keeps a tortoise called Bruno.",
                                            "The committee rejected the proposal."};
    const std::vector<float> vectors = embedder->embed(texts).value();
    std::vector<std::byte> codes(2 * codec->code_bytes());
    ASSERT_TRUE(codec->encode(vectors, codes));
    const std::size_t dim = embedder->info().dim;
    const auto scorer = codec->scorer(std::span(vectors).first(dim));
    const float same = scorer->score(codes.data());
    EXPECT_GT(same, 0.85F);  // 1 without rounding
    EXPECT_LT(scorer->score(codes.data() + codec->code_bytes()), same - 0.4F);
}

}  // namespace
}  // namespace mc::storage

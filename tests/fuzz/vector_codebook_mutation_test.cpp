// SPDX-License-Identifier: Apache-2.0
// Files of vector codebooks: a damaged one is refused or read, and what was read can code.
#include <gtest/gtest.h>

#include <cmath>

#include "tests/fuzz/mutations.h"
#include "tests/support/vector_codebook_fixture.h"

namespace mc::storage {
namespace {

constexpr int kMutationCount = 10'000;

Result<VectorCodebook> parse(const std::string& bytes) {
    MC_ASSIGN(const auto file,
              lm::SafetensorsFile::parse(std::as_bytes(std::span(bytes)), "damaged"));
    return parse_vector_codebook(*file);
}

std::string sound_file() {
    const TextEmbedderInfo embedder{"letters", {5, 6}, 6};
    const VectorCodebook book = random_vector_codebook(embedder, 3);
    return vector_codebook_file(book,
                                Path(testing::TempDir()) / "vector-codebook-mutation.safetensors");
}

TEST(VectorCodebookFile, WhatWasWrittenIsReadBack) {
    const std::string bytes = sound_file();
    const auto book = parse(bytes);
    ASSERT_TRUE(book) << book.error().to_string();
    EXPECT_EQ(book->hash, xxh3_128(std::as_bytes(std::span(bytes))));
    EXPECT_EQ(book->embedder_hash, (Hash128{5, 6}));
    EXPECT_EQ(book->embedder_name, "letters");
    EXPECT_EQ(book->dim, 6u);
    EXPECT_EQ(book->code_bytes, 3u);
    EXPECT_EQ(book->centroids, random_vector_codebook({"letters", {5, 6}, 6}, 3).centroids);
}

TEST(VectorCodebookMutation, DamagedFilesAreRefusedOrReadAndNeverCrash) {
    constexpr std::uint64_t kSeed = 20261129;
    const std::string valid = sound_file();
    ASSERT_TRUE(parse(valid)) << "the file to be damaged must be valid";
    Rng rng(kSeed);
    int refused = 0;
    for (int i = 0; i < kMutationCount && !HasFatalFailure(); ++i) {
        SCOPED_TRACE("mutation " + std::to_string(i));
        const auto book = parse(mc::test::mutate_safetensors(valid, rng));
        if (!book) {
            EXPECT_EQ(book.error().code(), ErrorCode::kInvalidInput);
            ++refused;
            continue;
        }
        const auto codec = make_product_codec(*book);
        std::vector<float> vector(book->dim, 0.5F);
        std::vector<std::byte> code(codec->code_bytes());
        ASSERT_TRUE(codec->encode(vector, code));
        codec->decode(code.data(), vector);
        EXPECT_TRUE(std::isfinite(codec->scorer(vector)->score(code.data())));
    }
    EXPECT_GT(refused, kMutationCount / 10);
    EXPECT_GT(kMutationCount - refused, kMutationCount / 100);
}

}  // namespace
}  // namespace mc::storage

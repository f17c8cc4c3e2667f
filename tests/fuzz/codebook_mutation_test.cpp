// SPDX-License-Identifier: Apache-2.0
// Codebook files: what was written is read back; a damaged file is refused or read, and what was
// read can code. The asan preset makes that a strong claim.
#include <gtest/gtest.h>

#include <filesystem>
#include <iostream>

#include "core/files.h"
#include "formats/half_float.h"
#include "storage/codec/codebook_file.h"
#include "storage/codec/gist_coder.h"
#include "tests/fuzz/mutations.h"
#include "tests/support/codebook_fixture.h"

namespace mc::runtime {
namespace {

constexpr int kMutationCount = 20'000;
const EncoderInfo kEncoder{"fake encoder", {5, 6}, {1, 1, 2, 0}};

std::string file_of(const storage::GistCodebook& book) {
    const Path path = Path(testing::TempDir()) / "codebook-mutation-test.safetensors";
    EXPECT_TRUE(save_codebook(path, book, {{"command", "none"}}));
    const auto bytes = read_file(path, 1 << 24);
    EXPECT_TRUE(bytes);
    std::filesystem::remove(path);
    return *bytes;
}

Result<storage::GistCodebook> parse(const std::string& bytes) {
    MC_ASSIGN(const auto file,
              lm::SafetensorsFile::parse(std::as_bytes(std::span(bytes)), "damaged"));
    return parse_codebook(*file);
}

std::vector<float> rounded(std::vector<float> values) {
    for (float& value : values) value = storage::half_to_float(storage::float_to_half(value));
    return values;
}

TEST(CodebookFile, WhatWasWrittenIsReadBackInBinary16) {
    for (const std::uint32_t shared_bytes : {0U, 1U}) {
        const storage::GistCodebook book = storage::random_codebook(kEncoder, shared_bytes);
        const std::string bytes = file_of(book);
        const auto read = parse(bytes);
        ASSERT_TRUE(read) << read.error().to_string();
        EXPECT_EQ(read->hash, xxh3_128(std::as_bytes(std::span(bytes))));
        EXPECT_EQ(read->base_model_hash, book.base_model_hash);
        EXPECT_EQ(read->encoder_hash, book.encoder_hash);
        EXPECT_EQ(read->encoder_name, book.encoder_name);
        EXPECT_EQ(read->shape, book.shape);
        EXPECT_EQ(read->shared_dims, book.shared_dims);
        EXPECT_EQ(read->shared_bytes, book.shared_bytes);
        EXPECT_EQ(read->head_bytes, book.head_bytes);
        EXPECT_EQ(read->centre, book.centre);
        EXPECT_EQ(read->scale, book.scale);
        EXPECT_EQ(read->shared_basis, rounded(book.shared_basis));
        EXPECT_EQ(read->shared_centroids, rounded(book.shared_centroids));
        EXPECT_EQ(read->rotations, rounded(book.rotations));
        EXPECT_EQ(read->head_centroids, rounded(book.head_centroids));
    }
}

TEST(CodebookFile, AFileOfAnotherKindIsRefusedByName) {
    const auto refused = load_codebook("no-such-file.safetensors");
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("no-such-file"), std::string::npos);
    std::string bytes = file_of(storage::random_codebook(kEncoder, 1));
    bytes.replace(bytes.find("megacontext-codebook-1"), 22, "megacontext-codebook-7");
    EXPECT_EQ(parse(bytes).error().code(), ErrorCode::kInvalidInput);
}

TEST(CodebookMutation, DamagedFilesAreRefusedOrReadAndNeverCrash) {
    constexpr std::uint64_t kSeed = 20261122;
    std::cout << "seed " << kSeed << ", " << kMutationCount << " mutations\n";
    const std::string valid = file_of(storage::random_codebook(kEncoder, 1));
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
        const auto coder = storage::GistCoder::make(storage::GistCodec::kPq, book->shape, &*book);
        ASSERT_TRUE(coder);
        std::vector<std::uint16_t> kv(book->shape.kv_count(), 0x3c00);
        std::vector<std::byte> codes((*coder)->gist_bytes());
        if ((*coder)->encode(kv, codes)) (*coder)->decode(codes, kv);
    }
    std::cout << refused << " refused, " << kMutationCount - refused << " read\n";
    EXPECT_GT(refused, kMutationCount / 10);
    EXPECT_GT(kMutationCount - refused, kMutationCount / 100);
}

}  // namespace
}  // namespace mc::runtime

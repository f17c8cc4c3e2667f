// SPDX-License-Identifier: Apache-2.0
// Vectors as codes: what a code stands for, what a search among many of them finds.
#include "storage/index/passage_vectors.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>

#include "storage/index/shipped_vector_codebook.h"
#include "tests/support/passage_fixture.h"
#include "tests/support/vector_codebook_fixture.h"

namespace mc::storage {
namespace {

constexpr std::uint32_t kVectorDim = 32;

std::vector<float> random_unit(Rng& rng, std::uint32_t dim) {
    std::vector<float> vector(dim);
    float square = 0;
    for (float& x : vector) {
        for (int i = 0; i < 6; ++i) x += static_cast<float>(rng.uniform() - 0.5);
        square += x * x;
    }
    for (float& x : vector) x /= std::sqrt(square);
    return vector;
}

float product(std::span<const float> a, std::span<const float> b) {
    float sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
}

std::vector<std::uint64_t> signs_of(std::span<const float> vector, const SignSketches& sketches) {
    std::vector<std::uint64_t> signs(sketches.words_each());
    set_signs(vector, signs);
    return signs;
}

std::int64_t key_of(std::uint64_t document) {
    return *pack_passage(passage_at(document, 0));
}

class Filled {
  public:
    Filled(const VectorCodec& codec, std::size_t count)
        : vectors(codec, kVectorDim), codec_(codec) {
        Rng rng(5);
        for (std::size_t i = 0; i < count; ++i) add(i, random_unit(rng, kVectorDim));
    }

    void add(std::size_t document, const std::vector<float>& vector) {
        std::vector<std::byte> code(codec_.code_bytes());
        EXPECT_TRUE(codec_.encode(vector, code));
        vectors.add(key_of(document), code);
        codes.emplace_back(document, code);
    }

    // The best by their codes' own scores, without sketches.
    std::vector<std::int64_t> exact(std::span<const float> query, std::size_t count) const {
        const auto scorer = codec_.scorer(query);
        std::vector<std::pair<float, std::int64_t>> all;
        for (const auto& [document, code] : codes)
            all.emplace_back(-scorer->score(code.data()), -key_of(document));
        std::sort(all.begin(), all.end());
        std::vector<std::int64_t> keys;
        for (std::size_t i = 0; i < std::min(count, all.size()); ++i)
            keys.push_back(-all[i].second);
        return keys;
    }

    PassageVectors vectors;
    std::vector<std::pair<std::size_t, std::vector<std::byte>>> codes;

  private:
    const VectorCodec& codec_;
};

TEST(VectorCodecTest, ACodesScoreIsTheProductWithWhatItStandsFor) {
    const TextEmbedderInfo embedder = test_embedder(kVectorDim);
    Rng rng(3);
    for (const std::uint32_t bytes : {1U, 2U, 8U, 16U, 32U}) {
        const auto codec = make_product_codec(random_vector_codebook(embedder, bytes));
        EXPECT_EQ(codec->code_bytes(), bytes);
        for (int i = 0; i < 20; ++i) {
            const auto vector = random_unit(rng, kVectorDim);
            const auto query = random_unit(rng, kVectorDim);
            std::vector<std::byte> code(bytes);
            ASSERT_TRUE(codec->encode(vector, code));
            std::vector<float> decoded(kVectorDim);
            codec->decode(code.data(), decoded);
            EXPECT_NEAR(codec->scorer(query)->score(code.data()), product(query, decoded), 1e-5);
            std::vector<std::uint64_t> signs(1);
            std::vector<std::uint64_t> expected(1);
            codec->signs(code.data(), signs);
            set_signs(decoded, expected);
            EXPECT_EQ(signs, expected);
        }
    }
    const auto halves = make_half_codec(kVectorDim);
    const auto vector = random_unit(rng, kVectorDim);
    std::vector<std::byte> code(halves->code_bytes());
    ASSERT_TRUE(halves->encode(vector, code));
    EXPECT_NEAR(halves->scorer(vector)->score(code.data()), 1, 1e-3);
}

TEST(VectorCodecTest, SignsOfACodeAreThoseOfWhatItStandsFor) {
    for (const auto& [dim, bytes] : std::vector<std::pair<std::uint32_t, std::uint32_t>>{
             {384, 128}, {384, 96}, {70, 14}, {130, 2}, {100, 1}, {64, 1}}) {
        const auto codec = make_product_codec(random_vector_codebook(test_embedder(dim), bytes));
        Rng rng(dim);
        std::vector<std::byte> code;
        for (std::uint32_t m = 0; m < bytes; ++m)
            code.push_back(static_cast<std::byte>(rng.below(256)));
        std::vector<float> decoded(dim);
        codec->decode(code.data(), decoded);
        std::vector<std::uint64_t> signs((dim + 63) / 64);
        std::vector<std::uint64_t> expected(signs.size());
        codec->signs(code.data(), signs);
        set_signs(decoded, expected);
        EXPECT_EQ(signs, expected) << dim << " numbers, " << bytes << " bytes";
    }
}

TEST(VectorCodecTest, ACodeNamesTheNearestCentroids) {
    const VectorCodebook book = random_vector_codebook(test_embedder(kVectorDim), 8);
    const auto codec = make_product_codec(book);
    Rng rng(4);
    for (int i = 0; i < 50; ++i) {
        std::vector<float> vector(kVectorDim);
        std::vector<std::byte> expected;
        for (std::size_t m = 0; m < 8; ++m) {
            const std::uint64_t chosen = rng.below(256);
            expected.push_back(static_cast<std::byte>(chosen));
            std::copy_n(&book.centroids[(m * 256 + chosen) * 4], 4, &vector[m * 4]);
        }
        std::vector<std::byte> code(8);
        ASSERT_TRUE(codec->encode(vector, code));
        EXPECT_EQ(code, expected);
    }
}

TEST(SignSketchesTest, DifferencesAreTheSignsThatDiffer) {
    for (const std::uint32_t dim : {1U, 63U, 64U, 65U, 384U}) {
        SignSketches sketches(dim);
        Rng rng(dim);
        std::vector<std::vector<float>> all;
        for (int i = 0; i < 40; ++i) {
            all.push_back(random_unit(rng, dim));
            sketches.add(signs_of(all.back(), sketches));
        }
        all[7] = all.back();
        all.pop_back();
        sketches.remove(7);
        ASSERT_EQ(sketches.size(), all.size());
        const auto query = random_unit(rng, dim);
        const auto differences = sketches.differences(signs_of(query, sketches));
        for (std::size_t i = 0; i < all.size(); ++i) {
            int expected = 0;
            for (std::size_t d = 0; d < dim; ++d) expected += (all[i][d] < 0) != (query[d] < 0);
            EXPECT_EQ(differences[i], expected);
        }
    }
}

TEST(PassageVectorsTest, AFewVectorsAreAllCompared) {
    const auto codec = make_half_codec(kVectorDim);
    Filled filled(*codec, kExactVectorsMax);
    Rng rng(77);
    for (int i = 0; i < 10; ++i) {
        const auto query = random_unit(rng, kVectorDim);
        const auto hits = filled.vectors.search(query, 20, {});
        const auto expected = filled.exact(query, 20);
        ASSERT_EQ(hits.size(), expected.size());
        for (std::size_t k = 0; k < hits.size(); ++k) EXPECT_EQ(hits[k].key, expected[k]);
    }
}

TEST(PassageVectorsTest, OfManyTheNearestAreFoundByTheirSigns) {
    const auto codec = make_half_codec(kVectorDim);
    Filled filled(*codec, 10 * kExactVectorsMax);
    Rng rng(78);
    std::size_t found = 0;
    for (int i = 0; i < 40; ++i) {
        const auto query = random_unit(rng, kVectorDim);
        const auto expected = filled.exact(query, 5);
        std::set<std::int64_t> keys;
        for (const KeyScore& hit : filled.vectors.search(query, 5, {})) keys.insert(hit.key);
        for (const std::int64_t key : expected) found += keys.count(key);
    }
    EXPECT_GE(found, 180u);  // of 200; random numbers are the hard case
    // Within one document there are few, and so all are compared.
    const std::vector<KeyRange> one = {keys_of(DocumentId(4321))};
    EXPECT_EQ(filled.vectors.search(random_unit(rng, kVectorDim), 5, one).size(), 1u);
    EXPECT_EQ(filled.vectors.search(random_unit(rng, kVectorDim), 100'000, {}).size(),
              filled.vectors.size());
}

TEST(PassageVectorsTest, WhatIsRemovedIsNotFoundAndTheRestIs) {
    const auto codec = make_product_codec(random_vector_codebook(test_embedder(kVectorDim), 16));
    Filled filled(*codec, 300);
    for (std::size_t document = 0; document < 300; document += 3)
        filled.vectors.remove(key_of(document));
    filled.vectors.remove(key_of(9999));
    EXPECT_EQ(filled.vectors.size(), 200u);
    std::erase_if(filled.codes, [](const auto& one) { return one.first % 3 == 0; });
    Rng rng(79);
    const auto query = random_unit(rng, kVectorDim);
    const auto hits = filled.vectors.search(query, 300, {});
    const auto expected = filled.exact(query, 300);
    ASSERT_EQ(hits.size(), expected.size());
    for (std::size_t k = 0; k < hits.size(); ++k) EXPECT_EQ(hits[k].key, expected[k]);
}

TEST(VectorCodebookTest, TheProgramsOwnServesItsEmbedderAndOthersGetHalves) {
    const auto file = lm::SafetensorsFile::parse(shipped_vector_codebook(), "shipped");
    ASSERT_TRUE(file);
    const auto book = parse_vector_codebook(**file);
    ASSERT_TRUE(book) << book.error().to_string();
    EXPECT_EQ(book->dim, 384u);
    const auto own = codec_for({"x", book->embedder_hash, 384});
    ASSERT_TRUE(own);
    EXPECT_EQ((*own)->name(), "pq " + to_hex(book->hash));
    EXPECT_EQ((*codec_for({"x", {1, 1}, 384}))->name(), "fp16");
    EXPECT_EQ((*codec_for({"x", book->embedder_hash, 256}))->name(), "fp16");
}

}  // namespace
}  // namespace mc::storage

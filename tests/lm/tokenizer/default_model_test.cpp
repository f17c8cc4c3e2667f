// SPDX-License-Identifier: Apache-2.0
// The default model's file: what it holds, and token ids equal to PyPI tokenizers
// (tests/golden/tokenizer/smollm.golden, made by tokenizer_parity.py --golden).
#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <iostream>

#include "core/files.h"
#include "core/rng.h"
#include "lm/tokenizer/tokenizer.h"
#include "tests/lm/tokenizer/golden_ids.h"
#include "tests/lm/tokenizer/stream_laws.h"

namespace mc::lm::test {
namespace {

class DefaultModel : public testing::Test {
  protected:
    void SetUp() override {
        if (!std::filesystem::exists(MC_DEFAULT_MODEL))
            GTEST_SKIP() << "no default model at " << MC_DEFAULT_MODEL << ": run scripts/setup";
        auto file = GgufFile::open(MC_DEFAULT_MODEL);
        ASSERT_TRUE(file) << file.error().to_string();
        file_ = std::move(*file);
        auto tokenizer = Tokenizer::from_gguf(*file_);
        ASSERT_TRUE(tokenizer) << tokenizer.error().to_string();
        tokenizer_ = std::move(*tokenizer);
    }

    std::unique_ptr<GgufFile> file_;
    std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_F(DefaultModel, every_tensor_decodes_to_finite_weights) {
    EXPECT_EQ(file_->tensors().size(), 272U);
    EXPECT_EQ(*file_->get_uint("llama.block_count"), 30U);
    std::uint64_t element_count = 0;
    for (const GgufTensor& tensor : file_->tensors()) {
        const auto values = dequantize(tensor);
        ASSERT_TRUE(values) << values.error().to_string();
        element_count += values->size();
        double square_sum = 0;
        for (const float value : *values) square_sum += static_cast<double>(value) * value;
        EXPECT_TRUE(std::isfinite(square_sum) && square_sum > 0) << tensor.name;
    }
    EXPECT_EQ(element_count, 134'515'008U);
}

TEST_F(DefaultModel, tricky_strings_get_the_ids_of_the_reference) {
    const auto cases = read_golden_ids(Path(MC_GOLDEN_DIR) / "tokenizer" / "smollm.golden");
    for (const GoldenIds& one : cases)
        EXPECT_EQ(tokenizer_->encode(one.text), one.ids) << '"' << one.text << '"';
    EXPECT_GE(cases.size(), 40U);
}

TEST_F(DefaultModel, control_tokens_are_known_by_spelling_and_never_made_from_text) {
    EXPECT_EQ(tokenizer_->vocabulary_size(), 49152);
    EXPECT_EQ(tokenizer_->bos(), 1);
    EXPECT_EQ(tokenizer_->eos(), 2);
    EXPECT_EQ(tokenizer_->find_control("<|im_end|>"), TokenId{2});
    EXPECT_FALSE(tokenizer_->chat_template().empty());
    int control_count = 0;
    for (TokenId id = 0; id < tokenizer_->vocabulary_size(); ++id) {
        if (!tokenizer_->is_control(id)) continue;
        ++control_count;
        const std::string text = "x" + std::string(tokenizer_->bytes_of(id)) + "\n";
        const auto tokens = tokenizer_->encode(text);
        for (const TokenId token : tokens) EXPECT_FALSE(tokenizer_->is_control(token)) << text;
        EXPECT_EQ(tokenizer_->decode(tokens), text);
    }
    EXPECT_EQ(control_count, 17);
}

TEST_F(DefaultModel, the_bytes_that_the_vocabulary_lacks_are_byte_tokens) {
    std::string missing;
    for (int byte = 0; byte < 256; ++byte) {
        const std::string text(1, static_cast<char>(byte));
        const auto tokens = tokenizer_->encode(text);
        ASSERT_EQ(tokens.size(), 1U);
        if (tokens[0] >= tokenizer_->vocabulary_size()) {
            EXPECT_EQ(tokens[0], tokenizer_->vocabulary_size() + byte);
            missing += text;
        }
    }
    EXPECT_EQ(
        missing,
        "\x04\x06\x13\x14\x16\x1d\xc0\xc1\xf1\xf2\xf5\xf6\xf7\xf8\xf9\xfa\xfb\xfc\xfd\xfe\xff");
    EXPECT_EQ(tokenizer_->bytes_of(tokenizer_->stand_in_token()), "\xef\xbf\xbd");
}

// A text with a share of random bytes, the rest from a small alphabet.
std::string random_text(Rng& rng) {
    static const std::string alphabet =
        "aeinrst \n\t'.,0123<|>_\xc3\xa9\xe4\xbd\xa0\xf0\x9f\x98\x80";
    const std::uint64_t share = rng.below(5);
    std::string text(rng.below(200), '\0');
    for (char& byte : text)
        byte = rng.below(4) < share ? static_cast<char>(rng.below(256))
                                    : alphabet[rng.below(alphabet.size())];
    return text;
}

TEST_F(DefaultModel, ten_thousand_random_byte_strings_round_trip_and_stream) {
    constexpr std::uint64_t kSeed = 20240229;
    std::cout << "seed " << kSeed << '\n';
    Rng rng(kSeed);
    for (int i = 0; i < 10000; ++i) {
        const std::string text = random_text(rng);
        ASSERT_EQ(tokenizer_->decode(tokenizer_->encode(text)), text) << "string " << i;
        const std::vector<std::size_t> sizes = {rng.below(7), rng.below(40), 1 + rng.below(3)};
        if (i % 10 == 0) {
            ASSERT_EQ(stream_law_broken(*tokenizer_, text, sizes), "") << "string " << i;
        }
    }
}

}  // namespace
}  // namespace mc::lm::test

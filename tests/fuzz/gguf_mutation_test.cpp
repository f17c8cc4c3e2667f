// SPDX-License-Identifier: Apache-2.0
// Damages a small valid GGUF 20,000 times. Whatever the bytes, reading, decoding and making a
// tokenizer end in a value or an error, never in a crash; the asan preset makes that a strong
// claim.
#include <gtest/gtest.h>

#include <iostream>

#include "lm/tokenizer/tokenizer.h"
#include "tests/formats/gguf_writer.h"
#include "tests/fuzz/mutations.h"
#include "tests/lm/tokenizer/toy_tokenizer.h"

namespace mc::lm::test {
namespace {

constexpr int kMutationCount = 20'000;

// A file with a tokenizer and a tensor of every element type.
std::string valid_file() {
    GgufWriter writer = toy_gguf();
    writer.with_alignment(32);
    for (const GgmlType type : {GgmlType::kF32, GgmlType::kF16, GgmlType::kBF16, GgmlType::kQ8_0,
                                GgmlType::kQ4_0, GgmlType::kQ4_1, GgmlType::kQ5_0, GgmlType::kQ5_1,
                                GgmlType::kQ4_K, GgmlType::kQ5_K, GgmlType::kQ6_K}) {
        const GgmlBlock block = ggml_block(type);
        writer.with_tensor("blk." + std::string(ggml_type_name(type)), {block.element_count, 2},
                           type, std::string(2 * block.size_bytes, '\x35'));
    }
    return writer.build();
}

struct Outcomes {
    int refused_files = 0;
    int read_files = 0;
    int tokenizers = 0;
};

void use(const std::string& bytes, Outcomes& outcomes) {
    const auto file = parse_gguf(bytes);
    if (!file) {
        EXPECT_EQ(file.error().code(), ErrorCode::kInvalidInput);
        ++outcomes.refused_files;
        return;
    }
    ++outcomes.read_files;
    for (const GgufTensor& tensor : (*file)->tensors()) {
        const auto values = dequantize(tensor);
        ASSERT_TRUE(values) << "a tensor that was read can be decoded";
        EXPECT_EQ(values->size(), tensor.element_count());
    }
    const auto tokenizer = Tokenizer::from_gguf(**file);
    if (!tokenizer) return;
    ++outcomes.tokenizers;
    const std::string text = "hello\xff the  7 <|end|>";
    EXPECT_EQ((*tokenizer)->decode((*tokenizer)->encode(text)), text);
}

TEST(GgufMutation, damaged_files_are_refused_or_read_and_never_crash) {
    constexpr std::uint64_t kSeed = 20240229;
    std::cout << "seed " << kSeed << ", " << kMutationCount << " mutations\n";
    const std::string valid = valid_file();
    Outcomes outcomes;
    use(valid, outcomes);
    ASSERT_EQ(outcomes.tokenizers, 1) << "the file to be damaged must be valid";
    Rng rng(kSeed);
    for (int i = 0; i < kMutationCount && !HasFatalFailure(); ++i) {
        SCOPED_TRACE("mutation " + std::to_string(i));
        use(mc::test::mutate(valid, rng), outcomes);
    }
    std::cout << outcomes.refused_files << " refused, " << outcomes.read_files << " read, "
              << outcomes.tokenizers << " with a tokenizer\n";
    // Both kinds must occur, or the mutations are too wild or too tame to test anything.
    EXPECT_GT(outcomes.refused_files, kMutationCount / 10);
    EXPECT_GT(outcomes.tokenizers, kMutationCount / 100);
}

}  // namespace
}  // namespace mc::lm::test

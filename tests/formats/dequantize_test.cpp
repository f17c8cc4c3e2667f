// SPDX-License-Identifier: Apache-2.0
// Against tests/golden/dequantize/blocks.bin, made with PyPI gguf by
// tools/make_dequantize_golden.py, which also documents the file.
#include <gtest/gtest.h>

#include <bit>
#include <cstring>

#include "core/files.h"
#include "formats/gguf.h"

namespace mc::lm {
namespace {

struct GoldenCase {
    GgufTensor tensor;
    std::vector<float> values;
};

template <class T>
T take(std::span<const std::byte>& bytes) {
    T value;
    std::memcpy(&value, bytes.data(), sizeof value);
    bytes = bytes.subspan(sizeof value);
    return value;
}

std::vector<GoldenCase> read_cases(std::span<const std::byte> bytes) {
    EXPECT_EQ(take<std::uint32_t>(bytes), 0x5144434dU);  // "MCDQ"
    EXPECT_EQ(take<std::uint32_t>(bytes), 1U);
    std::vector<GoldenCase> cases(take<std::uint32_t>(bytes));
    for (GoldenCase& one : cases) {
        one.tensor.type = static_cast<GgmlType>(take<std::uint32_t>(bytes));
        one.tensor.name = ggml_type_name(one.tensor.type);
        const auto size_bytes = take<std::uint32_t>(bytes);
        const auto element_count = take<std::uint64_t>(bytes);
        one.tensor.shape = {element_count};
        one.tensor.data = bytes.first(size_bytes);
        bytes = bytes.subspan(size_bytes);
        one.values.resize(element_count);
        std::memcpy(one.values.data(), bytes.data(), element_count * sizeof(float));
        bytes = bytes.subspan(element_count * sizeof(float));
    }
    EXPECT_TRUE(bytes.empty());
    return cases;
}

TEST(Dequantize, every_type_gives_the_bits_of_the_reference) {
    const auto file = MappedFile::open(Path(MC_GOLDEN_DIR) / "dequantize" / "blocks.bin");
    ASSERT_TRUE(file) << file.error().to_string();
    const auto cases = read_cases((*file)->bytes());
    EXPECT_EQ(cases.size(), 11U);
    for (const GoldenCase& one : cases) {
        const auto values = dequantize(one.tensor);
        ASSERT_TRUE(values) << values.error().to_string();
        ASSERT_EQ(values->size(), one.values.size()) << one.tensor.name;
        for (std::size_t i = 0; i < values->size(); ++i)
            ASSERT_EQ(std::bit_cast<std::uint32_t>((*values)[i]),
                      std::bit_cast<std::uint32_t>(one.values[i]))
                << one.tensor.name << " element " << i;
    }
}

TEST(Dequantize, data_that_does_not_fit_the_shape_is_refused) {
    const std::vector<std::byte> data(36);
    const GgufTensor tensor{"t", GgmlType::kQ4_0, {32}, data};
    ASSERT_FALSE(dequantize(tensor));
    EXPECT_EQ(dequantize(tensor).error().message(),
              "tensor 't': 36 bytes do not hold its shape in Q4_0");
    const GgufTensor partial{"t", GgmlType::kQ4_0, {33}, std::span(data).first(18)};
    EXPECT_FALSE(dequantize(partial));
}

TEST(Dequantize, the_callers_memory_must_have_the_tensors_size) {
    const std::vector<std::byte> data(18);
    const GgufTensor tensor{"t", GgmlType::kQ4_0, {32}, data};
    std::vector<float> out(31, 5.0F);
    EXPECT_FALSE(dequantize_into(tensor, out));
    EXPECT_EQ(out, std::vector<float>(31, 5.0F));
    out.resize(32);
    EXPECT_TRUE(dequantize_into(tensor, out));
    EXPECT_EQ(out, std::vector<float>(32, 0.0F));
}

}  // namespace
}  // namespace mc::lm

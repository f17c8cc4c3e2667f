// SPDX-License-Identifier: Apache-2.0
#include "formats/gguf.h"

#include <gtest/gtest.h>

#include "tests/formats/gguf_writer.h"

namespace mc::lm::test {
namespace {

// What a file that must be refused is refused for.
std::string refusal(std::string_view bytes) {
    const auto file = parse_gguf(bytes);
    if (file) return "accepted";
    EXPECT_EQ(file.error().code(), ErrorCode::kInvalidInput);
    return file.error().to_string();
}

void expect_refusal(const GgufWriter& writer, std::string_view message) {
    EXPECT_EQ(refusal(writer.build()), message);
}

GgufWriter small_file() {
    GgufWriter writer;
    writer.with_string("general.architecture", "llama")
        .with_uint("llama.block_count", 30)
        .entry("llama.epsilon", kTypeFloat32, ByteWriter().number(0.5F))
        .entry("add_bos", kTypeBool, ByteWriter().number<std::uint8_t>(1))
        .entry("small", kTypeInt32, ByteWriter().number<std::int32_t>(-7))
        .with_strings("tokens", {"a", "", "bc"})
        .with_ints("types", {1, 3, -1})
        .with_tensor("scalars", {3}, GgmlType::kF32, std::string(12, '\x01'))
        .with_tensor("matrix", {32, 2}, GgmlType::kQ8_0, std::string(68, '\x02'));
    return writer;
}

TEST(Gguf, metadata_of_every_kind_is_read_back) {
    const std::string bytes = small_file().build();
    const auto file = parse_gguf(bytes);
    ASSERT_TRUE(file) << file.error().to_string();
    EXPECT_EQ(*(*file)->get_string("general.architecture"), "llama");
    EXPECT_EQ(*(*file)->get_uint("llama.block_count"), 30U);
    EXPECT_EQ(*(*file)->get_float("llama.epsilon"), 0.5);
    EXPECT_EQ(*(*file)->get_bool("add_bos"), true);
    EXPECT_EQ(*(*file)->get_strings("tokens"), (std::vector<std::string>{"a", "", "bc"}));
    EXPECT_EQ(*(*file)->get_ints("types"), (std::vector<std::int64_t>{1, 3, -1}));
    EXPECT_EQ((*file)->metadata().size(), 7U);
}

TEST(Gguf, an_accessor_names_the_key_that_is_missing_or_of_another_type) {
    const std::string bytes = small_file().build();
    const auto file = parse_gguf(bytes);
    ASSERT_TRUE(file);
    EXPECT_EQ((*file)->get_uint("absent").error().message(), "test.gguf: no metadata absent");
    EXPECT_EQ((*file)->get_uint("small").error().message(),
              "test.gguf: metadata small is not an unsigned integer");
    EXPECT_EQ((*file)->get_string("tokens").error().message(),
              "test.gguf: metadata tokens is not a string");
}

TEST(Gguf, a_tensor_is_exactly_its_bytes) {
    for (const std::uint32_t alignment : {1U, 8U, 64U}) {
        GgufWriter writer;
        writer.with_alignment(alignment)
            .with_tensor("first", {3}, GgmlType::kF32, std::string(12, '\x01'))
            .with_tensor("second", {32, 2}, GgmlType::kQ8_0, std::string(68, '\x02'));
        const std::string bytes = writer.build();
        const auto file = parse_gguf(bytes);
        ASSERT_TRUE(file) << file.error().to_string();
        const GgufTensor* second = (*file)->find_tensor("second");
        ASSERT_NE(second, nullptr);
        EXPECT_EQ(second->shape, (std::vector<std::uint64_t>{32, 2}));
        EXPECT_EQ(second->element_count(), 64U);
        ASSERT_EQ(second->data.size(), 68U);
        EXPECT_EQ(second->data.front(), std::byte{2});
        EXPECT_EQ(second->data.back(), std::byte{2});
        EXPECT_EQ((*file)->find_tensor("third"), nullptr);
    }
}

TEST(Gguf, every_truncation_is_refused) {
    const std::string bytes = small_file().build();
    ASSERT_TRUE(parse_gguf(bytes));
    for (std::size_t size = 0; size < bytes.size(); ++size)
        EXPECT_NE(refusal(std::string_view(bytes).substr(0, size)), "accepted") << size;
}

TEST(Gguf, versions_2_and_3_alone_are_read) {
    GgufWriter writer;
    writer.version = 2;
    EXPECT_TRUE(parse_gguf(writer.build()));
    writer.version = 1;
    expect_refusal(writer,
                   "test.gguf: version at byte 4: GGUF version 1 is not supported (2 and 3 are)");
    writer.version = 4;
    expect_refusal(writer,
                   "test.gguf: version at byte 4: GGUF version 4 is not supported (2 and 3 are)");
    writer.version = 0x03000000;
    expect_refusal(writer, "test.gguf: version at byte 4: the file is big-endian; convert it");
    EXPECT_EQ(refusal("GGML and more"), "test.gguf: magic at byte 0: this is not a GGUF file");
}

TEST(Gguf, a_repeated_key_or_tensor_is_refused) {
    GgufWriter keys;
    keys.with_uint("k", 1).with_uint("k", 2);
    expect_refusal(keys, "test.gguf: k at byte 41: the key occurs twice");
    GgufWriter tensors;
    tensors.with_tensor("t", {1}, GgmlType::kF32, "abcd")
        .with_tensor("t", {1}, GgmlType::kF32, "e");
    EXPECT_NE(refusal(tensors.build()).find("tensor 't' at byte "), std::string::npos);
    EXPECT_NE(refusal(tensors.build()).find("the name occurs twice"), std::string::npos);
}

TEST(Gguf, an_unknown_element_type_is_named_with_its_tensor) {
    GgufWriter writer;
    writer.tensor_record("blk.0.attn", {256}, 16, 0);
    expect_refusal(writer,
                   "test.gguf: tensor 'blk.0.attn' type at byte 54: element type 16 is not "
                   "supported");
}

TEST(Gguf, lengths_that_overflow_or_exceed_the_file_are_refused) {
    constexpr auto kHuge = ~std::uint64_t{0};
    GgufWriter text;
    text.entry("k", kTypeString, ByteWriter().number(kHuge));
    EXPECT_NE(refusal(text.build()).find("k at byte 37: count"), std::string::npos);
    GgufWriter array;
    array.entry("k", kTypeArray, ByteWriter().number(kTypeUint32).number(kGgufArrayLengthMax));
    EXPECT_NE(refusal(array.build()).find("is beyond the file's end"), std::string::npos);
    GgufWriter shape;
    shape.tensor_record("t", {1ULL << 32, 1ULL << 32}, 0, 0);
    EXPECT_NE(refusal(shape.build()).find("more elements than any tensor has"), std::string::npos);
    GgufWriter offset;
    offset.tensor_record("t", {4}, 0, kHuge - 31);
    EXPECT_NE(refusal(offset.build()).find("lie beyond the file's end"), std::string::npos);
    ByteWriter counts;
    counts.raw("GGUF").number<std::uint32_t>(3).number(kHuge).number(kHuge);
    EXPECT_NE(refusal(counts.bytes()).find("tensor_count at byte 8"), std::string::npos);
}

TEST(Gguf, malformed_fields_are_refused_by_name) {
    GgufWriter offset;
    offset.with_tensor("t", {1}, GgmlType::kF32, "abcd").tensor_record("u", {1}, 0, 2);
    EXPECT_NE(refusal(offset.build()).find("2 is not a multiple of the alignment 32"),
              std::string::npos);
    GgufWriter rows;
    rows.tensor_record("t", {33}, static_cast<std::uint32_t>(GgmlType::kQ4_0), 0);
    EXPECT_NE(refusal(rows.build()).find("rows are not whole blocks of Q4_0"), std::string::npos);
    GgufWriter dimensions;
    dimensions.tensor_record("t", {1, 1, 1, 1, 1}, 0, 0);
    EXPECT_NE(refusal(dimensions.build()).find("5 dimensions"), std::string::npos);
    GgufWriter nested;
    nested.entry("k", kTypeArray, ByteWriter().number(kTypeArray).number<std::uint64_t>(0));
    EXPECT_NE(refusal(nested.build()).find("unsupported array element type 9"), std::string::npos);
    GgufWriter alignment;
    alignment.with_uint("general.alignment", 3);
    EXPECT_NE(refusal(alignment.build()).find("general.alignment is 3"), std::string::npos);
    GgufWriter boolean;
    boolean.entry("k", kTypeBool, ByteWriter().number<std::uint8_t>(2));
    EXPECT_NE(refusal(boolean.build()).find("a bool must be 0 or 1"), std::string::npos);
}

TEST(Gguf, a_path_that_cannot_be_read_is_an_error_that_names_it) {
    const auto missing = GgufFile::open("/nonexistent/model.gguf");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(missing.error().message().find("/nonexistent/model.gguf"), std::string::npos);
}

}  // namespace
}  // namespace mc::lm::test

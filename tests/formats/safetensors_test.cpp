// SPDX-License-Identifier: Apache-2.0
#include "formats/safetensors.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/formats/safetensors_bytes.h"

namespace mc::lm::test {
namespace {

class SafetensorsOnDisk : public testing::Test {
  protected:
    void TearDown() override { std::filesystem::remove(path_); }

    const Path path_ =
        Path(testing::TempDir()) / ("tensors-" + std::to_string(::getpid()) + ".safetensors");
};

std::string refusal(const std::string& bytes) {
    const auto file = parse_safetensors(bytes);
    if (file) return "accepted";
    EXPECT_EQ(file.error().code(), ErrorCode::kInvalidInput);
    return file.error().message();
}

std::string refusal(std::string_view header, std::size_t data_size) {
    return refusal(safetensors_bytes(header, std::string(data_size, '\1')));
}

constexpr std::string_view kTwo = R"({"__metadata__":{"format":"pt"},)"
                                  R"("b":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                                  R"("a":{"dtype":"BF16","shape":[],"data_offsets":[24,26]}}  )";

TEST(Safetensors, tensors_and_metadata_are_read) {
    const std::string bytes = safetensors_bytes(kTwo, std::string(24, '\1') + std::string(2, '\2'));
    const auto file = parse_safetensors(bytes);
    ASSERT_TRUE(file) << file.error().to_string();
    EXPECT_EQ((*file)->metadata(), (SafetensorsMetadata{{"format", "pt"}}));
    ASSERT_EQ((*file)->tensors().size(), 2U);
    const SafetensorsTensor* scalar = (*file)->find_tensor("a");
    ASSERT_NE(scalar, nullptr);
    EXPECT_EQ(scalar->dtype, SafetensorsDtype::kBF16);
    EXPECT_EQ(scalar->element_count(), 1U);
    EXPECT_EQ(scalar->data.front(), std::byte{2});
    const SafetensorsTensor* matrix = (*file)->find_tensor("b");
    ASSERT_NE(matrix, nullptr);
    EXPECT_EQ(matrix->shape, (std::vector<std::uint64_t>{2, 3}));
    EXPECT_EQ(matrix->data.size(), 24U);
    EXPECT_EQ((*file)->find_tensor("c"), nullptr);
}

TEST(Safetensors, a_tensor_that_lies_wrong_is_refused_by_name) {
    const auto one = [](std::string_view fields) {
        return R"({"t":{)" + std::string(fields) + "}}";
    };
    const std::string at = "test.safetensors: t.";
    EXPECT_EQ(refusal(one(R"("shape":[4],"data_offsets":[0,4])"), 4), at + "dtype is missing");
    EXPECT_EQ(refusal(one(R"("dtype":"Q4","shape":[4],"data_offsets":[0,4])"), 4),
              at + "dtype 'Q4' is not supported");
    EXPECT_EQ(refusal(one(R"("dtype":"U8","shape":[-4],"data_offsets":[0,4])"), 4),
              at + "shape holds what is not a whole number from 0 on");
    EXPECT_EQ(refusal(one(R"("dtype":"U8","shape":[4],"data_offsets":[0])"), 4),
              at + "data_offsets is not [begin, end]");
    EXPECT_EQ(refusal(one(R"("dtype":"U8","shape":[4],"data_offsets":[1,5])"), 4),
              at + "data_offsets lies outside the 4 bytes behind the header");
    EXPECT_EQ(refusal(one(R"("dtype":"U8","shape":[4],"data_offsets":[4,0])"), 4),
              at + "data_offsets lies outside the 4 bytes behind the header");
    EXPECT_EQ(refusal(one(R"("dtype":"F16","shape":[4],"data_offsets":[0,4])"), 4),
              at + "data_offsets spans 4 bytes, which do not hold its shape in F16");
    EXPECT_EQ(
        refusal(one(R"("dtype":"U8","shape":[4294967296,4294967296,4],"data_offsets":[0,4])"), 4),
        at + "data_offsets spans 4 bytes, which do not hold its shape in U8");
}

TEST(Safetensors, every_byte_belongs_to_one_tensor) {
    const auto two = [](std::string_view a, std::string_view b) {
        const auto tensor = [](std::string_view offsets) {
            return R"({"dtype":"U8","shape":[2],"data_offsets":)" + std::string(offsets) + "}";
        };
        return R"({"a":)" + tensor(a) + R"(,"b":)" + tensor(b) + "}";
    };
    EXPECT_EQ(refusal(two("[0,2]", "[2,4]"), 4), "accepted");
    EXPECT_EQ(refusal(two("[2,4]", "[0,2]"), 4), "accepted");
    EXPECT_EQ(refusal(two("[0,2]", "[1,3]"), 3),
              "test.safetensors: tensor b overlaps the one before it");
    EXPECT_EQ(refusal(two("[0,2]", "[3,5]"), 5), "test.safetensors: tensor b has a hole before it");
    EXPECT_EQ(refusal(two("[0,2]", "[2,4]"), 5),
              "test.safetensors: the last tensor ends before the file does");
}

TEST(Safetensors, a_header_that_cannot_be_read_is_refused) {
    EXPECT_EQ(refusal(std::string("1234567")),
              "test.safetensors: the file ends in the header's size");
    EXPECT_EQ(refusal(std::string("\x09\0\0\0\0\0\0\0{}", 10)),
              "test.safetensors: the header's 9 bytes lie beyond the file's end");
    EXPECT_EQ(refusal(std::string("\0\0\0\0\1\0\0\0{}", 10)),
              "test.safetensors: a header of 4294967296 bytes; at most 100000000 are supported");
    EXPECT_EQ(refusal("{", 0), "test.safetensors: not a JSON text");
    EXPECT_EQ(refusal("[]", 0), "test.safetensors: not a JSON object");
    EXPECT_EQ(refusal(R"({"__metadata__":{"k":1}})", 0),
              "test.safetensors: __metadata__.k is not a string");
    EXPECT_EQ(refusal(R"({"t":{"dtype":"U8","dtype":"I8","shape":[0],"data_offsets":[0,0]}})", 0),
              "test.safetensors: the JSON text repeats the key 'dtype'");
    EXPECT_EQ(refusal(R"({"t":)" + std::string(100'000, '['), 0),
              "test.safetensors: the JSON text nests deeper than 64 levels");
}

TEST_F(SafetensorsOnDisk, what_is_written_is_read_back) {
    const std::vector<std::byte> data(64, std::byte{7});
    const std::span bytes(data);
    const std::vector<SafetensorsTensor> tensors = {
        {"half \"quoted\"", SafetensorsDtype::kF16, {3}, bytes.first(6)},
        {"narrow", SafetensorsDtype::kU8, {5}, bytes.first(5)},
        {"wide", SafetensorsDtype::kI64, {2, 3}, bytes.first(48)},
        {"empty", SafetensorsDtype::kF32, {0, 9}, {}},
    };
    const SafetensorsMetadata metadata = {{"step", "12"}, {"note", "\xc3\xa9\n"}};
    const auto written = write_safetensors(path_, tensors, metadata);
    ASSERT_TRUE(written) << written.error().to_string();
    const auto file = SafetensorsFile::open(path_);
    ASSERT_TRUE(file) << file.error().to_string();
    EXPECT_EQ((*file)->metadata(), metadata);
    EXPECT_EQ((*file)->tensors().size(), tensors.size());
    for (const SafetensorsTensor& tensor : tensors) {
        const SafetensorsTensor* read = (*file)->find_tensor(tensor.name);
        ASSERT_NE(read, nullptr) << tensor.name;
        EXPECT_EQ(read->dtype, tensor.dtype);
        EXPECT_EQ(read->shape, tensor.shape);
        EXPECT_TRUE(std::ranges::equal(read->data, tensor.data)) << tensor.name;
        const auto offset = static_cast<std::size_t>(read->data.data() - (*file)->bytes().data());
        EXPECT_EQ(offset % safetensors_dtype_size_bytes(tensor.dtype), 0U) << tensor.name;
    }
}

TEST_F(SafetensorsOnDisk, a_set_of_tensors_is_one_file_whatever_their_order) {
    const std::vector<std::byte> data(8, std::byte{7});
    std::vector<SafetensorsTensor> tensors = {{"a", SafetensorsDtype::kU8, {8}, data},
                                              {"b", SafetensorsDtype::kF64, {1}, data}};
    ASSERT_TRUE(write_safetensors(path_, tensors, {}));
    const std::string first = read_file(path_, 1 << 20).value();
    std::swap(tensors[0], tensors[1]);
    ASSERT_TRUE(write_safetensors(path_, tensors, {}));
    EXPECT_EQ(read_file(path_, 1 << 20).value(), first);
}

TEST_F(SafetensorsOnDisk, tensors_that_no_reader_would_take_are_not_written) {
    const std::vector<std::byte> data(8, std::byte{7});
    const SafetensorsTensor good{"a", SafetensorsDtype::kU8, {8}, data};
    SafetensorsTensor reserved = good;
    reserved.name = "__metadata__";
    SafetensorsTensor unreadable = good;
    unreadable.name = "\xff";
    SafetensorsTensor misshapen = good;
    misshapen.shape = {9};
    for (const std::vector<SafetensorsTensor>& tensors :
         {std::vector{good, good}, {reserved}, {unreadable}, {misshapen}}) {
        const auto written = write_safetensors(path_, tensors, {});
        ASSERT_FALSE(written);
        EXPECT_EQ(written.error().code(), ErrorCode::kInvalidInput);
        EXPECT_FALSE(std::filesystem::exists(path_));
    }
}

}  // namespace
}  // namespace mc::lm::test

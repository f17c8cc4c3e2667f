// SPDX-License-Identifier: Apache-2.0
// Builds small GGUF files in memory, right or deliberately wrong, for tests.
#pragma once

#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "formats/gguf.h"

namespace mc::lm::test {

// Metadata type numbers of gguf.md.
inline constexpr std::uint32_t kTypeUint32 = 4;
inline constexpr std::uint32_t kTypeInt32 = 5;
inline constexpr std::uint32_t kTypeFloat32 = 6;
inline constexpr std::uint32_t kTypeBool = 7;
inline constexpr std::uint32_t kTypeString = 8;
inline constexpr std::uint32_t kTypeArray = 9;

// Little-endian bytes in the order of the calls.
class ByteWriter {
  public:
    template <class Number>
    ByteWriter& number(Number value) {
        static_assert(std::is_arithmetic_v<Number>);
        char raw[sizeof value];
        std::memcpy(raw, &value, sizeof value);
        bytes_.append(raw, sizeof value);
        return *this;
    }

    ByteWriter& text(std::string_view text) {
        number<std::uint64_t>(text.size());
        return raw(text);
    }

    ByteWriter& raw(std::string_view bytes) {
        bytes_ += bytes;
        return *this;
    }

    const std::string& bytes() const { return bytes_; }

  private:
    std::string bytes_;
};

class GgufWriter {
  public:
    std::uint32_t version = 3;
    std::uint64_t alignment = 32;  // written as metadata only by with_alignment()

    // One metadata entry whose type number and value are already bytes.
    GgufWriter& entry(std::string_view key, std::uint32_t type, const ByteWriter& value) {
        metadata_.text(key).number(type).raw(value.bytes());
        ++metadata_count_;
        return *this;
    }

    GgufWriter& with_uint(std::string_view key, std::uint32_t value) {
        return entry(key, kTypeUint32, ByteWriter().number(value));
    }

    GgufWriter& with_string(std::string_view key, std::string_view value) {
        return entry(key, kTypeString, ByteWriter().text(value));
    }

    GgufWriter& with_strings(std::string_view key, const std::vector<std::string>& values) {
        ByteWriter array;
        array.number(kTypeString).number<std::uint64_t>(values.size());
        for (const std::string& value : values) array.text(value);
        return entry(key, kTypeArray, array);
    }

    GgufWriter& with_ints(std::string_view key, const std::vector<std::int32_t>& values) {
        ByteWriter array;
        array.number(kTypeInt32).number<std::uint64_t>(values.size());
        for (const std::int32_t value : values) array.number(value);
        return entry(key, kTypeArray, array);
    }

    GgufWriter& with_alignment(std::uint32_t value) {
        alignment = value;
        return with_uint("general.alignment", value);
    }

    // A tensor record with any numbers; nothing is added to the data section.
    GgufWriter& tensor_record(std::string_view name, const std::vector<std::uint64_t>& shape,
                              std::uint32_t type, std::uint64_t offset) {
        tensors_.text(name).number(static_cast<std::uint32_t>(shape.size()));
        for (const std::uint64_t extent : shape) tensors_.number(extent);
        tensors_.number(type).number(offset);
        ++tensor_count_;
        return *this;
    }

    GgufWriter& with_tensor(std::string_view name, const std::vector<std::uint64_t>& shape,
                            GgmlType type, std::string_view data) {
        data_.resize((data_.size() + alignment - 1) / alignment * alignment);
        tensor_record(name, shape, static_cast<std::uint32_t>(type), data_.size());
        data_ += data;
        return *this;
    }

    std::string build() const {
        ByteWriter file;
        file.raw("GGUF").number(version).number(tensor_count_).number(metadata_count_);
        file.raw(metadata_.bytes()).raw(tensors_.bytes());
        std::string bytes = file.bytes();
        if (!data_.empty()) bytes.resize((bytes.size() + alignment - 1) / alignment * alignment);
        return bytes + data_;
    }

  private:
    ByteWriter metadata_;
    ByteWriter tensors_;
    std::string data_;
    std::uint64_t tensor_count_ = 0;
    std::uint64_t metadata_count_ = 0;
};

inline Result<std::unique_ptr<GgufFile>> parse_gguf(std::string_view bytes) {
    return GgufFile::parse(std::as_bytes(std::span(bytes)), "test.gguf");
}

}  // namespace mc::lm::test

// SPDX-License-Identifier: Apache-2.0
#include "formats/gguf_parse.h"

#include <bit>
#include <limits>
#include <type_traits>
#include <utility>

namespace mc::lm {
namespace {

static_assert(std::endian::native == std::endian::little, "GGUF is read as it lies in memory");

// Metadata types of gguf.md (frozen).
enum class ValueType : std::uint32_t {
    kUint8 = 0,
    kInt8 = 1,
    kUint16 = 2,
    kInt16 = 3,
    kUint32 = 4,
    kInt32 = 5,
    kFloat32 = 6,
    kBool = 7,
    kString = 8,
    kArray = 9,
    kUint64 = 10,
    kInt64 = 11,
    kFloat64 = 12,
};

template <class Number>
Result<GgufValue> read_number(GgufCursor& cursor, const std::string& key) {
    MC_ASSIGN(const Number number, cursor.read<Number>(key));
    if constexpr (std::is_floating_point_v<Number>)
        return GgufValue(static_cast<double>(number));
    else if constexpr (std::is_signed_v<Number>)
        return GgufValue(static_cast<std::int64_t>(number));
    else
        return GgufValue(static_cast<std::uint64_t>(number));
}

Result<bool> read_bool(GgufCursor& cursor, const std::string& key) {
    const GgufCursor before = cursor;
    MC_ASSIGN(const auto byte, cursor.read<std::uint8_t>(key));
    if (byte > 1) return fail(before.error(key, "a bool must be 0 or 1"));
    return byte == 1;
}

template <class Number>
Result<GgufValue> read_numbers(GgufCursor& cursor, const std::string& key) {
    using Element = std::conditional_t<std::is_floating_point_v<Number>, double, std::int64_t>;
    MC_ASSIGN(const std::uint64_t count,
              cursor.read_count(key, kGgufArrayLengthMax, sizeof(Number)));
    std::vector<Element> numbers;
    numbers.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        MC_ASSIGN(const Number number, cursor.read<Number>(key));
        if constexpr (std::is_same_v<Number, std::uint64_t>)
            if (number > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
                return fail(cursor.error(key, "an array element is beyond 63 bits"));
        numbers.push_back(static_cast<Element>(number));
    }
    return GgufValue(std::move(numbers));
}

Result<GgufValue> read_bools(GgufCursor& cursor, const std::string& key) {
    MC_ASSIGN(const std::uint64_t count, cursor.read_count(key, kGgufArrayLengthMax, 1));
    std::vector<std::int64_t> bools;
    bools.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        MC_ASSIGN(const bool value, read_bool(cursor, key));
        bools.push_back(value ? 1 : 0);
    }
    return GgufValue(std::move(bools));
}

Result<GgufValue> read_strings(GgufCursor& cursor, const std::string& key) {
    MC_ASSIGN(const std::uint64_t count,
              cursor.read_count(key, kGgufArrayLengthMax, sizeof(std::uint64_t)));
    std::vector<std::string> strings;
    strings.reserve(count);
    for (std::uint64_t i = 0; i < count; ++i) {
        MC_ASSIGN(std::string text, cursor.read_string(key, kGgufStringBytesMax));
        strings.push_back(std::move(text));
    }
    return GgufValue(std::move(strings));
}

Result<GgufValue> read_array(GgufCursor& cursor, const std::string& key) {
    const GgufCursor before = cursor;
    MC_ASSIGN(const auto type, cursor.read<std::uint32_t>(key));
    switch (static_cast<ValueType>(type)) {
        case ValueType::kUint8:
            return read_numbers<std::uint8_t>(cursor, key);
        case ValueType::kInt8:
            return read_numbers<std::int8_t>(cursor, key);
        case ValueType::kUint16:
            return read_numbers<std::uint16_t>(cursor, key);
        case ValueType::kInt16:
            return read_numbers<std::int16_t>(cursor, key);
        case ValueType::kUint32:
            return read_numbers<std::uint32_t>(cursor, key);
        case ValueType::kInt32:
            return read_numbers<std::int32_t>(cursor, key);
        case ValueType::kUint64:
            return read_numbers<std::uint64_t>(cursor, key);
        case ValueType::kInt64:
            return read_numbers<std::int64_t>(cursor, key);
        case ValueType::kFloat32:
            return read_numbers<float>(cursor, key);
        case ValueType::kFloat64:
            return read_numbers<double>(cursor, key);
        case ValueType::kBool:
            return read_bools(cursor, key);
        case ValueType::kString:
            return read_strings(cursor, key);
        case ValueType::kArray:
            break;  // no llama-architecture file nests arrays
    }
    return fail(before.error(key, "unsupported array element type " + std::to_string(type)));
}

}  // namespace

Error GgufCursor::error(std::string_view field, std::string_view what) const {
    return {ErrorCode::kInvalidInput, *file_name_ + ": " + std::string(field) + " at byte " +
                                          std::to_string(position_) + ": " + std::string(what)};
}

Result<std::uint64_t> GgufCursor::read_count(std::string_view field, std::uint64_t count_max,
                                             std::uint64_t size_bytes_min) {
    GgufCursor ahead = *this;
    MC_ASSIGN(const auto count, ahead.read<std::uint64_t>(field));
    if (count > count_max)
        return fail(error(field, "count " + std::to_string(count) + " is beyond the limit of " +
                                     std::to_string(count_max)));
    if (count > ahead.bytes_left() / size_bytes_min)
        return fail(error(field, "count " + std::to_string(count) + " is beyond the file's end"));
    position_ = ahead.position_;
    return count;
}

Result<std::string> GgufCursor::read_string(std::string_view field, std::uint64_t size_bytes_max) {
    MC_ASSIGN(const std::uint64_t size, read_count(field, size_bytes_max, 1));
    std::string text(reinterpret_cast<const char*>(bytes_.data() + position_), size);
    position_ += size;
    return text;
}

Result<GgufValue> read_gguf_value(GgufCursor& cursor, const std::string& key) {
    const GgufCursor before = cursor;
    MC_ASSIGN(const auto type, cursor.read<std::uint32_t>(key));
    switch (static_cast<ValueType>(type)) {
        case ValueType::kUint8:
            return read_number<std::uint8_t>(cursor, key);
        case ValueType::kInt8:
            return read_number<std::int8_t>(cursor, key);
        case ValueType::kUint16:
            return read_number<std::uint16_t>(cursor, key);
        case ValueType::kInt16:
            return read_number<std::int16_t>(cursor, key);
        case ValueType::kUint32:
            return read_number<std::uint32_t>(cursor, key);
        case ValueType::kInt32:
            return read_number<std::int32_t>(cursor, key);
        case ValueType::kUint64:
            return read_number<std::uint64_t>(cursor, key);
        case ValueType::kInt64:
            return read_number<std::int64_t>(cursor, key);
        case ValueType::kFloat32:
            return read_number<float>(cursor, key);
        case ValueType::kFloat64:
            return read_number<double>(cursor, key);
        case ValueType::kBool: {
            MC_ASSIGN(const bool value, read_bool(cursor, key));
            return GgufValue(value);
        }
        case ValueType::kString: {
            MC_ASSIGN(std::string text, cursor.read_string(key, kGgufStringBytesMax));
            return GgufValue(std::move(text));
        }
        case ValueType::kArray:
            return read_array(cursor, key);
    }
    return fail(before.error(key, "unknown value type " + std::to_string(type)));
}

}  // namespace mc::lm

// SPDX-License-Identifier: Apache-2.0
// The byte-level part of the GGUF reader: a bounds-checked cursor and metadata values.
//
// Internal to formats. Ownership: a cursor borrows the file's bytes and name. Errors:
// kInvalidInput that names file, field and byte offset; the cursor then stays where it was.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "formats/gguf.h"

namespace mc::lm {

class GgufCursor {
  public:
    GgufCursor(std::span<const std::byte> bytes, const std::string& file_name)
        : bytes_(bytes), file_name_(&file_name) {}

    std::uint64_t position() const { return position_; }

    std::uint64_t bytes_left() const { return bytes_.size() - position_; }

    // One little-endian number.
    template <class Number>
    Result<Number> read(std::string_view field) {
        if (bytes_left() < sizeof(Number)) return fail(error(field, "the file ends here"));
        Number value;
        std::memcpy(&value, bytes_.data() + position_, sizeof value);
        position_ += sizeof value;
        return value;
    }

    Result<std::string> read_string(std::string_view field, std::uint64_t size_bytes_max);

    // A count of things of at least size_bytes_min each: refused beyond count_max or the file.
    Result<std::uint64_t> read_count(std::string_view field, std::uint64_t count_max,
                                     std::uint64_t size_bytes_min);

    // kInvalidInput about the field that starts at position().
    Error error(std::string_view field, std::string_view what) const;

  private:
    std::span<const std::byte> bytes_;
    const std::string* file_name_;
    std::uint64_t position_ = 0;
};

// Type number and value of one metadata entry.
Result<GgufValue> read_gguf_value(GgufCursor& cursor, const std::string& key);

}  // namespace mc::lm

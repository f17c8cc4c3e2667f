// SPDX-License-Identifier: Apache-2.0
// A record's value as it was put: in the map of a plain store, where nothing is copied, or opened
// into memory of its own. Moves, and dies with its transaction. Threads: none shared. Errors: none.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace mc::storage {

using ByteView = std::span<const std::byte>;

class RecordValue {
  public:
    explicit RecordValue(ByteView in_map) : bytes_(in_map) {}

    explicit RecordValue(std::vector<std::byte> opened)
        : opened_(std::move(opened)), bytes_(opened_) {}

    RecordValue(RecordValue&&) noexcept = default;  // a vector's bytes stay where they are
    RecordValue& operator=(RecordValue&&) noexcept = default;
    RecordValue(const RecordValue&) = delete;
    RecordValue& operator=(const RecordValue&) = delete;

    ByteView bytes() const { return bytes_; }

  private:
    std::vector<std::byte> opened_;
    ByteView bytes_;
};

}  // namespace mc::storage

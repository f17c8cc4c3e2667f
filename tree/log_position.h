// SPDX-License-Identifier: Apache-2.0
// How far a bank has followed a log that several stores are made from. Value type.
#pragma once

#include <cstdint>

namespace mc {

struct LogPosition {
    std::int64_t log_created_ns = 0;  // which log; 0: none is followed
    std::uint64_t sequence = 0;       // of the entry that was applied last

    bool operator==(const LogPosition&) const = default;
};

}  // namespace mc

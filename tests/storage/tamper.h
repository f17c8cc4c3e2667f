// SPDX-License-Identifier: Apache-2.0
// Writing to a closed store behind the back of its rules, for tests of who notices.
#pragma once

#include <gtest/gtest.h>

#include <functional>

#include "storage/lmdb/store_parts.h"

namespace mc::storage {

// Writes records that no NodeStore would write.
inline void tamper(const Path& directory,
                   const std::function<Result<void>(WriteTransaction& txn)>& change) {
    const auto env = LmdbEnv::open(directory, EnvMode::kWrite, 1 << 20);
    ASSERT_TRUE(env) << env.error().to_string();
    const auto written = (*env)->write(change);
    ASSERT_TRUE(written) << written.error().to_string();
}

}  // namespace mc::storage

// SPDX-License-Identifier: Apache-2.0
// Keys for tests of encrypted stores, and looking for clear text in files.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "storage/seal/store_key.h"
#include "storage/seal/store_seal.h"
#include "tests/support/store_fixture.h"

namespace mc::storage {

// Of a file that is 32 times a byte.
inline StoreKey key_of(char byte) {
    const ScratchDirectory scratch;
    const Path file = scratch.path() / "key";
    std::ofstream(file, std::ios::binary) << std::string(kKeyFileBytes, byte);
    auto key = StoreKey::from_file(file);
    EXPECT_TRUE(key) << key.error().to_string();
    return *key;
}

inline IndexKeys index_keys_of(char byte) {
    Secret secret;
    std::ranges::fill(secret.bytes(), static_cast<std::uint8_t>(byte));
    return StoreSeal(secret).index_keys("1/passages.sqlite");
}

inline StoreOptions sealed_options(const Path& directory, const StoreKey& key,
                                   StoreMode mode = StoreMode::kWriteOrCreate) {
    StoreOptions options = test_options(directory, mode);
    options.key = &key;
    return options;
}

// Of every file below a folder, one after the other.
inline std::string bytes_below(const Path& folder) {
    std::string all;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
        if (entry.is_regular_file()) all += *read_file(entry.path(), 1 << 30);
    return all;
}

// Token ids as they lie in records.
inline std::string ids_as_bytes(std::span<const TokenId> tokens) {
    std::string bytes;
    for (const TokenId token : tokens) {
        bytes.push_back(static_cast<char>(token & 0xff));
        bytes.push_back(static_cast<char>(token >> 8 & 0xff));
    }
    return bytes;
}

}  // namespace mc::storage

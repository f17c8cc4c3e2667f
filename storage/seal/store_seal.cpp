// SPDX-License-Identifier: Apache-2.0
#include "storage/seal/store_seal.h"

#include <string>

namespace mc::storage {
namespace {

// Part of the format: never reused for anything else.
enum Purpose : std::uint64_t { kRecords = 1, kNames = 2, kIndexes = 3, kFiles = 4 };

}  // namespace

StoreSeal::StoreSeal(const Secret& data_key)
    : data_key_(data_key),
      records_(derive_secret(data_key, kRecords)),
      files_(derive_secret(data_key, kFiles)),
      names_(derive_secret(data_key, kNames)),
      indexes_(derive_secret(data_key, kIndexes)) {}

IndexKeys StoreSeal::index_keys(std::string_view index) const {
    const auto key_of = [&](const char* file) {
        return derive_long_secret(indexes_, std::string(index) + file);
    };
    return {key_of(""), key_of("-wal"), key_of("-journal")};
}

}  // namespace mc::storage

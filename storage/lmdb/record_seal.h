// SPDX-License-Identifier: Apache-2.0
// How records of an encrypted store lie in LMDB (docs/storage-format.md).
//
// A value is sealed and bound to its database and stored key, so a record that was moved does not
// open. Names of banks, of macros and of sources are no part of a stored key: a keyed hash stands
// in their place, and the key itself lies in the sealed value. What says of which format a store is
// and how its key is found, meta/store and meta/seal, is in clear. Pure. Errors: opening fails with
// nullopt.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/lmdb/keys.h"
#include "storage/lmdb/record_value.h"
#include "storage/seal/store_seal.h"

namespace mc::storage {

// A record that is never sealed.
bool is_in_clear(Database database, std::string_view key);

// The key under which a record lies; of a hidden name's beginning, that beginning.
std::string stored_key(const StoreSeal& seal, Database database, std::string_view key);

// Whether a key ends in a name, which is hidden.
bool holds_name(Database database, std::string_view key);

std::vector<std::byte> seal_record(const StoreSeal& seal, Database database, std::string_view key,
                                   ByteView value);

struct OpenedRecord {
    std::string key;
    std::vector<std::byte> content;  // the value, behind the key where that was hidden
    std::size_t value_begin = 0;

    ByteView value() const { return ByteView(content).subspan(value_begin); }
};

std::optional<OpenedRecord> open_record(const StoreSeal& seal, Database database,
                                        std::string_view stored_key, ByteView sealed);

}  // namespace mc::storage

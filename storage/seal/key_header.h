// SPDX-License-Identifier: Apache-2.0
// The data key of a store or export, wrapped, as it lies beside what it encrypts
// (docs/storage-format.md).
//
// All content is encrypted with a random data key; the header holds that key sealed with a secret
// that the user's key gives. So a wrong key is told at once, and another key costs a new header.
// Pure but for the cost of a derivation. Threads: any.
// Errors: kKey when the key is missing, of the other kind or not the right one; kCorruption for a
// header that is damaged; kFormatVersion for one of a later version.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "storage/seal/store_key.h"

namespace mc::storage {

inline constexpr std::size_t kKeyHeaderBytes = 120;

// A new header for a data key.
Result<std::string> wrap_data_key(const Secret& data_key, const StoreKey& key);

// The data key in a header. key: null where none was given. what: "store /data/s", for messages.
Result<Secret> unwrap_data_key(std::span<const std::byte> header, const StoreKey* key,
                               const std::string& what);

// What opens a header: for asking for it. Errors: kCorruption, kFormatVersion.
Result<KeyKind> key_kind_of(std::span<const std::byte> header, const std::string& what);

// kKey: a key was given for what is not encrypted.
Error not_encrypted(const std::string& what, const StoreKey& key);

}  // namespace mc::storage

// SPDX-License-Identifier: Apache-2.0
// Keys that let agents in: a secret that is shown once, and a record without it.
//
// The file holds the SHA-256 of each secret, which is 32 random bytes, so that nobody who reads it
// can use it. A key may be kept to some verbs and some banks. Revoked keys stay in the file: a
// store that ever had a key is never open to those without one. Value types and AccessKeys, which
// is for one thread. Errors: kInvalidInput for a name or an id that is wrong; kCorruption for a
// file that is no list of keys; those of core/files.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "storage/seal/store_seal.h"

namespace mc::serve {

struct AccessKey {
    std::string id;                  // "k3"
    std::string name;                // whose it is
    std::string hash;                // of the secret, in hexadecimal digits
    std::vector<std::string> verbs;  // empty: all
    std::vector<std::string> banks;  // empty: all
    std::int64_t created_us = 0;
    std::int64_t revoked_us = 0;  // 0: in force

    bool in_force() const { return revoked_us == 0; }

    bool may(std::string_view verb) const;
    bool may_see(std::string_view bank) const;
};

class AccessKeys {
  public:
    // A file that is not there holds no key. seal: of an encrypted store, else null.
    static Result<AccessKeys> load(const Path& file, const storage::StoreSeal* seal = nullptr);

    // "keys.json" in the store's folder.
    static Path file_of(const Path& store);

    const std::vector<AccessKey>& keys() const { return keys_; }

    // The key in force whose secret this is, compared in constant time.
    std::optional<AccessKey> find(std::string_view secret) const;

    // Adds a key and returns its secret, which is kept nowhere. What the draft says of id, hash and
    // times is ignored.
    Result<std::string> create(AccessKey draft, std::int64_t now_us);
    Result<void> revoke(std::string_view id, std::int64_t now_us);

    // For its owner's eyes alone.
    Result<void> save(const Path& file, const storage::StoreSeal* seal = nullptr) const;

  private:
    std::vector<AccessKey> keys_;
};

}  // namespace mc::serve

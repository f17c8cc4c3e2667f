// SPDX-License-Identifier: Apache-2.0
// What a user has that opens an encrypted store or export: a key file or a passphrase.
//
// From it and from what a key header says (storage/seal/key_header.h) comes the secret that wraps
// the data key: for a key file by BLAKE2b, for a passphrase by Argon2id, whose cost the header
// says. Value type; wiped when it goes. Threads: none shared, for the last derivation is kept.
// Errors: kInvalidInput, kIo for a file that cannot be read; kInvalidInput for one that is too
// short to be a key, and for an empty passphrase.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/files.h"
#include "core/result.h"
#include "storage/seal/secret.h"

namespace mc::storage {

enum class KeyKind : std::uint32_t {
    kFile = 1,
    kPassphrase = 2,
};

// How a secret is derived, as a header says it in clear.
struct KeyDerivation {
    KeyKind kind = KeyKind::kFile;
    std::uint32_t passes = 0;      // of Argon2id over its memory; 0 for a key file
    std::uint32_t memory_kib = 0;  // that it takes
    std::array<std::uint8_t, 16> salt{};

    bool operator==(const KeyDerivation&) const = default;
};

// What a header may ask of this machine.
inline constexpr std::uint32_t kKeyPassesMax = 16;
inline constexpr std::uint32_t kKeyMemoryKibMin = 8;
inline constexpr std::uint32_t kKeyMemoryKibMax = 1 << 20;  // 1 GiB

class StoreKey {
  public:
    // Any file of 32 bytes to 1 MiB; what matters is that nobody can guess it.
    static Result<StoreKey> from_file(const Path& file);
    // Bytes as they are typed. where: for messages ("the passphrase of MEGACONTEXT_PASSPHRASE").
    static Result<StoreKey> from_passphrase(std::string_view passphrase, std::string where);
    // The first line of a file.
    static Result<StoreKey> from_passphrase_file(const Path& file);

    KeyKind kind() const { return kind_; }

    // "key file memory.key"
    const std::string& name() const { return name_; }

    // A derivation for a new header, with a salt of its own.
    KeyDerivation new_derivation() const;

    // Requires: a derivation of this kind of key, within the bounds above. Cost: of a passphrase a
    // fifth of a second and 64 MiB, as new_derivation() has it; once for each derivation.
    // Errors: kIo when the memory cannot be had.
    Result<Secret> derive(const KeyDerivation& derivation) const;

  private:
    StoreKey(KeyKind kind, std::string name, std::string_view content);

    KeyKind kind_;
    std::string name_;
    Secret content_;  // BLAKE2b of the file or the passphrase
    mutable std::optional<KeyDerivation> derivation_;
    mutable Secret derived_;
};

inline constexpr std::size_t kKeyFileBytes = 32;

// Makes a key file of random bytes, for its owner alone. Errors: kInvalidInput for a path that is
// taken or where no file can be; kOutOfSpace, kIo.
Result<void> make_key_file(const Path& file);

}  // namespace mc::storage

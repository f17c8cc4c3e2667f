// SPDX-License-Identifier: Apache-2.0
// Bytes that nobody reads or changes without the key: XChaCha20-Poly1305 with a random nonce, and
// names that nobody reads without it: keyed BLAKE2b.
//
// A sealed text is 24 bytes of nonce, the text encrypted, and 16 bytes that tell whether any of it
// was changed. What stands at a place is bound to the place by `place`, which is not in the sealed
// text: it opens at that place alone. Value type. Threads: const methods free.
// Errors: open() fails with nullopt, for a changed text and a wrong key or place alike.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "storage/seal/secret.h"

namespace mc::storage {

class Sealer {
  public:
    static constexpr std::size_t kNonceBytes = 24;
    static constexpr std::size_t kTagBytes = 16;
    static constexpr std::size_t kOverheadBytes = kNonceBytes + kTagBytes;

    explicit Sealer(const Secret& key);

    std::vector<std::byte> seal(std::string_view place, std::span<const std::byte> text) const;
    std::optional<std::vector<std::byte>> open(std::string_view place,
                                               std::span<const std::byte> sealed) const;

  private:
    Secret key_;
};

// Equal for equal names, and tells nothing else of them.
using HiddenName = std::array<std::uint8_t, 16>;
HiddenName hide_name(const Secret& key, std::string_view name);

// A secret of its own for each purpose. Pure.
Secret derive_secret(const Secret& from, std::uint64_t purpose);
SecretBytes<64> derive_long_secret(const Secret& from, std::string_view purpose);

}  // namespace mc::storage

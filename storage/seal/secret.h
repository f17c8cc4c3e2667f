// SPDX-License-Identifier: Apache-2.0
// Secret bytes that are wiped from memory when they go. Memory that the system swaps out is not
// kept from the disk (docs/adr/0032-encryption-at-rest.md). Value types. Threads: none shared.
// Errors: none; a system without random bytes ends the process.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace mc::storage {

// Overwrites in a way that no compiler leaves out.
void wipe(std::span<std::uint8_t> bytes);
void fill_with_random(std::span<std::uint8_t> bytes);

template <std::size_t N>
class SecretBytes {
  public:
    SecretBytes() = default;
    SecretBytes(const SecretBytes&) = default;
    SecretBytes& operator=(const SecretBytes&) = default;

    ~SecretBytes() { wipe(bytes_); }

    std::span<std::uint8_t, N> bytes() { return bytes_; }

    std::span<const std::uint8_t, N> bytes() const { return bytes_; }

  private:
    std::array<std::uint8_t, N> bytes_{};
};

using Secret = SecretBytes<32>;

Secret random_secret();

}  // namespace mc::storage

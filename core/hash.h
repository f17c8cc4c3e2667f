// SPDX-License-Identifier: Apache-2.0
// XXH3 hashes (xxHash specification 0.2.0) of byte ranges: checksums and content identity.
// Not cryptographic. Threads: free functions are pure; StreamHash is for one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace mc {

// 128-bit content hash.
struct Hash128 {
    std::uint64_t high = 0;
    std::uint64_t low = 0;

    auto operator<=>(const Hash128&) const = default;
};

std::uint64_t xxh3_64(std::span<const std::byte> bytes);
Hash128 xxh3_128(std::span<const std::byte> bytes);

// 32 lower-case hexadecimal digits, high word first; parse is its inverse (nothing else accepted).
std::string to_hex(Hash128 hash);
std::optional<Hash128> hash_from_hex(std::string_view text);

// Incremental XXH3-128: digest() may be asked for at any time and does not end the stream.
class StreamHash {
  public:
    StreamHash();
    ~StreamHash();
    StreamHash(const StreamHash&) = delete;
    StreamHash& operator=(const StreamHash&) = delete;

    void update(std::span<const std::byte> bytes);
    Hash128 digest() const;

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace mc

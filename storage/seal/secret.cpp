// SPDX-License-Identifier: Apache-2.0
#include "storage/seal/secret.h"

#include <sodium.h>

#include "core/check.h"

namespace mc::storage {

void wipe(std::span<std::uint8_t> bytes) {
    sodium_memzero(bytes.data(), bytes.size());
}

// May be called any number of times, from any thread.
void fill_with_random(std::span<std::uint8_t> bytes) {
    MC_CHECK(sodium_init() >= 0, "libsodium starts on any system that has random bytes");
    randombytes_buf(bytes.data(), bytes.size());
}

Secret random_secret() {
    Secret secret;
    fill_with_random(secret.bytes());
    return secret;
}

}  // namespace mc::storage

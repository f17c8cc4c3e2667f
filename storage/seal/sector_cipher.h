// SPDX-License-Identifier: Apache-2.0
// Encrypts a file that is written anywhere at any time, as a disk is: AES-256-XTS over sectors.
//
// A sector of 512 bytes is encrypted in blocks of 16, each by itself and by its place: what is
// written between two blocks' borders changes no other block, and equal text at another place looks
// different. Nothing tells whether a block was changed. Threads: none shared.
// Errors: none; OpenSSL without AES ends the process.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "storage/seal/secret.h"

namespace mc::storage {

// Two AES-256 keys; of one file.
using SectorKey = SecretBytes<64>;

class SectorCipher {
  public:
    static constexpr std::size_t kSectorBytes = 512;
    static constexpr std::size_t kBlockBytes = 16;

    explicit SectorCipher(const SectorKey& key);
    ~SectorCipher();
    SectorCipher(const SectorCipher&) = delete;
    SectorCipher& operator=(const SectorCipher&) = delete;

    // In place. Requires: bytes begin where the sector does and are whole blocks.
    void encrypt(std::uint64_t first_sector, std::span<std::byte> bytes);
    void decrypt(std::uint64_t first_sector, std::span<std::byte> bytes);

  private:
    struct Contexts;
    std::unique_ptr<Contexts> contexts_;
};

}  // namespace mc::storage

// SPDX-License-Identifier: Apache-2.0
#include "storage/seal/sector_cipher.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "core/check.h"

namespace mc::storage {
namespace {

using Context = std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)>;

constexpr int kKeep = -1;  // of EVP_CipherInit_ex: the direction that was set

Context make_context(const SectorKey& key, bool encrypts) {
    Context context(EVP_CIPHER_CTX_new(), EVP_CIPHER_CTX_free);
    const int made = context == nullptr
                         ? 0
                         : EVP_CipherInit_ex(context.get(), EVP_aes_256_xts(), nullptr,
                                             key.bytes().data(), nullptr, encrypts ? 1 : 0);
    MC_CHECK(made == 1, "OpenSSL has AES-256-XTS");
    return context;
}

void run(EVP_CIPHER_CTX* context, std::uint64_t sector, std::span<std::byte> bytes) {
    MC_CHECK(bytes.size() % SectorCipher::kBlockBytes == 0, "whole blocks");
    while (!bytes.empty()) {
        const auto part = bytes.first(std::min(bytes.size(), SectorCipher::kSectorBytes));
        std::array<unsigned char, 16> place{};
        std::memcpy(place.data(), &sector, sizeof sector);
        auto* const text = reinterpret_cast<unsigned char*>(part.data());
        int count = 0;
        const bool done =
            EVP_CipherInit_ex(context, nullptr, nullptr, nullptr, place.data(), kKeep) == 1 &&
            EVP_CipherUpdate(context, text, &count, text, static_cast<int>(part.size())) == 1;
        MC_CHECK(done && count == static_cast<int>(part.size()), "AES-XTS takes whole blocks");
        bytes = bytes.subspan(part.size());
        ++sector;
    }
}

}  // namespace

struct SectorCipher::Contexts {
    Context encryption;
    Context decryption;
};

SectorCipher::SectorCipher(const SectorKey& key)
    : contexts_(new Contexts{make_context(key, true), make_context(key, false)}) {}

SectorCipher::~SectorCipher() = default;

void SectorCipher::encrypt(std::uint64_t first_sector, std::span<std::byte> bytes) {
    run(contexts_->encryption.get(), first_sector, bytes);
}

void SectorCipher::decrypt(std::uint64_t first_sector, std::span<std::byte> bytes) {
    run(contexts_->decryption.get(), first_sector, bytes);
}

}  // namespace mc::storage

// SPDX-License-Identifier: Apache-2.0
#include "storage/seal/sealer.h"

#include <sodium.h>

#include "core/check.h"

namespace mc::storage {
namespace {

static_assert(Sealer::kNonceBytes == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
static_assert(Sealer::kTagBytes == crypto_aead_xchacha20poly1305_ietf_ABYTES);
static_assert(sizeof(HiddenName) == crypto_generichash_BYTES_MIN);

const unsigned char* unsigned_bytes(std::span<const std::byte> bytes) {
    return reinterpret_cast<const unsigned char*>(bytes.data());
}

const unsigned char* unsigned_bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char*>(text.data());
}

unsigned char* unsigned_bytes(std::vector<std::byte>& bytes, std::size_t at) {
    return reinterpret_cast<unsigned char*>(bytes.data() + at);
}

}  // namespace

Sealer::Sealer(const Secret& key) : key_(key) {
    MC_CHECK(sodium_init() >= 0, "libsodium starts on any system that has random bytes");
}

std::vector<std::byte> Sealer::seal(std::string_view place, std::span<const std::byte> text) const {
    std::vector<std::byte> sealed(text.size() + kOverheadBytes);
    randombytes_buf(sealed.data(), kNonceBytes);
    crypto_aead_xchacha20poly1305_ietf_encrypt(unsigned_bytes(sealed, kNonceBytes), nullptr,
                                               unsigned_bytes(text), text.size(),
                                               unsigned_bytes(place), place.size(), nullptr,
                                               unsigned_bytes(sealed, 0), key_.bytes().data());
    return sealed;
}

std::optional<std::vector<std::byte>> Sealer::open(std::string_view place,
                                                   std::span<const std::byte> sealed) const {
    if (sealed.size() < kOverheadBytes) return std::nullopt;
    std::vector<std::byte> text(sealed.size() - kOverheadBytes);
    const auto rest = sealed.subspan(kNonceBytes);
    const int code = crypto_aead_xchacha20poly1305_ietf_decrypt(
        unsigned_bytes(text, 0), nullptr, nullptr, unsigned_bytes(rest), rest.size(),
        unsigned_bytes(place), place.size(), unsigned_bytes(sealed), key_.bytes().data());
    if (code != 0) return std::nullopt;
    return text;
}

HiddenName hide_name(const Secret& key, std::string_view name) {
    HiddenName hidden{};
    const int code = crypto_generichash(hidden.data(), hidden.size(), unsigned_bytes(name),
                                        name.size(), key.bytes().data(), key.bytes().size());
    MC_CHECK(code == 0, "BLAKE2b takes any bytes");
    return hidden;
}

Secret derive_secret(const Secret& from, std::uint64_t purpose) {
    constexpr const char kContext[crypto_kdf_CONTEXTBYTES + 1] = "mcstore1";
    Secret made;
    const int code = crypto_kdf_derive_from_key(made.bytes().data(), made.bytes().size(), purpose,
                                                kContext, from.bytes().data());
    MC_CHECK(code == 0, "BLAKE2b makes 32 bytes");
    return made;
}

SecretBytes<64> derive_long_secret(const Secret& from, std::string_view purpose) {
    SecretBytes<64> made;
    const int code =
        crypto_generichash(made.bytes().data(), made.bytes().size(), unsigned_bytes(purpose),
                           purpose.size(), from.bytes().data(), from.bytes().size());
    MC_CHECK(code == 0, "BLAKE2b makes 64 bytes");
    return made;
}

}  // namespace mc::storage

// SPDX-License-Identifier: Apache-2.0
#include "serve/http/secrets.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <array>
#include <vector>

#include "core/check.h"

namespace mc::serve {
namespace {

constexpr std::size_t kSecretBytes = 32;

std::string hex_of(const unsigned char* bytes, std::size_t count) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < count; ++i) {
        text += kDigits[bytes[i] >> 4U];
        text += kDigits[bytes[i] & 15U];
    }
    return text;
}

}  // namespace

Result<std::string> random_secret() {
    std::array<unsigned char, kSecretBytes> bytes{};
    if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1)
        return fail(ErrorCode::kIo, "the system gives no random bytes");
    return "mc_" + hex_of(bytes.data(), bytes.size());
}

std::string sha256_bytes(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    const int done =
        EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
    MC_CHECK(done == 1, "SHA-256 takes any bytes");
    return {digest.begin(), digest.begin() + size};
}

std::string sha256_hex(std::string_view text) {
    const std::string digest = sha256_bytes(text);
    const std::vector<unsigned char> bytes(digest.begin(), digest.end());
    return hex_of(bytes.data(), bytes.size());
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace mc::serve

// SPDX-License-Identifier: Apache-2.0
#include "storage/seal/key_header.h"

#include <bit>
#include <cstring>

#include "core/hash.h"
#include "storage/seal/sealer.h"

namespace mc::storage {
namespace {

static_assert(std::endian::native == std::endian::little, "headers are little-endian");

constexpr std::string_view kMagic = "MCSEAL\r\n";
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kWrappedBytes = sizeof(Secret) + Sealer::kOverheadBytes;

struct Header {
    char magic[8];
    std::uint32_t version;
    std::uint32_t kind;
    std::uint32_t passes;
    std::uint32_t memory_kib;
    std::array<std::uint8_t, 16> salt;
    std::array<std::byte, kWrappedBytes> wrapped;
    std::uint64_t checksum;  // of all before: tells damage from a wrong key
};

static_assert(sizeof(Header) == kKeyHeaderBytes, "as it lies in the file");
constexpr std::size_t kInClearBytes = offsetof(Header, wrapped);

std::uint64_t checksum_of(const Header& header) {
    return xxh3_64(std::as_bytes(std::span(&header, 1)).first(offsetof(Header, checksum)));
}

// What the wrapped key is bound to.
std::string_view clear_part(const Header& header) {
    return {reinterpret_cast<const char*>(&header), kInClearBytes};
}

KeyDerivation derivation_of(const Header& header) {
    return {static_cast<KeyKind>(header.kind), header.passes, header.memory_kib, header.salt};
}

bool is_possible(const Header& header) {
    if (header.kind == static_cast<std::uint32_t>(KeyKind::kFile))
        return header.passes == 0 && header.memory_kib == 0;
    return header.kind == static_cast<std::uint32_t>(KeyKind::kPassphrase) && header.passes >= 1 &&
           header.passes <= kKeyPassesMax && header.memory_kib >= kKeyMemoryKibMin &&
           header.memory_kib <= kKeyMemoryKibMax;
}

Result<Header> parse(std::span<const std::byte> bytes, const std::string& what) {
    Header header{};
    if (bytes.size() == sizeof header) std::memcpy(&header, bytes.data(), sizeof header);
    const bool is_ours = std::string_view(header.magic, sizeof header.magic) == kMagic &&
                         header.checksum == checksum_of(header);
    if (is_ours && header.version > kVersion)
        return fail(ErrorCode::kFormatVersion,
                    what + " is encrypted in a way of version " + std::to_string(header.version) +
                        "; this program knows version " + std::to_string(kVersion));
    if (!is_ours || header.version == 0 || !is_possible(header))
        return fail(ErrorCode::kCorruption,
                    what + ": the header that holds its key is damaged; restore a copy");
    return header;
}

std::string flags_for(KeyKind kind) {
    return kind == KeyKind::kFile
               ? "--key-file FILE or MEGACONTEXT_KEY_FILE"
               : "--passphrase-file FILE (- asks), MEGACONTEXT_PASSPHRASE_FILE or "
                 "MEGACONTEXT_PASSPHRASE";
}

std::string noun_of(KeyKind kind) {
    return kind == KeyKind::kFile ? "a key file" : "a passphrase";
}

}  // namespace

Result<std::string> wrap_data_key(const Secret& data_key, const StoreKey& key) {
    const KeyDerivation derivation = key.new_derivation();
    MC_ASSIGN(const Secret secret, key.derive(derivation));
    Header header{};
    std::memcpy(header.magic, kMagic.data(), sizeof header.magic);
    header.version = kVersion;
    header.kind = static_cast<std::uint32_t>(derivation.kind);
    header.passes = derivation.passes;
    header.memory_kib = derivation.memory_kib;
    header.salt = derivation.salt;
    const auto wrapped =
        Sealer(secret).seal(clear_part(header), std::as_bytes(std::span(data_key.bytes())));
    std::memcpy(header.wrapped.data(), wrapped.data(), sizeof header.wrapped);
    header.checksum = checksum_of(header);
    return std::string(reinterpret_cast<const char*>(&header), sizeof header);
}

Result<Secret> unwrap_data_key(std::span<const std::byte> bytes, const StoreKey* key,
                               const std::string& what) {
    MC_ASSIGN(const Header header, parse(bytes, what));
    const auto kind = static_cast<KeyKind>(header.kind);
    if (key == nullptr)
        return fail(ErrorCode::kKey,
                    what + " is encrypted with " + noun_of(kind) + ": give " + flags_for(kind));
    if (key->kind() != kind)
        return fail(ErrorCode::kKey, what + " is encrypted with " + noun_of(kind) + ", and " +
                                         key->name() + " was given: give " + flags_for(kind));
    MC_ASSIGN(const Secret secret, key->derive(derivation_of(header)));
    const auto opened = Sealer(secret).open(clear_part(header), header.wrapped);
    if (!opened)
        return fail(ErrorCode::kKey, "the key does not open " + what + ": " + key->name() +
                                         " is not what it was encrypted with");
    Secret data_key;
    std::memcpy(data_key.bytes().data(), opened->data(), data_key.bytes().size());
    return data_key;
}

Result<KeyKind> key_kind_of(std::span<const std::byte> bytes, const std::string& what) {
    return parse(bytes, what).map([](const Header& header) {
        return static_cast<KeyKind>(header.kind);
    });
}

Error not_encrypted(const std::string& what, const StoreKey& key) {
    return Error(ErrorCode::kKey, what + " is not encrypted, and " + key.name() +
                                      " was given: leave it out, or make an encrypted copy with "
                                      "`megacontext backup --encrypt DEST`");
}

}  // namespace mc::storage

// SPDX-License-Identifier: Apache-2.0
#include "storage/seal/store_key.h"

#include <fcntl.h>
#include <sodium.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "core/check.h"
#include "core/descriptor.h"
#include "core/sync_folder.h"

namespace mc::storage {
namespace {

constexpr std::uint64_t kFileBytesMax = 1 << 20;

// RFC 9106's second recommended option; libsodium has one lane.
constexpr std::uint32_t kPasses = 3;
constexpr std::uint32_t kMemoryKib = 64 * 1024;

void wipe_text(std::string& text) {
    sodium_memzero(text.data(), text.size());
}

}  // namespace

// What a key file holds and what somebody types never give the same secret.
StoreKey::StoreKey(KeyKind kind, std::string name, std::string_view content)
    : kind_(kind), name_(std::move(name)) {
    MC_CHECK(sodium_init() >= 0, "libsodium starts on any system that has random bytes");
    const auto domain = static_cast<unsigned char>(kind);
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, content_.bytes().size());
    crypto_generichash_update(&state, &domain, sizeof domain);
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(content.data()),
                              content.size());
    crypto_generichash_final(&state, content_.bytes().data(), content_.bytes().size());
    sodium_memzero(&state, sizeof state);
}

Result<StoreKey> StoreKey::from_file(const Path& file) {
    MC_ASSIGN(std::string content, read_file(file, kFileBytesMax));
    if (content.size() < kKeyFileBytes)
        return fail(ErrorCode::kInvalidInput,
                    "key file " + file.string() + " has " + std::to_string(content.size()) +
                        " bytes; a key has at least " + std::to_string(kKeyFileBytes) +
                        ": make one with `megacontext key new FILE`, or give words as a "
                        "passphrase (--passphrase-file)");
    StoreKey key(KeyKind::kFile, "key file " + file.string(), content);
    wipe_text(content);
    return key;
}

Result<StoreKey> StoreKey::from_passphrase(std::string_view passphrase, std::string where) {
    if (passphrase.empty()) return fail(ErrorCode::kInvalidInput, where + " is empty");
    return StoreKey(KeyKind::kPassphrase, std::move(where), passphrase);
}

Result<StoreKey> StoreKey::from_passphrase_file(const Path& file) {
    MC_ASSIGN(std::string content, read_file(file, kFileBytesMax));
    std::string_view line = std::string_view(content).substr(0, content.find('\n'));
    if (line.ends_with('\r')) line.remove_suffix(1);
    auto key = from_passphrase(line, "the passphrase in " + file.string());
    wipe_text(content);
    return key;
}

KeyDerivation StoreKey::new_derivation() const {
    KeyDerivation derivation;
    derivation.kind = kind_;
    if (kind_ == KeyKind::kPassphrase) {
        derivation.passes = kPasses;
        derivation.memory_kib = kMemoryKib;
    }
    fill_with_random(derivation.salt);
    return derivation;
}

Result<Secret> StoreKey::derive(const KeyDerivation& derivation) const {
    MC_CHECK(derivation.kind == kind_, "a derivation of this kind of key");
    static_assert(sizeof derivation.salt == crypto_pwhash_argon2id_SALTBYTES);
    if (derivation_ == derivation) return derived_;
    Secret made;
    const auto content = content_.bytes();
    if (kind_ == KeyKind::kFile) {
        crypto_generichash(made.bytes().data(), made.bytes().size(), derivation.salt.data(),
                           derivation.salt.size(), content.data(), content.size());
    } else if (crypto_pwhash_argon2id(made.bytes().data(), made.bytes().size(),
                                      reinterpret_cast<const char*>(content.data()), content.size(),
                                      derivation.salt.data(), derivation.passes,
                                      std::size_t{derivation.memory_kib} * 1024,
                                      crypto_pwhash_argon2id_ALG_ARGON2ID13) != 0) {
        return fail(ErrorCode::kIo, "no memory for the key: deriving it from a passphrase takes " +
                                        std::to_string(derivation.memory_kib / 1024) + " MiB");
    }
    derivation_ = derivation;
    derived_ = made;
    return made;
}

Result<void> make_key_file(const Path& file) {
    const Descriptor made(
        ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (made.get() < 0 && errno == EEXIST)
        return fail(ErrorCode::kInvalidInput,
                    file.string() +
                        " exists already, and a key that is written over opens "
                        "nothing any more: name another file");
    if (made.get() < 0) return fail(system_error(errno, "cannot create", file));
    const Secret secret = random_secret();
    const auto written = ::write(made.get(), secret.bytes().data(), secret.bytes().size());
    if (written != static_cast<ssize_t>(secret.bytes().size()) || ::fsync(made.get()) != 0) {
        const int code = written >= 0 && errno == 0 ? ENOSPC : errno;
        ::unlink(file.c_str());
        return fail(system_error(code, "cannot write", file));
    }
    return sync_folder(file.has_parent_path() ? file.parent_path() : Path("."));
}

}  // namespace mc::storage

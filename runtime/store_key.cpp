// SPDX-License-Identifier: Apache-2.0
#include "runtime/store_key.h"

#include <system_error>

namespace mc::runtime {
namespace {

template <class T>
Result<std::optional<storage::StoreKey>> some(T made) {
    if (!made) return fail(std::move(made.error()));
    return std::optional(std::move(*made));
}

}  // namespace

bool store_exists(const Path& directory) {
    std::error_code ignored;
    return std::filesystem::exists(directory / "data.mdb", ignored);
}

bool has_key(const Config& config) {
    return !config.key_file.empty() || !config.passphrase_file.empty() ||
           !config.passphrase.empty();
}

Result<std::optional<storage::StoreKey>> store_key_of(const Config& config) {
    using storage::StoreKey;
    if (!config.key_file.empty()) return some(StoreKey::from_file(config.key_file));
    if (config.passphrase_file == "-")
        return fail(ErrorCode::kUsage,
                    "passphrase_file: - asks on the command line alone; name a file");
    if (!config.passphrase_file.empty())
        return some(StoreKey::from_passphrase_file(config.passphrase_file));
    if (!config.passphrase.empty())
        return some(StoreKey::from_passphrase(config.passphrase, "the passphrase"));
    return std::optional<StoreKey>();
}

Result<std::unique_ptr<storage::Store>> store_for_its_seal(const Config& config,
                                                           const Clock& clock) {
    MC_ASSIGN(const auto key, store_key_of(config));
    if (!store_exists(config.store) && !key) return std::unique_ptr<storage::Store>();
    storage::StoreOptions options;
    options.directory = config.store;
    options.clock = &clock;
    options.key = pointer_to(key);
    return storage::Store::open(options);
}

std::optional<std::string> wants_passphrase(const Config& config) {
    if (has_key(config) || !store_exists(config.store)) return std::nullopt;
    const auto kind = storage::Store::key_kind(config.store);
    if (!kind || *kind != storage::KeyKind::kPassphrase) return std::nullopt;
    return config.store.string();
}

}  // namespace mc::runtime

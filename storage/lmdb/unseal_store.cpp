// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/unseal_store.h"

namespace mc::storage {
namespace {

Result<void> put_key_header(LmdbEnv& env, const std::string& header) {
    return env.write([&](WriteTransaction& txn) {
        return txn.put(Database::kMeta, kSealKey, std::as_bytes(std::span(header)));
    });
}

}  // namespace

Result<std::optional<std::string>> read_key_header(const LmdbEnv& env) {
    std::optional<std::string> header;
    MC_TRY(env.read([&](const ReadTransaction& txn) -> Result<void> {
        MC_ASSIGN(const auto value, txn.find(Database::kMeta, kSealKey));
        if (value)
            header.emplace(reinterpret_cast<const char*>(value->bytes().data()),
                           value->bytes().size());
        return {};
    }));
    return header;
}

Result<std::unique_ptr<StoreSeal>> seal_new_store(LmdbEnv& env, const StoreKey& key) {
    const Secret data_key = random_secret();
    MC_ASSIGN(const std::string header, wrap_data_key(data_key, key));
    MC_TRY(put_key_header(env, header));
    auto seal = std::make_unique<StoreSeal>(data_key);
    env.use_seal(seal.get());
    return seal;
}

Result<std::unique_ptr<StoreSeal>> unseal_store(LmdbEnv& env, const StoreKey* key) {
    const std::string what = "store " + env.directory().string();
    MC_ASSIGN(const auto header, read_key_header(env));
    if (!header && key != nullptr) return fail(not_encrypted(what, *key));
    if (!header) return std::unique_ptr<StoreSeal>();
    MC_ASSIGN(const Secret data_key, unwrap_data_key(std::as_bytes(std::span(*header)), key, what));
    auto seal = std::make_unique<StoreSeal>(data_key);
    env.use_seal(seal.get());
    return seal;
}

Result<void> change_store_key(LmdbEnv& env, const StoreSeal& seal, const StoreKey& key) {
    MC_ASSIGN(const std::string header, wrap_data_key(seal.data_key(), key));
    return put_key_header(env, header);
}

}  // namespace mc::storage

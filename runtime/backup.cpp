// SPDX-License-Identifier: Apache-2.0
#include "runtime/backup.h"

#include "runtime/store_key.h"
#include "storage/backup.h"

namespace mc::runtime {

Result<void> back_up(const Config& config, const Path& destination, CopyKind kind,
                     telemetry::Metrics& metrics,
                     const std::function<Result<void>(Engine& copy)>& check) {
    Config of_copy = config;
    if (kind == CopyKind::kNotEncrypted) {
        of_copy.key_file.clear();
        of_copy.passphrase_file.clear();
        of_copy.passphrase.clear();
    }
    const auto check_copy = [&](const Path& folder) -> Result<void> {
        of_copy.store = folder;
        MC_ASSIGN(const auto copy, Engine::open(of_copy, Need::kStore, Access::kRead, metrics));
        return check(*copy);
    };
    if (kind == CopyKind::kAsItIs)
        return storage::back_up_store(config.store, destination, check_copy);
    MC_ASSIGN(const auto key, store_key_of(config));
    if (!key)
        return fail(ErrorCode::kUsage,
                    "give the key that the copy is encrypted with, or that opens the store: "
                    "--key-file or --passphrase-file");
    storage::Recoding keys;
    (kind == CopyKind::kEncrypted ? keys.to : keys.from) = &*key;
    return storage::back_up_recoded(config.store, destination, keys, check_copy);
}

}  // namespace mc::runtime

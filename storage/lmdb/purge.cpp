// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/purge.h"

#include <memory>

#include "storage/lmdb/create_store.h"
#include "storage/lmdb/sole_use.h"

namespace mc::storage {
Result<void> purge_data_file(StoreParts& parts) {
    MC_TRY(parts.require_writable());
    std::unique_ptr<SoleUse> sole_use;
    const Result<void> written =
        with_draft(parts.directory, [&](const Path& draft) -> Result<void> {
            MC_TRY(parts.env->copy_compacted(draft));
            parts.env.reset();
            MC_ASSIGN(sole_use, SoleUse::take(parts.directory));
            return {};
        });
    sole_use.reset();
    if (!parts.env) {
        MC_ASSIGN(parts.env, LmdbEnv::open(parts.directory, EnvMode::kWrite, kMapBytesInitial));
        parts.env->use_seal(parts.seal.get());
    }
    return written;
}

}  // namespace mc::storage

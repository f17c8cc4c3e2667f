// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/purge.h"

#include "storage/lmdb/create_store.h"

namespace mc::storage {
namespace {

// As large as what it replaces at most; the map grows by itself.
constexpr std::uint64_t kMapBytesInitial = 1ULL << 28;

}  // namespace

Result<void> purge_data_file(StoreParts& parts) {
    MC_TRY(parts.require_writable());
    MC_ASSIGN(const bool read_elsewhere, parts.env->has_other_readers());
    if (read_elsewhere)
        return fail(ErrorCode::kLocked, "another process has the store at " +
                                            parts.directory.string() +
                                            " open and would go on reading what is purged: close "
                                            "it and purge again");
    MC_TRY(with_draft(parts.directory,
                      [&](const Path& draft) { return parts.env->copy_compacted(draft); }));
    parts.env.reset();
    MC_ASSIGN(parts.env, LmdbEnv::open(parts.directory, EnvMode::kWrite, kMapBytesInitial));
    parts.env->use_seal(parts.seal.get());
    return {};
}

}  // namespace mc::storage

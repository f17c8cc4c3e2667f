// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/create_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string_view>
#include <system_error>

#include "core/check.h"
#include "core/span_math.h"
#include "core/sync_folder.h"
#include "storage/lmdb/store_parts.h"
#include "storage/lmdb/unseal_store.h"

namespace mc::storage {
namespace {

namespace fs = std::filesystem;

constexpr mode_t kFolderMode = 0700;  // memories are their owner's

// What may lie in a store's folder before there is a store: a draft that was killed, and who may
// come in once a server runs.
constexpr std::string_view kBeforeAStore[] = {"new", "writer.lock", "keys.json"};

Result<StoreMeta> meta_of(const StoreOptions& options) {
    StoreMeta meta;
    meta.block_size = kBlockSize;
    meta.identity = *options.identity;
    meta.codec = options.codec_at_creation;
    const EncoderInfo& encoder = meta.identity.encoder;
    MC_ASSIGN(const auto coder, GistCoder::make(meta.codec, encoder.shape, options.codebook));
    meta.gist_bytes = coder->gist_bytes();
    if (meta.codec == GistCodec::kPq) {
        if (options.codebook->encoder_hash != encoder.hash)
            return fail(ErrorCode::kModelMismatch,
                        "the codebook was trained on gists of encoder " +
                            options.codebook->encoder_name + " (" +
                            to_hex(options.codebook->encoder_hash) + "), not of " + encoder.name +
                            " (" + to_hex(encoder.hash) +
                            "): train one with `megacontext train codec`, or choose another codec");
        meta.codebook_hash = options.codebook->hash;
    }
    meta.created_us = options.clock->now_us();
    return meta;
}

Result<void> write_first_records(const Path& draft, const StoreOptions& options) {
    MC_ASSIGN(StoreMeta meta, meta_of(options));
    std::unique_ptr<StoreSeal> seal;
    MC_ASSIGN(const auto env, LmdbEnv::open(draft, EnvMode::kCreate, options.map_bytes_initial));
    if (options.key != nullptr) {
        MC_ASSIGN(seal, seal_new_store(*env, *options.key));
        meta.format_version = kSealedFormatVersion;
    }
    return env->write([&](WriteTransaction& txn) -> Result<void> {
        MC_TRY(put_record(txn, Database::kMeta, kMetaKey, encode_meta, meta));
        return put_record(txn, Database::kMeta, kCountersKey, encode_counters, Counters{});
    });
}

}  // namespace

Result<void> make_private_folder(const Path& folder) {
    if (::mkdir(folder.c_str(), kFolderMode) == 0) return {};
    int code = errno;
    std::error_code ignored;
    if (code == EEXIST && fs::is_directory(folder, ignored)) return {};
    if (code == EEXIST) code = ENOTDIR;
    return fail(system_error(code, "cannot create", folder));
}

Result<void> prepare_store_directory(const Path& directory) {
    std::error_code error;
    const Path folder = directory.has_filename() ? directory : directory.parent_path();
    if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), error);
    if (error) return fail(system_error(error.value(), "cannot create store", directory));
    MC_TRY(make_private_folder(folder));
    fs::directory_iterator entry(directory, error);
    for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
        const std::string name = entry->path().filename();
        if (name == "data.mdb") return {};  // another process was quicker
        if (std::ranges::find(kBeforeAStore, name) == std::end(kBeforeAStore))
            return fail(ErrorCode::kInvalidInput,
                        directory.string() + " is not empty and holds no store; name another one");
    }
    if (error) return fail(system_error(error.value(), "cannot list", directory));
    return {};
}

Result<void> with_draft(const Path& directory,
                        const std::function<Result<void>(const Path& draft)>& write) {
    const Path draft = directory / "new";
    std::error_code error;
    fs::remove_all(draft, error);
    if (error) return fail(system_error(error.value(), "cannot make", draft));
    MC_TRY(make_private_folder(draft));
    const Result<void> written = write(draft);
    if (written) fs::rename(draft / "data.mdb", directory / "data.mdb", error);
    std::error_code ignored;
    fs::remove_all(draft, ignored);
    if (!written) return written;
    if (error) return fail(system_error(error.value(), "cannot move data.mdb into", directory));
    return sync_folder(directory);
}

Result<void> create_store(const StoreOptions& options) {
    MC_CHECK(options.identity.has_value(), "a store is made for known models");
    return with_draft(options.directory,
                      [&](const Path& draft) { return write_first_records(draft, options); });
}

}  // namespace mc::storage

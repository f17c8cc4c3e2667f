// SPDX-License-Identifier: Apache-2.0
#include "runtime/foreign_gists.h"

#include "runtime/store_key.h"
#include "storage/codec/codebook_file.h"
#include "storage/portable/import_document.h"

namespace mc::runtime {
namespace {

std::string described(const storage::StoreMeta& meta) {
    return meta.identity.encoder.name + " as " + std::string(storage::codec_name(meta.codec));
}

}  // namespace

Result<std::optional<storage::StoreMeta>> existing_store(const Config& config, const Clock& clock) {
    if (!store_exists(config.store)) return std::optional<storage::StoreMeta>();
    storage::StoreOptions options;
    options.directory = config.store;
    options.clock = &clock;
    MC_ASSIGN(const auto key, store_key_of(config));
    options.key = pointer_to(key);
    MC_ASSIGN(const auto store, storage::Store::open(options));
    return std::optional<storage::StoreMeta>(store->meta());
}

Result<std::string> why_not_their_gists(const Config& config, const storage::StoreMeta& theirs,
                                        const std::optional<storage::StoreMeta>& existing) {
    if (existing && storage::takes_gists_of(*existing, theirs)) return std::string();
    if (existing)
        return "its gists are of " + described(theirs) + ", the store's are of " +
               described(*existing) + ", or of other weights";
    if (!theirs.codebook_hash) return std::string();
    MC_ASSIGN(const auto codebook, load_codebook(config.codebook));
    if (codebook.hash == *theirs.codebook_hash) return std::string();
    return "its gists are coded with codebook " + to_hex(*theirs.codebook_hash) +
           ", which is not the one in use";
}

Result<void> make_store_for(const Config& config, const storage::StoreMeta& theirs,
                            const Clock& clock) {
    storage::StoreOptions options;
    options.directory = config.store;
    options.mode = storage::StoreMode::kWriteOrCreate;
    options.identity = theirs.identity;
    options.codec_at_creation = theirs.codec;
    options.clock = &clock;
    MC_ASSIGN(const auto key, store_key_of(config));
    options.key = pointer_to(key);
    std::optional<storage::GistCodebook> codebook;
    if (theirs.codebook_hash) {
        MC_ASSIGN(codebook, load_codebook(config.codebook));
        options.codebook = &*codebook;
    }
    return storage::Store::open(options).map([](const auto&) {});
}

}  // namespace mc::runtime

// SPDX-License-Identifier: Apache-2.0
// One store: a directory that holds banks of documents, their gists and the indexes over them.
//
// It knows tokens, gists and records; it does not know text, models or what a question is. LMDB
// holds the truth; the indexes are caches that can be deleted (docs/storage-format.md).
// One process writes a store at a time (kLocked names it); any number of processes read meanwhile.
// Ownership: a Store outlives the NodeStores and indexes that it hands out. Requires: at most one
// open Store per directory in a process. Threads: const methods from any thread, the rest from the
// one engine thread.
// Errors: kInvalidInput (no such store, bank or bad name; writing when opened for reading),
// kFormatVersion, kKey, kModelMismatch (the codebook too), kLocked, kCorruption naming store,
// database and key, kOutOfSpace with the last commit intact, kIo.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "storage/lmdb/macro_record.h"
#include "storage/lmdb/store_types.h"
#include "storage/seal/store_key.h"
#include "storage/seal/store_seal.h"
#include "tree/node_store.h"
#include "tree/passage_index.h"
#include "tree/text_embedder.h"

namespace mc::storage {

enum class IndexOpening {
    kUse,      // what is on disk (kStaleIndex when it cannot be used), or empty with watermark 0
    kRebuild,  // deletes what is on disk; empty with watermark 0
};

// What a store's disk space is for.
struct StorePart {
    std::string name;
    std::uint64_t bytes = 0;
};

struct StoreParts;  // storage/lmdb/store_parts.h

class Store {
  public:
    // Cost: reads the directory pages of the database (about 70 bytes per 1,024 tokens) to refuse
    // damage before any page is trusted.
    static Result<std::unique_ptr<Store>> open(const StoreOptions& options);
    ~Store();
    Store(const Store&) = delete;
    Store& operator=(const Store&) = delete;

    const Path& directory() const;
    bool writable() const;
    const StoreMeta& meta() const;
    // Of an encrypted store, what it is encrypted with; null of any other.
    const StoreSeal* seal() const;

    // What opens the store at a folder; nullopt: it is not encrypted. Errors: those of opening it.
    static Result<std::optional<KeyKind>> key_kind(const Path& directory);

    // From now on another key opens the store, and the one before does not; nothing is encrypted
    // anew but the key. Errors: kKey for a store that is not encrypted; as purge(), after which
    // the new key holds and a trace of the old one may be in the file. Requires, cost: as purge().
    Result<void> change_key(const StoreKey& key);

    // In order of name.
    Result<std::vector<BankRecord>> list_banks() const;
    Result<std::optional<BankRecord>> find_bank(std::string_view name) const;
    // Errors: kInvalidInput for a taken name, or one that is not 1 to 64 of A-Z a-z 0-9 . _ -
    Result<BankRecord> create_bank(std::string_view name);

    // Macros of a bank, in order of name. An unknown bank is kInvalidInput, as below.
    Result<std::vector<MacroRecord>> list_macros(std::string_view bank) const;
    // Errors: kInvalidInput for a name that no macro of the bank has.
    Result<MacroRecord> read_macro(std::string_view bank, std::string_view name) const;
    // kInvalidInput for one that is not 1 to 64 of A-Z a-z 0-9 . _ -
    static Result<void> check_macro_name(std::string_view name);
    // Both in one transaction. Errors: those of the name; kInvalidInput for one that is taken, or
    // that no macro has.
    Result<void> add_macro(std::string_view bank, const MacroRecord& macro);
    Result<void> remove_macro(std::string_view bank, std::string_view name);

    // For these two, an unknown bank is kInvalidInput naming it and some that exist.
    Result<std::unique_ptr<NodeStore>> bank_store(std::string_view bank);
    // The index of a bank's passages, with the vectors of an embedder; dim 0: words alone. In a
    // store opened for reading, kRebuild is an empty index in memory, and an index that is not
    // there yet too: damage to a cache stops no reader.
    Result<std::unique_ptr<PassageIndex>> open_passage_index(
        std::string_view bank, const TextEmbedderInfo& embedder,
        IndexOpening opening = IndexOpening::kUse);

    // Leaves nothing in data.mdb of what was forgotten (storage/lmdb/purge.h); indexes purge
    // themselves. Requires: no other thread uses the store, its NodeStores or its indexes
    // meanwhile. Errors: kLocked while another process has the store open. Cost: writes all that is
    // stored.
    Result<void> purge();

    // Disk blocks in use by every file of the store.
    Result<std::uint64_t> size_on_disk_bytes() const;
    Result<std::vector<DatabaseStatistics>> database_statistics() const;
    // The same space by what it holds, over all banks: text, documents (their records, originals
    // and macros), gists, statistics, vectors, words, and other: what remains, free pages above
    // all. Cost: looks at every page of the indexes.
    Result<std::vector<StorePart>> part_sizes() const;

    // Reads every record, checks its checksum and its rules, and calls on_fault for each that
    // fails. What gists must say of the text is the tree layer's law, not checked here.
    Result<VerifySummary> verify_records(
        const std::function<void(const RecordFault&)>& on_fault) const;

  private:
    static constexpr const char* kPassageIndexFile = "passages.sqlite";

    explicit Store(std::unique_ptr<StoreParts> parts);
    Result<BankRecord> require_bank(std::string_view name) const;
    Result<Path> index_path(const BankRecord& bank, const char* file) const;
    std::optional<IndexKeys> index_keys(const BankRecord& bank) const;
    Result<void> check_watermark(const BankRecord& bank, CommitNumber watermark) const;

    std::unique_ptr<StoreParts> parts_;
};

}  // namespace mc::storage

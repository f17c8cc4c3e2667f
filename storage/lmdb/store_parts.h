// SPDX-License-Identifier: Apache-2.0
// What a Store owns and its banks' node stores borrow, and the typed reading of its records.
// Threads: as Store. Errors: kCorruption naming the record that cannot be read.
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "core/clock.h"
#include "storage/codec/gist_coder.h"
#include "storage/lmdb/lmdb_env.h"
#include "storage/lmdb/record_codec.h"
#include "storage/lmdb/store_types.h"
#include "storage/lmdb/writer_lock.h"

namespace mc::storage {

struct StoreParts {
    Path directory;
    const Clock* clock = nullptr;
    StoreMeta meta;
    std::unique_ptr<GistCoder> coder;  // null: pq, and its codebook was not given
    std::unique_ptr<StoreSeal> seal;   // null: not encrypted
    std::unique_ptr<WriterLock> lock;  // null when opened for reading
    std::unique_ptr<LmdbEnv> env;      // closed before the lock is given up

    bool writable() const { return lock != nullptr; }

    // kInvalidInput when the store was opened for reading.
    Result<void> require_writable() const;

    // kModelMismatch when gists cannot be read or written for want of the codebook.
    Result<const GistCoder*> require_coder() const;
};

// The record under a key, through one of record_codec.h's decoders.
template <class Decode, class... Extra>
auto find_record(const ReadTransaction& txn, Database database, std::string_view key, Decode decode,
                 const Extra&... extra) {
    using T = typename decltype(decode(RecordPlace{}, RecordBytes{}, extra...))::value_type;
    using Found = Result<std::optional<T>>;
    auto value = txn.find(database, key);
    if (!value) return Found(fail(std::move(value.error())));
    if (!*value) return Found(std::optional<T>());
    auto decoded = decode(RecordPlace{database, key}, (*value)->bytes(), extra...);
    if (!decoded)
        return Found(fail(corrupt_record(txn.directory(), database, key, decoded.error())));
    return Found(std::optional<T>(std::move(*decoded)));
}

// As find_record, for a record whose absence breaks a rule.
template <class Decode, class... Extra>
auto require_record(const ReadTransaction& txn, Database database, std::string_view key,
                    Decode decode, const Extra&... extra) {
    auto found = find_record(txn, database, key, decode, extra...);
    using T = typename std::remove_reference_t<decltype(*found)>::value_type;
    if (!found) return Result<T>(fail(std::move(found.error())));
    if (!*found)
        return Result<T>(fail(corrupt_record(txn.directory(), database, key, "record missing")));
    return Result<T>(std::move(**found));
}

// Encodes for the place and puts there.
template <class Encode, class T>
Result<void> put_record(WriteTransaction& txn, Database database, std::string_view key,
                        Encode encode, const T& content) {
    const RecordWords words = encode(RecordPlace{database, key}, content);
    return txn.put(database, key, std::as_bytes(std::span(words)));
}

// Erases every record whose key begins with a prefix. Requires: keys without names.
Result<void> erase_prefix(WriteTransaction& txn, Database database, const std::string& prefix);

}  // namespace mc::storage

// SPDX-License-Identifier: Apache-2.0
#include <lmdb.h>

#include <cstdint>
#include <cstring>

#include "core/check.h"
#include "storage/lmdb/lmdb_env.h"
#include "storage/lmdb/record_seal.h"

namespace mc::storage {
namespace {

constexpr std::size_t kValuePageHeaderBytes = 16;
constexpr std::size_t kPageFlagsOffset = 10;
constexpr std::size_t kPageCountOffset = 12;

MDB_val to_val(std::string_view key) {
    return {key.size(), const_cast<char*>(key.data())};  // NOLINT: LMDB only reads keys
}

std::string_view to_text(const MDB_val& val) {
    return {static_cast<const char*>(val.mv_data), val.mv_size};
}

ByteView to_bytes(const MDB_val& val) {
    return {static_cast<const std::byte*>(val.mv_data), val.mv_size};
}

class Cursor {
  public:
    ~Cursor() {
        if (cursor_ != nullptr) mdb_cursor_close(cursor_);
    }

    Cursor() = default;
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;

    int open(MDB_txn* txn, MDB_dbi handle) { return mdb_cursor_open(txn, handle, &cursor_); }

    int get(MDB_val& key, MDB_val& value, MDB_cursor_op op) {
        return mdb_cursor_get(cursor_, &key, &value, op);
    }

  private:
    MDB_cursor* cursor_ = nullptr;
};

}  // namespace

std::string describe_record(const Path& directory, Database database, std::string_view key) {
    return "store " + directory.string() + ", database " + std::string(database_name(database)) +
           ", " + describe_key(database, key);
}

Error corrupt_record(const Path& directory, Database database, std::string_view key,
                     const std::string& what) {
    return Error(ErrorCode::kCorruption, describe_record(directory, database, key) + ": " + what +
                                             "; run `megacontext verify` on this store");
}

const Path& ReadTransaction::directory() const {
    return env_.directory();
}

Error ReadTransaction::error_of(int code, Database database, std::string_view key) const {
    return env_.error_of(code, describe_record(directory(), database, key));
}

Result<std::optional<RecordValue>> ReadTransaction::find(Database database,
                                                         std::string_view key) const {
    using Found = std::optional<RecordValue>;
    const StoreSeal* const seal = env_.seal_;
    if (seal == nullptr) {
        MC_ASSIGN(const auto value, find_stored(database, key));
        return value ? Found(RecordValue(*value)) : Found();
    }
    const std::string stored = stored_key(*seal, database, key);
    MC_ASSIGN(const auto sealed, find_stored(database, stored));
    if (!sealed) return Found();
    auto record = open_record(*seal, database, stored, *sealed);
    if (!record || record->key != key)
        return fail(corrupt_record(directory(), database, key,
                                   "its seal is broken: it was changed, or moved here"));
    record->content.erase(
        record->content.begin(),
        record->content.begin() + static_cast<std::ptrdiff_t>(record->value_begin));
    return Found(RecordValue(std::move(record->content)));
}

Result<std::optional<ByteView>> ReadTransaction::find_stored(Database database,
                                                             std::string_view key) const {
    MDB_val wanted = to_val(key);
    MDB_val value{};
    const int code =
        mdb_get(txn_, env_.handles_[static_cast<std::size_t>(database)], &wanted, &value);
    if (code == MDB_NOTFOUND) return std::optional<ByteView>();
    if (code != 0) return fail(error_of(code, database, key));
    return std::optional<ByteView>(to_bytes(value));
}

Result<void> ReadTransaction::scan(Database database, std::string_view first,
                                   const Visit& visit) const {
    const StoreSeal* const seal = env_.seal_;
    if (seal == nullptr) return scan_stored(database, first, visit);
    MC_CHECK(!holds_name(database, first), "names lie in no order in an encrypted store");
    return scan_stored(database, first,
                       [&](std::string_view stored, ByteView sealed) -> Result<bool> {
                           const auto record = open_record(*seal, database, stored, sealed);
                           return record ? visit(record->key, record->value()) : visit(stored, {});
                       });
}

Result<void> ReadTransaction::scan_stored(Database database, std::string_view first,
                                          const Visit& visit) const {
    Cursor cursor;
    MDB_val key = to_val(first);
    MDB_val value{};
    int code = cursor.open(txn_, env_.handles_[static_cast<std::size_t>(database)]);
    if (code == 0) code = cursor.get(key, value, first.empty() ? MDB_FIRST : MDB_SET_RANGE);
    while (code == 0) {
        MC_ASSIGN(const bool go_on, visit(to_text(key), to_bytes(value)));
        if (!go_on) return {};
        code = cursor.get(key, value, MDB_NEXT);
    }
    if (code != MDB_NOTFOUND) return fail(error_of(code, database, first));
    return {};
}

Result<std::optional<std::string>> ReadTransaction::last_key_below(Database database,
                                                                   std::string_view bound) const {
    Cursor cursor;
    MDB_val key = to_val(bound);
    MDB_val value{};
    int code = cursor.open(txn_, env_.handles_[static_cast<std::size_t>(database)]);
    if (code == 0) {
        code = cursor.get(key, value, MDB_SET_RANGE);
        if (code == 0) {
            code = cursor.get(key, value, MDB_PREV);
        } else if (code == MDB_NOTFOUND) {
            code = cursor.get(key, value, MDB_LAST);
        }
    }
    if (code == MDB_NOTFOUND) return std::optional<std::string>();
    if (code != 0) return fail(error_of(code, database, bound));
    return std::optional<std::string>(std::string(to_text(key)));
}

Result<DatabaseStatistics> ReadTransaction::statistics(Database database) const {
    MDB_stat stat{};
    const int code = mdb_stat(txn_, env_.handles_[static_cast<std::size_t>(database)], &stat);
    if (code != 0) return fail(error_of(code, database, ""));
    return DatabaseStatistics{
        std::string(database_name(database)), stat.ms_entries,
        (stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages) * stat.ms_psize};
}

bool WriteTransaction::is_beyond_last_key(Database database, std::string_view key) const {
    Cursor cursor;
    MDB_val last{};
    MDB_val value{};
    int code = cursor.open(txn_, env_.handles_[static_cast<std::size_t>(database)]);
    if (code == 0) code = cursor.get(last, value, MDB_LAST);
    return code == MDB_NOTFOUND || (code == 0 && to_text(last) < key);
}

// LMDB frees as many pages as a large value's own header says, which open() did not read.
Result<void> WriteTransaction::check_replaceable(Database database, std::string_view key) const {
    MC_ASSIGN(const auto old, find_stored(database, key));
    MDB_stat stat{};
    mdb_stat(txn_, env_.handles_[static_cast<std::size_t>(database)], &stat);
    if (!old || old->size() < stat.ms_psize) return {};
    // A value of its own pages begins right behind the first one's header. Where it does not, it is
    // in memory that this transaction made, and nothing before it is ours to read.
    const auto address = reinterpret_cast<std::uintptr_t>(old->data());
    const std::uintptr_t page = address - address % stat.ms_psize;
    if (address - page != kValuePageHeaderBytes) return {};
    const auto* header = reinterpret_cast<const std::byte*>(page);
    std::uint16_t flags = 0;
    std::uint32_t pages = 0;
    std::memcpy(&flags, header + kPageFlagsOffset, sizeof flags);
    std::memcpy(&pages, header + kPageCountOffset, sizeof pages);
    constexpr std::uint16_t kOverflowFlag = 4, kDirtyFlag = 0x10;
    const std::uint64_t expected = (kValuePageHeaderBytes - 1 + old->size()) / stat.ms_psize + 1;
    if ((flags & ~kDirtyFlag) != kOverflowFlag || pages != expected)
        return fail(corrupt_record(directory(), database, key, "its pages are damaged"));
    return {};
}

Result<void> WriteTransaction::put(Database database, std::string_view key, ByteView value) {
    if (env_.seal_ == nullptr) return put_stored(database, key, value);
    return put_stored(database, stored_key(*env_.seal_, database, key),
                      seal_record(*env_.seal_, database, key, value));
}

Result<void> WriteTransaction::put_stored(Database database, std::string_view key, ByteView value) {
    MDB_val wanted = to_val(key);
    MDB_val data{value.size(), const_cast<std::byte*>(value.data())};  // NOLINT: LMDB only reads it
    unsigned flags = 0;
    if (is_beyond_last_key(database, key)) {
        flags = MDB_APPEND;
    } else {
        MC_TRY(check_replaceable(database, key));
    }
    const int code =
        mdb_put(txn_, env_.handles_[static_cast<std::size_t>(database)], &wanted, &data, flags);
    if (code == 0) return {};
    failure_ = code;
    return fail(error_of(code, database, key));
}

Result<void> WriteTransaction::erase(Database database, std::string_view key) {
    if (env_.seal_ == nullptr) return erase_stored(database, key);
    return erase_stored(database, stored_key(*env_.seal_, database, key));
}

Result<void> WriteTransaction::erase_stored(Database database, std::string_view key) {
    MC_TRY(check_replaceable(database, key));
    MDB_val wanted = to_val(key);
    const int code =
        mdb_del(txn_, env_.handles_[static_cast<std::size_t>(database)], &wanted, nullptr);
    MC_CHECK(code != MDB_NOTFOUND, "only what is there is erased");
    if (code == 0) return {};
    failure_ = code;
    return fail(error_of(code, database, key));
}

}  // namespace mc::storage

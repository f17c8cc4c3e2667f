// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/recode_store.h"

#include <string>
#include <vector>

#include "storage/lmdb/record_codec.h"
#include "storage/lmdb/unseal_store.h"

namespace mc::storage {
namespace {

constexpr std::uint64_t kBatchBytes = 16ULL << 20;  // of one transaction

// Records on their way into the copy, in as few transactions as memory allows.
class Copier {
  public:
    Copier(LmdbEnv& to, std::uint32_t format_version) : to_(to), format_version_(format_version) {}

    Result<void> add(Database database, std::string_view key, ByteView value) {
        if (database == Database::kMeta && key == kSealKey) return {};
        batch_.push_back({database, std::string(key), {value.begin(), value.end()}});
        bytes_ += value.size();
        return bytes_ < kBatchBytes ? Result<void>() : flush();
    }

    Result<void> flush() {
        MC_TRY(to_.write([&](WriteTransaction& txn) -> Result<void> {
            for (const Record& record : batch_) MC_TRY(put(txn, record));
            return {};
        }));
        batch_.clear();
        bytes_ = 0;
        return {};
    }

  private:
    struct Record {
        Database database;
        std::string key;
        std::vector<std::byte> value;
    };

    Result<void> put(WriteTransaction& txn, const Record& record) const {
        if (record.database != Database::kMeta || record.key != kMetaKey)
            return txn.put(record.database, record.key, record.value);
        const RecordPlace place{record.database, record.key};
        auto meta = decode_meta(place, record.value);
        if (!meta)
            return fail(corrupt_record(txn.directory(), place.database, place.key, meta.error()));
        meta->format_version = format_version_;
        const RecordWords words = encode_meta(place, *meta);
        return txn.put(place.database, place.key, std::as_bytes(std::span(words)));
    }

    LmdbEnv& to_;
    const std::uint32_t format_version_;
    std::vector<Record> batch_;
    std::uint64_t bytes_ = 0;
};

}  // namespace

Result<void> recode_store(const Path& directory, const Path& destination, const Recoding& keys) {
    MC_ASSIGN(const auto from, LmdbEnv::open(directory, EnvMode::kRead, kMapBytesInitial));
    MC_ASSIGN(const auto old_seal, unseal_store(*from, keys.from));
    MC_ASSIGN(const auto to, LmdbEnv::open(destination, EnvMode::kCreate, kMapBytesInitial));
    std::unique_ptr<StoreSeal> new_seal;
    if (keys.to != nullptr) {
        MC_ASSIGN(new_seal, seal_new_store(*to, *keys.to));
    }
    Copier copier(*to, new_seal ? kSealedFormatVersion : kStoreFormatVersion);
    MC_TRY(from->read([&](const ReadTransaction& txn) -> Result<void> {
        for (std::size_t i = 0; i < kDatabaseCount; ++i) {
            const auto database = static_cast<Database>(i);
            MC_TRY(
                txn.scan(database, "", [&](std::string_view key, ByteView value) -> Result<bool> {
                    if (value.empty())
                        return fail(corrupt_record(directory, database, key, "its seal is broken"));
                    MC_TRY(copier.add(database, key, value));
                    return true;
                }));
        }
        return {};
    }));
    return copier.flush();
}

}  // namespace mc::storage

// SPDX-License-Identifier: Apache-2.0
#include "storage/store.h"

#include <algorithm>
#include <system_error>
#include <utility>

#include "core/check.h"
#include "core/span_math.h"
#include "storage/index/sqlite_passage_index.h"
#include "storage/index/vector_codebook.h"
#include "storage/lmdb/bank_node_store.h"
#include "storage/lmdb/create_store.h"
#include "storage/lmdb/purge.h"
#include "storage/lmdb/store_parts.h"
#include "storage/lmdb/store_verifier.h"
#include "storage/lmdb/unseal_store.h"

namespace mc::storage {
namespace {

constexpr std::size_t kBanksNamedMax = 5;

Result<StoreMeta> read_meta(const LmdbEnv& env) {
    StoreMeta meta;
    MC_TRY(env.read([&](const ReadTransaction& txn) -> Result<void> {
        MC_ASSIGN(meta, require_record(txn, Database::kMeta, kMetaKey, decode_meta));
        return {};
    }));
    const std::string name = "store " + env.directory().string();
    if (meta.format_version > kSealedFormatVersion)
        return fail(ErrorCode::kFormatVersion,
                    name + " has format version " + std::to_string(meta.format_version) +
                        "; this program reads versions up to " +
                        std::to_string(kSealedFormatVersion) +
                        ": use the program that made it, or another --store");
    if (meta.block_size != kBlockSize)
        return fail(ErrorCode::kFormatVersion,
                    name + " has blocks of " + std::to_string(meta.block_size) +
                        "; this program has blocks of " + std::to_string(kBlockSize));
    return meta;
}

// An older program must not read what this one may write.
Result<void> raise_format(LmdbEnv& env, StoreMeta& meta, bool is_sealed) {
    const std::uint32_t newest = is_sealed ? kSealedFormatVersion : kStoreFormatVersion;
    if (meta.format_version == newest) return {};
    meta.format_version = newest;
    return env.write([&](WriteTransaction& txn) {
        return put_record(txn, Database::kMeta, kMetaKey, encode_meta, meta);
    });
}

Error mismatch(const Path& directory, const std::string& what, const std::string& theirs,
               Hash128 their_hash, const std::string& ours, Hash128 our_hash) {
    return Error(ErrorCode::kModelMismatch,
                 "store " + directory.string() + " was made with " + what + " " + theirs + " (" +
                     to_hex(their_hash) + "), not with " + ours + " (" + to_hex(our_hash) +
                     "): rebuild its gists with `megacontext reindex`, or use another --store");
}

Result<void> check_identity(const Path& directory, const StoreIdentity& theirs,
                            const StoreIdentity& ours) {
    if (theirs.base_model_hash != ours.base_model_hash)
        return fail(mismatch(directory, "base model", theirs.base_model_name,
                             theirs.base_model_hash, ours.base_model_name, ours.base_model_hash));
    if (theirs.tokenizer_hash != ours.tokenizer_hash)
        return fail(mismatch(directory, "the tokenizer of", theirs.base_model_name,
                             theirs.tokenizer_hash, ours.base_model_name, ours.tokenizer_hash));
    if (theirs.encoder.hash != ours.encoder.hash || !(theirs.encoder.shape == ours.encoder.shape))
        return fail(mismatch(directory, "gist encoder", theirs.encoder.name, theirs.encoder.hash,
                             ours.encoder.name, ours.encoder.hash));
    return {};
}

// Leaves parts.coder null for pq without a codebook.
Result<void> open_coder(StoreParts& parts, const GistCodebook* codebook) {
    const StoreMeta& meta = parts.meta;
    if (meta.codec == GistCodec::kPq) {
        if (codebook == nullptr) return {};
        if (codebook->hash != *meta.codebook_hash)
            return fail(ErrorCode::kModelMismatch,
                        "store " + parts.directory.string() + " holds gists coded with codebook " +
                            to_hex(*meta.codebook_hash) + ", not with " + to_hex(codebook->hash) +
                            ": name its file with --codebook, or rebuild the gists with "
                            "`megacontext reindex`");
    }
    MC_ASSIGN(parts.coder, GistCoder::make(meta.codec, meta.identity.encoder.shape, codebook));
    if (parts.coder->gist_bytes() == meta.gist_bytes) return {};
    return fail(corrupt_record(parts.directory, Database::kMeta, kMetaKey,
                               "another size of gists than its codebook's"));
}

Result<void> check_bank_name(std::string_view name) {
    if (is_plain_name(name)) return {};
    return fail(ErrorCode::kInvalidInput, "bank name \"" +
                                              std::string(name.substr(0, kNameLengthMax)) +
                                              "\" is not 1 to 64 of A-Z a-z 0-9 . _ -");
}

}  // namespace

Store::Store(std::unique_ptr<StoreParts> parts) : parts_(std::move(parts)) {}

Store::~Store() = default;

Result<std::unique_ptr<Store>> Store::open(const StoreOptions& options) {
    MC_CHECK(options.clock != nullptr, "a store needs a clock");
    auto parts = std::make_unique<StoreParts>();
    parts->directory = options.directory;
    parts->clock = options.clock;
    const Path data_path = options.directory / "data.mdb";
    std::error_code ignored;
    bool exists = std::filesystem::exists(data_path, ignored);
    if (!exists && options.mode == StoreMode::kWriteOrCreate)
        MC_TRY(prepare_store_directory(options.directory));
    if (!exists && options.mode != StoreMode::kWriteOrCreate)
        return fail(ErrorCode::kInvalidInput, "no store at " + options.directory.string() +
                                                  ": `megacontext ingest` makes one");
    if (options.mode != StoreMode::kRead) {
        MC_ASSIGN(parts->lock, WriterLock::acquire(options.directory));
        exists = std::filesystem::exists(data_path, ignored);  // made by who held the lock before
        if (!exists) MC_TRY(create_store(options));
    }
    MC_ASSIGN(parts->env,
              LmdbEnv::open(options.directory, parts->writable() ? EnvMode::kWrite : EnvMode::kRead,
                            options.map_bytes_initial));
    MC_ASSIGN(parts->meta, read_meta(*parts->env));
    MC_ASSIGN(parts->seal, unseal_store(*parts->env, options.key));
    if (options.identity)
        MC_TRY(check_identity(options.directory, parts->meta.identity, *options.identity));
    MC_TRY(open_coder(*parts, options.codebook));
    if (parts->writable()) MC_TRY(raise_format(*parts->env, parts->meta, parts->seal != nullptr));
    return std::unique_ptr<Store>(new Store(std::move(parts)));
}

const Path& Store::directory() const {
    return parts_->directory;
}

bool Store::writable() const {
    return parts_->writable();
}

const StoreMeta& Store::meta() const {
    return parts_->meta;
}

const StoreSeal* Store::seal() const {
    return parts_->seal.get();
}

Result<std::optional<KeyKind>> Store::key_kind(const Path& directory) {
    MC_ASSIGN(const auto env, LmdbEnv::open(directory, EnvMode::kRead, kMapBytesInitial));
    MC_ASSIGN(const auto header, read_key_header(*env));
    if (!header) return std::optional<KeyKind>();
    MC_ASSIGN(const KeyKind kind,
              key_kind_of(std::as_bytes(std::span(*header)), "store " + directory.string()));
    return std::optional(kind);
}

Result<void> Store::change_key(const StoreKey& key) {
    MC_TRY(parts_->require_writable());
    if (parts_->seal == nullptr)
        return fail(not_encrypted("store " + parts_->directory.string(), key));
    MC_TRY(change_store_key(*parts_->env, *parts_->seal, key));
    return purge();
}

Result<std::vector<BankRecord>> Store::list_banks() const {
    std::vector<BankRecord> banks;
    MC_TRY(parts_->env->read([&](const ReadTransaction& txn) -> Result<void> {
        return txn.scan(
            Database::kBanks, "", [&](std::string_view key, ByteView value) -> Result<bool> {
                auto bank = decode_bank({Database::kBanks, key}, value);
                if (!bank)
                    return fail(
                        corrupt_record(parts_->directory, Database::kBanks, key, bank.error()));
                banks.push_back(std::move(*bank));
                return true;
            });
    }));
    std::ranges::sort(banks, {}, &BankRecord::name);  // of hidden names, in order of their hashes
    return banks;
}

Result<std::optional<BankRecord>> Store::find_bank(std::string_view name) const {
    MC_TRY(check_bank_name(name));
    std::optional<BankRecord> bank;
    MC_TRY(parts_->env->read([&](const ReadTransaction& txn) -> Result<void> {
        MC_ASSIGN(bank, find_record(txn, Database::kBanks, name, decode_bank));
        return {};
    }));
    return bank;
}

Result<BankRecord> Store::create_bank(std::string_view name) {
    MC_TRY(check_bank_name(name));
    MC_TRY(parts_->require_writable());
    BankRecord bank;
    MC_TRY(parts_->env->write([&](WriteTransaction& txn) -> Result<void> {
        MC_ASSIGN(const auto taken, find_record(txn, Database::kBanks, name, decode_bank));
        if (taken)
            return fail(ErrorCode::kInvalidInput,
                        "bank \"" + std::string(name) + "\" exists already");
        MC_ASSIGN(Counters counters,
                  require_record(txn, Database::kMeta, kCountersKey, decode_counters));
        bank = {BankId(counters.next_bank++), std::string(name), parts_->clock->now_us()};
        MC_TRY(put_record(txn, Database::kBanks, name, encode_bank, bank));
        return put_record(txn, Database::kMeta, kCountersKey, encode_counters, counters);
    }));
    return bank;
}

Result<BankRecord> Store::require_bank(std::string_view name) const {
    MC_ASSIGN(const auto bank, find_bank(name));
    if (bank) return *bank;
    MC_ASSIGN(const auto banks, list_banks());
    std::string message =
        "no bank \"" + std::string(name) + "\" in store " + parts_->directory.string();
    for (std::size_t i = 0; i < banks.size() && i < kBanksNamedMax; ++i)
        message += (i == 0 ? "; it has: " : ", ") + banks[i].name;
    if (banks.empty()) message += ", which has none";
    if (banks.size() > kBanksNamedMax)
        message += " and " + std::to_string(banks.size() - kBanksNamedMax) + " more";
    return fail(ErrorCode::kInvalidInput, message);
}

Result<std::unique_ptr<NodeStore>> Store::bank_store(std::string_view bank) {
    MC_ASSIGN(const BankRecord record, require_bank(bank));
    return std::unique_ptr<NodeStore>(std::make_unique<BankNodeStore>(*parts_, record));
}

// <dir>/indexes/<bank id>/<file>. Made when the index may be saved.
Result<Path> Store::index_path(const BankRecord& bank, const char* file) const {
    const Path indexes = parts_->directory / "indexes";
    const Path directory = indexes / std::to_string(bank.id.value);
    if (writable()) {
        MC_TRY(make_private_folder(indexes));
        MC_TRY(make_private_folder(directory));
    }
    return directory / file;
}

std::optional<IndexKeys> Store::index_keys(const BankRecord& bank) const {
    if (parts_->seal == nullptr) return std::nullopt;
    return parts_->seal->index_keys(std::to_string(bank.id.value) + "/" + kPassageIndexFile);
}

// Commits that an index holds and the store does not: the store is older than its cache.
Result<void> Store::check_watermark(const BankRecord& bank, CommitNumber watermark) const {
    MC_ASSIGN(const CommitNumber last, BankNodeStore(*parts_, bank).last_commit());
    if (watermark <= last) return {};
    return fail(ErrorCode::kStaleIndex, "an index of bank \"" + bank.name + "\" holds commit " +
                                            std::to_string(watermark.value) +
                                            ", the store ends at commit " +
                                            std::to_string(last.value) + "; it can be rebuilt");
}

Result<std::unique_ptr<PassageIndex>> Store::open_passage_index(std::string_view bank,
                                                                const TextEmbedderInfo& embedder,
                                                                IndexOpening opening) {
    MC_ASSIGN(const BankRecord record, require_bank(bank));
    MC_ASSIGN(const Path path, index_path(record, kPassageIndexFile));
    PassageIndexOptions options;
    options.path = path;
    options.embedder = embedder;
    options.keys = index_keys(record);
    if (embedder.dim > 0) {
        MC_ASSIGN(options.codec, codec_for(embedder));
    }
    options.access = writable() ? SqliteAccess::kWrite : SqliteAccess::kRead;
    if (opening == IndexOpening::kRebuild && !writable()) options.access = SqliteAccess::kMemory;
    if (opening == IndexOpening::kRebuild && writable()) MC_TRY(remove_sqlite_files(path));
    MC_ASSIGN(auto index, open_sqlite_passage_index(std::move(options)));
    MC_TRY(check_watermark(record, index->watermark()));
    return index;
}

Result<void> Store::purge() {
    return purge_data_file(*parts_);
}

Result<VerifySummary> Store::verify_records(
    const std::function<void(const RecordFault&)>& on_fault) const {
    return verify_store(*parts_, on_fault);
}

}  // namespace mc::storage

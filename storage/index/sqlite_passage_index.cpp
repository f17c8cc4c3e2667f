// SPDX-License-Identifier: Apache-2.0
#include "storage/index/sqlite_passage_index.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <type_traits>
#include <utility>

#include "core/check.h"
#include "core/mutex.h"
#include "storage/index/index_state.h"
#include "storage/index/passage_key.h"
#include "storage/index/passage_table.h"
#include "storage/index/passage_vectors.h"
#include "storage/index/passage_words.h"

namespace mc::storage {
namespace {

bool all_finite(std::span<const float> values) {
    return std::all_of(values.begin(), values.end(), [](float x) { return std::isfinite(x); });
}

Result<std::vector<std::int64_t>> keys_of_texts(std::span<const PassageText> passages) {
    std::vector<std::int64_t> keys;
    for (const PassageText& passage : passages) {
        MC_ASSIGN(const std::int64_t key, pack_passage(passage.passage));
        keys.push_back(key);
    }
    return keys;
}

std::vector<KeyText> with_texts(std::span<const std::int64_t> keys,
                                std::span<const PassageText> passages) {
    std::vector<KeyText> all;
    for (std::size_t i = 0; i < keys.size(); ++i) all.push_back({keys[i], passages[i].text});
    return all;
}

// Ascending and apart from each other; those of neighbours are one.
std::vector<KeyRange> keys_of_ranges(std::span<const PassageRange> ranges) {
    std::vector<KeyRange> all;
    for (const PassageRange& range : ranges)
        if (const KeyRange keys = keys_of(range); keys.first <= keys.last) all.push_back(keys);
    std::ranges::sort(all, {}, &KeyRange::first);
    std::vector<KeyRange> joined;
    for (const KeyRange& keys : all) {
        if (!joined.empty() && keys.first <= joined.back().last + 1)
            joined.back().last = std::max(joined.back().last, keys.last);
        else
            joined.push_back(keys);
    }
    return joined;
}

std::vector<PassageHit> hits_of(std::span<const KeyScore> found) {
    std::vector<PassageHit> hits;
    for (const KeyScore& one : found) hits.push_back({unpack_passage(one.key), one.score});
    return hits;
}

class SqlitePassageIndex final : public PassageIndex {
  public:
    explicit SqlitePassageIndex(PassageIndexOptions options)
        : path_(std::move(options.path)),
          embedder_(std::move(options.embedder)),
          codec_(options.codec ? std::move(options.codec) : make_half_codec(embedder_.dim)),
          keys_(std::move(options.keys)),
          access_(options.access) {}

    Result<void> open();

    std::uint32_t vector_dim() const override { return embedder_.dim; }

    Result<void> add(std::span<const PassageText> passages,
                     std::span<const float> vectors) override;
    Result<void> remove(std::span<const PassageText> passages) override;
    Result<std::optional<Passage>> last_passage(DocumentId document) const override;
    Result<std::vector<Passage>> passages_in(DocumentId document, TokenSpan span) const override;
    Result<std::vector<float>> vectors_of(std::span<const Passage> passages) const override;
    Result<std::vector<PassageHit>> search_words(
        std::string_view question, std::size_t count,
        std::span<const PassageRange> ranges) const override;
    Result<std::vector<PassageHit>> search_vectors(
        std::span<const float> query, std::size_t count,
        std::span<const PassageRange> ranges) const override;
    std::size_t size() const override;
    CommitNumber watermark() const override;
    Result<void> save(CommitNumber watermark) override;
    Result<void> revert() override;
    Result<void> purge() override;
    Result<void> clear() override;

  private:
    Result<void> create_schema() MC_REQUIRES(mutex_);
    Result<void> check_state(const IndexState& state) const MC_REQUIRES(mutex_);
    Result<void> refresh() const MC_REQUIRES(mutex_);
    Result<void> load_vectors() const MC_REQUIRES(mutex_);
    Result<void> begin_changes() MC_REQUIRES(mutex_);
    Result<void> insert(std::span<const std::int64_t> keys, std::span<const PassageText> passages,
                        std::span<const std::byte> codes) MC_REQUIRES(mutex_);
    Result<void> erase(std::span<const std::int64_t> keys, std::span<const PassageText> passages)
        MC_REQUIRES(mutex_);
    Result<void> undo(Error error) MC_REQUIRES(mutex_);
    void roll_back() MC_REQUIRES(mutex_);

    tl::unexpected<Error> stale(const std::string& what) const {
        return fail(ErrorCode::kStaleIndex,
                    "passage index " + path_.string() + " " + what + "; it can be rebuilt");
    }

    // Runs a body that reads on one state of the file.
    template <class Body>
    std::invoke_result_t<Body> read_one_state(Body body) const MC_REQUIRES(mutex_);

    const Path path_;
    const TextEmbedderInfo embedder_;
    const std::unique_ptr<VectorCodec> codec_;
    const std::optional<IndexKeys> keys_;
    mutable Mutex mutex_;
    SqliteAccess access_ MC_GUARDED_BY(mutex_);
    std::unique_ptr<SqliteConnection> connection_ MC_GUARDED_BY(mutex_);
    bool changing_ MC_GUARDED_BY(mutex_) = false;  // a transaction is open
    // Of the first change that failed since the last save.
    std::optional<Error> failure_ MC_GUARDED_BY(mutex_);
    mutable IndexState state_ MC_GUARDED_BY(mutex_);  // of the connection, with its changes
    mutable std::unique_ptr<PassageVectors> vectors_ MC_GUARDED_BY(mutex_);
};

Result<void> SqlitePassageIndex::open() {
    const ScopedLock lock(mutex_);
    std::error_code ignored;
    const bool exists = access_ != SqliteAccess::kMemory && std::filesystem::exists(path_, ignored);
    if (!exists && access_ == SqliteAccess::kRead) access_ = SqliteAccess::kMemory;
    MC_ASSIGN(connection_, SqliteConnection::open(path_, access_, "passage index", keys_));
    if (!exists) MC_TRY(create_schema());
    MC_ASSIGN(state_, read_state(*connection_));
    MC_TRY(check_state(state_));
    // Fails on tables that are missing or not ours.
    for (const char* probe : {"SELECT rowid FROM words WHERE words MATCH ?1",
                              "SELECT passages FROM frequencies WHERE term = ?1",
                              "SELECT code FROM passages WHERE key = ?1"}) {
        MC_TRY(connection_->prepare(probe));
    }
    return {};
}

Result<void> SqlitePassageIndex::create_schema() {
    MC_TRY(connection_->execute("BEGIN IMMEDIATE;"));
    Result<void> made =
        connection_->execute("CREATE TABLE passages(key INTEGER PRIMARY KEY, code BLOB);");
    if (made) made = connection_->execute(kStateSchema);
    if (made) made = connection_->execute(kWordsSchema);
    IndexState state;
    state.embedder_name = embedder_.name;
    state.embedder_hash = to_hex(embedder_.hash);
    state.vector_dim = embedder_.dim;
    state.codec = codec_->name();
    if (made) made = write_state(*connection_, state);
    if (made) made = connection_->execute("COMMIT;");
    if (made) return {};
    roll_back();
    return fail(made.error());
}

Result<void> SqlitePassageIndex::check_state(const IndexState& state) const {
    if (embedder_.dim == 0 && access_ != SqliteAccess::kWrite) return {};
    const std::string ours = embedder_.dim == 0 ? "no embedder" : embedder_.name;
    const std::string theirs = state.vector_dim == 0 ? "no embedder" : state.embedder_name;
    if (state.vector_dim != embedder_.dim ||
        (embedder_.dim > 0 && state.embedder_hash != to_hex(embedder_.hash)))
        return stale("was made with " + theirs + ", not with " + ours);
    if (embedder_.dim > 0 && state.codec != codec_->name())
        return stale("holds vectors as " + state.codec + ", not as " + codec_->name());
    return {};
}

// What another process has saved meanwhile, a reader takes notice of.
Result<void> SqlitePassageIndex::refresh() const {
    if (access_ != SqliteAccess::kRead) return {};
    MC_ASSIGN(IndexState state, read_state(*connection_));
    if (state.saves == state_.saves) return {};
    MC_TRY(check_state(state));
    state_ = std::move(state);
    vectors_.reset();
    return {};
}

template <class Body>
std::invoke_result_t<Body> SqlitePassageIndex::read_one_state(Body body) const {
    if (access_ != SqliteAccess::kRead) return body();
    MC_TRY(connection_->execute("BEGIN;"));
    auto result = [&]() MC_REQUIRES(mutex_) -> std::invoke_result_t<Body> {
        MC_TRY(refresh());
        return body();
    }();
    static_cast<void>(connection_->execute("COMMIT;"));
    return result;
}

std::size_t SqlitePassageIndex::size() const {
    const ScopedLock lock(mutex_);
    static_cast<void>(refresh());
    return state_.size.passages;
}

CommitNumber SqlitePassageIndex::watermark() const {
    const ScopedLock lock(mutex_);
    static_cast<void>(refresh());
    return state_.watermark;
}

// A reader's changes go to a copy, and stay there.
Result<void> SqlitePassageIndex::begin_changes() {
    if (failure_) return fail(*failure_);
    if (access_ == SqliteAccess::kRead) {
        MC_ASSIGN(auto copy, connection_->copy_to_memory());
        connection_ = std::move(copy);
        access_ = SqliteAccess::kMemory;
        MC_ASSIGN(state_, read_state(*connection_));
        vectors_.reset();
    }
    if (!changing_) MC_TRY(connection_->execute("BEGIN IMMEDIATE;"));
    changing_ = true;
    return {};
}

void SqlitePassageIndex::roll_back() {
    static_cast<void>(connection_->execute("ROLLBACK;"));
    changing_ = false;
    vectors_.reset();
    if (auto state = read_state(*connection_)) state_ = std::move(*state);
}

Result<void> SqlitePassageIndex::undo(Error error) {
    roll_back();
    failure_ = std::move(error);
    return fail(*failure_);
}

Result<void> SqlitePassageIndex::add(std::span<const PassageText> passages,
                                     std::span<const float> vectors) {
    MC_CHECK(vectors.size() == passages.size() * embedder_.dim, "one vector for each passage");
    if (!all_finite(vectors))
        return fail(ErrorCode::kInvalidInput, "a passage's vector holds a number that is not one");
    MC_ASSIGN(const auto keys, keys_of_texts(passages));
    std::vector<std::byte> codes(embedder_.dim == 0 ? 0 : keys.size() * codec_->code_bytes());
    if (!codes.empty()) MC_TRY(codec_->encode(vectors, codes));
    const ScopedLock lock(mutex_);
    if (keys.empty()) return {};
    MC_TRY(begin_changes());
    const Result<void> added = insert(keys, passages, codes);
    if (!added) return undo(added.error());
    return {};
}

Result<void> SqlitePassageIndex::insert(std::span<const std::int64_t> keys,
                                        std::span<const PassageText> passages,
                                        std::span<const std::byte> codes) {
    MC_TRY(insert_passages(*connection_, keys, codes));
    const std::size_t bytes = codes.size() / keys.size();
    for (std::size_t i = 0; i < keys.size(); ++i) {
        const auto code = codes.subspan(i * bytes, bytes);
        if (vectors_ && bytes > 0) vectors_->add(keys[i], code);
        ++state_.size.passages;
        state_.size.tokens += key_token_count(keys[i]);
    }
    return add_words(*connection_, with_texts(keys, passages));
}

Result<void> SqlitePassageIndex::remove(std::span<const PassageText> passages) {
    MC_ASSIGN(const auto keys, keys_of_texts(passages));
    const ScopedLock lock(mutex_);
    if (keys.empty()) return {};
    MC_TRY(begin_changes());
    const Result<void> removed = erase(keys, passages);
    if (!removed) return undo(removed.error());
    return {};
}

Result<void> SqlitePassageIndex::erase(std::span<const std::int64_t> keys,
                                       std::span<const PassageText> passages) {
    MC_TRY(erase_passages(*connection_, keys));
    for (const std::int64_t key : keys) {
        if (vectors_) vectors_->remove(key);
        --state_.size.passages;
        state_.size.tokens -= key_token_count(key);
    }
    return remove_words(*connection_, with_texts(keys, passages));
}

Result<std::optional<Passage>> SqlitePassageIndex::last_passage(DocumentId document) const {
    const ScopedLock lock(mutex_);
    return read_one_state(
        [&]() MC_REQUIRES(mutex_) { return storage::last_passage(*connection_, document); });
}

Result<std::vector<Passage>> SqlitePassageIndex::passages_in(DocumentId document,
                                                             TokenSpan span) const {
    const ScopedLock lock(mutex_);
    return read_one_state(
        [&]() MC_REQUIRES(mutex_) { return storage::passages_in(*connection_, document, span); });
}

Result<std::vector<float>> SqlitePassageIndex::vectors_of(std::span<const Passage> passages) const {
    MC_CHECK(embedder_.dim > 0, "an index without vectors");
    std::vector<std::int64_t> keys;
    for (const Passage& passage : passages) {
        MC_ASSIGN(const std::int64_t key, pack_passage(passage));
        keys.push_back(key);
    }
    const ScopedLock lock(mutex_);
    return read_one_state([&]() MC_REQUIRES(mutex_) -> Result<std::vector<float>> {
        MC_ASSIGN(const auto codes, codes_of(*connection_, keys));
        if (codes.size() != keys.size() * codec_->code_bytes())
            return stale("has a vector of another size");
        std::vector<float> vectors(keys.size() * embedder_.dim);
        for (std::size_t i = 0; i < keys.size(); ++i)
            codec_->decode(codes.data() + i * codec_->code_bytes(),
                           std::span(vectors).subspan(i * embedder_.dim, embedder_.dim));
        return vectors;
    });
}

Result<std::vector<PassageHit>> SqlitePassageIndex::search_words(
    std::string_view question, std::size_t count, std::span<const PassageRange> ranges) const {
    const auto keys = keys_of_ranges(ranges);
    if (keys.empty() && !ranges.empty()) return std::vector<PassageHit>();
    const ScopedLock lock(mutex_);
    return read_one_state([&]() MC_REQUIRES(mutex_) -> Result<std::vector<PassageHit>> {
        MC_ASSIGN(const auto found,
                  storage::search_words(*connection_, question, count, keys, state_.size));
        return hits_of(found);
    });
}

Result<void> SqlitePassageIndex::load_vectors() const {
    if (vectors_) return {};
    auto loaded = std::make_unique<PassageVectors>(*codec_, embedder_.dim);
    MC_ASSIGN(auto query, connection_->prepare("SELECT key, code FROM passages ORDER BY key"));
    for (;;) {
        MC_ASSIGN(const bool row, query.step());
        if (!row) break;
        const auto code = query.blob(1);
        if (code.size() != codec_->code_bytes()) return stale("has a vector of another size");
        loaded->add(query.integer(0), code);
    }
    vectors_ = std::move(loaded);
    return {};
}

Result<std::vector<PassageHit>> SqlitePassageIndex::search_vectors(
    std::span<const float> query, std::size_t count, std::span<const PassageRange> ranges) const {
    MC_CHECK(embedder_.dim > 0 && query.size() == embedder_.dim, "a query of another width");
    if (!all_finite(query))
        return fail(ErrorCode::kInvalidInput, "the query holds a number that is not one");
    const auto keys = keys_of_ranges(ranges);
    if (keys.empty() && !ranges.empty()) return std::vector<PassageHit>();
    const ScopedLock lock(mutex_);
    return read_one_state([&]() MC_REQUIRES(mutex_) -> Result<std::vector<PassageHit>> {
        MC_TRY(load_vectors());
        return hits_of(vectors_->search(query, count, keys));
    });
}

Result<void> SqlitePassageIndex::save(CommitNumber watermark) {
    const ScopedLock lock(mutex_);
    MC_TRY(begin_changes());
    IndexState state = state_;
    ++state.saves;
    state.watermark = watermark;
    Result<void> saved = write_state(*connection_, state);
    if (saved) saved = connection_->execute("COMMIT;");
    if (!saved) return undo(saved.error());
    changing_ = false;
    state_ = std::move(state);
    return {};
}

Result<void> SqlitePassageIndex::revert() {
    const ScopedLock lock(mutex_);
    if (changing_) roll_back();
    failure_.reset();
    MC_ASSIGN(state_, read_state(*connection_));
    return {};
}

Result<void> SqlitePassageIndex::clear() {
    const ScopedLock lock(mutex_);
    failure_.reset();
    MC_TRY(begin_changes());
    Result<void> cleared = connection_->execute(
        "INSERT INTO words(words) VALUES('delete-all'); DELETE FROM frequencies; "
        "DELETE FROM passages;");
    IndexState state = state_;
    ++state.saves;
    state.watermark = CommitNumber(0);
    state.size = {};
    if (cleared) cleared = write_state(*connection_, state);
    if (cleared) cleared = connection_->execute("COMMIT;");
    if (!cleared) return undo(cleared.error());
    changing_ = false;
    vectors_.reset();
    state_ = std::move(state);
    return {};
}

// FTS5 keeps removed terms in its older segments until they are merged, and SQLite removed rows in
// free pages until the file is written anew; then the log.
Result<void> SqlitePassageIndex::purge() {
    const ScopedLock lock(mutex_);
    MC_CHECK(!changing_, "purged between saves");
    return connection_->execute(
        "INSERT INTO words(words) VALUES('optimize'); VACUUM; PRAGMA wal_checkpoint(TRUNCATE);");
}

}  // namespace

Result<std::unique_ptr<PassageIndex>> open_sqlite_passage_index(PassageIndexOptions options) {
    auto index = std::make_unique<SqlitePassageIndex>(std::move(options));
    MC_TRY(index->open());
    return std::unique_ptr<PassageIndex>(std::move(index));
}

}  // namespace mc::storage

// SPDX-License-Identifier: Apache-2.0
#include "storage/salvage/salvaged_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <utility>

#include "core/span_math.h"
#include "storage/lmdb/batch_writer.h"
#include "storage/seal/key_header.h"

namespace mc::storage {
namespace {

std::uint64_t chunk_count(const DocumentRecord& record) {
    return (record.token_count + kTokenMarkStride - 1) / kTokenMarkStride;
}

bool is_forgotten_key(std::string_view key) {
    return key.starts_with('f') || key.starts_with('t');
}

// One document stands under a name: what stood before it was superseded, and the record that said
// so is lost.
void supersede_older(std::vector<SalvagedDocument>& documents) {
    std::map<std::pair<std::string, std::string>, SalvagedDocument*> standing;
    for (SalvagedDocument& document : documents) {  // in order of id
        if (is_superseded(document.record)) continue;
        SalvagedDocument* const before =
            std::exchange(standing[{document.bank, document.record.source_name}], &document);
        if (before != nullptr)
            before->record.superseded_us = std::max(document.record.created_us, std::int64_t{1});
    }
}

// Of several headers, which a damaged file may have from before its key was changed, the first that
// opens.
Result<std::unique_ptr<StoreSeal>> open_any_header(const std::vector<std::string>& headers,
                                                   const StoreKey* key, const Path& data) {
    std::optional<Error> first;
    for (const std::string& header : headers) {
        auto data_key = unwrap_data_key(std::as_bytes(std::span(header)), key, data.string());
        if (data_key) return std::make_unique<StoreSeal>(*data_key);
        if (!first) first = std::move(data_key.error());
    }
    return fail(*first);
}

}  // namespace

class SalvagedPieces final : public DocumentSource {
  public:
    SalvagedPieces(const SalvagedStore& store, const SalvagedDocument& document, bool with_gists)
        : store_(store),
          record_(document.record),
          has_original_(document.has_original),
          with_gists_(with_gists) {}

    Result<void> rewind() override {
        original_pieces_ = original_bytes_ = chunks_ = gists_ = 0;
        original_given_ = false;
        level_ = 1;
        return {};
    }

    Result<std::optional<DocumentPiece>> next() override {
        if (has_original_) {
            const OriginalRecord& original = store_.originals_.at(record_.id);
            if (!std::exchange(original_given_, true))
                return std::optional<DocumentPiece>(original);
            if (original_bytes_ < original.byte_count) {
                auto piece = store_.original_piece(record_.id, original_pieces_++);
                if (!piece) return changed();
                original_bytes_ += piece->bytes.size();
                return std::optional<DocumentPiece>(std::move(*piece));
            }
        }
        if (chunk_size(record_.token_count, chunks_) > 0) {
            auto chunk = store_.chunk(record_, chunks_++);
            if (!chunk) return changed();
            return std::optional<DocumentPiece>(std::move(*chunk));
        }
        while (level_ <= kLevelMax.value && gists_ == node_count(record_.gist_end, Level(level_))) {
            ++level_;
            gists_ = 0;
        }
        if (!with_gists_ || level_ > kLevelMax.value) return std::optional<DocumentPiece>();
        const NodeIndex parent(gists_ >> kBlockBits);
        auto group = store_.group(record_, Level(level_), parent);
        if (!group) return changed();
        gists_ += group->count;
        return std::optional<DocumentPiece>(PlacedGroup{Level(level_), parent, std::move(*group)});
    }

  private:
    tl::unexpected<Error> changed() const {
        return fail(ErrorCode::kIo, "document \"" + record_.source_name +
                                        "\" of the damaged store changed while it was read");
    }

    const SalvagedStore& store_;
    const DocumentRecord record_;
    const bool has_original_;
    const bool with_gists_;
    bool original_given_ = false;
    std::uint64_t original_pieces_ = 0;
    std::uint64_t original_bytes_ = 0;
    std::uint64_t chunks_ = 0;
    std::uint8_t level_ = 1;
    std::uint64_t gists_ = 0;
};

SalvagedStore::~SalvagedStore() {
    ::close(fd_);
}

// An empty one, that reads the file.
Result<std::unique_ptr<SalvagedStore>> SalvagedStore::of_file(const Path& data) {
    const int fd = ::open(data.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail(system_error(errno, "cannot open", data));
    return std::unique_ptr<SalvagedStore>(new SalvagedStore(fd));
}

Result<std::vector<std::string>> SalvagedStore::read(const Path& data) {
    std::vector<std::string> headers;
    Scan scan;
    scan.seal = seal_.get();
    scan.on_record = [&](const FoundRecord& found) { note(found); };
    scan.on_key_header = [&](std::string_view header, bool is_reached) {
        headers.emplace(is_reached ? headers.begin() : headers.end(), header);
    };
    MC_ASSIGN(summary_, scan_records(data, scan));
    return headers;
}

// What is not encrypted is read once. Of an encrypted store, what the first reading found in clear
// is none of its records.
Result<std::unique_ptr<SalvagedStore>> SalvagedStore::open(const Path& directory,
                                                           const StoreKey* key) {
    const Path data = directory / "data.mdb";
    MC_ASSIGN(auto store, of_file(data));
    MC_ASSIGN(const auto headers, store->read(data));
    if (headers.empty() && key != nullptr) return fail(not_encrypted(data.string(), *key));
    if (!headers.empty()) {
        MC_ASSIGN(auto seal, open_any_header(headers, key, data));
        MC_ASSIGN(store, of_file(data));
        store->seal_ = std::move(seal);
        MC_TRY(store->read(data));
    }
    for (const auto& [place, tombstone] : store->forgotten_) {
        store->documents_.erase(place.second);
        store->tombstones_[store->bank_name(place.first)].push_back(tombstone);
    }
    return store;
}

void SalvagedStore::note(const FoundRecord& found) {
    const RecordPlace place{found.database, found.key};
    const Place where{found.offset, found.stored, found.is_reached};
    // Those that the trees lead to come first.
    const auto add = [&](std::vector<Place>& places) {
        places.insert(found.is_reached ? places.begin() : places.end(), where);
    };
    switch (found.database) {
        case Database::kMeta: {
            auto meta = decode_meta(place, found.value);
            if (found.key == kMetaKey && meta && meta->format_version <= kSealedFormatVersion &&
                meta->block_size == kBlockSize)
                meta_ = std::move(*meta);
            break;
        }
        case Database::kBanks:
            if (const auto bank = decode_bank(place, found.value))
                banks_.emplace(bank->id, bank->name);
            break;
        case Database::kDocuments:
            note_document(found);
            break;
        case Database::kTokens:
            if (const auto key = parse_token_key(found.key))
                add(chunks_[{key->document, key->chunk}]);
            break;
        case Database::kGists:
            if (const auto key = parse_group_key(found.key))
                add(groups_[{key->document, key->level, key->parent}]);
            break;
        case Database::kJournal:
            note_journal(found);
            break;
        case Database::kStats:
            break;  // of the store that counted it
    }
}

void SalvagedStore::note_document(const FoundRecord& found) {
    const RecordPlace place{Database::kDocuments, found.key};
    if (is_forgotten_key(found.key)) {
        const auto key = found.key.starts_with('f') ? parse_announcement_key(found.key)
                                                    : parse_tombstone_key(found.key);
        const auto tombstone = decode_tombstone(place, found.value);
        if (key && tombstone) forgotten_.insert_or_assign({key->bank, key->document}, *tombstone);
        return;
    }
    if (const auto key = parse_original_key(found.key)) {
        auto original = decode_original(place, found.value);
        const bool is_new = found.is_reached || !originals_.contains(key->document);
        if (original && is_new) originals_.insert_or_assign(key->document, std::move(*original));
        return;
    }
    if (const auto key = parse_piece_key(found.key)) {
        const std::pair at(key->document, key->piece);
        if (found.is_reached || !original_pieces_.contains(at))
            original_pieces_.insert_or_assign(
                at,
                std::pair(key->bank, Place{found.offset, found.value.size(), found.is_reached}));
        return;
    }
    auto stored = decode_document(place, found.value);
    if (!stored) return;
    std::vector<StoredDocument>& states = documents_[stored->record.id];
    // What was superseded stays so: that it stood once is older news.
    const auto stood = [](const StoredDocument& other) { return !is_superseded(other.record); };
    if (is_superseded(stored->record)) std::erase_if(states, stood);
    if (!is_superseded(stored->record) && !std::ranges::all_of(states, stood)) return;
    // The newest is the longest, because documents only grow.
    const auto longer = [&](const StoredDocument& other) {
        return other.record.token_count <= stored->record.token_count;
    };
    states.insert(found.is_reached ? states.begin() : std::ranges::find_if(states, longer),
                  std::move(*stored));
}

void SalvagedStore::note_journal(const FoundRecord& found) {
    const auto key = parse_journal_key(found.key);
    const auto entry = decode_journal({Database::kJournal, found.key}, found.value);
    if (!key || !entry) return;
    Journaled& known = journaled_[entry->document];
    known.bank = key->bank;
    known.token_count = std::max(known.token_count, entry->tokens.end);
}

std::string SalvagedStore::bank_name(BankId bank) const {
    const auto known = banks_.find(bank);
    if (known != banks_.end()) return known->second;
    return bank == BankId() ? "recovered" : "recovered-" + std::to_string(bank.value);
}

std::vector<std::byte> SalvagedStore::value_at(RecordPlace record, const Place& place) const {
    std::vector<std::byte> value(place.size);
    const ssize_t count =
        ::pread(fd_, value.data(), value.size(), static_cast<off_t>(place.offset));
    if (count != static_cast<ssize_t>(value.size())) value.clear();
    if (seal_ == nullptr) return value;
    auto opened = open_record(*seal_, record.database, record.key, value);
    return opened ? std::move(opened->content) : std::vector<std::byte>();
}

std::optional<TokenChunk> SalvagedStore::chunk(const DocumentRecord& record,
                                               std::uint64_t index) const {
    const auto places = chunks_.find({record.id, index});
    if (places == chunks_.end()) return std::nullopt;
    for (const Place& place : places->second) {
        const std::string key = token_key(record.id, index);
        auto chunk =
            decode_tokens({Database::kTokens, key}, value_at({Database::kTokens, key}, place));
        const std::uint64_t size = chunk_size(record.token_count, index);
        if (!chunk || chunk->tokens.size() < size) continue;
        // A record that is older than its newest chunk knows the chunk's beginning.
        chunk->tokens.resize(size);
        return std::move(*chunk);
    }
    return std::nullopt;
}

std::optional<StoredGroup> SalvagedStore::group(const DocumentRecord& record, Level level,
                                                NodeIndex parent) const {
    const auto places = groups_.find({record.id, level, parent});
    if (places == groups_.end() || !meta_) return std::nullopt;
    for (const Place& place : places->second) {
        const std::string key = group_key(record.id, level, parent);
        auto group =
            decode_group({Database::kGists, key}, value_at({Database::kGists, key}, place), *meta_);
        if (group && group->count == group_size(node_count(record.gist_end, level), parent))
            return std::move(*group);
    }
    return std::nullopt;
}

std::optional<OriginalPiece> SalvagedStore::original_piece(DocumentId document,
                                                           std::uint64_t index) const {
    const auto found = original_pieces_.find({document, index});
    if (found == original_pieces_.end()) return std::nullopt;
    const auto& [bank, place] = found->second;
    const std::string key = piece_key(bank, document, index);
    auto bytes =
        decode_piece({Database::kDocuments, key}, value_at({Database::kDocuments, key}, place));
    if (!bytes) return std::nullopt;
    return OriginalPiece{std::move(*bytes)};
}

void SalvagedStore::examine_original(SalvagedDocument& document) const {
    const DocumentId id = document.record.id;
    const auto original = originals_.find(id);
    if (original == originals_.end()) {
        const auto piece = original_pieces_.lower_bound({id, 0});
        document.original_is_lost = piece != original_pieces_.end() && piece->first.first == id;
        return;
    }
    StreamHash hash;
    std::uint64_t bytes = 0;
    for (std::uint64_t i = 0; bytes < original->second.byte_count; ++i) {
        const auto piece = original_piece(id, i);
        if (!piece) break;
        hash.update(std::as_bytes(std::span(piece->bytes)));
        bytes += piece->bytes.size();
    }
    document.has_original =
        bytes == original->second.byte_count && hash.digest() == original->second.hash;
    document.original_is_lost = !document.has_original;
}

bool SalvagedStore::has_all_gists(const StoredDocument& stored) const {
    const DocumentRecord& record = stored.record;
    for (std::uint8_t level = 1; level <= top_level(record.gist_end).value; ++level) {
        const std::uint64_t count = node_count(record.gist_end, Level(level));
        for (std::uint64_t i = 0; group_size(count, NodeIndex(i)) > 0; ++i)
            if (!group(record, Level(level), NodeIndex(i))) return false;
    }
    return true;
}

SalvagedDocument SalvagedStore::examine(const StoredDocument& stored, const TextOf& text_of) const {
    SalvagedDocument document;
    document.record = stored.record;
    document.bank = bank_name(stored.record.bank);
    StreamHash hash;
    std::uint64_t byte = 0;  // behind the last chunk that is there
    bool is_known = true;    // whether that is the next chunk's first
    for (std::uint64_t i = 0; i < chunk_count(stored.record); ++i) {
        const TokenSpan tokens{i * kTokenMarkStride,
                               i * kTokenMarkStride + chunk_size(stored.record.token_count, i)};
        const auto found = chunk(stored.record, i);
        if (found) {
            const auto text = text_of(found->tokens);
            if (!text) return document;  // tokens of another tokenizer
            if (!is_known) document.lost.back().bytes = {byte, found->first_byte};
            hash.update(std::as_bytes(std::span(*text)));
            byte = found->first_byte + text->size();
            is_known = true;
        } else if (!is_known) {
            document.lost.back().tokens.end = tokens.end;
        } else {
            document.lost.push_back({tokens, {}});
            is_known = false;
        }
    }
    if (!is_known) document.lost.back().bytes = {byte, stored.record.byte_count};
    document.is_whole = document.lost.empty() && byte == stored.record.byte_count &&
                        hash.digest() == stored.record.content_hash;
    document.has_gists = document.is_whole && has_all_gists(stored);
    examine_original(document);
    return document;
}

// Of several states of a record the first that is whole; else what the likeliest one lost.
std::vector<SalvagedDocument> SalvagedStore::documents(const TextOf& text_of) const {
    std::vector<SalvagedDocument> all;
    for (const auto& [id, states] : documents_) {
        std::optional<SalvagedDocument> best;
        for (const StoredDocument& state : states) {
            SalvagedDocument examined = examine(state, text_of);
            if (!best || examined.is_whole) best = std::move(examined);
            if (best->is_whole) break;
        }
        all.push_back(std::move(*best));
    }
    supersede_older(all);
    for (const DocumentId id : nameless()) all.push_back(examine_nameless(id, text_of));
    return all;
}

std::vector<DocumentId> SalvagedStore::nameless() const {
    std::set<DocumentId> gone;
    for (const auto& [place, tombstone] : forgotten_) gone.insert(place.second);
    std::vector<DocumentId> found;
    for (const auto& [place, chunk] : chunks_) {
        const DocumentId id = place.first;
        const bool is_known = documents_.contains(id) || gone.contains(id);
        if (!is_known && (found.empty() || found.back() != id)) found.push_back(id);
    }
    return found;
}

std::uint64_t SalvagedStore::longest_beginning(DocumentId id) const {
    std::uint64_t count = 0;
    for (std::uint64_t i = 0; count == i * kTokenMarkStride; ++i) {
        const auto places = chunks_.find({id, i});
        if (places == chunks_.end()) break;
        std::size_t longest = 0;
        for (const Place& place : places->second) {
            const std::string key = token_key(id, i);
            const auto chunk =
                decode_tokens({Database::kTokens, key}, value_at({Database::kTokens, key}, place));
            if (chunk) longest = std::max(longest, chunk->tokens.size());
        }
        count += longest;
    }
    return count;
}

// As many tokens as the journal says, or else as there are from the first one on.
SalvagedDocument SalvagedStore::examine_nameless(DocumentId id, const TextOf& text_of) const {
    StoredDocument stored;
    DocumentRecord& record = stored.record;
    record.id = id;
    record.source_name = "recovered/d" + std::to_string(id.value);
    record.media_type = "text/plain";
    const auto journaled = journaled_.find(id);
    if (journaled != journaled_.end()) record.bank = journaled->second.bank;
    record.token_count =
        journaled != journaled_.end() ? journaled->second.token_count : longest_beginning(id);
    StreamHash hash;
    for (std::uint64_t i = 0; i < chunk_count(record); ++i) {
        const auto found = chunk(record, i);
        const auto text = found ? text_of(found->tokens) : Result<std::string>();
        if (!found || !text) continue;
        hash.update(std::as_bytes(std::span(*text)));
        record.byte_count = found->first_byte + text->size();
    }
    record.content_hash = hash.digest();
    SalvagedDocument document = examine(stored, text_of);
    document.is_nameless = true;
    document.is_whole = document.is_whole && record.token_count > 0;
    return document;
}

std::unique_ptr<DocumentSource> SalvagedStore::pieces(const SalvagedDocument& document,
                                                      bool with_gists) const {
    return std::make_unique<SalvagedPieces>(*this, document, with_gists);
}

}  // namespace mc::storage

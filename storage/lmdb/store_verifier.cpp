// SPDX-License-Identifier: Apache-2.0
#include "storage/lmdb/store_verifier.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "core/span_math.h"
#include "storage/lmdb/batch_writer.h"
#include "tree/node_store.h"

namespace mc::storage {
namespace {

// What the walk knows of one document: what its record says, and what was met so far.
struct Seen {
    StoredDocument stored;
    bool linked = false;          // its source name leads to it
    std::uint64_t chunks = 0;     // found in order
    std::uint64_t last_byte = 0;  // first byte of the newest chunk
    std::vector<std::uint64_t> gists = std::vector<std::uint64_t>(kLevelMax.value, 0);
    std::uint64_t journaled = 0;       // tokens that the journal accounts for
    std::uint64_t original_bytes = 0;  // as the original's record says
    std::uint64_t piece_bytes = 0;     // in its pieces
};

class Verifier {
  public:
    Verifier(const StoreParts& parts, const ReadTransaction& txn,
             const std::function<void(const RecordFault&)>& on_fault)
        : parts_(parts), txn_(txn), on_fault_(on_fault) {}

    Result<VerifySummary> run() {
        MC_TRY(walk(Database::kMeta, &Verifier::check_meta));
        MC_TRY(walk(Database::kBanks, &Verifier::check_bank));
        MC_TRY(walk(Database::kDocuments, &Verifier::check_document));
        MC_TRY(walk(Database::kTokens, &Verifier::check_tokens));
        MC_TRY(walk(Database::kGists, &Verifier::check_gists));
        MC_TRY(walk(Database::kStats, &Verifier::check_uses));
        MC_TRY(walk(Database::kJournal, &Verifier::check_journal));
        check_totals();
        return summary_;
    }

  private:
    using Check = std::optional<std::string> (Verifier::*)(std::string_view key, ByteView value);

    Result<void> walk(Database database, Check check) {
        return txn_.scan(database, "", [&](std::string_view key, ByteView value) -> Result<bool> {
            ++summary_.records;
            if (const auto wrong = (this->*check)(key, value)) report(database, key, *wrong);
            return true;
        });
    }

    void report(Database database, std::string_view key, const std::string& wrong) {
        ++summary_.faults;
        on_fault_({std::string(database_name(database)), describe_key(database, key),
                   Error(ErrorCode::kCorruption,
                         describe_record(parts_.directory, database, key) + ": " + wrong)});
    }

    Seen* find(DocumentId document) {
        const auto place = documents_.find(document.value);
        return place == documents_.end() ? nullptr : &place->second;
    }

    std::optional<std::string> check_meta(std::string_view key, ByteView value) {
        const RecordPlace place{Database::kMeta, key};
        if (key == kMetaKey) {
            const auto meta = decode_meta(place, value);
            return meta ? std::nullopt : std::optional(meta.error());
        }
        if (key == kSealKey && parts_.seal != nullptr) return std::nullopt;  // it opened the store
        if (key != kCountersKey) return "a record that no rule knows";
        const auto counters = decode_counters(place, value);
        if (!counters) return counters.error();
        counters_ = *counters;
        return std::nullopt;
    }

    std::optional<std::string> check_bank(std::string_view key, ByteView value) {
        const auto bank = decode_bank({Database::kBanks, key}, value);
        if (!bank) return bank.error();
        if (bank->id.value >= counters_.next_bank) return "an id that was never given out";
        if (!banks_.insert(bank->id.value).second) return "the id of another bank";
        return std::nullopt;
    }

    std::optional<std::string> check_document(std::string_view key, ByteView value) {
        if (key.starts_with('s')) return check_source(key, value);
        if (key.starts_with('f') || key.starts_with('t')) return check_forgotten(key, value);
        if (key.starts_with('m')) return check_macro(key, value);
        if (key.starts_with('o')) return check_original(key, value);
        if (key.starts_with('p')) return check_piece(key, value);
        auto document = decode_document({Database::kDocuments, key}, value);
        if (!document) return document.error();
        const DocumentRecord& record = document->record;
        const std::uint64_t id = record.id.value;
        if (!banks_.contains(record.bank.value)) return "a document of no bank";
        if (id >= counters_.next_document) return "an id that was never given out";
        Seen seen;
        seen.stored = std::move(*document);
        if (!documents_.emplace(id, std::move(seen)).second) return "the id of another document";
        return std::nullopt;
    }

    // 'f' and 't' sort after 'd' and 'e': every document is known by now.
    std::optional<std::string> check_forgotten(std::string_view key, ByteView value) {
        const auto tombstone = decode_tombstone({Database::kDocuments, key}, value);
        if (!tombstone) return tombstone.error();
        const bool announced = key.starts_with('f');
        const BankId bank = (announced ? parse_announcement_key : parse_tombstone_key)(key)->bank;
        const Seen* seen = find(tombstone->document);
        if (announced)
            return seen != nullptr && seen->stored.record.bank == bank
                       ? std::nullopt
                       : std::optional<std::string>("it announces the end of no document");
        if (seen != nullptr) return "a document that is there is said to be forgotten";
        if (tombstone->document.value >= counters_.next_document)
            return "an id that was never given out";
        forgotten_.emplace(tombstone->document.value, bank.value);
        return std::nullopt;
    }

    std::optional<std::string> check_macro(std::string_view key, ByteView value) const {
        const auto macro = decode_macro({Database::kDocuments, key}, value, parts_.meta);
        if (!macro) return macro.error();
        if (!banks_.contains(parse_macro_key(key)->bank.value)) return "a macro of no bank";
        return std::nullopt;
    }

    // 'o' sorts after 'd' and 'e' and before 'p'.
    std::optional<std::string> check_original(std::string_view key, ByteView value) {
        const auto parsed = parse_original_key(key);
        if (!parsed) return "a key of another form";
        const auto original = decode_original({Database::kDocuments, key}, value);
        if (!original) return original.error();
        Seen* seen = find(parsed->document);
        if (seen == nullptr || seen->stored.record.bank != parsed->bank)
            return "the original of no document";
        seen->original_bytes = original->byte_count;
        return std::nullopt;
    }

    std::optional<std::string> check_piece(std::string_view key, ByteView value) {
        const auto parsed = parse_piece_key(key);
        if (!parsed) return "a key of another form";
        const auto bytes = decode_piece({Database::kDocuments, key}, value);
        if (!bytes) return bytes.error();
        Seen* seen = find(parsed->document);
        if (seen == nullptr || seen->stored.record.bank != parsed->bank)
            return "a piece of no original";
        const std::uint64_t begin = parsed->piece * kOriginalPieceBytes;
        if (begin != seen->piece_bytes) return "the piece before it is missing";
        seen->piece_bytes += bytes->size();
        return std::nullopt;
    }

    // 's' sorts after 'd' and 'e', so every document is known by now.
    std::optional<std::string> check_source(std::string_view key, ByteView value) {
        const auto ids = decode_source({Database::kDocuments, key}, value);
        if (!ids) return ids.error();
        for (const DocumentId id : *ids) {
            Seen* seen = find(id);
            if (seen == nullptr) return "it leads to no document";
            const DocumentRecord& record = seen->stored.record;
            if (source_key(record.bank, record.source_name) != key)
                return "it leads to a document of another name";
            seen->linked = true;
        }
        return std::nullopt;
    }

    std::optional<std::string> check_tokens(std::string_view key, ByteView value) {
        const auto parsed = parse_token_key(key);
        if (!parsed) return "a key of another form";
        const auto chunk = decode_tokens({Database::kTokens, key}, value);
        if (!chunk) return chunk.error();
        Seen* seen = find(parsed->document);
        if (seen == nullptr) return "tokens of no document";
        const DocumentRecord& record = seen->stored.record;
        if (parsed->chunk != seen->chunks) return "the chunk before it is missing";
        ++seen->chunks;
        if (chunk->tokens.size() != chunk_size(record.token_count, parsed->chunk))
            return "not as many tokens as the document's record says";
        const bool bytes_ascend = chunk->first_byte >= seen->last_byte &&
                                  chunk->first_byte <= record.byte_count &&
                                  (parsed->chunk > 0 || chunk->first_byte == 0);
        seen->last_byte = chunk->first_byte;
        if (!bytes_ascend) return "a byte offset out of order";
        return std::nullopt;
    }

    std::optional<std::string> check_gists(std::string_view key, ByteView value) {
        const auto parsed = parse_group_key(key);
        if (!parsed || parsed->level < Level(1) || parsed->level > kLevelMax)
            return "a key of another form";
        const auto group = decode_group({Database::kGists, key}, value, parts_.meta);
        if (!group) return group.error();
        Seen* seen = find(parsed->document);
        if (seen == nullptr) return "gists of no document";
        const std::size_t row = parsed->level.value - 1u;
        if (parsed->parent.value != seen->gists[row] >> kBlockBits ||
            seen->gists[row] % kBlockSize != 0)
            return "the gists before them are missing";
        seen->gists[row] += group->count;
        return std::nullopt;
    }

    std::optional<std::string> check_uses(std::string_view key, ByteView value) {
        const auto parsed = parse_group_key(key);
        if (!parsed) return "a key of another form";
        const auto uses = decode_uses({Database::kStats, key}, value);
        if (!uses) return uses.error();
        if (find(parsed->document) == nullptr) return "use of no document";
        return std::nullopt;
    }

    std::optional<std::string> check_journal(std::string_view key, ByteView value) {
        const auto parsed = parse_journal_key(key);
        if (!parsed) return "a key of another form";
        const auto entry = decode_journal({Database::kJournal, key}, value);
        if (!entry) return entry.error();
        if (parsed->commit.value > counters_.last_commit) return "a commit that never was";
        const auto forgotten = forgotten_.find(entry->document.value);
        if (forgotten != forgotten_.end() && forgotten->second == parsed->bank.value)
            return std::nullopt;
        Seen* seen = find(entry->document);
        if (seen == nullptr || seen->stored.record.bank != parsed->bank)
            return "a commit to no document of its bank";
        if (entry->tokens.begin < entry->tokens.end && entry->tokens.end <= seen->journaled)
            return std::nullopt;  // some of what was there became blank
        if (entry->tokens.begin != seen->journaled)
            return "it does not continue the document's last commit";
        seen->journaled = entry->tokens.end;
        return std::nullopt;
    }

    void check_totals() {
        for (const auto& [id, seen] : documents_) {
            const DocumentRecord& record = seen.stored.record;
            const std::string key = key_of(record);
            const auto miss = [&](const std::string& wrong) {
                report(Database::kDocuments, key, wrong);
            };
            if (!seen.linked) miss("its source name does not lead to it");
            if (seen.chunks != (record.token_count + kTokenMarkStride - 1) / kTokenMarkStride)
                miss("tokens are missing");
            if (seen.journaled != record.token_count) miss("the journal misses some of its tokens");
            if (seen.piece_bytes != seen.original_bytes)
                miss("its original has not as many bytes as its record says");
            std::vector<std::uint64_t> counts = seen.stored.gist_counts;
            counts.resize(kLevelMax.value, 0);
            if (counts != seen.gists) miss("its gists are not as many as its record says");
        }
    }

    const StoreParts& parts_;
    const ReadTransaction& txn_;
    const std::function<void(const RecordFault&)>& on_fault_;
    VerifySummary summary_;
    Counters counters_;
    std::set<std::uint32_t> banks_;
    std::map<std::uint64_t, Seen> documents_;
    std::map<std::uint64_t, std::uint32_t> forgotten_;  // document → bank
};

}  // namespace

Result<VerifySummary> verify_store(const StoreParts& parts,
                                   const std::function<void(const RecordFault&)>& on_fault) {
    VerifySummary summary;
    const Result<void> pages = parts.env->check_all_pages();
    if (!pages && pages.error().code() != ErrorCode::kCorruption) return fail(pages.error());
    if (!pages) on_fault({"data.mdb", "pages", pages.error()});
    MC_TRY(parts.env->read([&](const ReadTransaction& txn) -> Result<void> {
        MC_ASSIGN(summary, Verifier(parts, txn, on_fault).run());
        return {};
    }));
    if (!pages) ++summary.faults;
    return summary;
}

}  // namespace mc::storage

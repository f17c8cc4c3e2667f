// SPDX-License-Identifier: Apache-2.0
// What can still be read of a damaged store, document by document, and what cannot.
//
// A document is whole if its record was found, all of its tokens, and their text has the hash that
// the record says. Where the record is lost and the tokens are there from the first one on, the
// document is whole too, under a name made from its id: every chunk has a checksum of its own, and
// the journal tells bank and length where it can be read. Gists that are missing lose nothing: they
// can be made anew. An original that is lost leaves its document whole. What a tombstone names
// stays forgotten. The damaged store is only read, and LMDB never opens it. Memory: some 100 bytes
// for each 1,024 tokens. Ownership: documents borrow the store. Threads: one. Errors: those of
// page_scan.h; damage is a finding.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "storage/lmdb/document_source.h"
#include "storage/portable/bank_file.h"
#include "storage/salvage/page_scan.h"
#include "storage/seal/store_key.h"
#include "storage/seal/store_seal.h"

namespace mc::storage {

// What of a document is gone.
struct LostSpan {
    TokenSpan tokens;
    ByteSpan bytes;
};

struct SalvagedDocument {
    DocumentRecord record;
    std::string
        bank;  // "recovered-N" where its own record is lost, "recovered" where the id is too
    bool is_nameless = false;  // name, times, metadata and hash are lost
    bool is_whole = false;
    bool has_gists = false;         // all of them; of a whole one
    bool has_original = false;      // all of it
    bool original_is_lost = false;  // or some of it
    std::vector<LostSpan> lost;     // of one that is not whole; empty: its text has another hash
};

class SalvagedStore {
  public:
    // key: of an encrypted store, null for none (else kKey).
    static Result<std::unique_ptr<SalvagedStore>> open(const Path& directory,
                                                       const StoreKey* key = nullptr);
    ~SalvagedStore();
    SalvagedStore(const SalvagedStore&) = delete;
    SalvagedStore& operator=(const SalvagedStore&) = delete;

    // nullopt: that record is lost; no gist can be used then.
    const std::optional<StoreMeta>& meta() const { return meta_; }

    const ScanSummary& summary() const { return summary_; }

    // In order of id, the nameless last; reads all tokens and gists. text_of: by the tokenizer that
    // the store's tokens are of; by another one, no document is whole.
    std::vector<SalvagedDocument> documents(const TextOf& text_of) const;

    // By bank.
    const std::map<std::string, std::vector<Tombstone>>& tombstones() const { return tombstones_; }

    // The pieces of a whole document; with_gists only where it has them.
    std::unique_ptr<DocumentSource> pieces(const SalvagedDocument& document, bool with_gists) const;

  private:
    friend class SalvagedPieces;

    struct Place {
        std::uint64_t offset = 0;
        std::uint64_t size = 0;
        bool is_reached = false;
    };

    using GroupPlace = std::tuple<DocumentId, Level, NodeIndex>;

    // What the journal says of a document.
    struct Journaled {
        BankId bank;
        std::uint64_t token_count = 0;
    };

    explicit SalvagedStore(int fd) : fd_(fd) {}

    static Result<std::unique_ptr<SalvagedStore>> of_file(const Path& data);
    // Notes what is there; gives what may be key headers.
    Result<std::vector<std::string>> read(const Path& data);
    void note(const FoundRecord& found);
    void note_document(const FoundRecord& found);
    void note_journal(const FoundRecord& found);
    std::string bank_name(BankId bank) const;
    std::optional<OriginalPiece> original_piece(DocumentId document, std::uint64_t index) const;
    void examine_original(SalvagedDocument& document) const;
    std::optional<TokenChunk> chunk(const DocumentRecord& record, std::uint64_t index) const;
    std::optional<StoredGroup> group(const DocumentRecord& record, Level level,
                                     NodeIndex parent) const;
    std::vector<std::byte> value_at(RecordPlace record, const Place& place) const;
    SalvagedDocument examine(const StoredDocument& stored, const TextOf& text_of) const;
    bool has_all_gists(const StoredDocument& stored) const;
    std::vector<DocumentId> nameless() const;
    std::uint64_t longest_beginning(DocumentId id) const;
    SalvagedDocument examine_nameless(DocumentId id, const TextOf& text_of) const;

    const int fd_;
    std::unique_ptr<StoreSeal> seal_;  // null: not encrypted
    ScanSummary summary_;
    std::optional<StoreMeta> meta_;
    std::map<BankId, std::string> banks_;
    std::map<DocumentId, std::vector<StoredDocument>>
        documents_;  // its states, the likeliest first
    std::map<std::pair<DocumentId, std::uint64_t>, std::vector<Place>> chunks_;
    std::map<GroupPlace, std::vector<Place>> groups_;
    std::map<DocumentId, OriginalRecord> originals_;
    std::map<std::pair<DocumentId, std::uint64_t>, std::pair<BankId, Place>> original_pieces_;
    std::map<DocumentId, Journaled> journaled_;
    std::map<std::pair<BankId, DocumentId>, Tombstone> forgotten_;  // or announced to be
    std::map<std::string, std::vector<Tombstone>> tombstones_;
};

}  // namespace mc::storage

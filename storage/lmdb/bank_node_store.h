// SPDX-License-Identifier: Apache-2.0
// NodeStore of one bank on LMDB. Every read starts from the bank's own document record, so another
// bank's documents do not exist here. Ownership: borrows the Store's parts.
// Threads and errors: tree/node_store.h.
#pragma once

#include "storage/lmdb/document_source.h"
#include "storage/lmdb/store_parts.h"
#include "tree/log_position.h"
#include "tree/node_store.h"

namespace mc::storage {

// Beyond any path or URL; keeps records small.
inline constexpr std::size_t kSourceNameBytesMax = 4096;
inline constexpr std::size_t kMetadataBytesMax = 64 * 1024;
inline constexpr std::size_t kForgetReasonBytesMax = 1024;

// kInvalidInput for a record whose texts are beyond those limits.
Result<void> check_draft(const DocumentRecord& draft);

class BankNodeStore final : public NodeStore {
  public:
    BankNodeStore(StoreParts& parts, BankRecord bank) : parts_(parts), bank_(std::move(bank)) {}

    const BankRecord& bank() const override { return bank_; }

    Result<std::vector<DocumentRecord>> list_documents() const override;
    Result<std::vector<DocumentRecord>> newest_documents(std::size_t count) const override;
    Result<std::optional<DocumentRecord>> find_document(DocumentId document) const override;
    Result<std::optional<DocumentRecord>> find_document_by_source(
        std::string_view source_name) const override;
    Result<std::vector<DocumentRecord>> list_versions() const override;
    Result<std::optional<DocumentRecord>> find_version(DocumentId document) const override;
    Result<std::vector<DocumentRecord>> versions_of(std::string_view source_name) const override;
    Result<std::vector<TokenId>> read_tokens(DocumentId document, TokenSpan span) const override;
    Result<TokenByteMark> mark_before_byte(DocumentId document, std::uint64_t byte) const override;
    Result<TokenByteMark> mark_before_token(DocumentId document,
                                            std::uint64_t token) const override;
    Result<std::optional<GistGroup>> find_gists(DocumentId document, Level level,
                                                NodeIndex parent) const override;
    Result<DocumentRecord> create_document(const DocumentRecord& draft) override;
    Result<DocumentRecord> replace_document(const DocumentRecord& draft,
                                            const Succession& succession) override;
    Result<CommitNumber> commit(const IngestBatch& batch) override;
    Result<void> put_original(DocumentId document, const Original& original) override;
    Result<std::optional<OriginalRecord>> find_original(DocumentId document) const override;
    Result<std::string> read_original(DocumentId document, ByteSpan span) const override;
    Result<void> announce_forgets(std::span<const Tombstone> tombstones) override;
    Result<std::vector<Tombstone>> announced_forgets() const override;
    Result<CommitNumber> forget(DocumentId document) override;
    Result<CommitNumber> redact(const Redaction& redaction) override;
    Result<std::vector<Tombstone>> tombstones() const override;
    Result<std::vector<JournalEntry>> journal_between(CommitNumber commit,
                                                      CommitNumber last) const override;
    Result<CommitNumber> last_commit() const override;
    Result<NodeUse> node_use(NodeId node) const override;
    Result<void> record_use(std::span<const NodeId> nodes, std::int64_t now_us) override;

    const StoreParts& parts() const { return parts_; }

    // Everything of the bank but what is announced to be forgotten, in one snapshot: meanwhile the
    // file grows by what a writer replaces. Requires: visitor reads nothing of the store.
    Result<void> visit(BankVisitor& visitor, bool with_gists) const;

    // A whole document in one transaction, under an id of its own, or a whole version; the record's
    // id and bank are ignored. succession: what it takes the place of, in the same transaction.
    // Pieces are checked as if an enemy had made them: what is stored then keeps every
    // rule that verify knows but that of index vectors. Errors, with nothing changed: kInvalidInput
    // for a name that is taken; kCorruption for pieces that do not fit the record; kModelMismatch
    // without the codebook. Requires: groups are of the store's codec and encoder.
    // log: how far the bank has followed its log with this document, in the same transaction.
    Result<DocumentRecord> adopt(const DocumentRecord& record, DocumentSource& pieces,
                                 const std::optional<Succession>& succession = {},
                                 const std::optional<LogPosition>& log = {});

    // Of the bank as it stands on disk; bank() says what it was when it was opened.
    Result<LogPosition> log_position() const;
    Result<void> set_log_position(const LogPosition& log);

    // Adds those that the bank does not have yet, under ids of their own; how many that were.
    Result<std::uint64_t> adopt_tombstones(std::span<const Tombstone> tombstones);

  private:
    // kInvalidInput when this bank does not have it; versions are not had by the first.
    Result<StoredDocument> require_standing(const ReadTransaction& txn, DocumentId document) const;
    Result<StoredDocument> require_document(const ReadTransaction& txn, DocumentId document) const;
    Result<std::vector<DocumentRecord>> list_records(
        const std::string& first, std::optional<DocumentKey> (*parse)(std::string_view)) const;
    Result<std::vector<DocumentId>> documents_of_source(const ReadTransaction& txn,
                                                        std::string_view source_name) const;
    Result<std::optional<StoredDocument>> find_by_source(const ReadTransaction& txn,
                                                         std::string_view source_name) const;
    Result<std::vector<Tombstone>> read_tombstones(
        const std::string& first, std::optional<DocumentKey> (*parse)(std::string_view)) const;
    // The original and its pieces, where there are any.
    Result<void> erase_original(WriteTransaction& txn, DocumentId document);
    // Its bytes alone; its places become these.
    Result<void> erase_original_bytes(WriteTransaction& txn, DocumentId document,
                                      std::span<const Place> places);
    Result<void> check_name_is_free(const ReadTransaction& txn, std::string_view source_name) const;
    // Of a name, the oldest first.
    Result<std::vector<StoredDocument>> read_versions(const ReadTransaction& txn,
                                                      std::string_view source_name) const;
    Result<void> number_version(const ReadTransaction& txn, DocumentRecord& record) const;
    Result<DocumentRecord> create_in(WriteTransaction& txn, const DocumentRecord& draft);
    Result<void> supersede(WriteTransaction& txn, const Succession& succession,
                           std::string_view source_name);
    Result<void> announce_old_versions(WriteTransaction& txn, const Succession& succession,
                                       std::string_view source_name);
    Result<void> add_source(WriteTransaction& txn, const DocumentRecord& record);
    Result<void> erase_source(WriteTransaction& txn, const DocumentRecord& record);
    Result<void> visit_document(const ReadTransaction& txn, const StoredDocument& document,
                                bool with_gists, BankVisitor& visitor) const;
    Result<void> visit_documents(const ReadTransaction& txn, const std::string& first,
                                 std::optional<DocumentKey> (*parse)(std::string_view),
                                 bool with_gists, BankVisitor& visitor) const;
    // From when on what a batch adds to a document counts.
    Result<std::int64_t> addition_us(const WriteTransaction& txn, const DocumentRecord& before,
                                     const DocumentRecord& after) const;
    // Under the next commit number, which it returns.
    Result<CommitNumber> append_journal(WriteTransaction& txn, const JournalRecord& entry);
    Result<void> put_log_position(WriteTransaction& txn, const LogPosition& log) const;
    Result<UseGroup> use_group(const ReadTransaction& txn, NodeId node) const;

    StoreParts& parts_;
    const BankRecord bank_;
};

}  // namespace mc::storage

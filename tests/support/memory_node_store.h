// SPDX-License-Identifier: Apache-2.0
// NodeStore in memory, with every rule of the port and none of a disk's troubles. Tests may reach
// in through content() to damage what it holds.
#pragma once

#include <map>
#include <vector>

#include "tree/node_store.h"

namespace mc {

class MemoryNodeStore final : public NodeStore {
  public:
    // A document as the store holds it.
    struct Content {
        DocumentRecord record;
        std::vector<TokenId> tokens;
        std::vector<TokenByteMark> marks;  // one per kTokenMarkStride tokens, from token 0 on
        // (level, parent) → that parent's gists; levels count from 1.
        std::map<std::pair<Level, NodeIndex>, GistGroup> groups;
        std::optional<Original> original;
    };

    MemoryNodeStore() : bank_{BankId(1), "memory", 0} {}

    // Requires: the document exists.
    Content& content(DocumentId document) { return contents_.at(document); }

    std::vector<JournalEntry>& journal() { return journal_; }

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

  private:
    Result<const Content*> require(DocumentId document) const;
    static void append_tokens(Content& content, const IngestBatch& batch);
    static void append_gist(Content& content, const NewGist& fresh);

    BankRecord bank_;
    std::map<DocumentId, Content> contents_;
    std::map<NodeId, NodeUse> uses_;
    std::map<DocumentId, Tombstone> announced_;
    std::map<DocumentId, Tombstone> tombstones_;
    std::vector<JournalEntry> journal_;
    CommitNumber last_commit_;
};

}  // namespace mc

// SPDX-License-Identifier: Apache-2.0
// Port: the durable truth of one bank. storage/ implements it on LMDB; tests/support/ in memory.
//
// A NodeStore sees one bank and no other: a document of another bank does not exist for it, so the
// isolation of banks holds below every handler. Ownership: returned values are copies and outlive
// the store. Threads: const methods from any thread; non-const from the one engine thread.
// Errors: kInvalidInput for a document that this bank does not have; kCorruption for a record that
// fails its checksum or rules, naming it; kOutOfSpace and kIo from commit(), with the last commit
// intact.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "tree/original.h"
#include "tree/records.h"

namespace mc {

// Documents are those that stand, unless it is said that versions count too: what does not know of
// versions never meets one.
class NodeStore {
  public:
    virtual ~NodeStore() = default;

    virtual const BankRecord& bank() const = 0;

    // In order of id. Cost: every document's record; for a question, newest_documents() and
    // find_document() do.
    virtual Result<std::vector<DocumentRecord>> list_documents() const = 0;
    // The newest documents that hold a token, newest first. Cost: by how many are asked for, and
    // those without a token among them.
    virtual Result<std::vector<DocumentRecord>> newest_documents(std::size_t count) const = 0;
    virtual Result<std::optional<DocumentRecord>> find_document(DocumentId document) const = 0;
    virtual Result<std::optional<DocumentRecord>> find_document_by_source(
        std::string_view source_name) const = 0;

    // Documents that were replaced and kept, in order of id. Cost: their records.
    virtual Result<std::vector<DocumentRecord>> list_versions() const = 0;
    virtual Result<std::optional<DocumentRecord>> find_version(DocumentId document) const = 0;
    // Those of a name, the oldest first.
    virtual Result<std::vector<DocumentRecord>> versions_of(std::string_view source_name) const = 0;

    // From here to find_original(), and for node_use(), announce_forgets() and forget(), versions
    // are documents too. Requires: the span lies within the document (kInvalidInput otherwise).
    virtual Result<std::vector<TokenId>> read_tokens(DocumentId document, TokenSpan span) const = 0;

    // A mark at or before the byte offset, at most kTokenMarkStride tokens before it.
    virtual Result<TokenByteMark> mark_before_byte(DocumentId document,
                                                   std::uint64_t byte) const = 0;
    // A mark at or before the token position, at most kTokenMarkStride tokens before it.
    virtual Result<TokenByteMark> mark_before_token(DocumentId document,
                                                    std::uint64_t token) const = 0;

    // The gists of a level under one parent, as many as exist; nullopt when there are none.
    // Cost: one read.
    virtual Result<std::optional<GistGroup>> find_gists(DocumentId document, Level level,
                                                        NodeIndex parent) const = 0;

    // Adds a document with no tokens; the record's id is ignored and a fresh one returned.
    // Its version is one more than the newest that is kept of its name, if the draft's is not
    // greater. Errors: kInvalidInput when the source name is taken.
    virtual Result<DocumentRecord> create_document(const DocumentRecord& draft) = 0;
    // create_document() in the place of another, in the same transaction: tokens, gists, original
    // and times of that one stay, the journal names it. Requires: both have one source name.
    virtual Result<DocumentRecord> replace_document(const DocumentRecord& draft,
                                                    const Succession& succession) = 0;

    // One durable transaction; the number of its line in the journal, or of the store's last commit
    // where it brings gists alone, which the journal does not tell. Requires:
    // batch.document.token_count equals the stored count plus the batch's tokens, and the gists
    // continue their levels without a gap, each level as far as the one below it allows (bug
    // otherwise). They may be fewer than the tokens fill, also none.
    virtual Result<CommitNumber> commit(const IngestBatch& batch) = 0;

    // What a document was converted from: one durable transaction, in the place of what was there.
    // Goes with the document when that is forgotten. Requires: are_places(original.places).
    virtual Result<void> put_original(DocumentId document, const Original& original) = 0;
    // nullopt: the document's text is its source's own.
    virtual Result<std::optional<OriginalRecord>> find_original(DocumentId document) const = 0;
    // Requires: the span lies within the original (kInvalidInput otherwise).
    virtual Result<std::string> read_original(DocumentId document, ByteSpan span) const = 0;

    // Durable word that documents are to be forgotten, all or none of them, so that a kill before
    // forget() is no way out: who opens the bank for writing next finishes what is announced.
    // Nothing else changes yet.
    virtual Result<void> announce_forgets(std::span<const Tombstone> tombstones) = 0;
    virtual Result<std::vector<Tombstone>> announced_forgets() const = 0;
    // One durable transaction: tokens, gists, use, name and record of an announced document go, its
    // tombstone stays. The journal gets an entry without tokens. What the document's pages held may
    // lie in free pages until they are written over.
    virtual Result<CommitNumber> forget(DocumentId document) = 0;
    // One durable transaction that completes an announcement with parts: tokens become blank, gists
    // are replaced, the original's bytes go, the announcement too. Requires: the redaction keeps
    // the document's length in tokens, its gists exist, it names what indexes lack (bug otherwise).
    virtual Result<CommitNumber> redact(const Redaction& redaction) = 0;
    // In order of id.
    virtual Result<std::vector<Tombstone>> tombstones() const = 0;

    // The bank's journal after a commit, up to another one, oldest first, and the newest commit
    // number. It may name documents that were forgotten since.
    virtual Result<std::vector<JournalEntry>> journal_between(CommitNumber commit,
                                                              CommitNumber last) const = 0;

    Result<std::vector<JournalEntry>> journal_after(CommitNumber commit) const {
        return journal_between(commit, CommitNumber(UINT64_MAX));
    }

    virtual Result<CommitNumber> last_commit() const = 0;

    virtual Result<NodeUse> node_use(NodeId node) const = 0;
    // Counts one access of each node, in one transaction.
    virtual Result<void> record_use(std::span<const NodeId> nodes, std::int64_t now_us) = 0;
};

inline constexpr std::uint64_t kTokenMarkStride = 1024;

// A document that stands, or a version.
inline Result<std::optional<DocumentRecord>> find_any_version(const NodeStore& nodes,
                                                              DocumentId document) {
    auto found = nodes.find_document(document);
    return found && !*found ? nodes.find_version(document) : found;
}

}  // namespace mc

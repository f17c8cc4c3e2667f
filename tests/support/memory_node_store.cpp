// SPDX-License-Identifier: Apache-2.0
#include "tests/support/memory_node_store.h"

#include <algorithm>

#include "core/span_math.h"

namespace mc {

Result<const MemoryNodeStore::Content*> MemoryNodeStore::require(DocumentId document) const {
    const auto found = contents_.find(document);
    if (found != contents_.end()) return &found->second;
    return fail(ErrorCode::kInvalidInput,
                "bank memory has no document " + std::to_string(document.value));
}

Result<std::vector<DocumentRecord>> MemoryNodeStore::list_documents() const {
    std::vector<DocumentRecord> records;
    for (const auto& [id, content] : contents_)
        if (!is_superseded(content.record)) records.push_back(content.record);
    return records;
}

Result<std::vector<DocumentRecord>> MemoryNodeStore::list_versions() const {
    std::vector<DocumentRecord> records;
    for (const auto& [id, content] : contents_)
        if (is_superseded(content.record)) records.push_back(content.record);
    return records;
}

Result<std::optional<DocumentRecord>> MemoryNodeStore::find_version(DocumentId document) const {
    const auto found = contents_.find(document);
    if (found == contents_.end() || !is_superseded(found->second.record))
        return std::optional<DocumentRecord>();
    return std::optional(found->second.record);
}

// Ids are given out in the order of versions.
Result<std::vector<DocumentRecord>> MemoryNodeStore::versions_of(
    std::string_view source_name) const {
    MC_ASSIGN(auto records, list_versions());
    std::erase_if(records, [&](const auto& one) { return one.source_name != source_name; });
    return records;
}

Result<std::vector<DocumentRecord>> MemoryNodeStore::newest_documents(std::size_t count) const {
    std::vector<DocumentRecord> documents;
    for (auto at = contents_.rbegin(); at != contents_.rend() && documents.size() < count; ++at)
        if (at->second.record.token_count > 0 && !is_superseded(at->second.record))
            documents.push_back(at->second.record);
    return documents;
}

Result<std::optional<DocumentRecord>> MemoryNodeStore::find_document(DocumentId document) const {
    const auto found = contents_.find(document);
    if (found == contents_.end() || is_superseded(found->second.record))
        return std::optional<DocumentRecord>();
    return std::optional(found->second.record);
}

Result<std::optional<DocumentRecord>> MemoryNodeStore::find_document_by_source(
    std::string_view source_name) const {
    for (const auto& [id, content] : contents_) {
        if (content.record.source_name == source_name && !is_superseded(content.record))
            return std::optional(content.record);
    }
    return std::optional<DocumentRecord>();
}

Result<std::vector<TokenId>> MemoryNodeStore::read_tokens(DocumentId document,
                                                          TokenSpan span) const {
    MC_ASSIGN(const Content* content, require(document));
    if (span.begin > span.end || span.end > content->tokens.size()) {
        return fail(ErrorCode::kInvalidInput, "the document ends before the span does");
    }
    const auto at = [&](std::uint64_t token) {
        return content->tokens.begin() + static_cast<std::ptrdiff_t>(token);
    };
    return std::vector<TokenId>(at(span.begin), at(span.end));
}

Result<TokenByteMark> MemoryNodeStore::mark_before_byte(DocumentId document,
                                                        std::uint64_t byte) const {
    MC_ASSIGN(const Content* content, require(document));
    if (byte > content->record.byte_count) {
        return fail(ErrorCode::kInvalidInput, "the document ends before that byte");
    }
    TokenByteMark before;
    for (const TokenByteMark& mark : content->marks) {
        if (mark.byte <= byte) before = mark;
    }
    return before;
}

Result<TokenByteMark> MemoryNodeStore::mark_before_token(DocumentId document,
                                                         std::uint64_t token) const {
    MC_ASSIGN(const Content* content, require(document));
    if (token > content->record.token_count) {
        return fail(ErrorCode::kInvalidInput, "the document ends before that token");
    }
    TokenByteMark before;
    for (const TokenByteMark& mark : content->marks) {
        if (mark.token <= token) before = mark;
    }
    return before;
}

Result<std::optional<GistGroup>> MemoryNodeStore::find_gists(DocumentId document, Level level,
                                                             NodeIndex parent) const {
    MC_ASSIGN(const Content* content, require(document));
    const auto group = content->groups.find({level, parent});
    if (group == content->groups.end()) return std::optional<GistGroup>();
    return std::optional(group->second);
}

Result<DocumentRecord> MemoryNodeStore::create_document(const DocumentRecord& draft) {
    MC_ASSIGN(const auto taken, find_document_by_source(draft.source_name));
    if (taken) {
        return fail(ErrorCode::kInvalidInput,
                    "bank memory has a document named " + draft.source_name);
    }
    DocumentRecord record = draft;
    record.id = DocumentId(contents_.empty() ? 1 : contents_.rbegin()->first.value + 1);
    record.bank = bank_.id;
    MC_ASSIGN(const auto versions, versions_of(draft.source_name));
    if (!versions.empty()) record.version = std::max(record.version, versions.back().version + 1);
    contents_[record.id].record = record;
    return record;
}

Result<DocumentRecord> MemoryNodeStore::replace_document(const DocumentRecord& draft,
                                                         const Succession& succession) {
    MC_TRY(require(succession.old));
    DocumentRecord& old = contents_.at(succession.old).record;
    MC_CHECK(old.source_name == draft.source_name && succession.at_us != 0, "a succession");
    old.superseded_us = succession.at_us;
    ++last_commit_.value;
    journal_.push_back({last_commit_, old.id, {old.token_count, old.token_count}});
    MC_ASSIGN(const auto versions, versions_of(draft.source_name));
    for (std::size_t i = 0; i + succession.versions_kept < versions.size(); ++i)
        announced_[versions[i].id] = {versions[i].id, succession.at_us, versions[i].token_count,
                                      succession.reason};
    return create_document(draft);
}

void MemoryNodeStore::append_tokens(Content& content, const IngestBatch& batch) {
    std::uint64_t byte = content.record.byte_count;
    for (std::size_t i = 0; i < batch.tokens.size(); ++i) {
        if (content.tokens.size() % kTokenMarkStride == 0) {
            content.marks.push_back({content.tokens.size(), byte});
        }
        content.tokens.push_back(batch.tokens[i]);
        byte += batch.token_sizes_bytes[i];
    }
    MC_CHECK(byte == batch.document.byte_count, "token sizes do not add up to the bytes");
}

void MemoryNodeStore::append_gist(Content& content, const NewGist& fresh) {
    const NodeId parent = parent_of(fresh.node);
    GistGroup& group = content.groups[{fresh.node.level, parent.index}];
    const bool is_first_of_level = fresh.node.index.value == 0;
    const bool follows_full_group =
        slot_in_parent(fresh.node) == 0 && !is_first_of_level &&
        content.groups[{fresh.node.level, NodeIndex(parent.index.value - 1)}].gists.size() ==
            kBlockSize;
    MC_CHECK(is_first_of_level || follows_full_group || !group.gists.empty(),
             "gap before " + to_string(fresh.node));
    MC_CHECK(group.gists.size() == slot_in_parent(fresh.node), "gap at " + to_string(fresh.node));
    group.document = fresh.node.document;
    group.level = fresh.node.level;
    group.parent = parent.index;
    group.gists.push_back(fresh.gist);
}

Result<CommitNumber> MemoryNodeStore::commit(const IngestBatch& batch) {
    MC_TRY(require(batch.document.id));
    Content& content = contents_.at(batch.document.id);
    const std::uint64_t token_begin = content.record.token_count;
    MC_CHECK(batch.document.token_count == token_begin + batch.tokens.size(),
             "the batch does not continue the document");
    MC_CHECK(batch.token_sizes_bytes.size() == batch.tokens.size(), "one size per token");
    append_tokens(content, batch);
    for (const NewGist& fresh : batch.gists) append_gist(content, fresh);
    content.record = batch.document;
    content.record.gist_end = 0;
    for (const auto& [key, group] : content.groups)
        if (key.first == Level(1)) content.record.gist_end += group.gists.size() * kBlockSize;
    if (batch.tokens.empty() && !batch.gists.empty()) return last_commit_;
    ++last_commit_.value;
    const TokenSpan added{token_begin, batch.document.token_count};
    const std::int64_t added_us =
        token_begin == 0 ? batch.document.created_us : batch.document.updated_us;
    journal_.push_back({last_commit_, batch.document.id, added, added.empty() ? 0 : added_us});
    return last_commit_;
}

Result<std::vector<JournalEntry>> MemoryNodeStore::journal_between(CommitNumber commit,
                                                                   CommitNumber last) const {
    std::vector<JournalEntry> entries;
    std::copy_if(
        journal_.begin(), journal_.end(), std::back_inserter(entries),
        [&](const JournalEntry& entry) { return entry.commit > commit && entry.commit <= last; });
    return entries;
}

Result<CommitNumber> MemoryNodeStore::last_commit() const {
    return last_commit_;
}

Result<void> MemoryNodeStore::put_original(DocumentId document, const Original& original) {
    MC_TRY(require(document));
    MC_CHECK(are_places(original.places), "places out of order");
    contents_.at(document).original = original;
    return {};
}

Result<std::optional<OriginalRecord>> MemoryNodeStore::find_original(DocumentId document) const {
    MC_ASSIGN(const Content* content, require(document));
    if (!content->original) return std::optional<OriginalRecord>();
    const Original& original = *content->original;
    return std::optional(OriginalRecord{original.kind, original.bytes.size(),
                                        xxh3_128(std::as_bytes(std::span(original.bytes))),
                                        original.places});
}

Result<std::string> MemoryNodeStore::read_original(DocumentId document, ByteSpan span) const {
    MC_ASSIGN(const Content* content, require(document));
    if (!content->original || span.begin > span.end || span.end > content->original->bytes.size())
        return fail(ErrorCode::kInvalidInput, "the original ends before the span does");
    return content->original->bytes.substr(span.begin, span.count());
}

Result<void> MemoryNodeStore::announce_forgets(std::span<const Tombstone> tombstones) {
    for (const Tombstone& tombstone : tombstones) MC_TRY(require(tombstone.document));
    for (const Tombstone& tombstone : tombstones) {
        Tombstone& announced = announced_[tombstone.document] = tombstone;
        announced.token_count = contents_.at(tombstone.document).record.token_count;
    }
    return {};
}

Result<std::vector<Tombstone>> MemoryNodeStore::announced_forgets() const {
    std::vector<Tombstone> all;
    for (const auto& [id, one] : announced_) all.push_back(one);
    return all;
}

Result<CommitNumber> MemoryNodeStore::forget(DocumentId document) {
    MC_TRY(require(document));
    contents_.erase(document);
    std::erase_if(uses_, [&](const auto& use) { return use.first.document == document; });
    tombstones_[document] = announced_.at(document);
    announced_.erase(document);
    last_commit_ = CommitNumber(last_commit_.value + 1);
    journal_.push_back({last_commit_, document, {0, 0}});
    return last_commit_;
}

Result<CommitNumber> MemoryNodeStore::redact(const Redaction& redaction) {
    const DocumentId document = redaction.document.id;
    MC_TRY(require(document));
    MC_CHECK(announced_.erase(document) == 1, "a redaction that was not announced");
    Content& content = contents_.at(document);
    for (const BlankedRun& run : redaction.runs) {
        for (std::uint64_t i = run.tokens.begin; i < run.tokens.end; ++i)
            content.tokens[i] = redaction.blank;
        for (TokenByteMark& mark : content.marks)
            if (mark.token >= run.tokens.end) mark.byte -= run.byte_count;
    }
    for (const NewGist& made : redaction.gists)
        content.groups.at({made.node.level, parent_of(made.node).index})
            .gists.at(slot_in_parent(made.node)) = made.gist;
    content.record = redaction.document;
    if (content.original) content.original = Original{content.original->kind, "", redaction.places};
    for (const TokenSpan span : redaction.unindexed) {
        ++last_commit_.value;
        journal_.push_back({last_commit_, document, span});
    }
    return last_commit_;
}

Result<std::vector<Tombstone>> MemoryNodeStore::tombstones() const {
    std::vector<Tombstone> all;
    for (const auto& [id, one] : tombstones_) all.push_back(one);
    return all;
}

Result<NodeUse> MemoryNodeStore::node_use(NodeId node) const {
    const auto use = uses_.find(node);
    return use == uses_.end() ? NodeUse{} : use->second;
}

Result<void> MemoryNodeStore::record_use(std::span<const NodeId> nodes, std::int64_t now_us) {
    for (const NodeId node : nodes) {
        MC_TRY(require(node.document));
        NodeUse& use = uses_[node];
        ++use.access_count;
        use.last_used_us = now_us;
    }
    return {};
}

}  // namespace mc

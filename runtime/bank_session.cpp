// SPDX-License-Identifier: Apache-2.0
#include "runtime/bank_session.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "core/span_math.h"
#include "core/utf8.h"

namespace mc::runtime {
namespace {

// Blocks handed to an index at once while catching up: bounds memory whatever the backlog.
constexpr std::uint64_t kCatchUpBlocks = 2048;

// Indexes of a level's nodes that the tokens of one commit completed.
struct NodeRange {
    std::uint64_t begin;
    std::uint64_t end;
};

NodeRange completed_nodes(TokenSpan added, Level level) {
    return {node_count(added.begin, level), node_count(added.end, level)};
}

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

}  // namespace

Result<std::unique_ptr<BankSession>> BankSession::open(Engine& engine, std::string_view bank_name,
                                                       bool create) {
    std::unique_ptr<BankSession> session(new BankSession(engine));
    if (create) {
        MC_ASSIGN(const auto known, engine.store().find_bank(bank_name));
        if (!known) MC_TRY(engine.store().create_bank(bank_name));
    }
    MC_ASSIGN(session->nodes_, engine.store().bank_store(bank_name));
    MC_TRY(session->open_indexes());
    MC_ASSIGN(session->opening_report_, session->catch_up());
    return session;
}

Result<void> BankSession::open_indexes() {
    const std::string& bank = nodes_->bank().name;
    auto vectors = engine_.store().open_vector_index(bank);
    if (!vectors && vectors.error().code() == ErrorCode::kStaleIndex) {
        opening_report_.vectors_rebuilt = true;
        vectors = engine_.store().open_vector_index(bank, storage::IndexOpening::kRebuild);
    }
    if (!vectors) return fail(std::move(vectors.error()));
    auto texts = engine_.store().open_lexical_index(bank);
    if (!texts && texts.error().code() == ErrorCode::kStaleIndex) {
        opening_report_.texts_rebuilt = true;
        texts = engine_.store().open_lexical_index(bank, storage::IndexOpening::kRebuild);
    }
    if (!texts) return fail(std::move(texts.error()));
    vectors_ = std::move(*vectors);
    texts_ = std::move(*texts);
    return {};
}

Result<CatchUpReport> BankSession::catch_up() {
    CatchUpReport report = opening_report_;
    MC_ASSIGN(const CommitNumber last, nodes_->last_commit());
    // An index ahead of the store belongs to a store that was put back from a copy: start over.
    if (vectors_->watermark() > last) {
        MC_TRY(vectors_->clear());
        report.vectors_rebuilt = true;
    }
    if (texts_->watermark() > last) {
        MC_TRY(texts_->clear());
        report.texts_rebuilt = true;
    }
    MC_TRY_CONTEXT(add_journal_vectors(vectors_->watermark(), report),
                   "catching up the vector index");
    MC_TRY_CONTEXT(add_journal_texts(texts_->watermark(), report), "catching up the text index");
    const bool changed = report.vector_nodes_added + report.text_blocks_added > 0;
    if (changed && engine_.store().writable()) MC_TRY(save_indexes());
    return report;
}

Result<void> BankSession::add_journal_vectors(CommitNumber after, CatchUpReport& report) {
    MC_ASSIGN(const auto entries, nodes_->journal_after(after));
    std::vector<NodeId> nodes;
    std::vector<float> vectors;
    const auto flush = [&]() -> Result<void> {
        if (nodes.empty()) return {};
        MC_TRY(vectors_->add(nodes, vectors));
        report.vector_nodes_added += nodes.size();
        nodes.clear();
        vectors.clear();
        return {};
    };
    for (const JournalEntry& entry : entries) {
        for (Level level{1}; node_count(entry.tokens.end, level) > 0; ++level.value) {
            const NodeRange range = completed_nodes(entry.tokens, level);
            std::optional<GistGroup> group;
            for (std::uint64_t index = range.begin; index < range.end; ++index) {
                const NodeId node{entry.document, level, NodeIndex(index)};
                const NodeIndex parent = parent_of(node).index;
                if (!group || group->parent != parent) {
                    MC_ASSIGN(group, nodes_->find_gists(entry.document, level, parent));
                }
                if (!group || slot_in_parent(node) >= group->gists.size())
                    return fail(ErrorCode::kCorruption,
                                "the store has no gist for " + to_string(node) +
                                    ", which its journal names; run megacontext verify");
                const auto& vector = group->gists[slot_in_parent(node)].index_vector;
                nodes.push_back(node);
                vectors.insert(vectors.end(), vector.begin(), vector.end());
                if (nodes.size() >= kCatchUpBlocks) MC_TRY(flush());
            }
        }
    }
    return flush();
}

Result<void> BankSession::add_journal_texts(CommitNumber after, CatchUpReport& report) {
    MC_ASSIGN(const auto entries, nodes_->journal_after(after));
    std::vector<BlockText> blocks;
    const auto flush = [&]() -> Result<void> {
        if (blocks.empty()) return {};
        MC_TRY(texts_->add(blocks));
        report.text_blocks_added += blocks.size();
        blocks.clear();
        return {};
    };
    for (const JournalEntry& entry : entries) {
        const NodeRange range = completed_nodes(entry.tokens, Level(1));
        for (std::uint64_t index = range.begin; index < range.end; ++index) {
            const NodeId node{entry.document, Level(1), NodeIndex(index)};
            MC_ASSIGN(const std::string text, read_text(entry.document, span_of(node)));
            blocks.push_back({node, to_valid_utf8(text)});
            if (blocks.size() >= kCatchUpBlocks) MC_TRY(flush());
        }
    }
    return flush();
}

Result<void> BankSession::index_commit(const IngestBatch& batch, std::span<const BlockText> texts) {
    std::vector<NodeId> nodes;
    std::vector<float> vectors;
    for (const NewGist& made : batch.gists) {
        nodes.push_back(made.node);
        vectors.insert(vectors.end(), made.gist.index_vector.begin(), made.gist.index_vector.end());
    }
    if (!nodes.empty()) MC_TRY(vectors_->add(nodes, vectors));
    if (!texts.empty()) MC_TRY(texts_->add(texts));
    return {};
}

Result<void> BankSession::save_indexes() {
    MC_ASSIGN(const CommitNumber last, nodes_->last_commit());
    MC_TRY(texts_->save(last));
    return vectors_->save(last);
}

Result<std::string> BankSession::read_text(DocumentId document, TokenSpan span) const {
    MC_ASSIGN(const auto tokens, nodes_->read_tokens(document, span));
    return tokenizer_.decode(tokens);
}

Result<std::uint64_t> BankSession::byte_of_token(DocumentId document, std::uint64_t token) const {
    MC_ASSIGN(const TokenByteMark mark, nodes_->mark_before_token(document, token));
    MC_ASSIGN(const auto tokens, nodes_->read_tokens(document, {mark.token, token}));
    std::uint64_t byte = mark.byte;
    for (const TokenId id : tokens) byte += tokenizer_.bytes_of(id).size();
    return byte;
}

Result<ByteSpan> BankSession::byte_span_of(DocumentId document, TokenSpan span) const {
    MC_ASSIGN(const std::uint64_t begin, byte_of_token(document, span.begin));
    MC_ASSIGN(const std::uint64_t end, byte_of_token(document, span.end));
    return ByteSpan{begin, end};
}

Result<std::string> BankSession::read_bytes(DocumentId document, ByteSpan span) const {
    MC_ASSIGN(const auto record, nodes_->find_document(document));
    if (!record)
        return fail(ErrorCode::kInvalidInput, "no document d" + std::to_string(document.value) +
                                                  " in bank " + nodes_->bank().name);
    if (span.begin > span.end || span.end > record->byte_count)
        return fail(ErrorCode::kInvalidInput, "bytes " + std::to_string(span.begin) + ":" +
                                                  std::to_string(span.end) + " lie outside " +
                                                  record->source_name + ", which has " +
                                                  std::to_string(record->byte_count) + " bytes");
    std::string text;
    if (span.begin == span.end) return text;
    MC_ASSIGN(TokenByteMark mark, nodes_->mark_before_byte(document, span.begin));
    const std::uint64_t first_byte = mark.byte;
    while (mark.token < record->token_count && first_byte + text.size() < span.end) {
        const TokenSpan stretch{mark.token,
                                std::min(mark.token + kTokenMarkStride, record->token_count)};
        MC_ASSIGN(const std::string piece, read_text(document, stretch));
        text += piece;
        mark.token = stretch.end;
    }
    return text.substr(span.begin - first_byte, span.count());
}

Result<DocumentRecord> BankSession::resolve_document(std::string_view name) const {
    MC_ASSIGN(auto by_source, nodes_->find_document_by_source(name));
    if (by_source) return std::move(*by_source);
    const std::string_view digits = name.substr(name.starts_with('d') ? 1 : 0);
    if (const auto number = parse_number(digits)) {
        MC_ASSIGN(auto by_id, nodes_->find_document(DocumentId(*number)));
        if (by_id) return std::move(*by_id);
    }
    MC_ASSIGN(const auto documents, nodes_->list_documents());
    std::string known;
    for (std::size_t i = 0; i < documents.size() && i < 5; ++i)
        known += (i == 0 ? "" : ", ") + ("d" + std::to_string(documents[i].id.value)) + " " +
                 documents[i].source_name;
    return fail(
        ErrorCode::kInvalidInput,
        "no document \"" + std::string(name) + "\" in bank " + nodes_->bank().name +
            (known.empty() ? ", which is empty; ingest a file first" : "; it has " + known));
}

}  // namespace mc::runtime

// SPDX-License-Identifier: Apache-2.0
#include "runtime/search/bank_text.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include "core/span_math.h"
#include "runtime/search/source_path.h"

namespace mc::runtime {
namespace {

std::optional<std::uint64_t> parse_number(std::string_view text) {
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (text.empty() || error != std::errc() || end != text.data() + text.size())
        return std::nullopt;
    return value;
}

// The document of a file, wherever the user stands and however its path is spelled.
std::optional<DocumentRecord> find_by_path(const std::vector<DocumentRecord>& documents,
                                           std::string_view spelled) {
    namespace fs = std::filesystem;
    std::error_code failed;
    const fs::path path = fs::absolute(spelled, failed).lexically_normal();
    for (const DocumentRecord& document : documents) {
        const auto kept = document.metadata.find(std::string(kSourcePathKey));
        if (!failed && kept != document.metadata.end() && kept->second == path) return document;
    }
    return std::nullopt;
}

}  // namespace

Result<std::vector<TokenId>> BankText::read_tokens(DocumentId document, TokenSpan span) const {
    MC_ASSIGN(auto tokens, nodes_.read_tokens(document, span));
    std::erase(tokens, tokenizer_.blank_token());
    return tokens;
}

Result<std::string> BankText::read_text(DocumentId document, TokenSpan span) const {
    MC_ASSIGN(const auto tokens, nodes_.read_tokens(document, span));
    return tokenizer_.decode(tokens);
}

Result<std::uint64_t> BankText::byte_of_token(DocumentId document, std::uint64_t token) const {
    MC_ASSIGN(const TokenByteMark mark, nodes_.mark_before_token(document, token));
    MC_ASSIGN(const auto tokens, nodes_.read_tokens(document, {mark.token, token}));
    std::uint64_t byte = mark.byte;
    for (const TokenId id : tokens) byte += tokenizer_.bytes_of(id).size();
    return byte;
}

Result<ByteSpan> BankText::byte_span_of(DocumentId document, TokenSpan span) const {
    MC_ASSIGN(const std::uint64_t begin, byte_of_token(document, span.begin));
    MC_ASSIGN(const std::uint64_t end, byte_of_token(document, span.end));
    return ByteSpan{begin, end};
}

Result<std::string> BankText::read_bytes(DocumentId document, ByteSpan span) const {
    MC_ASSIGN(const DocumentRecord record, require_document(document));
    if (span.begin > span.end || span.end > record.byte_count)
        return fail(ErrorCode::kInvalidInput, "bytes " + std::to_string(span.begin) + ":" +
                                                  std::to_string(span.end) + " lie outside " +
                                                  record.source_name + ", which has " +
                                                  std::to_string(record.byte_count) + " bytes");
    std::string text;
    if (span.begin == span.end) return text;
    MC_ASSIGN(TokenByteMark mark, nodes_.mark_before_byte(document, span.begin));
    const std::uint64_t first_byte = mark.byte;
    while (mark.token < record.token_count && first_byte + text.size() < span.end) {
        const TokenSpan stretch{mark.token,
                                std::min(mark.token + kTokenMarkStride, record.token_count)};
        MC_ASSIGN(const std::string piece, read_text(document, stretch));
        text += piece;
        mark.token = stretch.end;
    }
    return text.substr(span.begin - first_byte, span.count());
}

Result<std::string> BankText::place_of(DocumentId document, ByteSpan bytes) const {
    MC_ASSIGN(const auto original, nodes_.find_original(document));
    return original ? mc::place_of(original->places, bytes) : std::string();
}

Result<DocumentRecord> BankText::require_document(DocumentId document) const {
    MC_ASSIGN(auto record, find_any_version(nodes_, document));
    if (record) return std::move(*record);
    return fail(ErrorCode::kInvalidInput, "no document d" + std::to_string(document.value) +
                                              " in bank " + nodes_.bank().name);
}

// An id first: whatever a document is called, d7 is the seventh.
Result<DocumentRecord> BankText::resolve_document(std::string_view name) const {
    const std::string_view digits = name.substr(name.starts_with('d') ? 1 : 0);
    if (const auto number = parse_number(digits)) {
        MC_ASSIGN(auto by_id, find_any_version(nodes_, DocumentId(*number)));
        if (by_id) return std::move(*by_id);
    }
    MC_ASSIGN(auto by_source, nodes_.find_document_by_source(name));
    if (by_source) return std::move(*by_source);
    MC_ASSIGN(const auto documents, nodes_.list_documents());
    if (const auto by_path = find_by_path(documents, name)) return *by_path;
    std::string known;
    for (std::size_t i = 0; i < documents.size() && i < 5; ++i)
        known += (i == 0 ? "" : ", ") + ("d" + std::to_string(documents[i].id.value)) + " " +
                 documents[i].source_name;
    return fail(
        ErrorCode::kInvalidInput,
        "no document \"" + std::string(name) + "\" in bank " + nodes_.bank().name +
            (known.empty() ? ", which is empty; ingest a file first" : "; it has " + known));
}

Result<std::vector<DocumentId>> BankText::resolve_documents(
    std::span<const std::string> names) const {
    std::vector<DocumentId> ids;
    for (const std::string& name : names) {
        MC_ASSIGN(const DocumentRecord document, resolve_document(name));
        ids.push_back(document.id);
    }
    return ids;
}

Result<ByteSpan> byte_span_in(const DocumentRecord& document, std::optional<std::uint64_t> begin,
                              std::optional<std::uint64_t> end) {
    const ByteSpan span{begin.value_or(0), end.value_or(document.byte_count)};
    if (span.end > document.byte_count || span.begin > span.end)
        return fail(ErrorCode::kInvalidInput,
                    "bytes " + std::to_string(span.begin) + ":" + std::to_string(span.end) +
                        " lie beyond the end of d" + std::to_string(document.id.value) +
                        ", which has " + std::to_string(document.byte_count) + " bytes");
    return span;
}

}  // namespace mc::runtime

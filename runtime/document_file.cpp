// SPDX-License-Identifier: Apache-2.0
#include "runtime/document_file.h"

#include <algorithm>

#include "core/check.h"
#include "core/utf8.h"
#include "documents/kind.h"
#include "runtime/redaction.h"
#include "runtime/source_text.h"

namespace mc::runtime {
namespace {

// Read at a time.
constexpr std::uint64_t kFilePieceBytes = 1 << 20;

std::optional<Utf16> byte_order_of(const DocumentRecord& document) {
    const auto encoding = document.metadata.find(std::string(kEncodingKey));
    return encoding == document.metadata.end() ? std::nullopt : utf16_from_name(encoding->second);
}

}  // namespace

Result<DocumentFile> DocumentFile::open(const BankText& text, const DocumentRecord& document) {
    DocumentFile file(text, document);
    file.byte_count_ = document.byte_count;
    file.media_type_ = document.media_type;
    MC_ASSIGN(const auto original, text.nodes().find_original(document.id));
    const auto kind = original ? documents::kind_from_name(original->kind) : std::nullopt;
    if (kind) {
        MC_ASSIGN(const DocumentRecord now, text.require_document(document.id));
        if (now.token_count != document.token_count)
            return fail(ErrorCode::kInvalidInput,
                        document.source_name +
                            " was added to since, and what its file was then is not kept; its text "
                            "of then can be read");
        if (original->byte_count == 0 && document.metadata.contains(std::string(kForgottenKey)))
            return fail(ErrorCode::kInvalidInput,
                        "the file that " + document.source_name +
                            " was converted from is gone, since a part of the document was "
                            "forgotten; its text can be read");
        file.is_kept_ = true;
        file.byte_count_ = original->byte_count;
        file.media_type_ = documents::media_type_of(*kind);
        return file;
    }
    file.order_ = byte_order_of(document);
    if (!file.order_) return file;
    std::uint64_t size = 0;
    MC_TRY(file.copy_utf16({0, UINT64_MAX}, [&](std::string_view piece) { size += piece.size(); }));
    file.byte_count_ = size;
    return file;
}

Result<void> DocumentFile::copy(ByteSpan span,
                                const std::function<void(std::string_view)>& sink) const {
    MC_CHECK(span.begin <= span.end && span.end <= byte_count_, "a stretch of the file");
    if (order_) return copy_utf16(span, sink);
    for (std::uint64_t at = span.begin; at < span.end; at += kFilePieceBytes) {
        MC_ASSIGN(const std::string bytes, read({at, std::min(at + kFilePieceBytes, span.end)}));
        sink(bytes);
    }
    return {};
}

Result<std::string> DocumentFile::read(ByteSpan span) const {
    return is_kept_ ? text_->nodes().read_original(document_->id, span)
                    : text_->read_bytes(document_->id, span);
}

// Pieces of text end anywhere; what begins a character waits for its rest.
Result<void> DocumentFile::copy_utf16(ByteSpan span,
                                      const std::function<void(std::string_view)>& sink) const {
    std::string waiting;
    std::uint64_t done = 0;  // bytes of the file
    for (std::uint64_t at = 0; at < document_->byte_count && done < span.end;
         at += kFilePieceBytes) {
        MC_ASSIGN(const std::string bytes,
                  text_->read_bytes(document_->id,
                                    {at, std::min(at + kFilePieceBytes, document_->byte_count)}));
        waiting += bytes;
        const std::size_t whole = find_invalid_utf8(waiting).value_or(waiting.size());
        const std::string piece = encode_utf16(std::string_view(waiting).substr(0, whole), *order_);
        waiting.erase(0, whole);
        const std::uint64_t begin = std::clamp(span.begin, done, done + piece.size());
        const std::uint64_t end = std::clamp(span.end, done, done + piece.size());
        if (begin < end) sink(std::string_view(piece).substr(begin - done, end - begin));
        done += piece.size();
    }
    if (waiting.empty() || done >= span.end) return {};
    return fail(ErrorCode::kCorruption, "the text of " + document_->source_name +
                                            " is not UTF-8 any more; run megacontext verify");
}

}  // namespace mc::runtime

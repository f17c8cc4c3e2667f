// SPDX-License-Identifier: Apache-2.0
// The very bytes of a document's file: kept beside its text, or its text in another encoding, or
// its text itself.
//
// Memory is flat in the file's size. Ownership: borrows the text and the document. Threads: one.
// Errors: kInvalidInput where the file is gone because a part of the document was forgotten, and of
// a document as it was before it was added to (take_back()); the store's; kCorruption for a text
// that is not UTF-8 any more.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "runtime/search/bank_text.h"
#include "runtime/utf16.h"

namespace mc::runtime {

class DocumentFile {
  public:
    // Cost: a record; of a UTF-16 file its whole text, whose characters tell the size.
    static Result<DocumentFile> open(const BankText& text, const DocumentRecord& document);

    std::uint64_t byte_count() const { return byte_count_; }

    const std::string& media_type() const { return media_type_; }

    // Hands a stretch of the file over in pieces, in order. Cost: of a UTF-16 file everything up to
    // the stretch's end. Requires: the span lies within the file.
    Result<void> copy(ByteSpan span, const std::function<void(std::string_view)>& sink) const;

  private:
    DocumentFile(const BankText& text, const DocumentRecord& document)
        : text_(&text), document_(&document) {}

    Result<std::string> read(ByteSpan span) const;
    Result<void> copy_utf16(ByteSpan span, const std::function<void(std::string_view)>& sink) const;

    const BankText* text_;
    const DocumentRecord* document_;
    bool is_kept_ = false;
    std::optional<Utf16> order_;
    std::uint64_t byte_count_ = 0;
    std::string media_type_;
};

}  // namespace mc::runtime

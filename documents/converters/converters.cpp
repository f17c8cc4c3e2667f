// SPDX-License-Identifier: Apache-2.0
#include "documents/converters/converters.h"

#include "core/check.h"
#include "documents/converters/chat.h"
#include "documents/converters/html.h"
#include "documents/converters/mail.h"
#include "documents/converters/office.h"
#include "documents/converters/pdf.h"

namespace mc::documents {

Result<ConvertedText> convert_here(Kind kind, std::string_view content, std::size_t bytes_max) {
    switch (kind) {
        case Kind::kHtml:
            return convert_html(content, bytes_max);
        case Kind::kPdf:
            return convert_pdf(content, bytes_max);
        case Kind::kEpub:
            return convert_epub(content, bytes_max);
        case Kind::kDocx:
            return convert_docx(content, bytes_max);
        case Kind::kOdt:
            return convert_odt(content, bytes_max);
        case Kind::kMail:
            return convert_mail(content, bytes_max);
        case Kind::kChat:
            return convert_chat(content, bytes_max);
    }
    MC_CHECK(false, "a kind without a converter");
}

}  // namespace mc::documents

// SPDX-License-Identifier: Apache-2.0
// What kind of document some bytes are, where they are no plain text.
//
// By content first. Kinds that are text themselves (HTML, mail, chat) also ask the name: a program
// or a note that begins like one of them is text all the same. Pure functions.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace mc::documents {

enum class Kind {
    kHtml,
    kPdf,
    kEpub,
    kDocx,
    kOdt,
    kMail,  // one message, or a mailbox of them
    kChat,  // messages as JSON, one a line
};

std::span<const Kind> all_kinds();

// "html", "pdf", …: in JSON and in stores.
std::string_view kind_name(Kind kind);
std::optional<Kind> kind_from_name(std::string_view name);

// "HTML", "a Word document", …: in messages.
std::string_view kind_title(Kind kind);
std::string_view media_type_of(Kind kind);
// Of "text/html; charset=utf-8", too; nullopt for text and for what is no kind.
std::optional<Kind> kind_from_media_type(std::string_view media_type);

// nullopt: text, or nothing that is known. name: path or source name. Errors: kInvalidInput for
// files that hold documents but are of no kind above (archives, old or encrypted office files).
Result<std::optional<Kind>> detect_kind(std::string_view content, std::string_view name);

}  // namespace mc::documents

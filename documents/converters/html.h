// SPDX-License-Identifier: Apache-2.0
// HTML to text: what a reader of the page reads, without scripts, styles, menus and forms.
//
// Where a page marks its main part, that alone is taken. Tables are read row by row, unless they
// only lay the page out. Threads: one. Errors: kInvalidInput.
#pragma once

#include <string>
#include <string_view>

#include "documents/converters/text_builder.h"

namespace mc::documents {

// Adds the text of a page that is part of something else: a chapter, a message.
Result<void> append_html(std::string_view content, TextBuilder& builder);

// A whole page; its title is its first line where it has no heading of the first level.
Result<ConvertedText> convert_html(std::string_view content, std::size_t bytes_max);

}  // namespace mc::documents

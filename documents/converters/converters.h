// SPDX-License-Identifier: Apache-2.0
// Every kind of document to text, in this very process: for the program megacontext-convert, whose
// limits the libraries behind these need, and for tests.
//
// Paragraphs, items, rows of tables and headings stand on lines of their own, clean of markup.
// Threads: one. Errors: kInvalidInput, a sentence that begins with "it" and says what to do.
#pragma once

#include <cstddef>
#include <string_view>

#include "documents/converted_text.h"
#include "documents/kind.h"

namespace mc::documents {

// bytes_max: of the text.
Result<ConvertedText> convert_here(Kind kind, std::string_view content, std::size_t bytes_max);

}  // namespace mc::documents

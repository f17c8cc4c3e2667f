// SPDX-License-Identifier: Apache-2.0
// Documents that are archives of XML: books (EPUB), and those of word processors (DOCX, ODT).
//
// Headings are places; parts of a book without any are "part 3". Threads: one. Errors:
// kInvalidInput.
#pragma once

#include <cstddef>
#include <string_view>

#include "documents/converted_text.h"

namespace mc::documents {

// Of all parts of one document that are read, unpacked; many times a long book.
inline constexpr std::size_t kUnpackedBytesMax = std::size_t{512} << 20;

Result<ConvertedText> convert_epub(std::string_view content, std::size_t bytes_max);
Result<ConvertedText> convert_docx(std::string_view content, std::size_t bytes_max);
Result<ConvertedText> convert_odt(std::string_view content, std::size_t bytes_max);

}  // namespace mc::documents

// SPDX-License-Identifier: Apache-2.0
// PDF to text, page by page, in the order in which columns are read. Pages are places.
// Threads: one. Errors: kInvalidInput; what poppler throws or ends by is for the process around.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "documents/converted_text.h"

namespace mc::documents {

Result<ConvertedText> convert_pdf(std::string_view content, std::size_t bytes_max);

// What a page's text becomes: without its number, words that a line's end parts joined again, and
// items beside their bullets.
std::string clean_page(std::string_view page);

// Takes out the first or last line of pages where most of the pages have the same.
void drop_running_lines(std::vector<std::string>& pages);

}  // namespace mc::documents

// SPDX-License-Identifier: Apache-2.0
// One message of mail, or a mailbox of them, to text: From, To, Date and Subject as lines, then
// what the message says; attachments are named. Messages are places.
// Threads: one. Errors: kInvalidInput.
#pragma once

#include <cstddef>
#include <string_view>

#include "documents/converted_text.h"

namespace mc::documents {

Result<ConvertedText> convert_mail(std::string_view content, std::size_t bytes_max);

}  // namespace mc::documents

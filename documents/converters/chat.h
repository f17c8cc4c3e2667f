// SPDX-License-Identifier: Apache-2.0
// Exports of chats, one JSON object a line: a message ({"role":…,"content":…,"time":…}) or a
// conversation ({"messages":[…]}). A message becomes "[time] role: text", as the memory's own
// sessions write it, and a place. Threads: one. Errors: kInvalidInput naming the line.
#pragma once

#include <cstddef>
#include <string_view>

#include "documents/converted_text.h"

namespace mc::documents {

Result<ConvertedText> convert_chat(std::string_view content, std::size_t bytes_max);

}  // namespace mc::documents

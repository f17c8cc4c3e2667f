// SPDX-License-Identifier: Apache-2.0
// A file that an agent gives as bytes, as the text that the memory keeps of it.
//
// What it is, its media type says; where that says nothing, its bytes and its name do. Threads:
// any. Errors: kInvalidInput for a media type that is not taken, bytes that are no text, more text
// than request.bytes_max, and what documents::convert() says of it.
#pragma once

#include <string>

#include "core/result.h"
#include "runtime/memory.h"
#include "runtime/source_text.h"

namespace mc::runtime {

struct RememberedFile {
    SourceText source;
    std::string media_type;  // of the text
};

// Requires: request.file is not empty. name: what messages call it.
Result<RememberedFile> read_file_of(const RememberRequest& request, const std::string& name);

}  // namespace mc::runtime

// SPDX-License-Identifier: Apache-2.0
// Turns a document into text in a process of its own.
//
// Files come from anywhere, and libraries that read them have faults: the program
// megacontext-convert does it, with bounds on memory, processor time and what it may write, and a
// crash or a hang of it is an error here. It stands beside the program that is running, or beside
// the library that this is in. Nothing is written to disk. Threads: any; `cancelled` may be set
// from a signal handler. Errors: kInvalidInput saying what is wrong with the document and what to
// do; kCancelled; kIo where no process can be started.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"
#include "documents/converted_text.h"
#include "documents/kind.h"

namespace mc::documents {

struct ConversionLimits {
    std::uint64_t text_bytes_max = 0;
    // Beside twice the document: a page of a PDF is decoded as a whole.
    std::uint64_t memory_bytes_max = std::uint64_t{2} << 30;
    // Of the processor; a thousand pages of PDF take some ten.
    std::uint64_t seconds_max = 300;
    const std::atomic<bool>* cancelled = nullptr;
};

// name: what messages call the document. Cost: a process, and the document's bytes twice.
Result<ConvertedText> convert(Kind kind, std::string_view content, const std::string& name,
                              const ConversionLimits& limits);

}  // namespace mc::documents

// SPDX-License-Identifier: Apache-2.0
// What a converter makes of a document, and how it says so through a pipe.
//
// A frame is one line of JSON, {"text_bytes":N,"places":[[begin,label],…]} or {"error":what}, and
// then the N bytes of the text. Value type and pure functions. Errors: kInvalidInput with what the
// converter said of the document, as a sentence that begins with "it"; kIo for bytes that are no
// whole frame or break its rules: what comes through the pipe is not trusted.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "tree/original.h"

namespace mc::documents {

struct ConvertedText {
    std::string text;           // UTF-8
    std::vector<Place> places;  // are_places()

    bool operator==(const ConvertedText&) const = default;
};

// Longest first line of a frame.
inline constexpr std::size_t kFrameLineBytesMax = 64 << 20;

std::string encode_frame(const Result<ConvertedText>& converted);
Result<ConvertedText> decode_frame(std::string_view frame);

}  // namespace mc::documents

// SPDX-License-Identifier: Apache-2.0
#include "runtime/search/passage_cutter.h"

#include "core/utf8.h"
#include "text/passages.h"

namespace mc::runtime {
namespace {

// What is known to be written in lines; all else is judged by its shape.
text::TextShape shape_of(const std::string& media_type) {
    return media_type == "text/csv" || media_type == "text/tab-separated-values" ||
                   media_type == "application/jsonl"
               ? text::TextShape::kLines
               : text::TextShape::kAuto;
}

}  // namespace

std::vector<PassageText> cut_passages(const lm::Tokenizer& tokenizer,
                                      const DocumentRecord& document, std::uint64_t first_token,
                                      std::span<const TokenId> tokens) {
    std::string bytes;
    std::vector<std::uint16_t> sizes;
    sizes.reserve(tokens.size());
    for (const TokenId token : tokens) {
        const std::string_view spelling = tokenizer.bytes_of(token);
        bytes += spelling;
        sizes.push_back(static_cast<std::uint16_t>(spelling.size()));
    }
    std::vector<PassageText> passages;
    std::size_t byte = 0;
    for (const TokenSpan span :
         text::passage_tokens(bytes, sizes, kPassageTokensMax, shape_of(document.media_type))) {
        std::size_t size = 0;
        for (std::uint64_t token = span.begin; token < span.end; ++token) size += sizes[token];
        passages.push_back({{document.id, {first_token + span.begin, first_token + span.end}},
                            to_valid_utf8(std::string_view(bytes).substr(byte, size))});
        byte += size;
    }
    return passages;
}

}  // namespace mc::runtime

// SPDX-License-Identifier: Apache-2.0
#include "runtime/search/passage_cutter.h"

#include "core/span_math.h"
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

// A token that is not blank, and where it stands.
struct PlacedToken {
    TokenId token;
    std::uint64_t position;
};

// Of tokens that stand apart by less than a block of blank ones.
void cut_run(const lm::Tokenizer& tokenizer, const DocumentRecord& document,
             std::span<const PlacedToken> tokens, std::vector<PassageText>& passages) {
    std::string bytes;
    std::vector<std::uint16_t> sizes;
    sizes.reserve(tokens.size());
    for (const PlacedToken& one : tokens) {
        const std::string_view spelling = tokenizer.bytes_of(one.token);
        bytes += spelling;
        sizes.push_back(static_cast<std::uint16_t>(spelling.size()));
    }
    std::size_t byte = 0;
    for (const TokenSpan span :
         text::passage_tokens(bytes, sizes, kPassageTokensMax, shape_of(document.media_type))) {
        for (std::uint64_t i = span.begin; i < span.end;) {
            const std::uint64_t begin = tokens[i].position;
            std::size_t size = 0;
            std::uint64_t end = begin;
            for (; i < span.end && tokens[i].position - begin < kPassageTokensMax; ++i) {
                size += sizes[i];
                end = tokens[i].position + 1;
            }
            const auto text = std::string_view(bytes).substr(byte, size);
            byte += size;
            if (text.find_first_not_of(" \t\r\n") != text.npos)  // as between blank tokens
                passages.push_back({{document.id, {begin, end}}, to_valid_utf8(text)});
        }
    }
}

}  // namespace

std::vector<PassageText> cut_passages(const lm::Tokenizer& tokenizer,
                                      const DocumentRecord& document, std::uint64_t first_token,
                                      std::span<const TokenId> tokens) {
    std::vector<PassageText> passages;
    std::vector<PlacedToken> run;
    for (std::size_t i = 0; i < tokens.size(); ++i) {
        if (tokens[i] == tokenizer.blank_token()) continue;
        const std::uint64_t position = first_token + i;
        if (!run.empty() && position - run.back().position > kBlockSize) {
            cut_run(tokenizer, document, run, passages);
            run.clear();
        }
        run.push_back({tokens[i], position});
    }
    cut_run(tokenizer, document, run, passages);
    return passages;
}

}  // namespace mc::runtime

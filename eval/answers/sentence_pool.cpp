// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/sentence_pool.h"

#include <string_view>
#include <utility>

#include "eval/measure/document_plan.h"

namespace mc::eval {
namespace {

constexpr std::string_view kClosers[] = {"\"", "'", ")", "”", "’"};

bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == '\v';
}

// Past any closing quotes and brackets.
std::size_t skip_closers(std::string_view text, std::size_t at) {
    for (bool found = true; found;) {
        found = false;
        for (const std::string_view closer : kClosers) {
            if (!text.substr(at).starts_with(closer)) continue;
            at += closer.size();
            found = true;
        }
    }
    return at;
}

struct Blank {
    std::size_t end = 0;
    bool ends_paragraph = false;
};

// The run of white space at a position.
Blank read_blank(std::string_view text, std::size_t at) {
    int lines = 0;
    while (at < text.size() && is_blank(text[at])) lines += text[at++] == '\n' ? 1 : 0;
    return {at, lines >= 2};
}

std::uint32_t count_tokens(const lm::Tokenizer& tokenizer, std::string_view text) {
    return static_cast<std::uint32_t>(tokenizer.encode(text).size());
}

}  // namespace

std::string_view Sentence::bare() const {
    return std::string_view(text).substr(text.find_first_not_of(" \n"));
}

std::vector<Sentence> split_sentences(std::string_view text) {
    std::vector<Sentence> sentences;
    std::string current;
    bool starts_paragraph = true;
    const auto finish = [&](bool ends_paragraph) {
        if (!current.empty())
            sentences.push_back({(starts_paragraph ? "\n\n" : " ") + current, 0, 0, 0});
        if (!current.empty() || ends_paragraph) starts_paragraph = ends_paragraph;
        current.clear();
    };
    for (std::size_t at = 0; at < text.size();) {
        if (is_blank(text[at])) {
            const Blank blank = read_blank(text, at);
            at = blank.end;
            if (blank.ends_paragraph)
                finish(true);
            else if (!current.empty())
                current += ' ';
            continue;
        }
        const bool is_stop = text[at] == '.' || text[at] == '!' || text[at] == '?';
        const std::size_t end = is_stop ? skip_closers(text, at + 1) : at + 1;
        current += text.substr(at, end - at);
        at = end;
        if (!is_stop || at >= text.size() || !is_blank(text[at])) continue;
        const Blank blank = read_blank(text, at);
        at = blank.end;
        finish(blank.ends_paragraph);
    }
    while (!current.empty() && current.back() == ' ') current.pop_back();
    finish(true);
    return sentences;
}

Result<SentencePool> read_sentences(std::span<const Path> documents,
                                    const lm::Tokenizer& tokenizer) {
    SentencePool pool;
    for (const Path& path : documents) {
        MC_ASSIGN(const std::string text, read_file(path, kDocumentBytesMax));
        pool.document_names.push_back(path.string());
        pool.document_hashes.push_back(xxh3_128(std::as_bytes(std::span(text))));
        for (Sentence& sentence : split_sentences(text)) {
            sentence.tokens = count_tokens(tokenizer, sentence.text);
            sentence.first_tokens = count_tokens(tokenizer, sentence.bare());
            sentence.document = static_cast<std::uint32_t>(pool.document_names.size() - 1);
            if (sentence.tokens <= kSentenceTokensMax)
                pool.sentences.push_back(std::move(sentence));
        }
    }
    if (pool.sentences.empty())
        return fail(ErrorCode::kInvalidInput, "the documents have no sentence; give more text");
    return pool;
}

}  // namespace mc::eval

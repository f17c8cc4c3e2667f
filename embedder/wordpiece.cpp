// SPDX-License-Identifier: Apache-2.0
#include "embedder/wordpiece.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/utf8.h"
#include "embedder/bert_words.h"

namespace mc::embedder {
namespace {

constexpr std::string_view kInsidePrefix = "##";

// Longer words are unknown as a whole: BERT's own limit.
constexpr std::ptrdiff_t kWordCharactersMax = 100;

// Ten times the largest BERT vocabulary (multilingual: 120,000); more is another kind of file.
constexpr std::size_t kPiecesMax = 1'200'000;

bool begins_character(char byte) {
    return (static_cast<std::uint8_t>(byte) & 0xc0) != 0x80;
}

std::string_view without_line_end(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
}

}  // namespace

Result<std::unique_ptr<WordPiece>> WordPiece::parse(std::string_view vocabulary,
                                                    const std::string& name) {
    std::unique_ptr<WordPiece> out(new WordPiece());
    std::int32_t id = 0;
    while (!vocabulary.empty()) {
        const std::size_t end = std::min(vocabulary.find('\n'), vocabulary.size());
        MC_TRY(out->add(without_line_end(vocabulary.substr(0, end)), id++, name));
        vocabulary.remove_prefix(std::min(end + 1, vocabulary.size()));
    }
    out->size_ = static_cast<std::size_t>(id);
    const std::pair<std::string_view, std::int32_t&> controls[] = {
        {"[UNK]", out->unknown_}, {"[CLS]", out->begin_}, {"[SEP]", out->end_}};
    for (const auto& [piece, target] : controls) {
        const auto found = out->firsts_.find(piece);
        if (found == out->firsts_.end())
            return fail(ErrorCode::kInvalidInput,
                        name + ": no line \"" + std::string(piece) + "\": no BERT vocabulary");
        target = found->second;
    }
    return out;
}

Result<void> WordPiece::add(std::string_view piece, std::int32_t id, const std::string& name) {
    const std::string line = name + ": line " + std::to_string(id + 1);
    if (static_cast<std::size_t>(id) >= kPiecesMax)
        return fail(ErrorCode::kInvalidInput,
                    line + ": at most " + std::to_string(kPiecesMax) + " pieces are supported");
    if (find_invalid_utf8(piece)) return fail(ErrorCode::kInvalidInput, line + " is not UTF-8");
    const bool is_inside = piece.size() > kInsidePrefix.size() && piece.starts_with(kInsidePrefix);
    if (is_inside) piece.remove_prefix(kInsidePrefix.size());
    if (piece.empty()) return fail(ErrorCode::kInvalidInput, line + " is empty");
    piece_bytes_max_ = std::max(piece_bytes_max_, piece.size());
    if (!(is_inside ? insides_ : firsts_).emplace(piece, id).second)
        return fail(ErrorCode::kInvalidInput,
                    line + " repeats the piece \"" + std::string(piece) + "\"");
    return {};
}

std::size_t WordPiece::longest_piece(const Table& table, std::string_view text,
                                     std::int32_t& id) const {
    for (std::size_t size = std::min(text.size(), piece_bytes_max_); size > 0; --size) {
        if (size < text.size() && !begins_character(text[size])) continue;
        const auto found = table.find(text.substr(0, size));
        if (found == table.end()) continue;
        id = found->second;
        return size;
    }
    return 0;
}

void WordPiece::append_word(std::string_view word, std::vector<std::int32_t>& ids) const {
    const std::size_t before = ids.size();
    const bool is_long = std::ranges::count_if(word, begins_character) > kWordCharactersMax;
    for (std::string_view rest = is_long ? std::string_view() : word; !rest.empty();) {
        std::int32_t id = 0;
        const bool is_first = rest.size() == word.size();
        const std::size_t size = longest_piece(is_first ? firsts_ : insides_, rest, id);
        if (size == 0) {
            ids.resize(before);
            break;
        }
        ids.push_back(id);
        rest.remove_prefix(size);
    }
    if (ids.size() == before) ids.push_back(unknown_);
}

std::vector<std::int32_t> WordPiece::encode(std::string_view text, std::size_t tokens_max) const {
    MC_CHECK(tokens_max >= 2, "no room for [CLS] and [SEP]");
    std::vector<std::int32_t> ids = {begin_};
    cut_bert_words(text, [&](std::string_view word) {
        append_word(word, ids);
        return ids.size() + 1 < tokens_max;
    });
    ids.resize(std::min(ids.size(), tokens_max - 1));
    ids.push_back(end_);
    return ids;
}

}  // namespace mc::embedder

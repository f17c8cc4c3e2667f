// SPDX-License-Identifier: Apache-2.0
// BERT's WordPiece: text to ids of a vocabulary, [CLS] first and [SEP] last.
//
// Follows the tokenizer of uncased BERT models as Hugging Face's `tokenizers` has it, with one
// difference: text that spells a control token ("[SEP]") is text, whatever its author wanted.
// Ownership: owns the vocabulary. Threads: const, free. Errors: kInvalidInput that names file and
// line for a vocabulary that cannot be used.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.h"

namespace mc::embedder {

class WordPiece {
  public:
    // vocabulary: vocab.txt, one piece a line, its id the line's number from 0 on; name stands for
    // the file in errors.
    static Result<std::unique_ptr<WordPiece>> parse(std::string_view vocabulary,
                                                    const std::string& name);

    // At most tokens_max ids, [CLS] and [SEP] among them; pieces beyond are left out at the end.
    // Requires: tokens_max ≥ 2.
    std::vector<std::int32_t> encode(std::string_view text, std::size_t tokens_max) const;

    std::size_t size() const { return size_; }

  private:
    struct ViewHash {
        using is_transparent = void;

        std::size_t operator()(std::string_view text) const {
            return std::hash<std::string_view>()(text);
        }
    };

    using Table = std::unordered_map<std::string, std::int32_t, ViewHash, std::equal_to<>>;

    WordPiece() = default;

    Result<void> add(std::string_view piece, std::int32_t id, const std::string& name);
    void append_word(std::string_view word, std::vector<std::int32_t>& ids) const;
    // The longest piece that `text` begins with, and how many bytes it takes; 0 when there is none.
    std::size_t longest_piece(const Table& table, std::string_view text, std::int32_t& id) const;

    Table firsts_;   // pieces that begin a word
    Table insides_;  // pieces within a word, without their ##
    std::size_t piece_bytes_max_ = 0;
    std::size_t size_ = 0;
    std::int32_t unknown_ = 0;
    std::int32_t begin_ = 0;  // [CLS]
    std::int32_t end_ = 0;    // [SEP]
};

}  // namespace mc::embedder

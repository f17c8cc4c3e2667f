// SPDX-License-Identifier: Apache-2.0
// What a byte-level tokenizer is made of, whatever file it comes from.
//
// Internal to lm/tokenizer. Two files of one tokenizer, GGUF and tokenizer.json, give equal parts.
// Errors: kInvalidInput that names file and field.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/ids.h"
#include "core/result.h"
#include "formats/gguf.h"

namespace mc::lm {

class ModelFolder;  // formats/model_folder.h

// gguf.md, tokenizer.ggml.token_type.
enum class TokenType : std::int64_t { kNormal = 1, kControl = 3, kUserDefined = 4, kUnused = 5 };

struct TokenizerParts {
    std::string file_name;
    std::string tokens_field;  // what the file calls tokens and merges, for messages
    std::string merges_field;
    std::string pre_tokenizer;  // as tokenizer.ggml.pre names it
    // A pre-token that the vocabulary spells is that token, whatever the merges make of it.
    bool prefers_whole_tokens = false;
    std::vector<std::string> tokens;  // normal ones in GPT-2's byte alphabet, others as they are
    std::vector<std::int64_t> types;  // TokenType, one for each token
    std::vector<std::string> merges;  // "left right" in the byte alphabet, highest priority first
    TokenId bos = 0;
    TokenId eos = 0;
    std::string chat_template;  // empty when the file has none

    // Of all that decides about token ids.
    Hash128 hash() const;
};

Result<TokenizerParts> read_gguf_tokenizer(const GgufFile& file);

// tokenizer.json with what belongs to it. The vocabulary is filled up with unused tokens to the
// model's vocabulary_size.
Result<TokenizerParts> read_folder_tokenizer(const ModelFolder& folder,
                                             std::uint64_t vocabulary_size);

}  // namespace mc::lm

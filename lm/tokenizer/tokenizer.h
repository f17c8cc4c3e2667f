// SPDX-License-Identifier: Apache-2.0
// Byte-level BPE (GPT-2 family), lossless for any bytes.
//
// Built from the vocabulary and merges of a GGUF or a tokenizer.json; the pre-tokenizer is chosen
// by tokenizer.ggml.pre or recognised in tokenizer.json ("smollm": every digit alone, then the
// GPT-2 pattern; "gpt-2"/"default": the GPT-2 pattern; "llama-bpe" and "qwen2": those models'
// patterns). Text is never normalised, also where tokenizer.json asks for NFC: decode gives back
// the bytes. Text that spells a control token is encoded as plain text. A byte that the vocabulary
// cannot spell (SmolLM2 lacks 21 of the 256) becomes a byte token: vocabulary_size() + byte. The
// model reads byte tokens as stand_in_token(). Invalid UTF-8 is split off and encoded byte by byte.
// After the byte tokens comes blank_token(), which spells nothing: it holds the place of text that
// was forgotten, and encode() never gives it.
// Threads: const, free. Errors: kInvalidInput names the field that is missing or wrong.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/hash.h"
#include "core/ids.h"
#include "core/result.h"
#include "formats/gguf.h"

namespace mc::lm {

class ModelFolder;      // formats/model_folder.h
struct TokenizerParts;  // lm/tokenizer/tokenizer_parts.h

class Tokenizer {
  public:
    // Of a model file or folder, without reading its weights.
    static Result<std::unique_ptr<Tokenizer>> open(const Path& model);
    static Result<std::unique_ptr<Tokenizer>> from_gguf(const GgufFile& file);
    // Ids that tokenizer.json does not have, up to vocabulary_size, are unused control tokens.
    static Result<std::unique_ptr<Tokenizer>> from_folder(const ModelFolder& folder,
                                                          std::uint64_t vocabulary_size);
    ~Tokenizer();
    Tokenizer(const Tokenizer&) = delete;
    Tokenizer& operator=(const Tokenizer&) = delete;

    // decode(encode(bytes)) == bytes for every byte string.
    std::vector<TokenId> encode(std::string_view bytes) const;
    std::string decode(std::span<const TokenId> tokens) const;

    // The bytes of one token; control tokens have their spelling. Lives as long as the tokenizer.
    // Requires: 0 ≤ id ≤ blank_token().
    std::string_view bytes_of(TokenId token) const;

    TokenId vocabulary_size() const;
    TokenId blank_token() const;
    TokenId bos() const;
    TokenId eos() const;
    TokenId stand_in_token() const;

    // The control token with this exact spelling, such as "<|im_end|>". A token that the file gives
    // any type but "normal" counts as one.
    std::optional<TokenId> find_control(std::string_view spelling) const;
    bool is_control(TokenId token) const;

    // The file's Jinja template, empty when it has none.
    const std::string& chat_template() const;

    // Of vocabulary, merges and pre-tokenizer: what a store records.
    Hash128 hash() const;

  private:
    struct Impl;
    static Result<std::unique_ptr<Tokenizer>> make(TokenizerParts parts);
    explicit Tokenizer(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
    friend class StreamEncoder;
};

// Longest pre-token. A run of one character class beyond it (megabytes of 'a' or of spaces) is cut
// there, at a character's boundary, so that BPE stays near-linear and a stream holds back a bounded
// tail. encode() and StreamEncoder cut in the same places.
inline constexpr std::size_t kPreTokenBytesMax = 4096;

// Most that a stream holds back: an undecided pre-token and the start of a character.
inline constexpr std::size_t kHeldBackBytesMax = kPreTokenBytesMax + 3;

// Encodes a stream that arrives in chunks of any size: the tokens are those of the whole, whatever
// the chunking. Holds back the bytes whose split can still change.
//
// Restart: the tokens returned so far always end at a pre-token's end, and no later token depends
// on bytes before it. So encode() or a new stream from that byte position (the sum of the sizes of
// the tokens returned so far) gives the remaining tokens. Other token boundaries are not safe.
class StreamEncoder {
  public:
    // Borrows the tokenizer.
    explicit StreamEncoder(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}

    // Tokens that have become final; those of the last few bytes may come with a later call.
    std::vector<TokenId> push(std::string_view bytes);
    // Tokens of the rest; the encoder is then as new.
    std::vector<TokenId> finish();

    std::size_t held_back_bytes() const { return held_.size(); }

  private:
    static constexpr std::size_t kHeldBackGrowth = 16;

    const Tokenizer& tokenizer_;
    std::string held_;
    std::size_t retry_bytes_ = 0;  // size of held_ at which another look can pay
};

}  // namespace mc::lm

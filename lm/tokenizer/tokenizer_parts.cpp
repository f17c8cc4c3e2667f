// SPDX-License-Identifier: Apache-2.0
#include "lm/tokenizer/tokenizer_parts.h"

#include <span>
#include <string_view>

namespace mc::lm {
namespace {

Result<TokenId> read_token(const GgufFile& file, std::string_view key, std::size_t token_count) {
    MC_ASSIGN(const std::uint64_t id, file.get_uint(key));
    if (id >= token_count)
        return fail(ErrorCode::kInvalidInput, file.name() + ": " + std::string(key) + " is " +
                                                  std::to_string(id) + ", beyond the vocabulary");
    return static_cast<TokenId>(id);
}

// Llama 3's tokenizer alone has it.
bool implies_whole_tokens(std::string_view pre_tokenizer) {
    return pre_tokenizer == "llama-bpe";
}

}  // namespace

Hash128 TokenizerParts::hash() const {
    StreamHash stream;
    const auto add = [&](const std::string& text) {
        const std::uint64_t size = text.size();  // first, so that no two lists hash alike
        stream.update(std::as_bytes(std::span(&size, 1)));
        stream.update(std::as_bytes(std::span(text)));
    };
    add(pre_tokenizer);
    for (const std::string& token : tokens) add(token);
    stream.update(std::as_bytes(std::span(types)));
    for (const std::string& merge : merges) add(merge);
    // Goes without saying in GGUF, where the pre-tokenizer's name implies it.
    if (prefers_whole_tokens != implies_whole_tokens(pre_tokenizer)) add("whole tokens");
    return stream.digest();
}

Result<TokenizerParts> read_gguf_tokenizer(const GgufFile& file) {
    MC_ASSIGN(const std::string model, file.get_string("tokenizer.ggml.model"));
    if (model != "gpt2")
        return fail(ErrorCode::kInvalidInput, file.name() + ": tokenizer.ggml.model '" + model +
                                                  "' is not supported; byte-level BPE ('gpt2') is");
    TokenizerParts parts;
    parts.file_name = file.name();
    parts.tokens_field = "tokenizer.ggml.tokens";
    parts.merges_field = "tokenizer.ggml.merges";
    MC_ASSIGN(parts.pre_tokenizer, file.get_string("tokenizer.ggml.pre"));
    parts.prefers_whole_tokens = implies_whole_tokens(parts.pre_tokenizer);
    MC_ASSIGN(parts.tokens, file.get_strings(parts.tokens_field));
    MC_ASSIGN(parts.types, file.get_ints("tokenizer.ggml.token_type"));
    if (parts.tokens.size() != parts.types.size())
        return fail(ErrorCode::kInvalidInput, file.name() + ": tokenizer.ggml.token_type has " +
                                                  std::to_string(parts.types.size()) +
                                                  " entries, tokenizer.ggml.tokens has " +
                                                  std::to_string(parts.tokens.size()));
    MC_ASSIGN(parts.merges, file.get_strings(parts.merges_field));
    MC_ASSIGN(parts.eos, read_token(file, "tokenizer.ggml.eos_token_id", parts.tokens.size()));
    // Qwen's files may lack one: nothing then begins a text but the token that ends it.
    parts.bos = parts.eos;
    if (file.find("tokenizer.ggml.bos_token_id") != nullptr) {
        MC_ASSIGN(parts.bos, read_token(file, "tokenizer.ggml.bos_token_id", parts.tokens.size()));
    }
    if (file.find("tokenizer.chat_template") != nullptr) {
        MC_ASSIGN(parts.chat_template, file.get_string("tokenizer.chat_template"));
    }
    return parts;
}

}  // namespace mc::lm

// SPDX-License-Identifier: Apache-2.0
#include "embedder/bert_config.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "embedder/text_attention.h"
#include "formats/json_text.h"

namespace mc::embedder {
namespace {

using Json = nlohmann::json;
using lm::JsonFields;

// These files have less than a kilobyte.
constexpr std::uint64_t kJsonBytesMax = 1 << 20;

// Far above any encoder known (BERT-large: 1,024, 4,096 and 24; the longest reads 8,192 tokens):
// sizes stay far from overflow, and damage is found before memory is asked for.
constexpr std::uint64_t kWidthMax = 1 << 16;
constexpr std::uint64_t kLayersMax = 256;
constexpr std::uint64_t kPositionsMax = 1 << 20;
constexpr std::uint64_t kVocabularyMax = 1 << 24;

// A JSON file of the folder and its fields.
struct JsonFile {
    std::string name;
    Json document;

    static Result<JsonFile> read(const Path& path) {
        JsonFile file{path.string(), {}};
        MC_ASSIGN(const std::string text, read_file(path, kJsonBytesMax));
        MC_ASSIGN(file.document, lm::parse_json(text, file.name));
        MC_TRY(JsonFields::of(file.document, file.name));
        return file;
    }

    // No fields when the folder lacks the file.
    static Result<JsonFile> read_if_there(const Path& path) {
        std::error_code ignored;
        if (std::filesystem::exists(path, ignored)) return read(path);
        return JsonFile{path.string(), Json::object()};
    }

    JsonFields fields() const { return {document, name + ": "}; }
};

Result<std::uint32_t> size_of(const JsonFields& fields, std::string_view key,
                              std::uint64_t maximum) {
    MC_ASSIGN(const std::uint64_t value, fields.get_uint(key));
    if (value == 0 || value > maximum)
        return fail(fields.error(key, "is not from 1 to " + std::to_string(maximum)));
    return static_cast<std::uint32_t>(value);
}

Result<void> require_text(const JsonFields& fields, std::string_view key,
                          const std::string& wanted) {
    MC_ASSIGN(const std::string value, fields.get_string_or(key, wanted));
    if (value == wanted) return {};
    return fail(fields.error(key, "is \"" + value + "\"; only \"" + wanted + "\" is supported"));
}

Result<BertConfig> read_sizes(const JsonFields& fields) {
    BertConfig config;
    MC_TRY(fields.get_string("model_type"));
    MC_TRY(require_text(fields, "model_type", "bert"));
    MC_TRY(require_text(fields, "hidden_act", "gelu"));
    MC_TRY(require_text(fields, "position_embedding_type", "absolute"));
    MC_ASSIGN(config.hidden_dim, size_of(fields, "hidden_size", kWidthMax));
    MC_ASSIGN(config.ffn_dim, size_of(fields, "intermediate_size", kWidthMax));
    MC_ASSIGN(config.layer_count, size_of(fields, "num_hidden_layers", kLayersMax));
    MC_ASSIGN(config.head_count, size_of(fields, "num_attention_heads", config.hidden_dim));
    MC_ASSIGN(config.vocabulary_size, size_of(fields, "vocab_size", kVocabularyMax));
    MC_ASSIGN(config.type_count, size_of(fields, "type_vocab_size", kWidthMax));
    MC_ASSIGN(config.position_count, size_of(fields, "max_position_embeddings", kPositionsMax));
    MC_ASSIGN(const double epsilon, fields.get_float_or("layer_norm_eps", 1e-12));
    if (!(epsilon >= 0 && epsilon < 1))
        return fail(fields.error("layer_norm_eps", "is not from 0 to 1"));
    config.norm_epsilon = static_cast<float>(epsilon);
    if (config.hidden_dim % config.head_count != 0)
        return fail(fields.error("num_attention_heads", "does not divide hidden_size"));
    if (config.head_dim() % kHeadLanes != 0)
        return fail(fields.error("num_attention_heads", "gives heads of " +
                                                            std::to_string(config.head_dim()) +
                                                            " numbers, which is no multiple of " +
                                                            std::to_string(kHeadLanes)));
    return config;
}

Result<void> check_pooling(const JsonFields& fields) {
    for (const auto* const key : {"pooling_mode_cls_token", "pooling_mode_max_tokens",
                                  "pooling_mode_mean_sqrt_len_tokens"}) {
        MC_ASSIGN(const bool is_on, fields.get_bool_or(key, false));
        if (is_on) return fail(fields.error(key, "is on; only the mean of tokens is supported"));
    }
    MC_ASSIGN(const bool takes_mean, fields.get_bool_or("pooling_mode_mean_tokens", false));
    if (!takes_mean) return fail(fields.error("pooling_mode_mean_tokens", "is off"));
    return {};
}

Result<void> check_tokenizer(const JsonFields& fields) {
    for (const auto* const key : {"do_lower_case", "tokenize_chinese_chars", "strip_accents"}) {
        MC_ASSIGN(const bool is_on, fields.get_bool_or(key, true));
        if (!is_on)
            return fail(fields.error(key, "is off; only uncased vocabularies are supported"));
    }
    return {};
}

}  // namespace

Result<BertConfig> read_bert_config(const Path& folder) {
    MC_ASSIGN(const JsonFile main, JsonFile::read(folder / "config.json"));
    MC_ASSIGN(BertConfig config, read_sizes(main.fields()));
    MC_ASSIGN(const JsonFile pooling, JsonFile::read(folder / "1_Pooling" / "config.json"));
    MC_TRY(check_pooling(pooling.fields()));
    MC_ASSIGN(const JsonFile tokenizer, JsonFile::read_if_there(folder / "tokenizer_config.json"));
    MC_TRY(check_tokenizer(tokenizer.fields()));
    MC_ASSIGN(const JsonFile limits, JsonFile::read_if_there(folder / "sentence_bert_config.json"));
    MC_ASSIGN(const std::uint64_t tokens_max,
              limits.fields().get_uint_or("max_seq_length", config.position_count));
    if (tokens_max < 2 || tokens_max > config.position_count)
        return fail(limits.fields().error(
            "max_seq_length", "is not from 2 to " + std::to_string(config.position_count)));
    config.tokens_max = static_cast<std::uint32_t>(tokens_max);
    return config;
}

}  // namespace mc::embedder

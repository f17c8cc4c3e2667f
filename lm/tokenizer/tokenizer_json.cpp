// SPDX-License-Identifier: Apache-2.0
// Reads a tokenizer from tokenizer.json (Hugging Face tokenizers) and the files beside it.
#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>

#include "formats/model_folder.h"
#include "lm/tokenizer/tokenizer_parts.h"

namespace mc::lm {
namespace {

using Json = nlohmann::json;

// Split patterns of tokenizer.json files, and what GGUF calls them.
struct KnownSplit {
    std::string_view pattern;
    std::string_view pre_tokenizer;
};

constexpr KnownSplit kKnownSplits[] = {
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
     R"(\s*[\r\n]+|\s+(?!\S)|\s+)",
     "llama-bpe"},
    {R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|)"
     R"(\s*[\r\n]+|\s+(?!\S)|\s+)",
     "qwen2"},
};

// A field that must be absent, null, false or an empty string.
Result<void> refuse_option(const JsonFields& fields, std::string_view key) {
    const Json* value = fields.find(key);
    const bool is_off = value == nullptr || *value == Json(false) || *value == Json("");
    if (!is_off) return fail(fields.error(key, value->dump() + " is not supported"));
    return {};
}

// ByteLevel; uses_regex: it splits by GPT-2's pattern too.
Result<bool> read_byte_level(const JsonFields& step) {
    MC_TRY(refuse_option(step, "add_prefix_space"));
    return step.get_bool_or("use_regex", true);
}

Result<std::string> read_split(const JsonFields& step) {
    MC_ASSIGN(const JsonFields pattern, step.get_object("pattern"));
    MC_ASSIGN(const std::string regex, pattern.get_string("Regex"));
    MC_ASSIGN(const std::string behavior, step.get_string("behavior"));
    if (behavior != "Isolated")
        return fail(step.error("behavior", "'" + behavior + "' is not supported"));
    MC_TRY(refuse_option(step, "invert"));
    const auto* known = std::ranges::find(kKnownSplits, regex, &KnownSplit::pattern);
    if (known == std::end(kKnownSplits))
        return fail(pattern.error("Regex", "'" + regex + "' is not a known pattern"));
    return std::string(known->pre_tokenizer);
}

// The steps of the pre-tokenizer: the one, or those of a Sequence.
Result<std::vector<JsonFields>> read_steps(const JsonFields& tokenizer) {
    MC_ASSIGN(const JsonFields first, tokenizer.get_object("pre_tokenizer"));
    MC_ASSIGN(const std::string type, first.get_string("type"));
    if (type != "Sequence") return std::vector{first};
    return first.get_objects("pretokenizers");
}

Result<std::string> read_pre_tokenizer(const JsonFields& tokenizer) {
    MC_ASSIGN(const std::vector<JsonFields> steps, read_steps(tokenizer));
    std::string found;
    bool is_byte_level = false;
    for (const JsonFields& step : steps) {
        MC_ASSIGN(const std::string type, step.get_string("type"));
        const bool is_first = &step == &steps.front();
        const bool is_last = &step == &steps.back();
        if (type == "ByteLevel" && is_last) {
            MC_ASSIGN(const bool uses_regex, read_byte_level(step));
            if (uses_regex != (found.empty() || found == "smollm"))
                return fail(step.error("use_regex", "does not go with the step before it"));
            if (found.empty()) found = "gpt-2";
            is_byte_level = true;
        } else if (type == "Digits" && is_first) {
            MC_ASSIGN(const bool is_individual, step.get_bool_or("individual_digits", false));
            if (!is_individual)
                return fail(step.error("individual_digits", "false is not supported"));
            found = "smollm";
        } else if (type == "Split" && is_first) {
            MC_ASSIGN(found, read_split(step));
        } else {
            return fail(step.error("type", "'" + type + "' is not supported here"));
        }
    }
    if (!is_byte_level) return fail(tokenizer.error("pre_tokenizer", "does not end in ByteLevel"));
    return found;
}

Result<void> check_model(const JsonFields& tokenizer, const JsonFields& model) {
    MC_ASSIGN(const std::string type, model.get_string("type"));
    if (type != "BPE")
        return fail(model.error("type", "'" + type + "' is not supported; byte-level BPE is"));
    for (const char* option :
         {"byte_fallback", "dropout", "continuing_subword_prefix", "end_of_word_suffix"})
        MC_TRY(refuse_option(model, option));
    if (tokenizer.has("normalizer")) {
        // NFC is not applied: see the header of tokenizer.h.
        MC_ASSIGN(const JsonFields normalizer, tokenizer.get_object("normalizer"));
        MC_ASSIGN(const std::string name, normalizer.get_string("type"));
        if (name != "NFC")
            return fail(normalizer.error("type", "'" + name + "' is not supported; NFC is"));
    }
    MC_ASSIGN(const JsonFields decoder, tokenizer.get_object("decoder"));
    MC_ASSIGN(const std::string decoding, decoder.get_string("type"));
    if (decoding != "ByteLevel")
        return fail(decoder.error("type", "'" + decoding + "' is not supported; ByteLevel is"));
    return {};
}

Result<std::size_t> checked_id(const Json& value, const JsonFields& fields, const std::string& key,
                               std::size_t token_count) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() >= token_count)
        return fail(fields.error(
            key, "is not an id below config.json's vocab_size, " + std::to_string(token_count)));
    return value.get<std::size_t>();
}

Result<void> read_vocabulary(const JsonFields& model, TokenizerParts& parts) {
    MC_ASSIGN(const JsonFields vocabulary, model.get_object("vocab"));
    for (const auto& [spelling, value] : model.find("vocab")->items()) {
        MC_ASSIGN(const std::size_t id,
                  checked_id(value, vocabulary, spelling, parts.tokens.size()));
        if (static_cast<TokenType>(parts.types[id]) != TokenType::kUnused)
            return fail(vocabulary.error(spelling, "has the id of '" + parts.tokens[id] + "' too"));
        parts.tokens[id] = spelling;
        parts.types[id] = static_cast<std::int64_t>(TokenType::kNormal);
    }
    return {};
}

// Added tokens may stand in the vocabulary as well; they are found whole in text, so none is a
// normal token.
Result<void> read_added_tokens(const JsonFields& tokenizer, TokenizerParts& parts) {
    if (!tokenizer.has("added_tokens")) return {};
    MC_ASSIGN(const auto added, tokenizer.get_objects("added_tokens"));
    for (const JsonFields& token : added) {
        MC_TRY(token.get_uint("id"));
        MC_ASSIGN(const std::size_t id,
                  checked_id(*token.find("id"), token, "id", parts.tokens.size()));
        MC_ASSIGN(parts.tokens[id], token.get_string("content"));
        MC_ASSIGN(const bool is_special, token.get_bool_or("special", false));
        parts.types[id] =
            static_cast<std::int64_t>(is_special ? TokenType::kControl : TokenType::kUserDefined);
    }
    return {};
}

// Lines "left right", or pairs in newer files.
Result<void> read_merges(const JsonFields& model, TokenizerParts& parts) {
    const Json* list = model.find("merges");
    if (list == nullptr || !list->is_array()) return fail(model.error("merges", "is not a list"));
    parts.merges.reserve(list->size());
    for (const Json& merge : *list) {
        const bool is_pair =
            merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string();
        if (is_pair)
            parts.merges.push_back(merge[0].get<std::string>() + " " + merge[1].get<std::string>());
        else if (merge.is_string())
            parts.merges.push_back(merge.get<std::string>());
        else
            return fail(model.error("merges[" + std::to_string(parts.merges.size()) + "]",
                                    "is neither a string nor a pair of strings"));
    }
    return {};
}

// The id that a document gives in a field: a number, or the first of a list.
Result<std::optional<TokenId>> read_id(const JsonFields& fields, const std::string& key,
                                       std::size_t token_count) {
    const Json* value = fields.find(key);
    if (value == nullptr) return std::optional<TokenId>();
    if (value->is_array() && !value->empty()) value = &value->front();
    MC_ASSIGN(const std::size_t id, checked_id(*value, fields, key, token_count));
    return std::optional(static_cast<TokenId>(id));
}

// tokenizer_config.json spells the token; config.json and generation_config.json number it.
Result<std::optional<TokenId>> find_role(const ModelFolder& folder, const std::string& role,
                                         const TokenizerParts& parts) {
    const JsonFields spelled = folder.tokenizer_config();
    if (const Json* token = spelled.find(role + "_token"); token != nullptr) {
        const Json* content =
            token->is_object() && token->contains("content") ? &(*token)["content"] : token;
        if (!content->is_string()) return fail(spelled.error(role + "_token", "is not a string"));
        const auto found = std::ranges::find(parts.tokens, content->get_ref<const std::string&>());
        if (found == parts.tokens.end())
            return fail(
                spelled.error(role + "_token", content->dump() + " is not in tokenizer.json"));
        return std::optional(static_cast<TokenId>(found - parts.tokens.begin()));
    }
    for (const JsonFields& fields : {folder.config(), folder.generation_config()}) {
        MC_ASSIGN(const auto id, read_id(fields, role + "_token_id", parts.tokens.size()));
        if (id) return id;
    }
    return std::optional<TokenId>();
}

// A string, or a list of named ones, of which "default" is for chats.
Result<std::string> read_chat_template(const ModelFolder& folder) {
    const JsonFields fields = folder.tokenizer_config();
    const Json* value = fields.find("chat_template");
    if (!folder.chat_template_file().empty() || value == nullptr)
        return folder.chat_template_file();
    if (value->is_string()) return value->get<std::string>();
    if (value->is_array())
        for (const Json& named : *value)
            if (named.is_object() && named.value("name", Json()) == Json("default") &&
                named.value("template", Json()).is_string())
                return named["template"].get<std::string>();
    return fail(fields.error("chat_template", "is neither a string nor a list with a 'default'"));
}

}  // namespace

Result<TokenizerParts> read_folder_tokenizer(const ModelFolder& folder,
                                             std::uint64_t vocabulary_size) {
    if (vocabulary_size > kGgufArrayLengthMax)
        return fail(folder.config().error("vocab_size", "is larger than any vocabulary"));
    const JsonFields tokenizer = folder.tokenizer();
    MC_ASSIGN(const JsonFields model, tokenizer.get_object("model"));
    MC_TRY(check_model(tokenizer, model));
    TokenizerParts parts;
    parts.file_name = folder.name();
    parts.tokens_field = "tokenizer.json's tokens";
    parts.merges_field = "tokenizer.json's model.merges";
    MC_ASSIGN(parts.pre_tokenizer, read_pre_tokenizer(tokenizer));
    MC_ASSIGN(parts.prefers_whole_tokens, model.get_bool_or("ignore_merges", false));
    for (std::uint64_t id = 0; id < vocabulary_size; ++id)
        parts.tokens.push_back("[PAD" + std::to_string(id) + "]");
    parts.types.assign(vocabulary_size, static_cast<std::int64_t>(TokenType::kUnused));
    MC_TRY(read_vocabulary(model, parts));
    MC_TRY(read_added_tokens(tokenizer, parts));
    MC_TRY(read_merges(model, parts));
    MC_ASSIGN(const auto eos, find_role(folder, "eos", parts));
    if (!eos) return fail(folder.config().error("eos_token_id", "is missing"));
    MC_ASSIGN(const auto bos, find_role(folder, "bos", parts));
    parts.eos = *eos;
    parts.bos = bos.value_or(*eos);  // as for GGUF
    MC_ASSIGN(parts.chat_template, read_chat_template(folder));
    return parts;
}

}  // namespace mc::lm

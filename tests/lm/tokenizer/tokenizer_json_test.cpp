// SPDX-License-Identifier: Apache-2.0
// Tokenizers from tokenizer.json, against PyPI tokenizers and against the same tokenizers in GGUF.
// tools/make_tiny_models_golden.py made the files.
#include <gtest/gtest.h>

#include "lm/tokenizer/tokenizer.h"
#include "tests/formats/folder_copy.h"
#include "tests/lm/tokenizer/golden_ids.h"

namespace mc::lm::test {
namespace {

Path golden(const std::string& name) {
    return Path(MC_GOLDEN_DIR) / "tiny_models" / name;
}

std::unique_ptr<Tokenizer> open_tokenizer(const Path& path) {
    auto tokenizer = Tokenizer::open(path);
    EXPECT_TRUE(tokenizer) << tokenizer.error().to_string();
    return std::move(*tokenizer);
}

class TokenizerFormats : public testing::TestWithParam<std::string> {};

TEST_P(TokenizerFormats, texts_get_the_ids_of_the_reference_from_both_files) {
    const auto folder = open_tokenizer(golden(GetParam()));
    const auto gguf = open_tokenizer(golden(GetParam() + ".gguf"));
    const std::vector<GoldenIds> cases = read_golden_ids(golden(GetParam() + ".ids"));
    EXPECT_GE(cases.size(), 40U);
    for (const GoldenIds& one : cases) {
        EXPECT_EQ(folder->encode(one.text), one.ids) << '"' << one.text << '"';
        EXPECT_EQ(gguf->encode(one.text), one.ids) << '"' << one.text << '"';
        EXPECT_EQ(folder->decode(one.ids), one.text);
    }
}

TEST_P(TokenizerFormats, both_files_of_a_tokenizer_are_one_tokenizer) {
    const auto folder = open_tokenizer(golden(GetParam()));
    const auto gguf = open_tokenizer(golden(GetParam() + ".gguf"));
    EXPECT_EQ(folder->hash(), gguf->hash());
    EXPECT_EQ(folder->vocabulary_size(), 320);
    EXPECT_EQ(gguf->vocabulary_size(), 320);
    EXPECT_EQ(folder->bos(), gguf->bos());
    EXPECT_EQ(folder->eos(), gguf->eos());
    EXPECT_EQ(folder->chat_template(), "{# " + GetParam() + " #}{{ messages[0].content }}");
    EXPECT_EQ(folder->chat_template(), gguf->chat_template());
    EXPECT_EQ(folder->find_control("<|end|>"), folder->eos());
    EXPECT_EQ(folder->find_control("<tool>"), gguf->find_control("<tool>"));
    EXPECT_TRUE(folder->is_control(319)) << "an id that tokenizer.json lacks";
}

INSTANTIATE_TEST_SUITE_P(TinyModels, TokenizerFormats, testing::Values("llama", "qwen2", "qwen3"),
                         [](const auto& instance) { return instance.param; });

std::string refusal(const FolderCopy& copy) {
    const auto tokenizer = Tokenizer::open(copy.path());
    if (tokenizer) return "accepted";
    EXPECT_EQ(tokenizer.error().code(), ErrorCode::kInvalidInput);
    const std::string message = tokenizer.error().to_string();
    const std::string prefix = copy.path().string();
    return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

std::string refusal_of_patch(std::string_view change, const std::string& file = "tokenizer.json") {
    const FolderCopy copy("qwen2");
    copy.patch(file, change);
    return refusal(copy);
}

TEST(TokenizerJson, what_is_not_byte_level_bpe_is_refused_by_field) {
    EXPECT_EQ(refusal_of_patch(R"({"model":{"type":"Unigram"}})"),
              "/tokenizer.json: model.type 'Unigram' is not supported; byte-level BPE is");
    EXPECT_EQ(refusal_of_patch(R"({"model":{"byte_fallback":true}})"),
              "/tokenizer.json: model.byte_fallback true is not supported");
    EXPECT_EQ(refusal_of_patch(R"({"model":{"end_of_word_suffix":"</w>"}})"),
              "/tokenizer.json: model.end_of_word_suffix \"</w>\" is not supported");
    EXPECT_EQ(refusal_of_patch(R"({"normalizer":{"type":"Lowercase"}})"),
              "/tokenizer.json: normalizer.type 'Lowercase' is not supported; NFC is");
    EXPECT_EQ(refusal_of_patch(R"({"decoder":{"type":"Metaspace"}})"),
              "/tokenizer.json: decoder.type 'Metaspace' is not supported; ByteLevel is");
    EXPECT_EQ(refusal_of_patch(R"({"model":null})"), "/tokenizer.json: model is missing");
}

TEST(TokenizerJson, an_unknown_pre_tokenizer_is_refused_by_field) {
    const auto with_steps = [](const std::string& steps) {
        return refusal_of_patch(R"({"pre_tokenizer":{"pretokenizers":[)" + steps + "]}}");
    };
    const std::string byte_level = R"({"type":"ByteLevel","use_regex":false})";
    const std::string at = "/tokenizer.json: pre_tokenizer.pretokenizers";
    EXPECT_EQ(with_steps(R"({"type":"Split","pattern":{"Regex":"x+"},"behavior":"Isolated"},)" +
                         byte_level),
              at + "[0].pattern.Regex 'x+' is not a known pattern");
    EXPECT_EQ(with_steps(R"({"type":"Whitespace"},)" + byte_level),
              at + "[0].type 'Whitespace' is not supported here");
    EXPECT_EQ(with_steps(byte_level), at + "[0].use_regex does not go with the step before it");
    EXPECT_EQ(with_steps(R"({"type":"ByteLevel","add_prefix_space":true})"),
              at + "[0].add_prefix_space true is not supported");
    EXPECT_EQ(with_steps(R"({"type":"ByteLevel"})"), "accepted");  // GPT-2
    EXPECT_EQ(with_steps(""), "/tokenizer.json: pre_tokenizer does not end in ByteLevel");
    EXPECT_EQ(with_steps("7"), "/tokenizer.json: pre_tokenizer.pretokenizers[0] is not an object");
}

TEST(TokenizerJson, wrong_ids_and_merges_are_refused_by_field) {
    const auto model = [](const std::string& fields) {
        return refusal_of_patch(R"({"model":{)" + fields + "}}");
    };
    EXPECT_EQ(model(R"("vocab":{"a":320})"),
              "/tokenizer.json: model.vocab.a is not an id below config.json's vocab_size, 320");
    EXPECT_EQ(model(R"("vocab":{"a":-1})"),
              "/tokenizer.json: model.vocab.a is not an id below config.json's vocab_size, 320");
    EXPECT_EQ(model(R"("vocab":{"zz":5})"),
              "/tokenizer.json: model.vocab.zz has the id of '$' too");
    EXPECT_EQ(model(R"("merges":[["a"]])"),
              "/tokenizer.json: model.merges[0] is neither a string nor a pair of strings");
    EXPECT_EQ(model(R"("merges":["a zz"])"),
              ": tokenizer.json's model.merges[0] names a token that the vocabulary lacks");
    EXPECT_EQ(refusal_of_patch(R"({"added_tokens":[{"id":"x","content":"y"}]})"),
              "/tokenizer.json: added_tokens[0].id is not a whole number from 0 on");
    EXPECT_EQ(refusal_of_patch(R"({"added_tokens":[{"id":3}]})"),
              "/tokenizer.json: added_tokens[0].content is missing");
}

TEST(TokenizerJson, the_tokens_that_begin_and_end_a_text_are_found_or_named) {
    const std::string file = "tokenizer_config.json";
    EXPECT_EQ(refusal_of_patch(R"({"eos_token":"<|none|>"})", file),
              "/tokenizer_config.json: eos_token \"<|none|>\" is not in tokenizer.json");
    EXPECT_EQ(refusal_of_patch(R"({"eos_token":null})", file),
              "/config.json: eos_token_id is missing");
    EXPECT_EQ(refusal_of_patch(R"({"chat_template":7})", file),
              "/tokenizer_config.json: chat_template is neither a string nor a list with a "
              "'default'");
    const FolderCopy copy("qwen2");
    copy.patch(file, R"({"eos_token":null})");
    copy.write("generation_config.json", R"({"eos_token_id":[7,8],"bos_token_id":9})");
    copy.write("chat_template.jinja", "{{ own file }}");
    const auto tokenizer = open_tokenizer(copy.path());
    EXPECT_EQ(tokenizer->eos(), 7);
    EXPECT_EQ(tokenizer->bos(), 9);
    EXPECT_EQ(tokenizer->chat_template(), "{{ own file }}");
}

TEST(TokenizerJson, files_that_are_missing_or_no_json_are_named) {
    const FolderCopy copy("qwen2");
    copy.write("tokenizer.json", "{");
    EXPECT_EQ(refusal(copy), "/tokenizer.json: not a JSON text");
    std::filesystem::remove(copy.path() / "tokenizer.json");
    EXPECT_NE(refusal(copy).find("tokenizer.json: No such file"), std::string::npos);
    std::filesystem::remove(copy.path() / "config.json");
    EXPECT_NE(refusal(copy).find("config.json: No such file"), std::string::npos);
}

}  // namespace
}  // namespace mc::lm::test

// SPDX-License-Identifier: Apache-2.0
// What a folder must hold, and what is said where it does not.
#include "embedder/bert_folder.h"

#include "tests/embedder/tiny_bert.h"

namespace mc::embedder::test {
namespace {

class Folder : public testing::Test {
  protected:
    // The error of opening the folder, without the folder's path.
    std::string error() const {
        const auto opened = BertFolder::open(tiny_.path());
        EXPECT_FALSE(opened);
        if (opened) return "";
        EXPECT_EQ(opened.error().code(), ErrorCode::kInvalidInput);
        std::string text = opened.error().to_string();
        const std::string path = tiny_.path().string() + "/";
        for (std::size_t at = text.find(path); at != std::string::npos; at = text.find(path))
            text.erase(at, path.size());
        return text;
    }

    TinyBert tiny_{"folder"};
};

TEST_F(Folder, is_read_with_its_sizes) {
    const auto opened = BertFolder::open(tiny_.path());
    ASSERT_TRUE(opened) << opened.error().to_string();
    const BertConfig& config = (*opened)->config();
    EXPECT_EQ(config.hidden_dim, TinyBert::kHidden);
    EXPECT_EQ(config.head_dim(), 16u);
    EXPECT_EQ(config.tokens_max, TinyBert::kTokensMax);
    EXPECT_FLOAT_EQ(config.norm_epsilon, 1e-12F) << "the default";
    EXPECT_EQ((*opened)->tensors().layers.size(), TinyBert::kLayers);
    EXPECT_EQ((*opened)->name(), tiny_.path().filename());
}

TEST_F(Folder, called_model_is_named_after_its_parent) {
    const Path parent = Path(testing::TempDir()) / ("named-" + std::to_string(::getpid()));
    std::filesystem::remove_all(parent);
    std::filesystem::create_directories(parent);
    std::filesystem::copy(tiny_.path(), parent / "model", std::filesystem::copy_options::recursive);
    EXPECT_EQ(BertFolder::open(parent / "model" / "").value()->name(), parent.filename());
    std::filesystem::remove_all(parent);
}

TEST_F(Folder, has_a_hash_of_weights_and_vocabulary) {
    const Hash128 before = BertFolder::open(tiny_.path()).value()->hash();
    EXPECT_EQ(BertFolder::open(tiny_.path()).value()->hash(), before);
    tiny_.replace_in("vocab.txt", "boat\n", "ship\n");
    const Hash128 other_words = BertFolder::open(tiny_.path()).value()->hash();
    EXPECT_NE(other_words, before);
    std::string weights = tiny_.read("model.safetensors");
    weights.back() = static_cast<char>(weights.back() ^ 1);
    tiny_.write("model.safetensors", weights);
    EXPECT_NE(BertFolder::open(tiny_.path()).value()->hash(), other_words);
}

TEST_F(Folder, without_one_of_its_files_names_it) {
    for (const auto* const file :
         {"config.json", "vocab.txt", "model.safetensors", "1_Pooling/config.json"}) {
        const std::string kept = tiny_.read(file);
        std::filesystem::remove(tiny_.path() / file);
        EXPECT_TRUE(error().find(file) != std::string::npos) << error();
        tiny_.write(file, kept);
    }
}

TEST_F(Folder, of_another_kind_of_model_is_refused_by_field) {
    const std::string kept = tiny_.read("config.json");
    const auto with = [&](const std::string& from, const std::string& to) {
        tiny_.write("config.json", kept);
        tiny_.replace_in("config.json", from, to);
        return error();
    };
    EXPECT_EQ(with("\"bert\"", "\"roberta\""),
              R"(config.json: model_type is "roberta"; only "bert" is supported)");
    EXPECT_EQ(with("\"gelu\"", "\"relu\""),
              R"(config.json: hidden_act is "relu"; only "gelu" is supported)");
    EXPECT_EQ(with("{", R"({"position_embedding_type":"relative_key",)"),
              "config.json: position_embedding_type is \"relative_key\"; only \"absolute\" is "
              "supported");
    EXPECT_EQ(with("\"num_attention_heads\":2", "\"num_attention_heads\":3"),
              "config.json: num_attention_heads does not divide hidden_size");
    EXPECT_EQ(with("\"num_attention_heads\":2", "\"num_attention_heads\":4"),
              "config.json: num_attention_heads gives heads of 8 numbers, which is no multiple of "
              "16");
    EXPECT_EQ(with("\"num_hidden_layers\":2", "\"num_hidden_layers\":0"),
              "config.json: num_hidden_layers is not from 1 to 256");
    EXPECT_EQ(with("{", R"({"layer_norm_eps":-1,)"),
              "config.json: layer_norm_eps is not from 0 to 1");
    EXPECT_EQ(with("\"hidden_size\":32,", ""), "config.json: hidden_size is missing");
}

TEST_F(Folder, that_pools_or_splits_otherwise_is_refused) {
    tiny_.write("1_Pooling/config.json",
                R"({"pooling_mode_cls_token":true,"pooling_mode_mean_tokens":false})");
    EXPECT_EQ(error(),
              "1_Pooling/config.json: pooling_mode_cls_token is on; only the mean of tokens is "
              "supported");
    tiny_.write("1_Pooling/config.json", "{}");
    EXPECT_EQ(error(), "1_Pooling/config.json: pooling_mode_mean_tokens is off");
    tiny_.write("1_Pooling/config.json", R"({"pooling_mode_mean_tokens":true})");
    tiny_.write("tokenizer_config.json", R"({"do_lower_case":false})");
    EXPECT_EQ(error(),
              "tokenizer_config.json: do_lower_case is off; only uncased vocabularies are "
              "supported");
}

TEST_F(Folder, whose_limit_exceeds_its_positions_is_refused) {
    tiny_.write("sentence_bert_config.json", R"({"max_seq_length":25})");
    EXPECT_EQ(error(), "sentence_bert_config.json: max_seq_length is not from 2 to 24");
    std::filesystem::remove(tiny_.path() / "sentence_bert_config.json");
    EXPECT_EQ(BertFolder::open(tiny_.path()).value()->config().tokens_max, TinyBert::kPositions);
}

TEST_F(Folder, with_a_vocabulary_of_another_size_is_refused) {
    tiny_.write("vocab.txt", tiny_.read("vocab.txt") + "more\n");
    const std::string size = std::to_string(TinyBert::words().size());
    EXPECT_EQ(error(), "vocab.txt: " + std::to_string(TinyBert::words().size() + 1) +
                           " pieces, config.json says " + size);
}

TEST_F(Folder, with_missing_misshapen_or_unknown_weights_names_the_tensor) {
    const std::string bias = "encoder.layer.1.output.dense.bias";
    Shapes shapes = TinyBert::shapes();
    shapes.erase(bias);
    tiny_.write_weights(shapes);
    EXPECT_EQ(error(), "model.safetensors: tensor " + bias + " is missing");
    shapes[bias] = {TinyBert::kHidden + 1};
    tiny_.write_weights(shapes);
    EXPECT_EQ(error(),
              "model.safetensors: tensor " + bias + " has shape (33), config.json asks for (32)");
    shapes[bias] = {TinyBert::kHidden};
    shapes["encoder.layer.2.output.dense.bias"] = {TinyBert::kHidden};
    tiny_.write_weights(shapes);
    EXPECT_EQ(error(),
              "model.safetensors: tensor encoder.layer.2.output.dense.bias is not one that a BERT "
              "encoder of config.json's sizes has");
}

TEST_F(Folder, with_weights_in_another_format_is_refused) {
    tiny_.write_weights(TinyBert::shapes(), lm::SafetensorsDtype::kF16);
    EXPECT_EQ(error(),
              "model.safetensors: tensor embeddings.word_embeddings.weight is F16; only F32 is "
              "supported");
}

TEST_F(Folder, with_truncated_weights_is_refused) {
    const std::string whole = tiny_.read("model.safetensors");
    for (const std::size_t size :
         {std::size_t{0}, std::size_t{7}, whole.size() / 2, whole.size() - 1}) {
        tiny_.write("model.safetensors", whole.substr(0, size));
        EXPECT_NE(error().find("model.safetensors"), std::string::npos) << size;
    }
}

}  // namespace
}  // namespace mc::embedder::test

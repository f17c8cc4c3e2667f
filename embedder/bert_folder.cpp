// SPDX-License-Identifier: Apache-2.0
#include "embedder/bert_folder.h"

#include <algorithm>
#include <set>
#include <utility>

#include "embedder/bert_config.h"

namespace mc::embedder {
namespace {

// The largest published vocabulary (multilingual, 120,000 pieces) has less than a megabyte.
constexpr std::uint64_t kVocabularyBytesMax = 64 << 20;

std::string shape_text(const std::vector<std::uint64_t>& shape) {
    std::string text = "(";
    for (std::size_t i = 0; i < shape.size(); ++i)
        text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
    return text + ")";
}

// Finds tensors by name, checks them and remembers which were asked for.
class TensorReader {
  public:
    explicit TensorReader(const lm::SafetensorsFile& file) : file_(file) {}

    Result<TensorBytes> read(const std::string& name, const std::vector<std::uint64_t>& shape) {
        read_.insert(name);
        const lm::SafetensorsTensor* tensor = file_.find_tensor(name);
        if (tensor == nullptr) return error(name, "is missing");
        if (tensor->shape != shape)
            return error(name, "has shape " + shape_text(tensor->shape) +
                                   ", config.json asks for " + shape_text(shape));
        if (tensor->dtype != lm::SafetensorsDtype::kF32)
            return error(name, "is " + std::string(lm::safetensors_dtype_name(tensor->dtype)) +
                                   "; only F32 is supported");
        return tensor->data;
    }

    Result<BertLinear> linear(const std::string& name, std::uint64_t out, std::uint64_t in) {
        BertLinear linear;
        MC_ASSIGN(linear.weight, read(name + ".weight", {out, in}));
        MC_ASSIGN(linear.bias, read(name + ".bias", {out}));
        return linear;
    }

    Result<BertNorm> norm(const std::string& name, std::uint64_t width) {
        BertNorm norm;
        MC_ASSIGN(norm.weight, read(name + ".LayerNorm.weight", {width}));
        MC_ASSIGN(norm.bias, read(name + ".LayerNorm.bias", {width}));
        return norm;
    }

    // A weight that nobody reads belongs to a computation that is not done here, but for the two
    // that the mean over tokens does not need.
    Result<void> check_all_read() const {
        for (const lm::SafetensorsTensor& tensor : file_.tensors()) {
            const bool is_spare =
                tensor.name.starts_with("pooler.") || tensor.name == "embeddings.position_ids";
            if (!is_spare && !read_.contains(tensor.name))
                return error(tensor.name,
                             "is not one that a BERT encoder of config.json's sizes has");
        }
        return {};
    }

  private:
    tl::unexpected<Error> error(const std::string& name, const std::string& what) const {
        return fail(ErrorCode::kInvalidInput, file_.name() + ": tensor " + name + " " + what);
    }

    const lm::SafetensorsFile& file_;
    std::set<std::string, std::less<>> read_;
};

Result<BertLayer> read_layer(TensorReader& reader, const BertConfig& config, std::uint32_t number) {
    const std::string name = "encoder.layer." + std::to_string(number) + ".";
    const std::uint64_t hidden = config.hidden_dim;
    BertLayer layer;
    MC_ASSIGN(layer.query, reader.linear(name + "attention.self.query", hidden, hidden));
    MC_ASSIGN(layer.key, reader.linear(name + "attention.self.key", hidden, hidden));
    MC_ASSIGN(layer.value, reader.linear(name + "attention.self.value", hidden, hidden));
    MC_ASSIGN(layer.attention_output,
              reader.linear(name + "attention.output.dense", hidden, hidden));
    MC_ASSIGN(layer.attention_norm, reader.norm(name + "attention.output", hidden));
    MC_ASSIGN(layer.ffn_in, reader.linear(name + "intermediate.dense", config.ffn_dim, hidden));
    MC_ASSIGN(layer.ffn_out, reader.linear(name + "output.dense", hidden, config.ffn_dim));
    MC_ASSIGN(layer.ffn_norm, reader.norm(name + "output", hidden));
    return layer;
}

Result<BertTensors> read_tensors(const lm::SafetensorsFile& file, const BertConfig& config) {
    TensorReader reader(file);
    BertTensors tensors;
    const auto table = [&](const std::string& name, std::uint64_t rows) {
        return reader.read("embeddings." + name + "_embeddings.weight", {rows, config.hidden_dim});
    };
    MC_ASSIGN(tensors.words, table("word", config.vocabulary_size));
    MC_ASSIGN(tensors.positions, table("position", config.position_count));
    MC_ASSIGN(tensors.types, table("token_type", config.type_count));
    MC_ASSIGN(tensors.norm, reader.norm("embeddings", config.hidden_dim));
    for (std::uint32_t l = 0; l < config.layer_count; ++l) {
        MC_ASSIGN(BertLayer layer, read_layer(reader, config, l));
        tensors.layers.push_back(layer);
    }
    MC_TRY(reader.check_all_read());
    return tensors;
}

std::string name_of(const Path& folder) {
    Path path = folder.lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    if (path.filename() == "model" && path.parent_path().has_filename()) path = path.parent_path();
    return path.filename().string();
}

}  // namespace

Result<std::unique_ptr<BertFolder>> BertFolder::open(const Path& folder) {
    std::unique_ptr<BertFolder> out(new BertFolder());
    out->name_ = name_of(folder);
    MC_ASSIGN(out->config_, read_bert_config(folder));
    const Path vocabulary_file = folder / "vocab.txt";
    MC_ASSIGN(const std::string vocabulary, read_file(vocabulary_file, kVocabularyBytesMax));
    MC_ASSIGN(out->word_piece_, WordPiece::parse(vocabulary, vocabulary_file.string()));
    if (out->word_piece_->size() != out->config_.vocabulary_size)
        return fail(ErrorCode::kInvalidInput, vocabulary_file.string() + ": " +
                                                  std::to_string(out->word_piece_->size()) +
                                                  " pieces, config.json says " +
                                                  std::to_string(out->config_.vocabulary_size));
    MC_ASSIGN(out->weights_, lm::SafetensorsFile::open(folder / "model.safetensors"));
    MC_ASSIGN(out->tensors_, read_tensors(*out->weights_, out->config_));
    StreamHash hash;
    hash.update(out->weights_->bytes());
    hash.update(std::as_bytes(std::span(vocabulary)));
    out->hash_ = hash.digest();
    return out;
}

}  // namespace mc::embedder

// SPDX-License-Identifier: Apache-2.0
#include "formats/model_folder.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace mc::lm {
namespace {

using Json = nlohmann::json;

// Vocabularies of 256 k tokens with their merges take 35 MB; an index of 100 k tensors 10 MB.
constexpr std::uint64_t kJsonBytesMax = 256ULL << 20;
constexpr std::uint64_t kChatTemplateBytesMax = 16ULL << 20;

constexpr char kWeightFile[] = "model.safetensors";
constexpr char kIndexFile[] = "model.safetensors.index.json";

Result<Json> read_json(const Path& path, std::string& text) {
    MC_ASSIGN(text, read_file(path, kJsonBytesMax));
    MC_ASSIGN(Json document, parse_json(text, path.string()));
    MC_TRY(JsonFields::of(document, path.string()));
    return document;
}

Result<Json> read_json_if_there(const Path& path) {
    std::error_code error;
    if (!std::filesystem::exists(path, error)) return Json::object();
    std::string text;
    return read_json(path, text);
}

// A shard lies in the folder itself: an index is not to lead anywhere else.
bool is_plain_name(const std::string& file_name) {
    return !file_name.empty() && file_name.front() != '.' &&
           file_name.find('/') == std::string::npos && file_name.find('\0') == std::string::npos;
}

}  // namespace

struct ModelFolder::Documents {
    Json config;
    Json tokenizer;
    Json tokenizer_config;
    Json generation_config;
};

ModelFolder::ModelFolder() : documents_(std::make_unique<Documents>()) {}

ModelFolder::~ModelFolder() = default;

Result<std::unique_ptr<ModelFolder>> ModelFolder::open(const Path& path) {
    std::unique_ptr<ModelFolder> folder(new ModelFolder());
    folder->path_ = path;
    folder->name_ = path.string();
    Documents& documents = *folder->documents_;
    MC_ASSIGN(documents.config, read_json(path / "config.json", folder->config_text_));
    MC_ASSIGN(documents.tokenizer, read_json(path / "tokenizer.json", folder->tokenizer_text_));
    MC_ASSIGN(documents.tokenizer_config, read_json_if_there(path / "tokenizer_config.json"));
    MC_ASSIGN(documents.generation_config, read_json_if_there(path / "generation_config.json"));
    const Path jinja = path / "chat_template.jinja";
    std::error_code error;
    if (std::filesystem::exists(jinja, error)) {
        MC_ASSIGN(folder->chat_template_file_, read_file(jinja, kChatTemplateBytesMax));
    }
    return folder;
}

Result<void> ModelFolder::open_shard(const std::string& file_name) {
    MC_ASSIGN(shards_[file_name], SafetensorsFile::open(path_ / file_name));
    return {};
}

Result<void> ModelFolder::open_index(const std::string& index_text) {
    const std::string index_name = (path_ / kIndexFile).string();
    MC_ASSIGN(const Json document, parse_json(index_text, index_name));
    MC_ASSIGN(const JsonFields fields, JsonFields::of(document, index_name));
    MC_ASSIGN(const JsonFields weight_map, fields.get_object("weight_map"));
    for (const auto& [tensor_name, value] : document["weight_map"].items()) {
        MC_ASSIGN(const std::string file_name, weight_map.get_string(tensor_name));
        if (!is_plain_name(file_name))
            return fail(weight_map.error(tensor_name, "is not the name of a file in the folder"));
        if (!shards_.contains(file_name)) MC_TRY(open_shard(file_name));
        const SafetensorsTensor* tensor = shards_[file_name]->find_tensor(tensor_name);
        if (tensor == nullptr) return fail(weight_map.error(tensor_name, "is not in " + file_name));
        tensors_.emplace(tensor_name, tensor);
    }
    return {};
}

Result<void> ModelFolder::open_weights() {
    std::error_code error;
    if (std::filesystem::exists(path_ / kWeightFile, error)) {
        MC_TRY(open_shard(kWeightFile));
        for (const SafetensorsTensor& tensor : shards_[kWeightFile]->tensors())
            tensors_.emplace(tensor.name, &tensor);
        return {};
    }
    if (!std::filesystem::exists(path_ / kIndexFile, error))
        return fail(ErrorCode::kInvalidInput,
                    name_ + ": neither " + kWeightFile + " nor " + kIndexFile + " is there");
    MC_ASSIGN(const std::string text, read_file(path_ / kIndexFile, kJsonBytesMax));
    return open_index(text);
}

JsonFields ModelFolder::config() const {
    return {documents_->config, (path_ / "config.json").string() + ": "};
}

JsonFields ModelFolder::tokenizer() const {
    return {documents_->tokenizer, (path_ / "tokenizer.json").string() + ": "};
}

JsonFields ModelFolder::tokenizer_config() const {
    return {documents_->tokenizer_config, (path_ / "tokenizer_config.json").string() + ": "};
}

JsonFields ModelFolder::generation_config() const {
    return {documents_->generation_config, (path_ / "generation_config.json").string() + ": "};
}

Hash128 ModelFolder::hash() const {
    StreamHash stream;
    stream.update(std::as_bytes(std::span(config_text_)));
    stream.update(std::as_bytes(std::span(tokenizer_text_)));
    for (const auto& [file_name, shard] : shards_) stream.update(shard->bytes());
    return stream.digest();
}

}  // namespace mc::lm

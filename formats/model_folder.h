// SPDX-License-Identifier: Apache-2.0
// A Hugging Face model folder: config.json, tokenizer.json and weights in one safetensors file or
// several with an index.
//
// Knows nothing of any architecture. Ownership: owns mappings and JSON documents; views of tensors
// and fields die with it. Threads: const, free. Errors: kInvalidInput that names file and field.
#pragma once

#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/hash.h"
#include "core/result.h"
#include "formats/json_text.h"
#include "formats/safetensors.h"

namespace mc::lm {

class ModelFolder {
  public:
    // Reads the JSON files. Weights are another step, which a tokenizer does not need.
    static Result<std::unique_ptr<ModelFolder>> open(const Path& folder);
    ~ModelFolder();
    ModelFolder(const ModelFolder&) = delete;
    ModelFolder& operator=(const ModelFolder&) = delete;

    // Maps model.safetensors, or the shards of model.safetensors.index.json.
    Result<void> open_weights();

    // Fields of the documents, whose errors name their file.
    JsonFields config() const;
    JsonFields tokenizer() const;
    // tokenizer_config.json and generation_config.json: no fields when the folder lacks the file.
    JsonFields tokenizer_config() const;
    JsonFields generation_config() const;

    // chat_template.jinja; empty when the folder has none.
    const std::string& chat_template_file() const { return chat_template_file_; }

    // By name. Requires: open_weights().
    const std::map<std::string, const SafetensorsTensor*, std::less<>>& tensors() const {
        return tensors_;
    }

    // XXH3-128 over config.json, tokenizer.json and the weight files in the order of their names.
    // Requires: open_weights().
    Hash128 hash() const;

    const std::string& name() const { return name_; }

  private:
    struct Documents;
    ModelFolder();

    Result<void> open_index(const std::string& index_text);
    Result<void> open_shard(const std::string& file_name);

    Path path_;
    std::string name_;
    std::unique_ptr<Documents> documents_;
    std::string config_text_;
    std::string tokenizer_text_;
    std::string chat_template_file_;
    std::map<std::string, std::unique_ptr<SafetensorsFile>> shards_;  // by file name
    std::map<std::string, const SafetensorsTensor*, std::less<>> tensors_;
};

}  // namespace mc::lm

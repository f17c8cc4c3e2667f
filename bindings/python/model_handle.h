// SPDX-License-Identifier: Apache-2.0
// The base model alone as Python holds it, on an engine thread of its own.
//
// Nothing is added to what the caller gives to read but generate()'s BOS. Ownership: owns the
// model. Threads: safe from many; one call is done at a time. Errors: those of lm::BaseModel and
// EngineThread; kInvalidInput for an id outside the vocabulary.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "bindings/python/engine_thread.h"
#include "bindings/python/settings.h"
#include "lm/base_model.h"
#include "lm/generate.h"

namespace mc::python {

class ModelHandle {
  public:
    static Result<std::unique_ptr<ModelHandle>> open(const SettingTexts& settings);
    ~ModelHandle();
    ModelHandle(const ModelHandle&) = delete;
    ModelHandle& operator=(const ModelHandle&) = delete;

    const lm::BaseModel& model() const { return *model_; }

    std::vector<TokenId> encode(const std::string& bytes) const;
    Result<std::string> decode(std::span<const TokenId> tokens) const;

    // Requires: out.size() = tokens.size() × vocabulary_size.
    Result<void> logits_into(std::span<const TokenId> tokens, std::span<float> out);

    // Of every token but the first, given those before it.
    Result<std::vector<float>> nll(std::span<const TokenId> tokens);

    // What the model writes after BOS and the prompt.
    Result<std::string> generate(const std::string& prompt, const lm::GenerateOptions& options);

    bool is_of_this_process() const { return thread_.is_of_this_process(); }

  private:
    ModelHandle() = default;

    std::unique_ptr<lm::BaseModel> model_;  // made and ended on the engine thread
    EngineThread thread_;
};

}  // namespace mc::python

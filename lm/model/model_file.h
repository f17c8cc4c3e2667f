// SPDX-License-Identifier: Apache-2.0
// A model on disk behind one face: a GGUF file, or a folder of safetensors and JSON files.
//
// Tensors go by GGUF's names ("blk.0.attn_q.weight") with ggml's shapes (contiguous axis first),
// whatever the file calls them; values are as they lie. Knows nothing of libtorch. Ownership: owns
// the mappings; tensor views die with it. Threads: const, free. Errors: kInvalidInput that names
// file and field.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "core/hash.h"
#include "formats/gguf.h"
#include "formats/model_folder.h"
#include "lm/model/model_spec.h"
#include "lm/tokenizer/tokenizer.h"

namespace mc::lm {

class ModelFile {
  public:
    // A folder is read as a model folder, anything else as GGUF.
    static Result<std::unique_ptr<ModelFile>> open(const Path& path);

    const std::string& name() const;

    const ModelSpec& spec() const { return spec_; }

    // By GGUF's name; a tensor that GGUF has no name for goes by its own. GgufTensor::name is what
    // the file calls it.
    const std::map<std::string, GgufTensor>& tensors() const { return tensors_; }

    // What the file calls, or would call, a tensor.
    std::string spelling_of(const std::string& tensor) const;

    // Whether a model is whole without this tensor being read.
    bool may_stay_unread(const std::string& tensor) const;

    Result<std::unique_ptr<Tokenizer>> make_tokenizer() const;

    // XXH3-128 of the GGUF file, or ModelFolder::hash(): what a store records.
    Hash128 hash() const;

  private:
    ModelFile() = default;
    Result<void> open_gguf(const Path& path);
    Result<void> open_folder(const Path& path);

    std::unique_ptr<GgufFile> gguf_;  // one of these two is there
    std::unique_ptr<ModelFolder> folder_;
    ModelSpec spec_;
    std::map<std::string, GgufTensor> tensors_;
};

}  // namespace mc::lm

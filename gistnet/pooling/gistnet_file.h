// SPDX-License-Identifier: Apache-2.0
// Trained weights on disk: one safetensors file with every level, made for one base model.
//
// Tensors level1.queries, level1.biases, level1.key_map, level1.value_map, level1.mass_bias,
// level1.mass_map and, when level 2 is trained, level2.*. Metadata: format, base_model_hash,
// base_model_name, and how it was trained. A file of format 1 has no mass_bias and mass_map: its
// gists' log-mass is 0.
// Errors: kInvalidInput for a file that is no such file, naming the field; kUsage for one that was
// trained for another base model.
#pragma once

#include <string>
#include <vector>

#include "formats/safetensors.h"
#include "gistnet/pooling/attention_pooler.h"
#include "lm/base_model.h"

namespace mc::gistnet {

struct GistNetWeights {
    std::vector<LevelParameters> levels;  // one or two
    lm::SafetensorsMetadata metadata;
};

// Cost: reads the file.
Result<GistNetWeights> load_gistnet(const Path& path, const lm::BaseModel& model);
// As above, of a file that is open or in memory.
Result<GistNetWeights> parse_gistnet(const lm::SafetensorsFile& file, const lm::BaseModel& model);

// The hash of the base model that a file was made for, as its metadata has it; empty when it has
// none.
std::string base_model_of(const lm::SafetensorsFile& file);

// In f16; the base model's name and hash are added to the metadata.
Result<void> save_gistnet(const Path& path, GistNetWeights weights, const lm::BaseModel& model);

}  // namespace mc::gistnet

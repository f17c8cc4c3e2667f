// SPDX-License-Identifier: Apache-2.0
// A trained projection for search on disk: one safetensors file, made for one base model.
//
// Tensors token_weights, map, bias. Metadata: format, base_model_hash, base_model_name, layers
// ("0,6"), and how it was trained.
// Errors: kInvalidInput for a file that is no such file, naming the field; kUsage for one that was
// trained for another base model.
#pragma once

#include <string>

#include "formats/safetensors.h"
#include "gistnet/index/index_projection.h"
#include "lm/base_model.h"

namespace mc::gistnet {

Result<IndexProjection> parse_index(const lm::SafetensorsFile& file, const lm::BaseModel& model);

// In f16; the base model's name and hash, and the layers, are added to the metadata.
Result<void> save_index(const Path& path, const IndexProjection& projection,
                        lm::SafetensorsMetadata metadata, const lm::BaseModel& model);

}  // namespace mc::gistnet

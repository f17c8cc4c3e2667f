// SPDX-License-Identifier: Apache-2.0
// A trained lens on disk: one safetensors file, made for one base model and one sentence embedder.
//
// Tensors means, scales, weights.N and biases.N in f32. Metadata: format, base_model_hash,
// base_model_name, embedder_hash, features (their names, apart by commas), known_gain_min,
// passage_price, reads_passages, reads_gists, and how it was trained. Errors: kInvalidInput for a
// file that is no such file or is not finite, naming the field; kUsage for one whose features this
// program does not make.
#pragma once

#include "core/files.h"
#include "formats/safetensors.h"
#include "lensnet/lens.h"

namespace mc::lensnet {

Result<Lens> parse_lens(const lm::SafetensorsFile& file);

// metadata: how it was trained; the lens's own facts are added.
Result<void> save_lens(const Path& path, const Lens& lens, lm::SafetensorsMetadata metadata);

}  // namespace mc::lensnet

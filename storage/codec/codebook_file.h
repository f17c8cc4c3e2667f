// SPDX-License-Identifier: Apache-2.0
// Codebooks of the codec pq on disk: one safetensors file, made for one compressor.
//
// Tensors centre and scale (L, 2, H, D) F32; head_bytes (L, 2, H) U8; rotations (L, 2, H, D, D) and
// head_centroids (L, 2, H, 256 × D) F16; and, when there is a shared basis, shared_basis (R, L, 2,
// H, D) and shared_centroids (bytes, 256, R / bytes) F16. What they mean:
// storage/codec/gist_codebook.h. Metadata: format, base_model_hash, encoder_hash, encoder_name, and
// how it was trained. Threads: free. Errors: kInvalidInput for a file that is no such file, naming
// file and field; those of formats/safetensors.h.
#pragma once

#include <optional>
#include <string>

#include "core/files.h"
#include "core/result.h"
#include "formats/safetensors.h"
#include "storage/codec/gist_codebook.h"
#include "tree/gist_encoder.h"

namespace mc::runtime {

// Never a crash, whatever the bytes (tests/fuzz/codebook_mutation_test.cpp).
Result<storage::GistCodebook> parse_codebook(const lm::SafetensorsFile& file);

// The setting that names the program's own codebook; any other names a file.
inline constexpr const char* kOwnCodebook = "auto";

Result<storage::GistCodebook> load_codebook(const std::string& setting);

// The program's own codebook where it was trained on this encoder's gists. Cost: where it was not,
// the file's header alone; where it was, its 10 MB.
Result<std::optional<storage::GistCodebook>> own_codebook_for(const EncoderInfo& encoder);

// Adds format, hashes and the encoder's name to the metadata. The codebook's own hash is that of
// the file, so it is known once the file is read.
Result<void> save_codebook(const Path& path, const storage::GistCodebook& codebook,
                           lm::SafetensorsMetadata metadata);

}  // namespace mc::runtime

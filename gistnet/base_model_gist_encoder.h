// SPDX-License-Identifier: Apache-2.0
// GistEncoder on the base model: reads windows, pools each block's keys and values.
//
// Index vector: a projection that was trained for search, where there is one for the base model
// (gistnet/index/index_projection.h); else the mean last-layer hidden state of the block's tokens,
// minus a fixed centre, at unit length. The centre is that of a constant calibration text, read
// once when the encoder is made (some 400 tokens). Of a parent: the mean of its children's, at unit
// length. Ownership: borrows the base model for its lifetime. Threads: one at a time, with the base
// model. Errors: kUsage for an unknown pooling and for weights of another base model; kInvalidInput
// for a window or question that the model's context cannot hold and for a gist of another shape;
// kModel when the base model fails.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"
#include "gistnet/pooling/weights_setting.h"
#include "lm/base_model.h"
#include "tree/gist_encoder.h"

namespace mc::gistnet {

struct GistEncoderOptions {
    // kv-match, kv-mean or kv-last, untrained; gistnet, the program's own trained weights; auto:
    // those when they fit the model, else kv-match; or a file of trained weights.
    std::string pooling = "kv-last";
    std::uint32_t windows_per_batch = 0;  // 0: as measured best for the device
    // Of index vectors: none; mean, untrained; auto: the program's own projection when it fits the
    // model, else mean; or a file of a trained one.
    std::string index = "auto";
};

// Whether the encoder of that name (EncoderInfo::name) makes trained index vectors.
bool has_trained_index(const std::string& encoder_name);

Result<std::unique_ptr<GistEncoder>> make_gist_encoder(const lm::BaseModel& model,
                                                       const GistEncoderOptions& options);

}  // namespace mc::gistnet

// SPDX-License-Identifier: Apache-2.0
// Trains the codebook of the codec pq for one compressor, on documents.
//
// Draws runs of 1,024 tokens from the documents and makes their gists as ingest does (32 of level
// 1 and their parent); measures on windows of 256 tokens how much each number of a gist matters,
// where the base model allows it; fits the codebook; writes it; and measures on gists that were
// kept back what share of their weighted variance it loses.
// Ownership: borrows everything for the call. Threads: one; `cancelled` may be set from a signal
// handler. Errors: kUsage for options that cannot be; kInvalidInput for documents that are missing
// or too short; kCancelled, with nothing written; kModel, kIo, kOutOfSpace.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "lm/base_model.h"
#include "tree/gist_encoder.h"

namespace mc::runtime {

struct TrainCodecOptions {
    std::vector<Path> documents;
    Path output;                 // the file to write
    std::uint64_t gists = 6000;  // to learn from, at least; rounded up to whole runs
    std::uint32_t windows = 64;  // whose gradients weigh the numbers; 0: none are weighed
    double bytes_per_token = 0;  // at most, at level 1; 0: one bit per number and 64 bytes
    std::uint64_t seed = 1;
    std::string command_line;  // recorded in the file's metadata
};

enum class TrainCodecStage { kGists, kWeights, kCodebook };

struct TrainCodecProgress {
    TrainCodecStage stage = TrainCodecStage::kGists;
    double share = 0;  // of the stage
};

struct TrainCodecReport {
    std::uint64_t gists = 0;  // learned from
    std::uint64_t tokens_read = 0;
    std::uint64_t gist_bytes = 0;
    double bytes_per_token = 0;   // of keys and values at level 1
    double error_share_keys = 0;  // of the variance of gists kept back, by the codebook's scale
    double error_share_values = 0;
    bool weighed = false;  // by gradients
    std::uint64_t file_bytes = 0;
};

using TrainCodecCallback = std::function<void(const TrainCodecProgress&)>;

// progress may be empty and cancelled null.
Result<TrainCodecReport> train_codec(const lm::BaseModel& model, GistEncoder& encoder,
                                     const TrainCodecOptions& options,
                                     const TrainCodecCallback& progress,
                                     const std::atomic<bool>* cancelled);

}  // namespace mc::runtime

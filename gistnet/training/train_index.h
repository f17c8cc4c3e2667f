// SPDX-License-Identifier: Apache-2.0
// Trains the projection that makes index vectors, for any base model.
//
// The frozen model reads windows of the documents as ingest does, and questions made from their
// blocks by rules: what follows a block → the block, a few tokens of it → the block, its rare words
// in question form → the block. Each leaves one pooled vector (gistnet/index/index_projection.h),
// and the map from these to index vectors learns by contrast (InfoNCE, van den Oord, Li, Vinyals
// 2018) to tell the right block from those beside it and from the same documents. Same documents,
// options, machine and thread count, same file, unless `minutes` cut it short. Ownership: borrows
// everything for the call. Threads: one; `cancelled` may be set from a signal handler. Errors:
// kUsage for options that cannot be; kInvalidInput for documents that are missing, too short or
// shared between training and evaluation; kCancelled, with nothing written; kIo, kOutOfSpace;
// kModel, also when five steps in a row had no finite loss and gradient, with nothing written.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/files.h"
#include "core/result.h"
#include "gistnet/search/search_scores.h"

namespace mc::lm {
class BaseModel;
}

namespace mc::gistnet {

struct IndexTrainOptions {
    std::vector<Path> documents;
    std::vector<Path> evaluation_documents;
    Path output;                    // a file
    std::uint32_t windows = 10000;  // to read at most, of 512 new tokens
    std::uint64_t steps = 400;
    double minutes = 0;  // reading ends after three quarters of so many; 0: when all is read
    std::uint64_t seed = 1;
    std::string command_line;  // recorded in the file's metadata
};

struct IndexTrainProgress {
    std::string_view stage;  // "reading", "training"
    std::uint64_t done = 0;  // windows or steps
    std::uint64_t total = 0;
    std::uint64_t tokens = 0;  // read so far
};

using IndexTrainProgressCallback = std::function<void(const IndexTrainProgress&)>;

// The right block among those of the evaluation documents that were read.
struct IndexScores {
    std::string kind;  // of the question: "next", "fragment", "question"
    SearchScores scores;
};

struct IndexTrainReport {
    Path weights_path;
    std::uint64_t tokens_read = 0;
    std::uint64_t blocks = 0;  // to learn from
    std::uint64_t questions = 0;
    std::uint64_t evaluation_blocks = 0;
    double loss = 0;  // of the last steps
    std::vector<IndexScores> evaluation;
};

// progress may be empty and cancelled null.
Result<IndexTrainReport> train_index(const lm::BaseModel& model, const IndexTrainOptions& options,
                                     const Clock& clock, const IndexTrainProgressCallback& progress,
                                     const std::atomic<bool>* cancelled);

}  // namespace mc::gistnet

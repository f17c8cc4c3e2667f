// SPDX-License-Identifier: Apache-2.0
// What the projection for search learns from: pooled features of blocks and of questions made from
// them, as the frozen model reads both.
//
// Windows are read as ingest reads them; every window gives 16 neighbouring blocks. Of each block
// two questions: its rare words in question form, and by turns the 32 to 64 tokens that follow or 8
// tokens from inside. All are read alone after BOS. Letters: N blocks, Q questions, C feature
// width. Threads: one. Errors: libtorch's exceptions pass.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/rng.h"
#include "gistnet/index/index_projection.h"
#include "gistnet/search/search_questions.h"
#include "gistnet/training/training_cases.h"

namespace mc::gistnet {

enum class QuestionKind { kNext, kFragment, kQuestion };

inline constexpr std::array<const char*, 3> kQuestionKindNames = {"next", "fragment", "question"};

// Blocks of one window.
inline constexpr std::int64_t kBlocksPerWindow = 16;
// The longest text that follows a block, in tokens and in the blocks that it may cover.
inline constexpr std::uint64_t kNextTokensMax = 64;
inline constexpr std::int64_t kNextBlocksMax = 2;

struct PlannedWindow {
    std::size_t document = 0;
    std::uint64_t begin = 0;  // token, a multiple of 512
};

// Different windows, documents in proportion to their length, in random order: a beginning of the
// list is a fair sample too. Fewer than count when the documents have no more.
std::vector<PlannedWindow> plan_index_windows(const TrainingText& text, std::uint64_t count,
                                              std::uint64_t seed);

struct IndexTrainingSet {
    at::Tensor blocks;                            // (N, C) f32, window by window
    at::Tensor questions;                         // (Q, C) f32
    std::vector<std::int64_t> block_of;           // (Q)
    std::vector<QuestionKind> kinds;              // (Q)
    std::vector<std::size_t> document_of_window;  // (N / 16)
    std::vector<std::int64_t> first_question;     // (N / 16 + 1): of each window
    std::uint64_t tokens_read = 0;
};

class IndexSetReader {
  public:
    // Borrows model, text and counts. token_weights (V).
    IndexSetReader(const lm::TorchModel& model, std::vector<std::int64_t> layers,
                   at::Tensor token_weights, const TrainingText& text, const WordCounts& counts,
                   std::uint64_t seed);

    // Requires: inference mode.
    void read(const PlannedWindow& window);

    std::uint64_t tokens_read() const { return set_.tokens_read; }

    // Everything read so far. Requires: at least one window. Called once.
    IndexTrainingSet take();

  private:
    std::vector<TokenId> make_text(QuestionKind kind, const std::vector<TokenId>& document,
                                   std::uint64_t begin);

    const lm::TorchModel& model_;
    std::vector<std::int64_t> layers_;
    at::Tensor token_weights_;
    const TrainingText& text_;
    const WordCounts& counts_;
    Rng rng_;
    IndexTrainingSet set_;
    std::vector<at::Tensor> blocks_;
    std::vector<at::Tensor> questions_;
};

}  // namespace mc::gistnet

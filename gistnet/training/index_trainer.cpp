// SPDX-License-Identifier: Apache-2.0
#include "gistnet/training/index_trainer.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "gistnet/pooling/gist_tensors.h"
#include "gistnet/training/trainer.h"
#include "lm/training/training_pass.h"

namespace mc::gistnet {
namespace {

constexpr double kLearningRate = 3e-3;
constexpr double kTemperatureAtFirst = 0.05;
constexpr double kDeviationMin = 1e-4;

// Features that a step does not see, so that the map does not lean on a few of them.
constexpr double kDropout = 0.4;

constexpr std::size_t kWindowsPerStep = 64;

// Blocks (n rows) that a question repeats: those right after its own.
at::Tensor repeated_blocks(const at::Tensor& is_next, const at::Tensor& own,
                           const at::Tensor& blocks) {
    const at::Tensor behind = blocks.unsqueeze(0) - own.unsqueeze(1);  // (m, n)
    return is_next.unsqueeze(1).logical_and(behind.gt(0)).logical_and(behind.le(kNextBlocksMax));
}

at::Tensor next_questions(const IndexTrainingSet& set) {
    at::Tensor out = at::empty({static_cast<std::int64_t>(set.kinds.size())}, at::kBool);
    for (std::size_t i = 0; i < set.kinds.size(); ++i)
        out.data_ptr<bool>()[i] = set.kinds[i] == QuestionKind::kNext;
    return out;
}

// (C, I), uniform with the variance that keeps lengths, from our own generator.
at::Tensor random_map(std::int64_t width, std::int64_t dim, Rng& rng) {
    at::Tensor out = at::empty({width, dim}, at::kFloat);
    const double bound = std::sqrt(3.0 / static_cast<double>(width));
    float* data = out.data_ptr<float>();
    for (std::int64_t i = 0; i < out.numel(); ++i)
        data[i] = static_cast<float>(bound * (2 * rng.uniform() - 1));
    return out;
}

AdamSlot slot_of(at::Tensor parameter) {
    parameter.set_requires_grad(true);
    return {parameter, kLearningRate, at::zeros_like(parameter), at::zeros_like(parameter)};
}

}  // namespace

IndexTrainer::IndexTrainer(const IndexTrainingSet& set, std::int64_t index_dim, std::uint64_t seed)
    : set_(set), rng_(seed) {
    mean_ = set.blocks.mean(0);
    deviation_ = (set.blocks - mean_).square().mean(0).sqrt() + kDeviationMin;
    blocks_ = (set.blocks - mean_) / deviation_;
    questions_ = (set.questions - mean_) / deviation_;
    slots_.push_back(slot_of(random_map(blocks_.size(1), index_dim, rng_)));
    slots_.push_back(slot_of(at::zeros({index_dim}, at::kFloat)));
    slots_.push_back(slot_of(at::full({}, -std::log(kTemperatureAtFirst), at::kFloat)));
}

// Half of the windows from one document, the rest from all.
IndexTrainer::Batch IndexTrainer::draw() {
    const std::size_t count = set_.document_of_window.size();
    const std::size_t document = set_.document_of_window[rng_.below(count)];
    std::vector<std::size_t> order(count);
    for (std::size_t i = 0; i < count; ++i) order[i] = i;
    for (std::size_t i = 0; i + 1 < count; ++i)
        std::swap(order[i], order[i + rng_.below(count - i)]);
    std::stable_partition(order.begin(), order.end(), [&](std::size_t window) {
        return set_.document_of_window[window] == document;
    });
    const std::size_t wanted = std::min(kWindowsPerStep, count);
    // The one document's come first, the others are drawn from the end.
    for (std::size_t i = 0; i < wanted / 2; ++i)
        std::swap(order[wanted - 1 - i], order[count - 1 - i]);
    order.resize(wanted);
    std::sort(order.begin(), order.end());

    std::vector<std::int64_t> blocks;
    std::vector<std::int64_t> questions;
    std::vector<std::int64_t> own;
    std::vector<std::int64_t> right;
    for (std::size_t i = 0; i < wanted; ++i) {
        const auto window = static_cast<std::int64_t>(order[i]);
        for (std::int64_t b = 0; b < kBlocksPerWindow; ++b)
            blocks.push_back(window * kBlocksPerWindow + b);
        for (std::int64_t q = set_.first_question[order[i]]; q < set_.first_question[order[i] + 1];
             ++q) {
            if (rng_.below(2) == 0) continue;  // half of them, so that steps differ
            questions.push_back(q);
            own.push_back(set_.block_of[static_cast<std::size_t>(q)]);
            right.push_back(static_cast<std::int64_t>(i) * kBlocksPerWindow + own.back() -
                            window * kBlocksPerWindow);
        }
    }
    Batch batch{lm::index_tensor(blocks), lm::index_tensor(questions), lm::index_tensor(right), {}};
    batch.left_out = repeated_blocks(next_questions(set_).index_select(0, batch.questions),
                                     lm::index_tensor(own), batch.blocks);
    return batch;
}

double IndexTrainer::step(std::uint64_t step, std::uint64_t total_steps) {
    const Batch batch = draw();
    if (batch.questions.numel() == 0) return 0;
    at::Tensor seen = at::empty({blocks_.size(1)}, at::kFloat);
    for (std::int64_t i = 0; i < seen.numel(); ++i)
        seen.data_ptr<float>()[i] =
            rng_.uniform() < kDropout ? 0.0F : static_cast<float>(1 / (1 - kDropout));
    const IndexProjection now{{}, {}, slots_[0].parameter, slots_[1].parameter};
    const at::Tensor blocks = now.project(blocks_.index_select(0, batch.blocks) * seen);
    const at::Tensor questions = now.project(questions_.index_select(0, batch.questions) * seen);
    const at::Tensor logits = (at::matmul(questions, blocks.t()) * slots_[2].parameter.exp())
                                  .masked_fill(batch.left_out, -1e4);
    const at::Tensor loss = -at::log_softmax(logits, 1).gather(1, batch.right.unsqueeze(1)).mean();
    loss.backward();
    const std::vector<at::Tensor> gradients = take_gradients(slots_);
    const at::NoGradGuard no_grad;
    const double norm =
        adam_step(slots_, gradients, step, schedule(step, total_steps), AdamOptions());
    return std::isfinite(norm) ? loss.item<double>() : norm;
}

IndexProjection IndexTrainer::learned() const {
    const at::NoGradGuard no_grad;
    const at::Tensor map = slots_[0].parameter / deviation_.unsqueeze(1);
    return {{}, {}, map, slots_[1].parameter - at::matmul(mean_, map)};
}

std::vector<std::uint32_t> rank_blocks(const IndexTrainingSet& set,
                                       const IndexProjection& projection) {
    const at::NoGradGuard no_grad;
    const at::Tensor own = lm::index_tensor(set.block_of);
    const at::Tensor scores = at::matmul(projection.project(set.questions),
                                         projection.project(set.blocks).t());  // (Q, N)
    const at::Tensor all = at::arange(set.blocks.size(0), at::kLong);
    const at::Tensor counted = repeated_blocks(next_questions(set), own, all).logical_not();
    const at::Tensor better =
        scores.gt(scores.gather(1, own.unsqueeze(1))).logical_and(counted).sum(1);
    std::vector<std::uint32_t> ranks;
    for (std::int64_t i = 0; i < better.size(0); ++i)
        ranks.push_back(1 + static_cast<std::uint32_t>(better[i].item<std::int64_t>()));
    return ranks;
}

}  // namespace mc::gistnet

// SPDX-License-Identifier: Apache-2.0
#include "gistnet/macros/macro_descent.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <numeric>
#include <utility>

#include "core/check.h"
#include "core/rng.h"
#include "core/span_math.h"
#include "gistnet/macros/lesson_reading.h"
#include "gistnet/pooling/gist_tensors.h"
#include "gistnet/training/adamw.h"

namespace mc::gistnet {
namespace {

// Kingma, Ba 2015; its defaults, and no clipping.
constexpr AdamOptions kMacroAdam = {0.9, 0.999, 1e-8, std::numeric_limits<double>::infinity()};

std::vector<Gist> gists_of(const at::Tensor& keys, const at::Tensor& values,
                           std::span<const Gist> start) {
    std::vector<Gist> gists = make_gists({keys, values}, at::zeros({keys.size(0), 1}));
    for (std::size_t i = 0; i < gists.size(); ++i) {
        if (i < start.size()) gists[i].log_mass = start[i].log_mass;
        gists[i].index_vector.clear();
        gists[i].statistics = {};
    }
    return gists;
}

// Lessons in an order of their own in every round.
class LessonOrder {
  public:
    LessonOrder(std::size_t count, std::uint64_t seed) : rng_(seed), order_(count), at_(count) {
        std::iota(order_.begin(), order_.end(), std::size_t{0});
    }

    std::vector<std::size_t> next(std::size_t count) {
        std::vector<std::size_t> chosen;
        while (chosen.size() < std::min(count, order_.size())) {
            if (at_ == order_.size()) shuffle();
            chosen.push_back(order_[at_++]);
        }
        return chosen;
    }

  private:
    void shuffle() {
        at_ = 0;
        for (std::size_t i = order_.size(); i > 1; --i)
            std::swap(order_[i - 1], order_[rng_.below(i)]);
    }

    Rng rng_;
    std::vector<std::size_t> order_;
    std::size_t at_;
};

class Descent {
  public:
    Descent(const lm::TorchModel& model, const lm::TurnFrame& frame,
            std::span<const Lesson> lessons, std::span<const Gist> start)
        : model_(model), frame_(frame), lessons_(lessons) {
        const GistShape shape = model.config.gist_shape();
        const at::Tensor both = stack_gists(start, shape);
        keys_ = both.select(2, 0).contiguous();
        values_ = both.select(2, 1).contiguous();
        log_mass_ = stack_log_mass(start, shape);
    }

    void learn(std::span<const TokenId> instruction) {
        for (const Lesson& lesson : lessons_)
            teachers_.push_back(teach(model_, frame_, instruction, lesson));
    }

    Result<void> run(const DescentOptions& options);

    // Mean KL over the tokens of all lessons.
    double divergence(std::size_t lessons_together) const {
        double sum = 0;
        double count = 0;
        for (std::size_t begin = 0; begin < lessons_.size(); begin += lessons_together) {
            std::vector<std::size_t> chosen(std::min(lessons_together, lessons_.size() - begin));
            std::iota(chosen.begin(), chosen.end(), begin);
            const LessonBatch batch = batch_of(chosen);
            lm::TrainingPass pass(model_, batch.layout);
            const auto scored = static_cast<double>(batch.scored.size(0));
            sum += scored * loss_of(batch, pass).first.divergence;
            count += scored;
        }
        return sum / count;
    }

    std::vector<Gist> gists(std::span<const Gist> start) const {
        return gists_of(keys_, values_, start);
    }

  private:
    LessonBatch batch_of(std::span<const std::size_t> chosen) const {
        return make_lesson_batch(model_, frame_, lessons_, teachers_, chosen, keys_.size(0));
    }

    // The loss, and its gradient behind all tokens of the batch.
    std::pair<lm::DistillationLoss, at::Tensor> loss_of(const LessonBatch& batch,
                                                        lm::TrainingPass& pass) const {
        const std::int64_t rows = batch.inputs.size(0);
        const auto spread = [rows](const at::Tensor& x) {
            if (!x.defined()) return x;
            std::vector<std::int64_t> sizes = x.sizes().vec();
            sizes.insert(sizes.begin(), rows);
            return x.unsqueeze(0).expand(sizes).contiguous();
        };
        const at::Tensor hidden =
            pass.forward(batch.inputs, {spread(keys_), spread(values_), spread(log_mass_)});
        const at::Tensor evenly = at::ones({batch.scored.size(0)}, at::kFloat);
        const lm::DistillationLoss loss =
            lm::distil(model_, hidden.index_select(0, batch.scored), batch.teacher, evenly, 1.0);
        at::Tensor gradient = at::zeros_like(hidden);
        gradient.index_copy_(0, batch.scored, loss.hidden_gradient.to(hidden.scalar_type()));
        return {loss, gradient};
    }

    const lm::TorchModel& model_;
    const lm::TurnFrame& frame_;
    std::span<const Lesson> lessons_;
    at::Tensor keys_;      // (P, L, H, D) f32
    at::Tensor values_;    // the same
    at::Tensor log_mass_;  // (P, L, H), or undefined; as it is
    std::vector<lm::TeacherPrediction> teachers_;
};

Result<void> Descent::run(const DescentOptions& options) {
    std::vector<AdamSlot> slots;
    for (const at::Tensor& x : {keys_, values_})
        slots.push_back({x, options.learning_rate, at::zeros_like(x), at::zeros_like(x)});
    LessonOrder order(lessons_.size(), options.seed);
    for (std::uint32_t step = 0; step < options.steps; ++step) {
        if (options.cancelled && options.cancelled->load())
            return fail(ErrorCode::kCancelled, "interrupted");
        const auto chosen = order.next(options.lessons_per_step);
        const LessonBatch batch = batch_of(chosen);
        lm::TrainingPass pass(model_, batch.layout);
        const lm::PlacedEntries found = pass.backward(loss_of(batch, pass).second).placed;
        const double share = static_cast<double>(step) / options.steps;
        const at::Tensor gradients[] = {found.keys.sum(0), found.values.sum(0)};
        adam_step(slots, gradients, step + 1, 0.5 * (1 + std::cos(std::numbers::pi * share)),
                  kMacroAdam);
        if (options.progress) options.progress(step + 1, options.steps);
    }
    return {};
}

}  // namespace

std::uint32_t whole_blocks(std::size_t token_count) {
    return static_cast<std::uint32_t>((token_count + kBlockSize - 1) / kBlockSize);
}

Result<std::vector<Gist>> start_of_macro(GistEncoder& encoder, std::span<const TokenId> instruction,
                                         std::uint32_t count) {
    MC_CHECK(!instruction.empty() && instruction.size() <= kInstructionTokensMax && count > 0 &&
                 count <= kInstructionTokensMax / kBlockSize,
             "an instruction that fits one read window");
    const std::uint32_t blocks = std::max(count, whole_blocks(instruction.size()));
    ReadWindow window;
    for (std::size_t i = 0; i < std::size_t{blocks} * kBlockSize; ++i)
        window.tokens.push_back(instruction[i % instruction.size()]);
    MC_ASSIGN(auto encoded, encoder.encode_windows(std::span(&window, 1), false));
    std::vector<Gist>& gists = encoded.front();
    if (blocks == count) {
        for (Gist& gist : gists) gist.index_vector.clear();
        return std::move(gists);
    }
    return lm::torch_guard([&] {
        const c10::InferenceMode inference;
        const at::Tensor all = stack_gists(gists, encoder.info().shape);
        std::vector<at::Tensor> means;
        for (std::int64_t i = 0; i < count; ++i) {
            const std::int64_t begin = i * blocks / count;
            means.push_back(all.narrow(0, begin, (i + 1) * blocks / count - begin).mean(0));
        }
        const at::Tensor joined = at::stack(means);
        return gists_of(joined.select(2, 0), joined.select(2, 1), {});
    });
}

Result<MacroDescent> descend_macro(const lm::BaseModel& model, const lm::TurnFrame& frame,
                                   std::span<const TokenId> instruction,
                                   std::span<const Lesson> lessons, std::span<const Gist> start,
                                   const DescentOptions& options) {
    MC_CHECK(!start.empty() && !lessons.empty(), "a macro needs gists and lessons");
    MC_TRY(lm::TrainingPass::check_support(model.torch_model()));
    return lm::torch_guard([&]() -> Result<MacroDescent> {
        const at::NoGradGuard no_grad;
        Descent descent(model.torch_model(), frame, lessons, start);
        descent.learn(instruction);
        MacroDescent found;
        if (options.measures)
            found.divergence_before = descent.divergence(options.lessons_per_step);
        MC_TRY(descent.run(options));
        if (options.measures) found.divergence_after = descent.divergence(options.lessons_per_step);
        found.gists = descent.gists(start);
        return found;
    });
}

}  // namespace mc::gistnet

// SPDX-License-Identifier: Apache-2.0
#include "gistnet/training/trainer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>

#include "core/check.h"
#include "core/span_math.h"
#include "gistnet/training/case_batch.h"
#include "gistnet/training/tensor_bytes.h"
#include "ranks/shared_work.h"

namespace mc::gistnet {
namespace {

constexpr auto kBlock = static_cast<std::int64_t>(kBlockSize);

// Found in the prototype and kept: maps learn slowly, queries and biases fast.
constexpr double kMapRate = 2e-3;
constexpr double kQueryRate = 3e-2;
// A log-mass has nats to go; its map has as many terms as the pooled vectors have numbers.
constexpr double kMassBiasRate = 0.5;
constexpr double kMassMapRate = 5e-2;
// Distillation's gradients are noisier than those of matching; at that rate they undo what weights
// that start well know: trained ones, and level 2's last child.
constexpr double kDistillationRateFactor = 0.5;
constexpr double kGentleRateFactor = 0.12;
constexpr double kKlWeight = 0.8;
constexpr std::uint64_t kWarmUpSteps = 20;
constexpr double kLastRateFactor = 0.05;

// A token that context does not help weighs little, one that it helps much weighs up to 3 nats.
constexpr double kContextGainMin = 0.1;
constexpr double kContextGainMax = 3;

double learning_rate(const std::string& parameter) {
    if (parameter == "mass_bias") return kMassBiasRate;
    if (parameter == "mass_map") return kMassMapRate;
    return parameter == "queries" || parameter == "biases" ? kQueryRate : kMapRate;
}

}  // namespace

double schedule(std::uint64_t step, std::uint64_t total_steps) {
    const double warm_up = static_cast<double>(step) / static_cast<double>(kWarmUpSteps);
    const double share = static_cast<double>(step) / static_cast<double>(total_steps);
    const double cosine = 0.5 * (1 + std::cos(std::numbers::pi * std::min(share, 1.0)));
    return std::min(1.0, warm_up) * (kLastRateFactor + (1 - kLastRateFactor) * cosine);
}

KeysValues read_bos(const lm::TorchModel& model) {
    const std::vector<std::vector<TokenId>> window = {{model.tokenizer->bos()}};
    const lm::ReadOutput out = model.read_windows(window, 0);
    return {out.keys.select(3, 0).to(at::kFloat), out.values.select(3, 0).to(at::kFloat)};
}

Trainer::Trainer(const lm::TorchModel& model, const TrainingText& text, const CaseOptions& options,
                 std::vector<LevelParameters> levels)
    : model_(model), text_(text), options_(options), levels_(std::move(levels)) {
    MC_CHECK(levels_.size() == static_cast<std::size_t>(options_.level), "levels below are known");
    at::NoGradGuard no_grad;
    bos_ = read_bos(model_);
    make_bank();
    for (const auto& [name, tensor] : levels_.back().named()) {
        // What a gist should weigh is learned when it has something to say.
        if (name.starts_with("mass_") && !options_.continues) continue;
        tensor->requires_grad_();
        slots_.push_back(
            {*tensor, learning_rate(name), at::zeros_like(*tensor), at::zeros_like(*tensor)});
    }
}

void Trainer::make_bank() {
    std::vector<at::Tensor> keys;
    std::vector<at::Tensor> values;
    std::vector<at::Tensor> log_mass;
    for (const Chunk& run : plan_bank(text_, options_)) {
        const auto begin = text_[run.document].begin() + static_cast<std::ptrdiff_t>(run.begin);
        std::vector<TokenId> read = {model_.tokenizer->bos()};
        read.insert(read.end(), begin, begin + std::ptrdiff_t{kBankRunBlocks} * kBlock);
        const std::vector<std::vector<TokenId>> window = {std::move(read)};
        const lm::ReadOutput out = model_.read_windows(window, 1);
        const KeysValues gists = pool(levels_.front(), blocks_of({out.keys, out.values}));
        keys.push_back(gists.keys.to(at::kHalf));
        values.push_back(gists.values.to(at::kHalf));
        log_mass.push_back(gists.log_mass);
    }
    if (!keys.empty()) bank_ = {at::cat(keys), at::cat(values), at::cat(log_mass)};
}

// What the step shows of the bank; undefined when that is nothing.
KeysValues Trainer::banked(const StepPlan& plan) const {
    if (plan.banked.empty()) return {};
    at::NoGradGuard no_grad;
    const at::Tensor index = lm::index_tensor({plan.banked.begin(), plan.banked.end()});
    return {bank_.keys.index_select(0, index).to(at::kFloat),
            bank_.values.index_select(0, index).to(at::kFloat),
            bank_.log_mass.index_select(0, index)};
}

// One chunk a pass: at 1,121 tokens the processor's caches are full already.
ChunkReading Trainer::read_chunks(const StepPlan& plan, bool matches) const {
    at::NoGradGuard no_grad;
    std::vector<at::Tensor> hidden;
    std::vector<at::Tensor> keys;
    std::vector<at::Tensor> values;
    std::vector<at::Tensor> targets;
    std::vector<MatchText> texts;
    const auto tokens = static_cast<std::ptrdiff_t>(plan.shape.chunk_tokens());
    const std::int64_t context = std::int64_t{plan.shape.context_blocks} * kBlock;
    for (const Chunk& chunk : plan.chunks) {
        const auto begin = text_[chunk.document].begin() + static_cast<std::ptrdiff_t>(chunk.begin);
        std::vector<TokenId> read = {model_.tokenizer->bos()};
        read.insert(read.end(), begin, begin + tokens);
        targets.push_back(model_.token_index(std::span(read).subspan(1)));
        const std::vector<std::vector<TokenId>> window = {std::move(read)};
        const lm::ReadOutput out =
            matches ? model_.read_attention(window, 1) : model_.read_windows(window, 1);
        if (matches) texts.push_back({out.queries[0], out.attended[0], out.keys[0], out.values[0]});
        hidden.push_back(out.hidden);
        const KeysValues blocks =
            blocks_of({out.keys.narrow(3, 0, context), out.values.narrow(3, 0, context)});
        keys.push_back(blocks.keys);
        values.push_back(blocks.values);
    }
    return {
        at::cat(hidden), {at::cat(keys), at::cat(values)}, at::stack(targets), std::move(texts)};
}

// Rows of a group's student and of the chunks' hidden states that predict the same tokens: every
// token of every horizon but the first, before which no state may stand.
struct ScoredRows {
    at::Tensor student;
    at::Tensor teacher;
};

ScoredRows scored_rows(const CaseGroup& group, std::int64_t student_steps, std::int64_t horizon,
                       std::int64_t chunk_rows) {
    std::vector<std::int64_t> student;
    std::vector<std::int64_t> teacher;
    for (std::size_t c = 0; c < group.cases.size(); ++c) {
        const TrainingCase& one = group.cases[c];
        const std::int64_t first_student =
            static_cast<std::int64_t>(c + 1) * student_steps - horizon;
        // Hidden state i + 1 of a chunk (0 is BOS) is that of token i.
        const std::int64_t first_teacher =
            static_cast<std::int64_t>(one.chunk) * chunk_rows + one.horizon_begin + 1;
        for (std::int64_t p = 0; p < horizon; ++p) {
            student.push_back(first_student + p);
            teacher.push_back(first_teacher + p);
        }
    }
    return {lm::index_tensor(student), lm::index_tensor(teacher)};
}

// Hidden states (B × T, W) of horizons (B, T, W) after BOS alone.
at::Tensor Trainer::read_alone(const at::Tensor& horizon_inputs) const {
    const std::int64_t rows = horizon_inputs.size(0);
    const auto repeated = [&](const at::Tensor& x) {
        return x.unsqueeze(0).expand({rows, -1, -1, -1, -1});
    };
    lm::TrainingPass pass(model_, lm::placed_then_tokens(rows, 1, horizon_inputs.size(1)));
    return pass.forward(horizon_inputs, {repeated(bos_.keys), repeated(bos_.values)});
}

// How much the raw context helps at each scored token: NLL after BOS and the horizon so far alone,
// less the teacher's, within bounds. The weights of the loss (context dependence, as in the token
// importance weighting of long-context training).
at::Tensor Trainer::context_gains(const at::Tensor& horizon_inputs,
                                  const lm::TeacherPrediction& teacher) const {
    const at::Tensor none = model_.score(read_alone(horizon_inputs), teacher.targets, false).nll;
    return (none - teacher.nll).clamp(kContextGainMin, kContextGainMax);
}

StepReport Trainer::step(std::uint64_t step, std::uint64_t total_steps) {
    ranks::LoneRank alone;
    return this->step(step, total_steps, alone).value();
}

Result<StepReport> Trainer::step(std::uint64_t step, std::uint64_t total_steps,
                                 ranks::RankGroup& group) {
    const bool matches = step <= options_.matching_steps;
    const StepPlan plan = plan_step(text_, options_, step);
    const ChunkReading reading = read_chunks(plan, matches);
    const GistTable table = make_gist_table(bos_, reading.blocks, levels_, banked(plan));
    GistTable gradient = zeros_like(table);
    StepReport report;
    if (matches)
        MC_TRY(match(plan, reading, table, group, gradient, report));
    else
        MC_TRY(distil(plan, reading, table, group, gradient, report));
    ((table.keys * gradient.keys).sum() + (table.values * gradient.values).sum() +
     (table.log_mass * gradient.log_mass).sum())
        .backward();
    const std::vector<at::Tensor> gradients = take_gradients(slots_);
    at::NoGradGuard no_grad;
    report.rate_factor =
        matches
            ? schedule(step, options_.matching_steps)
            : (options_.continues || options_.level == 2 ? kGentleRateFactor
                                                         : kDistillationRateFactor) *
                  schedule(step - options_.matching_steps, total_steps - options_.matching_steps);
    report.gradient_norm = adam_step(slots_, gradients, step, report.rate_factor, AdamOptions());
    report.read_positions +=
        static_cast<std::uint64_t>(reading.hidden.size(0) * reading.hidden.size(1));
    return report;
}

// Gists of a chunk, rows of a step's table or of its gradient.
MatchGists gists_of(const GistTable& table, const StepPlan& plan, std::size_t levels,
                    std::size_t chunk) {
    const auto chunks = static_cast<std::int64_t>(plan.chunks.size());
    const auto c = static_cast<std::int64_t>(chunk);
    const std::int64_t blocks = plan.shape.context_blocks;
    const std::int64_t parents = levels > 1 ? blocks / kBlock : 0;
    const auto rows = [&](std::int64_t begin, std::int64_t count) {
        return KeysValues{table.keys.narrow(0, begin, count), table.values.narrow(0, begin, count)};
    };
    return {rows(1 + c * blocks, blocks), rows(1 + chunks * blocks + c * parents, parents)};
}

// What attention matching of a chunk came to: gradients, and the layers' mean of what is
// unexplained.
std::string Trainer::match_chunk(const StepPlan& plan, const ChunkReading& reading,
                                 const GistTable& table, std::size_t chunk) const {
    const MatchResult result =
        match_attention(model_, bos_, reading.texts[chunk],
                        gists_of(table, plan, levels_.size(), chunk), plan.runs[chunk]);
    double sum = 0;
    for (const double layer : result.unexplained) sum += layer;
    const MatchGists& gradient = result.gradient;
    return to_bytes(
        {gradient.blocks.keys, gradient.blocks.values, gradient.parents.keys,
         gradient.parents.values,
         at::full({1}, sum / static_cast<double>(result.unexplained.size()), at::kDouble)});
}

Result<void> Trainer::match(const StepPlan& plan, const ChunkReading& reading,
                            const GistTable& table, ranks::RankGroup& group, GistTable& gradient,
                            StepReport& report) const {
    at::NoGradGuard no_grad;
    MC_ASSIGN(
        const auto done,
        ranks::share_work(group, plan.chunks.size(), [&](std::size_t chunk) -> Result<std::string> {
            return match_chunk(plan, reading, table, chunk);
        }));
    const double share = 1.0 / static_cast<double>(done.size());
    for (std::size_t chunk = 0; chunk < done.size(); ++chunk) {
        MC_ASSIGN(const auto parts, tensors_from(done[chunk], 5));
        const MatchGists to = gists_of(gradient, plan, levels_.size(), chunk);
        to.blocks.keys.add_(parts[0], share);
        to.blocks.values.add_(parts[1], share);
        to.parents.keys.add_(parts[2], share);
        to.parents.values.add_(parts[3], share);
        report.unexplained += share * parts[4].item<double>();
    }
    return {};
}

// The numbers of a report that a group of cases adds to.
constexpr std::size_t kGroupNumbers = 6;

Result<void> Trainer::distil(const StepPlan& plan, const ChunkReading& reading,
                             const GistTable& table, ranks::RankGroup& group, GistTable& gradient,
                             StepReport& report) const {
    std::size_t cases = 0;
    for (const CaseGroup& one : plan.groups) cases += one.cases.size();
    const std::int64_t bank_row =
        table.keys.size(0) - static_cast<std::int64_t>(plan.banked.size());
    MC_ASSIGN(
        const auto done,
        ranks::share_work(group, plan.groups.size(), [&](std::size_t unit) -> Result<std::string> {
            const CaseGroup& one = plan.groups[unit];
            const double share = static_cast<double>(one.cases.size()) / static_cast<double>(cases);
            return train_group(one, plan.shape, share, reading, table, bank_row);
        }));
    for (const std::string& bytes : done) {
        MC_ASSIGN(const auto parts, tensors_from(bytes, 5));
        gradient.add(parts[0], {parts[1], parts[2], parts[3]});
        const std::span<const double> numbers(parts[4].const_data_ptr<double>(), kGroupNumbers);
        report.loss += numbers[0];
        report.divergence += numbers[1];
        report.nll += numbers[2];
        report.scored_tokens += static_cast<std::uint64_t>(numbers[3]);
        report.reader_positions += static_cast<std::uint64_t>(numbers[4]);
        report.read_positions += static_cast<std::uint64_t>(numbers[5]);
    }
    return {};
}

// A group's rows of the table with its share of the gradient with respect to them, and its part of
// the report.
std::string Trainer::train_group(const CaseGroup& group, const StepShape& shape, double share,
                                 const ChunkReading& reading, const GistTable& table,
                                 std::int64_t bank_row) const {
    const CaseBatch batch = make_case_batch(model_, group, shape, reading.targets, bank_row);
    lm::TrainingPass pass(model_, batch.layout);
    const at::Tensor hidden = pass.forward(batch.inputs, table.lookup(batch.gist_rows));
    const std::int64_t steps = batch.inputs.size(1);
    const std::int64_t horizon = std::int64_t{shape.horizon_tokens} - 1;
    const ScoredRows rows = scored_rows(group, steps, horizon, reading.hidden.size(1));
    const at::Tensor targets = batch.horizons.narrow(1, 1, horizon).flatten();
    const at::Tensor horizon_inputs = batch.inputs.narrow(1, steps - horizon, horizon);
    const bool is_recall = group.kind == CaseKind::kRecall;
    const lm::TeacherPrediction teacher = lm::predict_as_teacher(
        model_,
        is_recall ? reading.hidden.flatten(0, 1).index_select(0, rows.teacher)
                  : read_alone(horizon_inputs),
        targets);
    const at::Tensor weights =
        is_recall ? context_gains(horizon_inputs, teacher) : at::ones_like(teacher.nll);
    const lm::DistillationLoss loss =
        lm::distil(model_, hidden.index_select(0, rows.student), teacher, weights, kKlWeight);
    at::Tensor hidden_gradient = at::zeros_like(hidden);
    hidden_gradient.index_copy_(0, rows.student, loss.hidden_gradient * share);
    const lm::PassGradients gradients = pass.backward(hidden_gradient);
    const auto scored = static_cast<double>(rows.student.size(0));
    const std::array<double, kGroupNumbers> numbers = {share * loss.weighted,
                                                       share * loss.divergence,
                                                       share * loss.nll,
                                                       scored,
                                                       static_cast<double>(hidden.size(0)),
                                                       scored};
    return to_bytes({batch.gist_rows, gradients.placed.keys, gradients.placed.values,
                     gradients.placed.log_mass,
                     at::tensor(at::ArrayRef<double>(numbers), at::kDouble)});
}

}  // namespace mc::gistnet

// SPDX-License-Identifier: Apache-2.0
#include "lm/base_model.h"

#include <algorithm>
#include <limits>

#include "core/check.h"
#include "lm/torch/entry_reader.h"
#include "lm/torch/sequence_state.h"
#include "lm/torch/torch_model.h"

namespace mc::lm {
namespace {

constexpr float kNotPredicted = std::numeric_limits<float>::quiet_NaN();

Result<void> check_room(const TorchModel& model, std::size_t length) {
    if (length <= model.config.context_length) return {};
    return fail(ErrorCode::kOverBudget, std::to_string(length) +
                                            " entries do not fit the model's context of " +
                                            std::to_string(model.config.context_length));
}

std::vector<float> to_vector(const at::Tensor& tensor) {
    const at::Tensor flat = tensor.to(at::kCPU, at::kFloat).contiguous();
    const float* data = flat.const_data_ptr<float>();
    return {data, data + flat.numel()};
}

// NLL of each of tokens, given the hidden state before the first (undefined: no prediction) and
// those of the tokens themselves (n, W).
std::vector<float> score_rows(const TorchModel& model, const at::Tensor& before,
                              const at::Tensor& hidden, std::span<const TokenId> tokens) {
    const auto count = static_cast<std::int64_t>(tokens.size());
    std::vector<at::Tensor> parts;
    if (before.defined()) parts.push_back(before.unsqueeze(0));
    if (count > 1) parts.push_back(hidden.narrow(0, 0, count - 1));
    std::vector<float> out;
    if (!before.defined()) out.push_back(kNotPredicted);
    if (parts.empty()) return out;
    const at::Tensor targets = model.token_index(before.defined() ? tokens : tokens.subspan(1));
    const std::vector<float> scored = to_vector(model.score(at::cat(parts, 0), targets, false).nll);
    out.insert(out.end(), scored.begin(), scored.end());
    return out;
}

// Appends entries to a sequence and gives hidden states (n, W) of its tokens and vectors, if any.
at::Tensor append_entries(SequenceState& state, std::vector<Entry> entries) {
    std::vector<std::vector<Entry>> rows;
    rows.push_back(std::move(entries));
    at::Tensor hidden = read_entries(state.model, state.cache, rows, 0, rows.front().size());
    if (hidden.defined()) hidden = hidden.select(0, 0);
    state.history.append(rows.front(), hidden);
    return hidden;
}

// Runs body; if it fails, the sequence is as before.
template <class Body>
auto change_or_restore(SequenceState& state, Body&& body) {
    const std::int64_t length = state.cache.length();
    auto result = torch_guard(std::forward<Body>(body));
    if (!result) state.restore(length);
    return result;
}

}  // namespace

Sequence::Sequence(std::unique_ptr<SequenceState> state) : state_(std::move(state)) {}

Sequence::~Sequence() = default;

std::uint32_t Sequence::length() const {
    return static_cast<std::uint32_t>(state_->cache.length());
}

Result<void> Sequence::append(std::span<const Segment> segments) {
    MC_ASSIGN(std::vector<Entry> entries, flatten_segments(segments, state_->model.config));
    MC_TRY(check_room(state_->model, length() + entries.size()));
    if (entries.empty()) return {};
    return change_or_restore(*state_, [&] {
        const c10::InferenceMode inference;
        append_entries(*state_, std::move(entries));
    });
}

Result<void> Sequence::append_token(TokenId token) {
    const TorchModel& model = state_->model;
    if (model.decoder == nullptr) {
        const std::vector<Segment> segment = {Segment::of_tokens({token})};
        return append(segment);
    }
    MC_TRY(check_token(token, model.config));
    MC_TRY(check_room(model, std::size_t{length()} + 1));
    return change_or_restore(*state_, [&] {
        const c10::InferenceMode inference;
        state_->append_token(token);
    });
}

Result<std::vector<float>> Sequence::score(std::span<const TokenId> tokens) {
    if (tokens.empty()) return std::vector<float>();
    const std::vector<Segment> segment = {Segment::of_tokens({tokens.begin(), tokens.end()})};
    MC_ASSIGN(std::vector<Entry> entries, flatten_segments(segment, state_->model.config));
    MC_TRY(check_room(state_->model, length() + entries.size()));
    return change_or_restore(*state_, [&] {
        const c10::InferenceMode inference;
        const at::Tensor before = state_->history.last();
        const at::Tensor hidden = append_entries(*state_, std::move(entries));
        return score_rows(state_->model, before, hidden, tokens);
    });
}

Result<std::vector<float>> Sequence::next_logits() const {
    std::vector<float> out(state_->model.config.vocabulary_size);
    MC_TRY(next_logits_into(out));
    return out;
}

Result<void> Sequence::next_logits_into(std::span<float> out) const {
    const TorchModel& model = state_->model;
    const void* last = state_->history.last_row();
    MC_CHECK(last != nullptr, "next_logits needs a token or a vector as the last entry");
    MC_CHECK(out.size() == model.config.vocabulary_size, "logits are as many as the vocabulary");
    return torch_guard([&] {
        const c10::InferenceMode inference;
        if (model.decoder != nullptr) {
            model.decoder->logits(static_cast<const Bf16Bits*>(last), out.data());
        } else {
            const at::Tensor row = state_->history.last().unsqueeze(0);
            const at::Tensor logits = model.logits(row).to(at::kCPU, at::kFloat).contiguous();
            std::copy_n(logits.const_data_ptr<float>(), out.size(), out.data());
        }
    });
}

void Sequence::truncate(std::uint32_t length) {
    MC_CHECK(length <= this->length(), "truncate to more than there is");
    state_->restore(length);
}

Result<void> Sequence::splice(std::uint32_t begin, std::uint32_t end,
                              std::span<const Segment> replacement) {
    MC_CHECK(begin <= end && end <= length(), "splice of entries that are not there");
    MC_ASSIGN(std::vector<Entry> entries, flatten_segments(replacement, state_->model.config));
    const std::size_t removed = end - begin;
    MC_TRY(check_room(state_->model, length() - removed + entries.size()));
    MC_ASSIGN(SequenceRun gone, torch_guard([&] {
                  const c10::InferenceMode inference;
                  return state_->copy_from(begin);
              }));
    const auto shift =
        static_cast<std::int64_t>(entries.size()) - static_cast<std::int64_t>(removed);
    auto done = torch_guard([&] {
        const c10::InferenceMode inference;
        SequenceRun moving = state_->copy_from(end);
        state_->restore(begin);
        if (!entries.empty()) append_entries(*state_, std::move(entries));
        state_->append_run(std::move(moving), shift);
    });
    if (done) return {};
    return torch_guard([&]() -> Result<void> {
        const c10::InferenceMode inference;
        state_->restore(begin);
        state_->append_run(std::move(gone), 0);
        return fail(std::move(done.error()));
    });
}

Result<std::unique_ptr<BaseModel>> BaseModel::open(const ModelOptions& options) {
    MC_ASSIGN(std::unique_ptr<TorchModel> model, TorchModel::load(options));
    return std::unique_ptr<BaseModel>(new BaseModel(std::move(model)));
}

BaseModel::BaseModel(std::unique_ptr<TorchModel> model) : model_(std::move(model)) {}

BaseModel::~BaseModel() = default;

const ModelConfig& BaseModel::config() const {
    return model_->config;
}

const Tokenizer& BaseModel::tokenizer() const {
    return *model_->tokenizer;
}

Hash128 BaseModel::hash() const {
    return model_->hash;
}

std::string BaseModel::device_description() const {
    return model_->device.str() + ", " + (model_->dtype == at::kBFloat16 ? "bf16" : "f32") + ", " +
           std::to_string(at::get_num_threads()) + " threads";
}

std::unique_ptr<Sequence> BaseModel::new_sequence() const {
    return std::unique_ptr<Sequence>(new Sequence(std::make_unique<SequenceState>(
        SequenceState{*model_, model_->new_cache(1, CacheKind::kPerLayer), {}})));
}

Result<std::vector<float>> BaseModel::embeddings_of(std::span<const TokenId> tokens) const {
    const std::vector<Segment> segment = {Segment::of_tokens({tokens.begin(), tokens.end()})};
    MC_TRY(flatten_segments(segment, model_->config));
    return torch_guard([&] {
        const c10::InferenceMode inference;
        return to_vector(model_->embed(tokens));
    });
}

}  // namespace mc::lm

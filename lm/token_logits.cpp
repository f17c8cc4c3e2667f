// SPDX-License-Identifier: Apache-2.0
#include "lm/token_logits.h"

#include <algorithm>
#include <string>

#include "core/check.h"
#include "lm/torch/entry_reader.h"
#include "lm/torch/torch_model.h"

namespace mc::lm {
namespace {

// Logits of 256 rows of a 49,152-word vocabulary: 50 MB in f32 beside the caller's.
constexpr std::int64_t kRowsPerPass = 256;

void write_logits(const TorchModel& model, std::vector<Entry> entries, std::span<float> out) {
    std::vector<std::vector<Entry>> rows;
    rows.push_back(std::move(entries));
    KvCache cache = model.new_cache(1, CacheKind::kPerLayer);
    const at::Tensor hidden =
        read_entries(model, cache, rows, 0, rows.front().size()).select(0, 0);  // (T, W)
    float* next = out.data();
    for (std::int64_t begin = 0; begin < hidden.size(0); begin += kRowsPerPass) {
        const std::int64_t count = std::min(kRowsPerPass, hidden.size(0) - begin);
        const at::Tensor logits =
            model.logits(hidden.narrow(0, begin, count)).to(at::kCPU, at::kFloat).contiguous();
        next = std::copy_n(logits.const_data_ptr<float>(), logits.numel(), next);
    }
}

}  // namespace

Result<void> logits_into(const BaseModel& model, std::span<const TokenId> tokens,
                         std::span<float> out) {
    const ModelConfig& config = model.config();
    MC_CHECK(out.size() == tokens.size() * config.vocabulary_size, "logits fill their buffer");
    if (tokens.empty()) return {};
    const std::vector<Segment> segment = {Segment::of_tokens({tokens.begin(), tokens.end()})};
    MC_ASSIGN(std::vector<Entry> entries, flatten_segments(segment, config));
    if (entries.size() > config.context_length)
        return fail(ErrorCode::kOverBudget, std::to_string(entries.size()) +
                                                " entries do not fit the model's context of " +
                                                std::to_string(config.context_length));
    return torch_guard([&] {
        const c10::InferenceMode inference;
        write_logits(model.torch_model(), std::move(entries), out);
    });
}

}  // namespace mc::lm

// SPDX-License-Identifier: Apache-2.0
// BaseModel::score_batch: cases of unequal length in common passes.
#include <algorithm>
#include <limits>

#include "lm/base_model.h"
#include "lm/torch/batch_plan.h"
#include "lm/torch/entry_reader.h"

namespace mc::lm {
namespace {

// A case's entries: context, then scored tokens.
struct CaseRow {
    std::vector<Entry> entries;
    std::string kinds;  // 'g' for a gist, 'c' for what is computed
    std::size_t scored_count = 0;

    std::size_t context_size() const { return entries.size() - scored_count; }

    // Whether something before the first scored token predicts it.
    bool first_is_predicted() const {
        return context_size() > 0 && entries[context_size() - 1].kind != EntryKind::kGist;
    }
};

Result<CaseRow> make_row(const TorchModel& model, const ScoringCase& scoring) {
    CaseRow row;
    MC_ASSIGN(row.entries, flatten_segments(scoring.context, model.config));
    const std::vector<Segment> scored = {Segment::of_tokens(scoring.scored)};
    MC_ASSIGN(const std::vector<Entry> tail, flatten_segments(scored, model.config));
    row.entries.insert(row.entries.end(), tail.begin(), tail.end());
    row.scored_count = tail.size();
    if (row.entries.size() > model.config.context_length)
        return fail(ErrorCode::kOverBudget, std::to_string(row.entries.size()) +
                                                " entries do not fit the model's context of " +
                                                std::to_string(model.config.context_length));
    if (row.scored_count == 0) return row;  // nothing to compute
    for (const Entry& entry : row.entries)
        row.kinds.push_back(entry.kind == EntryKind::kGist ? 'g' : 'c');
    return row;
}

// The rows of one batch, padded with the entries of the first, the longest.
std::vector<std::vector<Entry>> padded_rows(const std::vector<CaseRow>& rows,
                                            const std::vector<std::size_t>& batch) {
    const std::vector<Entry>& longest = rows[batch.front()].entries;
    std::vector<std::vector<Entry>> out;
    for (const std::size_t i : batch) {
        std::vector<Entry> entries = rows[i].entries;
        entries.insert(entries.end(), longest.begin() + static_cast<std::ptrdiff_t>(entries.size()),
                       longest.end());
        out.push_back(std::move(entries));
    }
    return out;
}

// Hidden states (n, W) that predict the row's scored tokens, from those of its computed entries.
at::Tensor predicting_states(const at::Tensor& hidden, const CaseRow& row) {
    const auto computed = std::count(row.kinds.begin(), row.kinds.end(), 'c');
    const auto scored = static_cast<std::int64_t>(row.scored_count);
    const std::int64_t first = computed - scored;
    if (row.first_is_predicted()) return hidden.narrow(0, first - 1, scored);
    return hidden.narrow(0, first, scored - 1);
}

void score_rows_together(const TorchModel& model, const std::vector<CaseRow>& rows,
                         const std::vector<std::size_t>& batch, std::span<const ScoringCase> cases,
                         std::vector<std::vector<float>>& out) {
    const std::vector<std::vector<Entry>> entries = padded_rows(rows, batch);
    KvCache cache = model.new_cache(static_cast<std::int64_t>(batch.size()), CacheKind::kPerLayer);
    const at::Tensor hidden =
        read_entries(model, cache, entries, 0, entries.front().size());  // (B, n, W)
    std::vector<at::Tensor> states;
    std::vector<TokenId> targets;
    for (std::size_t b = 0; b < batch.size(); ++b) {
        const CaseRow& row = rows[batch[b]];
        states.push_back(predicting_states(hidden.select(0, static_cast<std::int64_t>(b)), row));
        const auto& scored = cases[batch[b]].scored;
        targets.insert(targets.end(), scored.begin() + (row.first_is_predicted() ? 0 : 1),
                       scored.end());
    }
    // All rows' predictions at once: the head is the largest matrix of the model.
    const float* nll = nullptr;
    at::Tensor scores;
    if (!targets.empty()) {
        scores = model.score(at::cat(states, 0), model.token_index(targets), false)
                     .nll.to(at::kCPU, at::kFloat)
                     .contiguous();
        nll = scores.const_data_ptr<float>();
    }
    for (const std::size_t i : batch) {
        std::vector<float>& row_out = out[i];
        std::size_t count = rows[i].scored_count;
        if (!rows[i].first_is_predicted()) {
            row_out.push_back(std::numeric_limits<float>::quiet_NaN());
            --count;
        }
        row_out.insert(row_out.end(), nll, nll + count);
        nll += count;
    }
}

}  // namespace

Result<std::vector<std::vector<float>>> BaseModel::score_batch(
    std::span<const ScoringCase> cases) const {
    std::vector<CaseRow> rows;
    std::vector<std::string> kinds;
    for (const ScoringCase& scoring : cases) {
        MC_ASSIGN(CaseRow row, make_row(*model_, scoring));
        kinds.push_back(row.kinds);
        rows.push_back(std::move(row));
    }
    return torch_guard([&] {
        const c10::InferenceMode inference;
        std::vector<std::vector<float>> out(cases.size());
        const auto entries_max = static_cast<std::size_t>(model_->entries_per_pass());
        for (const auto& batch : plan_batches(kinds, entries_max))
            score_rows_together(*model_, rows, batch, cases, out);
        return out;
    });
}

}  // namespace mc::lm

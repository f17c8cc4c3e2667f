// SPDX-License-Identifier: Apache-2.0
#include "gistnet/training/case_batch.h"

#include <algorithm>

#include "core/span_math.h"

namespace mc::gistnet {
namespace {

constexpr auto kBlock = static_cast<std::int64_t>(kBlockSize);

// Row of a gist in the table of so many chunks.
std::int64_t table_row(const GistRef& gist, std::int64_t chunks, std::int64_t blocks) {
    const auto chunk = static_cast<std::int64_t>(gist.chunk);
    if (gist.level == 1) return 1 + chunk * blocks + gist.index;
    return 1 + chunks * blocks + chunk * (blocks / kBlock) + gist.index;
}

std::int64_t placed_before_raw(const TrainingCase& one) {
    return static_cast<std::int64_t>(one.others.size() + one.before.size());
}

}  // namespace

lm::PlacedEntries GistTable::lookup(const at::Tensor& rows) const {
    at::NoGradGuard no_grad;
    const at::Tensor flat = rows.flatten();
    const auto take = [&](const at::Tensor& x) {
        return x.detach().index_select(0, flat).unflatten(0, rows.sizes());
    };
    return {take(keys), take(values)};
}

void GistTable::add(const at::Tensor& rows, const lm::PlacedEntries& entries) {
    const at::Tensor flat = rows.flatten();
    keys.index_add_(0, flat, entries.keys.flatten(0, 1));
    values.index_add_(0, flat, entries.values.flatten(0, 1));
}

GistTable zeros_like(const GistTable& table) {
    at::NoGradGuard no_grad;
    return {at::zeros_like(table.keys), at::zeros_like(table.values)};
}

GistTable make_gist_table(const KeysValues& bos, const KeysValues& blocks,
                          const std::vector<LevelParameters>& levels) {
    std::vector<at::Tensor> keys = {bos.keys};
    std::vector<at::Tensor> values = {bos.values};
    const KeysValues first = pool(levels.front(), blocks);
    keys.push_back(first.keys);
    values.push_back(first.values);
    if (levels.size() > 1) {
        const KeysValues second = pool(levels[1], families_of(first));
        keys.push_back(second.keys);
        values.push_back(second.values);
    }
    return {at::cat(keys), at::cat(values)};
}

CaseBatch make_case_batch(const lm::TorchModel& model, const CaseGroup& group,
                          const StepShape& shape, const at::Tensor& targets) {
    std::int64_t longest = 0;
    for (const TrainingCase& one : group.cases) longest = std::max(longest, placed_before_raw(one));
    const std::int64_t placed_before = 1 + longest;  // BOS
    const std::int64_t raw = group.has_raw ? kBlock : 0;
    const std::int64_t after = group.has_raw ? group.gists_after_raw : 0;
    const std::int64_t horizon = std::int64_t{shape.horizon_tokens} - 1;

    CaseBatch out;
    lm::PassLayout& layout = out.layout;
    const auto add_range = [](std::vector<std::int64_t>& to, std::int64_t begin,
                              std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) to.push_back(begin + i);
    };
    add_range(layout.placed_columns, 0, placed_before);
    add_range(layout.token_columns, placed_before, raw);
    add_range(layout.placed_columns, placed_before + raw, after);
    add_range(layout.token_columns, placed_before + raw + after, horizon);

    std::vector<std::int64_t> rows;
    std::vector<at::Tensor> inputs;
    for (const TrainingCase& one : group.cases) {
        // Right-aligned: padding, BOS, gists.
        const std::int64_t padding = longest - placed_before_raw(one);
        layout.first_columns.push_back(padding);
        rows.insert(rows.end(), static_cast<std::size_t>(padding + 1), 0);
        for (const std::vector<GistRef>* gists : {&one.others, &one.before, &one.after})
            for (const GistRef& gist : *gists)
                rows.push_back(table_row(gist, targets.size(0), shape.context_blocks));
        const at::Tensor chunk = targets.select(0, static_cast<std::int64_t>(one.chunk));
        std::vector<at::Tensor> ids;
        if (group.has_raw) ids.push_back(chunk.narrow(0, one.raw_block * kBlock, kBlock));
        ids.push_back(chunk.narrow(0, one.horizon_begin, horizon));
        inputs.push_back(model.weights.embeddings.index_select(0, at::cat(ids)));
    }
    const auto count = static_cast<std::int64_t>(group.cases.size());
    out.gist_rows = lm::index_tensor(rows).view({count, -1});
    out.inputs = at::stack(inputs);
    return out;
}

}  // namespace mc::gistnet

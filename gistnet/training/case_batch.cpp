// SPDX-License-Identifier: Apache-2.0
#include "gistnet/training/case_batch.h"

#include <algorithm>
#include <string_view>

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
    return static_cast<std::int64_t>(one.banked.size() + one.others.size() + one.before.size());
}

// The user's share of a chat's text.
constexpr std::int64_t kTurnShareOf = 2;

// Text (n) as a user's turn and its answer, cut to n tokens. As BOS is the mark that opens a turn
// in the models whose chats have this form, the first one stands there already. Models that do not
// have it get the text as it is.
at::Tensor as_chat(const lm::Tokenizer& tokenizer, const at::Tensor& text) {
    const auto begin_mark = tokenizer.find_control("<|im_start|>");
    const auto end_mark = tokenizer.find_control("<|im_end|>");
    if (!begin_mark || !end_mark) return text;
    const auto ids = [&](std::vector<TokenId> tokens, std::string_view rest) {
        for (const TokenId token : tokenizer.encode(rest)) tokens.push_back(token);
        return lm::index_tensor({tokens.begin(), tokens.end()});
    };
    const std::int64_t count = text.size(0);
    return at::cat({ids({}, "user\n"), text.narrow(0, 0, count / kTurnShareOf),
                    ids({*end_mark}, "\n"), ids({*begin_mark}, "assistant\n"),
                    text.narrow(0, count / kTurnShareOf, count - count / kTurnShareOf)})
        .narrow(0, 0, count);
}

}  // namespace

lm::PlacedEntries GistTable::lookup(const at::Tensor& rows) const {
    at::NoGradGuard no_grad;
    const at::Tensor flat = rows.flatten();
    const auto take = [&](const at::Tensor& x) {
        return x.detach().index_select(0, flat).unflatten(0, rows.sizes());
    };
    return {take(keys), take(values), take(log_mass)};
}

void GistTable::add(const at::Tensor& rows, const lm::PlacedEntries& entries) {
    const at::Tensor flat = rows.flatten();
    keys.index_add_(0, flat, entries.keys.flatten(0, 1));
    values.index_add_(0, flat, entries.values.flatten(0, 1));
    log_mass.index_add_(0, flat, entries.log_mass.flatten(0, 1));
}

GistTable zeros_like(const GistTable& table) {
    at::NoGradGuard no_grad;
    return {at::zeros_like(table.keys), at::zeros_like(table.values),
            at::zeros_like(table.log_mass)};
}

GistTable make_gist_table(const KeysValues& bos, const KeysValues& blocks,
                          const std::vector<LevelParameters>& levels, const KeysValues& banked) {
    std::vector<at::Tensor> keys = {bos.keys};
    std::vector<at::Tensor> values = {bos.values};
    std::vector<at::Tensor> log_mass = {at::zeros(bos.keys.sizes().slice(0, 3), at::kFloat)};
    const auto add = [&](const KeysValues& gists) {
        keys.push_back(gists.keys);
        values.push_back(gists.values);
        log_mass.push_back(gists.log_mass);
    };
    const KeysValues first = pool(levels.front(), blocks);
    add(first);
    if (levels.size() > 1) add(pool(levels[1], families_of(first)));
    if (banked.keys.defined()) add(banked);
    return {at::cat(keys), at::cat(values), at::cat(log_mass)};
}

CaseBatch make_case_batch(const lm::TorchModel& model, const CaseGroup& group,
                          const StepShape& shape, const at::Tensor& targets,
                          std::int64_t bank_row) {
    std::int64_t longest = 0;
    for (const TrainingCase& one : group.cases) longest = std::max(longest, placed_before_raw(one));
    const std::int64_t placed_before = 1 + longest;  // BOS
    const std::int64_t raw = group.has_raw ? kBlock : 0;
    const std::int64_t after = group.has_raw ? group.gists_after_raw : 0;
    const std::int64_t horizon = shape.horizon_tokens;

    CaseBatch out;
    lm::PassLayout& layout = out.layout;
    const auto add_range = [](std::vector<std::int64_t>& to, std::int64_t begin,
                              std::int64_t count) {
        for (std::int64_t i = 0; i < count; ++i) to.push_back(begin + i);
    };
    add_range(layout.placed_columns, 0, placed_before);
    add_range(layout.token_columns, placed_before, raw);
    add_range(layout.placed_columns, placed_before + raw, after);
    add_range(layout.token_columns, placed_before + raw + after, horizon - 1);

    std::vector<std::int64_t> rows;
    std::vector<at::Tensor> inputs;
    std::vector<at::Tensor> horizons;
    for (const TrainingCase& one : group.cases) {
        // Right-aligned: padding, BOS, gists.
        const std::int64_t padding = longest - placed_before_raw(one);
        layout.first_columns.push_back(padding);
        rows.insert(rows.end(), static_cast<std::size_t>(padding + 1), 0);
        for (const std::size_t place : one.banked)
            rows.push_back(bank_row + static_cast<std::int64_t>(place));
        for (const std::vector<GistRef>* gists : {&one.others, &one.before, &one.after})
            for (const GistRef& gist : *gists)
                rows.push_back(table_row(gist, targets.size(0), shape.context_blocks));
        const at::Tensor chunk = targets.select(0, static_cast<std::int64_t>(one.chunk));
        std::vector<at::Tensor> ids;
        if (group.has_raw) ids.push_back(chunk.narrow(0, one.raw_block * kBlock, kBlock));
        const at::Tensor text = chunk.narrow(0, one.horizon_begin, horizon);
        horizons.push_back(group.kind == CaseKind::kChat ? as_chat(*model.tokenizer, text) : text);
        ids.push_back(horizons.back().narrow(0, 0, horizon - 1));
        inputs.push_back(model.weights.embeddings.index_select(0, at::cat(ids)));
    }
    const auto count = static_cast<std::int64_t>(group.cases.size());
    out.gist_rows = lm::index_tensor(rows).view({count, -1});
    out.inputs = at::stack(inputs);
    out.horizons = at::stack(horizons);
    return out;
}

}  // namespace mc::gistnet

// SPDX-License-Identifier: Apache-2.0
#include "lm/torch/entry_reader.h"

#include <algorithm>
#include <cstring>
#include <string>

#include "core/check.h"

namespace mc::lm {
namespace {

Result<void> flatten_tokens(const Segment& segment, const ModelConfig& config,
                            std::vector<Entry>& out) {
    for (const TokenId token : segment.tokens) {
        MC_TRY(check_token(token, config));
        out.push_back({EntryKind::kToken, token, nullptr, nullptr});
    }
    return {};
}

Result<void> flatten_vectors(const Segment& segment, const ModelConfig& config,
                             std::vector<Entry>& out) {
    const std::size_t width = config.hidden_dim;
    if (segment.vectors.size() % width != 0)
        return fail(ErrorCode::kInvalidInput, "input vectors are not a whole number of " +
                                                  std::to_string(width) + "-wide rows");
    for (std::size_t i = 0; i < segment.vectors.size(); i += width)
        out.push_back({EntryKind::kVector, 0, segment.vectors.data() + i, nullptr});
    return {};
}

Result<void> flatten_gists(const Segment& segment, const ModelConfig& config,
                           std::vector<Entry>& out) {
    const std::uint64_t halves = config.gist_shape().kv_count();
    for (const Gist* gist : segment.gists) {
        if (gist->kv.size() != halves)
            return fail(ErrorCode::kInvalidInput,
                        "a gist of " + std::to_string(gist->kv.size()) +
                            " numbers does not fit this model, which needs " +
                            std::to_string(halves));
        if (!gist->log_mass.empty() &&
            gist->log_mass.size() != config.gist_shape().log_mass_count())
            return fail(ErrorCode::kInvalidInput, "a gist's log-mass does not fit this model");
        out.push_back({EntryKind::kGist, 0, nullptr, gist});
    }
    return {};
}

// Inputs (B, n, W) of the computed entries at the given places of every row.
at::Tensor make_inputs(const TorchModel& model, std::span<const std::vector<Entry>> rows,
                       std::span<const std::size_t> places) {
    std::vector<TokenId> tokens;  // vectors hold their place with the stand-in token
    for (const std::vector<Entry>& row : rows)
        for (const std::size_t i : places)
            tokens.push_back(row[i].kind == EntryKind::kToken ? row[i].token
                                                              : model.tokenizer->stand_in_token());
    const auto width = static_cast<std::int64_t>(model.config.hidden_dim);
    at::Tensor inputs = model.embed(tokens);  // (B × n, W)
    for (std::size_t b = 0; b < rows.size(); ++b)
        for (std::size_t k = 0; k < places.size(); ++k) {
            const Entry& entry = rows[b][places[k]];
            if (entry.kind != EntryKind::kVector) continue;
            // from_blob only reads: copy_ converts to the compute dtype.
            const at::Tensor vector =
                at::from_blob(const_cast<float*>(entry.vector), {width}, at::kFloat);
            inputs.select(0, static_cast<std::int64_t>(b * places.size() + k)).copy_(vector);
        }
    return inputs.view({static_cast<std::int64_t>(rows.size()), -1, width});
}

// Keys and values (B, n, L, 2, H, D) f16 of the gists at the given places of every row.
at::Tensor gather_gists(const TorchModel& model, std::span<const std::vector<Entry>> rows,
                        std::span<const std::size_t> places) {
    const ModelConfig& config = model.config;
    const std::size_t halves = config.gist_shape().kv_count();
    at::Tensor out =
        at::empty({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(places.size()),
                   config.layer_count, 2, config.kv_head_count, config.head_dim},
                  at::kHalf);
    auto* to = static_cast<std::byte*>(out.data_ptr());
    for (const std::vector<Entry>& row : rows)
        for (const std::size_t i : places) {
            std::memcpy(to, row[i].gist->kv.data(), halves * sizeof(std::uint16_t));
            to += halves * sizeof(std::uint16_t);
        }
    return out.to(model.device);
}

// Log-mass (B, n, L, H) f32 of the same gists; undefined when none of them has one.
at::Tensor gather_log_mass(const TorchModel& model, std::span<const std::vector<Entry>> rows,
                           std::span<const std::size_t> places) {
    const auto has_one = [&](const std::vector<Entry>& row) {
        return std::ranges::any_of(places,
                                   [&](std::size_t i) { return !row[i].gist->log_mass.empty(); });
    };
    if (std::ranges::none_of(rows, has_one)) return {};
    const ModelConfig& config = model.config;
    at::Tensor out =
        at::zeros({static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(places.size()),
                   config.layer_count, config.kv_head_count},
                  at::kFloat);
    auto* to = out.data_ptr<float>();
    for (const std::vector<Entry>& row : rows)
        for (const std::size_t i : places) {
            std::ranges::transform(row[i].gist->log_mass, to, log_mass_of);
            to += config.gist_shape().log_mass_count();
        }
    return out.to(model.device);
}

// One piece: at most entries_per_pass() entries in all rows together.
at::Tensor read_piece(const TorchModel& model, KvCache& cache,
                      std::span<const std::vector<Entry>> rows, std::size_t begin,
                      std::size_t end) {
    std::vector<std::size_t> gist_places;
    std::vector<std::size_t> computed_places;
    std::vector<std::int64_t> gist_positions;
    std::vector<std::int64_t> computed_positions;
    const std::int64_t first = cache.length();
    for (std::size_t i = begin; i < end; ++i) {
        const bool is_gist = rows.front()[i].kind == EntryKind::kGist;
        (is_gist ? gist_places : computed_places).push_back(i);
        (is_gist ? gist_positions : computed_positions)
            .push_back(first + static_cast<std::int64_t>(i - begin));
    }
    const std::int64_t length = first + static_cast<std::int64_t>(end - begin);
    cache.reserve(length);
    if (!gist_places.empty()) {
        const at::Tensor gists = gather_gists(model, rows, gist_places);
        model.place(cache, gist_positions, gists.select(3, 0), gists.select(3, 1),
                    gather_log_mass(model, rows, gist_places));
    }
    at::Tensor hidden;
    if (!computed_places.empty())
        hidden =
            model.forward(make_inputs(model, rows, computed_places), computed_positions, cache);
    cache.set_length(length);
    return hidden;
}

}  // namespace

Result<void> check_token(TokenId token, const ModelConfig& config) {
    const auto id_end = static_cast<TokenId>(config.vocabulary_size + 256);  // byte tokens included
    if (token >= 0 && token < id_end) return {};
    return fail(ErrorCode::kInvalidInput,
                "token id " + std::to_string(token) + " is outside the vocabulary");
}

Result<std::vector<Entry>> flatten_segments(std::span<const Segment> segments,
                                            const ModelConfig& config) {
    std::vector<Entry> out;
    for (const Segment& segment : segments) {
        const int kinds = static_cast<int>(!segment.tokens.empty()) +
                          static_cast<int>(!segment.vectors.empty()) +
                          static_cast<int>(!segment.gists.empty());
        if (kinds > 1)
            return fail(ErrorCode::kInvalidInput, "a segment holds entries of one kind only");
        MC_TRY(flatten_tokens(segment, config, out));
        MC_TRY(flatten_vectors(segment, config, out));
        MC_TRY(flatten_gists(segment, config, out));
    }
    return out;
}

at::Tensor read_entries(const TorchModel& model, KvCache& cache,
                        std::span<const std::vector<Entry>> rows, std::size_t begin,
                        std::size_t end) {
    const auto per_pass = static_cast<std::size_t>(model.entries_per_pass());
    const std::size_t piece = std::max<std::size_t>(1, per_pass / rows.size());
    cache.reserve(cache.length() + static_cast<std::int64_t>(end - begin));
    std::vector<at::Tensor> hidden;
    for (std::size_t at_entry = begin; at_entry < end; at_entry += piece) {
        at::Tensor part = read_piece(model, cache, rows, at_entry, std::min(end, at_entry + piece));
        if (part.defined()) hidden.push_back(std::move(part));
    }
    if (hidden.empty()) return {};
    return hidden.size() == 1 ? hidden.front() : at::cat(hidden, 1);
}

}  // namespace mc::lm

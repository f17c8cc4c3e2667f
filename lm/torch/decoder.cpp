// SPDX-License-Identifier: Apache-2.0
#include "lm/torch/decoder.h"

#include <algorithm>
#include <bit>
#include <optional>
#include <string>

#include "core/check.h"
#include "lm/kernels/panel_kernels.h"
#include "lm/torch/spin_team.h"

namespace mc::lm {
namespace {

// Beyond this many threads the barriers cost more than the memory has left to give.
constexpr std::int64_t kMembersMax = 16;
constexpr std::int64_t kHeadPanelsPerTask = 64;

// A weight as the kernels take it, and what keeps its bytes.
struct HeldWeight {
    at::Tensor bytes;
    RowWeights rows;
};

using Packer = bool (*)(const std::uint8_t*, std::int64_t, std::uint8_t*);

struct FileFormat {
    RowFormat format;
    Packer pack;
};

std::optional<FileFormat> format_of(GgmlType type) {
    switch (type) {
        case GgmlType::kQ4_0:
            return FileFormat{RowFormat::kFour, pack_q4_0};
        case GgmlType::kQ4_1:
            return FileFormat{RowFormat::kFour, pack_q4_1};
        case GgmlType::kQ8_0:
            return FileFormat{RowFormat::kEight, pack_q8_0};
        default:
            return std::nullopt;
    }
}

// The named tensors one above the other, as the file quantised them; nothing when they are of
// different or other formats.
std::optional<HeldWeight> pack_from_file(const ModelFile& file,
                                         const std::vector<std::string>& names) {
    std::vector<const GgufTensor*> tensors;
    std::int64_t panels = 0;
    for (const std::string& name : names) {
        const auto found = file.tensors().find(name);
        if (found == file.tensors().end()) return std::nullopt;
        tensors.push_back(&found->second);
        const auto rows = static_cast<std::int64_t>(found->second.shape.at(1));
        if (rows % kPanelRows != 0) return std::nullopt;
        panels += rows / kPanelRows;
    }
    const GgufTensor& first = *tensors.front();
    const auto columns = static_cast<std::int64_t>(first.shape[0]);
    const std::optional<FileFormat> format = format_of(first.type);
    const bool alike = std::all_of(tensors.begin(), tensors.end(), [&](const GgufTensor* tensor) {
        return tensor->type == first.type && tensor->shape[0] == first.shape[0];
    });
    if (!format || !alike || columns % kBlockColumns != 0) return std::nullopt;
    HeldWeight out;
    out.bytes = at::empty({row_weight_bytes(format->format, panels, columns)}, at::kByte);
    auto* to = out.bytes.data_ptr<std::uint8_t>();
    for (const GgufTensor* tensor : tensors) {
        const auto* from = reinterpret_cast<const std::uint8_t*>(tensor->data.data());
        const auto rows = static_cast<std::int64_t>(tensor->shape[1]);
        const std::int64_t row_bytes = static_cast<std::int64_t>(tensor->data.size()) / rows;
        for (std::int64_t row = 0; row < rows; row += kPanelRows) {
            if (!format->pack(from + row * row_bytes, columns, to)) return std::nullopt;
            to += row_weight_bytes(format->format, 1, columns);
        }
    }
    out.rows = {format->format, out.bytes.const_data_ptr(), columns, panels};
    return out;
}

HeldWeight borrow_panels(const at::Tensor& panels) {
    return {panels,
            {RowFormat::kBf16, panels.const_data_ptr(), panels.size(1) * 2, panels.size(0)}};
}

// Fills out with the numbers of a bf16 row.
void widen_row(const Bf16Bits* from, std::vector<float>& out) {
    for (float& value : out)
        value = std::bit_cast<float>(static_cast<std::uint32_t>(*from++) << 16U);
}

struct DecoderLayer {
    HeldWeight qkv;
    HeldWeight output;
    HeldWeight gate_up;
    HeldWeight down;
    const float* attention_norm = nullptr;
    const float* ffn_norm = nullptr;
};

// What one thread has for itself.
struct MemberBuffers {
    std::vector<float> residual;
    std::vector<Bf16Bits> x;
    std::vector<float> block_sums;
    std::vector<Bf16Bits> queries;
    std::vector<float> scores;
};

struct CacheLayer {
    Bf16Bits* keys;
    Bf16Bits* values;
    const float* log_mass;  // (H, capacity), or null
};

}  // namespace

struct Decoder::State {
    ModelConfig config;
    const float* cosines = nullptr;
    const float* sines = nullptr;
    const float* final_norm = nullptr;
    std::vector<DecoderLayer> layers;
    std::optional<HeldWeight> head;        // as the file quantised it, or
    const Bf16Bits* plain_head = nullptr;  // (V, W)
    const Bf16Bits* embeddings = nullptr;  // (V, W)
    std::int64_t vocabulary_size = 0;

    std::vector<float> embedding;  // (W) of the token
    std::vector<float> last;       // (W) hidden state that the plain head takes

    std::vector<float> qkv;      // projections of the token
    std::vector<float> delta;    // (W) what a product adds to the residual
    std::vector<float> gate_up;  // (2 × F)
    std::vector<float> tops;     // (members, Hq), as sums and values
    std::vector<float> sums;
    std::vector<float> values;
    std::vector<MemberBuffers> members;
    std::vector<CacheLayer> cache;
    std::int64_t head_stride = 0;
    std::int64_t mass_stride = 0;

    std::int64_t width() const { return config.hidden_dim; }

    std::int64_t head_dim() const { return config.head_dim; }

    void reserve();
    void run(const TeamMember& member, const float* input, std::int64_t position, Bf16Bits* hidden);
    void run_layer(const TeamMember& member, const DecoderLayer& layer, const CacheLayer& kv,
                   bool is_first, std::int64_t position);
    void attend(const TeamMember& member, const CacheLayer& kv, std::int64_t position);
    void multiply(const TeamMember& member, const HeldWeight& weight, const Bf16Bits* x,
                  float* out);
    PartialAttention part(std::int64_t member, std::int64_t query_head);
};

void Decoder::State::reserve() {
    const auto at = [](std::int64_t size) { return static_cast<std::size_t>(size); };
    const std::int64_t heads = config.head_count;
    const std::int64_t kv_heads = config.kv_head_count;
    qkv.resize(at((heads + 2 * kv_heads) * head_dim()));
    embedding.resize(at(width()));
    last.resize(at(width()));
    delta.resize(at(width()));
    gate_up.resize(2 * std::size_t{config.ffn_dim});
    tops.resize(at(kMembersMax * heads));
    sums.resize(tops.size());
    values.resize(tops.size() * at(head_dim()));
    cache.resize(layers.size());
    members.resize(at(kMembersMax));
    const std::int64_t widest =
        std::max({width(), heads * head_dim(), std::int64_t{config.ffn_dim}});
    for (MemberBuffers& own : members) {
        own.residual.resize(at(width()));
        own.x.resize(at(widest));
        own.block_sums.resize(at(widest / kBlockColumns + 1));
        own.queries.resize(at(heads * head_dim()));
    }
}

PartialAttention Decoder::State::part(std::int64_t member, std::int64_t query_head) {
    const std::int64_t at = member * config.head_count + query_head;
    return {tops.data() + at, sums.data() + at, values.data() + at * head_dim()};
}

// This member's share of the rows of out.
void Decoder::State::multiply(const TeamMember& member, const HeldWeight& weight, const Bf16Bits* x,
                              float* out) {
    MemberBuffers& own = members[static_cast<std::size_t>(member.index)];
    if (weight.rows.format == RowFormat::kFour)
        sum_blocks(x, weight.rows.columns, own.block_sums.data());
    multiply_row(weight.rows, {x, own.block_sums.data()}, out,
                 member.begin_of(weight.rows.panel_count), member.end_of(weight.rows.panel_count));
}

// All heads over this member's share of the keys; the last member's share ends with the new key.
void Decoder::State::attend(const TeamMember& member, const CacheLayer& kv, std::int64_t position) {
    MemberBuffers& own = members[static_cast<std::size_t>(member.index)];
    const std::int64_t dim = head_dim();
    const std::int64_t kv_heads = config.kv_head_count;
    const std::int64_t group = config.head_count / kv_heads;
    const float* c = cosines + position * dim / 2;
    const float* s = sines + position * dim / 2;
    const std::int64_t begin = member.begin_of(position + 1);
    const std::int64_t count = member.end_of(position + 1) - begin;
    const auto needed = static_cast<std::size_t>(group * count);
    if (own.scores.size() < needed) own.scores.resize(2 * needed);
    for (std::int64_t h = 0; h < config.head_count; ++h)
        rotate_row(qkv.data() + h * dim, c, s, dim, own.queries.data() + h * dim);
    for (std::int64_t h = 0; h < kv_heads; ++h) {
        Bf16Bits* keys = kv.keys + h * head_stride;
        Bf16Bits* vals = kv.values + h * head_stride;
        if (member.index + 1 == member.count) {
            const float* key = qkv.data() + (config.head_count + h) * dim;
            rotate_row(key, c, s, dim, keys + position * dim);
            round_row(key + kv_heads * dim, dim, vals + position * dim);
        }
        const float* log_mass =
            kv.log_mass == nullptr ? nullptr : kv.log_mass + h * mass_stride + begin;
        attend_row(own.queries.data() + h * group * dim, group, keys + begin * dim,
                   vals + begin * dim, log_mass, count, dim, own.scores.data(),
                   part(member.index, h * group));
    }
}

void Decoder::State::run_layer(const TeamMember& member, const DecoderLayer& layer,
                               const CacheLayer& kv, bool is_first, std::int64_t position) {
    MemberBuffers& own = members[static_cast<std::size_t>(member.index)];
    const auto epsilon = static_cast<float>(config.norm_epsilon);
    Bf16Bits* x = own.x.data();
    normalize_row(own.residual.data(), is_first ? nullptr : delta.data(), layer.attention_norm,
                  epsilon, width(), x);
    multiply(member, layer.qkv, x, qkv.data());
    member.meet();
    attend(member, kv, position);
    member.meet();
    for (std::int64_t h = 0; h < config.head_count; ++h)
        join_attention(part(0, 0), h, member.count, config.head_count, head_dim(),
                       x + h * head_dim());
    multiply(member, layer.output, x, delta.data());
    member.meet();
    normalize_row(own.residual.data(), delta.data(), layer.ffn_norm, epsilon, width(), x);
    multiply(member, layer.gate_up, x, gate_up.data());
    member.meet();
    const std::int64_t ffn = config.ffn_dim;
    // Every member needs all of it: gating it whole costs less than meeting once more.
    gate_row(gate_up.data(), gate_up.data() + ffn, ffn, x);
    multiply(member, layer.down, x, delta.data());
    member.meet();
}

void Decoder::State::run(const TeamMember& member, const float* input, std::int64_t position,
                         Bf16Bits* hidden) {
    MemberBuffers& own = members[static_cast<std::size_t>(member.index)];
    std::copy_n(input, width(), own.residual.data());
    for (std::size_t l = 0; l < layers.size(); ++l)
        run_layer(member, layers[l], cache[l], l == 0, position);
    normalize_row(own.residual.data(), delta.data(), final_norm,
                  static_cast<float>(config.norm_epsilon), width(), own.x.data());
    if (member.index == 0) std::copy_n(own.x.data(), width(), hidden);
}

Decoder::Decoder(std::unique_ptr<State> state) : state_(std::move(state)) {}

Decoder::~Decoder() = default;

std::unique_ptr<Decoder> Decoder::make(const ModelFile& file, const ModelWeights& weights,
                                       const RopeTable& rope, const ModelConfig& config) {
    const bool sizes_fit = config.hidden_dim % 32 == 0 && config.ffn_dim % 32 == 0 &&
                           config.head_dim % 32 == 0 && config.head_dim <= 256;
    const bool rows_apart = weights.embeddings.is_contiguous() && weights.head.is_contiguous();
    if (!has_panel_kernels() || !sizes_fit || !rows_apart) return nullptr;
    auto state = std::make_unique<State>();
    state->config = config;
    for (std::size_t l = 0; l < weights.layers.size(); ++l) {
        const LayerWeights& layer = weights.layers[l];
        const LayerPanels& panels = layer.panels;
        if (layer.qkv_bias.defined() || layer.head_norms.defined()) return nullptr;
        for (const at::Tensor& packed : {panels.qkv, panels.output, panels.gate_up, panels.down})
            if (!packed.defined()) return nullptr;
        const std::string prefix = "blk." + std::to_string(l) + ".";
        const auto hold = [&](std::vector<std::string> names, const at::Tensor& packed) {
            for (std::string& name : names) name = prefix + name + ".weight";
            return pack_from_file(file, names).value_or(borrow_panels(packed));
        };
        DecoderLayer held;
        held.qkv = file.spec().has_half_split_heads
                       ? borrow_panels(panels.qkv)
                       : hold({"attn_q", "attn_k", "attn_v"}, panels.qkv);
        held.output = hold({"attn_output"}, panels.output);
        held.gate_up = hold({"ffn_gate", "ffn_up"}, panels.gate_up);
        held.down = hold({"ffn_down"}, panels.down);
        held.attention_norm = layer.attention_norm.const_data_ptr<float>();
        held.ffn_norm = layer.ffn_norm.const_data_ptr<float>();
        state->layers.push_back(std::move(held));
    }
    const bool tied = weights.head.is_same(weights.embeddings);
    state->head = pack_from_file(file, {tied ? "token_embd.weight" : "output.weight"});
    if (state->head && state->head->rows.panel_count * kPanelRows != weights.head.size(0))
        state->head.reset();
    state->plain_head = static_cast<const Bf16Bits*>(weights.head.const_data_ptr());
    state->embeddings = static_cast<const Bf16Bits*>(weights.embeddings.const_data_ptr());
    state->vocabulary_size = weights.head.size(0);
    state->final_norm = weights.final_norm.const_data_ptr<float>();
    state->cosines = rope.cosines.const_data_ptr<float>();
    state->sines = rope.sines.const_data_ptr<float>();
    state->reserve();
    return std::unique_ptr<Decoder>(new Decoder(std::move(state)));
}

void Decoder::step(const float* input, std::int64_t position, KvCache& cache, Bf16Bits* hidden) {
    State& state = *state_;
    for (std::size_t l = 0; l < state.layers.size(); ++l) {
        const at::Tensor log_mass = cache.log_mass(l);
        state.cache[l] = {static_cast<Bf16Bits*>(cache.keys(l).data_ptr()),
                          static_cast<Bf16Bits*>(cache.values(l).data_ptr()),
                          log_mass.defined() ? log_mass.const_data_ptr<float>() : nullptr};
        if (log_mass.defined()) state.mass_stride = log_mass.stride(1);
    }
    state.head_stride = cache.keys(0).stride(1);
    run_team(kMembersMax,
             [&](const TeamMember& member) { state.run(member, input, position, hidden); });
}

void Decoder::step_token(std::int64_t token, std::int64_t position, KvCache& cache,
                         Bf16Bits* hidden) {
    State& state = *state_;
    widen_row(state.embeddings + token * state.width(), state.embedding);
    step(state.embedding.data(), position, cache, hidden);
}

void Decoder::logits(const Bf16Bits* hidden, float* out) {
    State& state = *state_;
    if (!state.head) {
        widen_row(hidden, state.last);
        at::parallel_for(0, state.vocabulary_size, kHeadPanelsPerTask * kPanelRows,
                         [&](std::int64_t begin, std::int64_t end) {
                             row_products_bf16(state.plain_head, state.last.data(), out,
                                               state.width(), begin, end);
                         });
        return;
    }
    const RowWeights& head = state.head->rows;
    std::vector<float>& sums = state.members.front().block_sums;
    sum_blocks(hidden, head.columns, sums.data());
    at::parallel_for(0, head.panel_count, kHeadPanelsPerTask,
                     [&](std::int64_t begin, std::int64_t end) {
                         multiply_row(head, {hidden, sums.data()}, out, begin, end);
                     });
}

std::int64_t Decoder::weight_bytes() const {
    const auto bytes = [](const HeldWeight& weight) {
        return row_weight_bytes(weight.rows.format, weight.rows.panel_count, weight.rows.columns);
    };
    const std::int64_t plain = 2 * state_->vocabulary_size * state_->width();
    std::int64_t sum = state_->head ? bytes(*state_->head) : plain;
    for (const DecoderLayer& layer : state_->layers)
        sum += bytes(layer.qkv) + bytes(layer.output) + bytes(layer.gate_up) + bytes(layer.down);
    return sum;
}

}  // namespace mc::lm

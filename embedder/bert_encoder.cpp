// SPDX-License-Identifier: Apache-2.0
#include "embedder/bert_encoder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "embedder/row_steps.h"

namespace mc::embedder {
namespace {

using Texts = std::span<const std::vector<std::int32_t>* const>;

std::vector<float> numbers_of(TensorBytes bytes) {
    std::vector<float> numbers(bytes.size() / sizeof(float));
    std::memcpy(numbers.data(), bytes.data(), bytes.size());
    return numbers;
}

PackedLinear linear_of(NumberFormat format, std::initializer_list<const BertLinear*> stacked) {
    std::vector<float> weight;
    std::vector<float> bias;
    for (const BertLinear* linear : stacked) {
        const std::vector<float> rows = numbers_of(linear->weight);
        const std::vector<float> offsets = numbers_of(linear->bias);
        weight.insert(weight.end(), rows.begin(), rows.end());
        bias.insert(bias.end(), offsets.begin(), offsets.end());
    }
    return {format, weight, std::move(bias)};
}

std::int64_t size_of(const auto& range) {
    return static_cast<std::int64_t>(range.size());
}

// The mean of rows at unit length; the mean's divisor does not matter then. False when it has none.
bool pool(const float* rows, std::int64_t count, std::int64_t width, float* out) {
    std::copy_n(rows, width, out);
    for (std::int64_t t = 1; t < count; ++t) add_rows(out, rows + t * width, width, out);
    double square = 0;
    for (std::int64_t i = 0; i < width; ++i) square += double{out[i]} * out[i];
    if (!std::isfinite(square) || square == 0) return false;
    const double scale = 1 / std::sqrt(square);
    for (std::int64_t i = 0; i < width; ++i) out[i] = static_cast<float>(out[i] * scale);
    return true;
}

}  // namespace

BertEncoder::BertEncoder(const BertConfig& config, const BertTensors& tensors, NumberFormat format)
    : config_(config),
      format_(format),
      words_(tensors.words),
      positions_(numbers_of(tensors.positions)),
      norm_(norm_of(tensors.norm)) {
    const std::vector<float> types = numbers_of(tensors.types);
    const std::int64_t width = config.hidden_dim;
    for (std::int64_t p = 0; p < config.position_count; ++p)
        add_rows(positions_.data() + p * width, types.data(), width, positions_.data() + p * width);
    for (const BertLayer& layer : tensors.layers) layers_.push_back(layer_of(layer));
}

BertEncoder::Norm BertEncoder::norm_of(const BertNorm& norm) {
    return {numbers_of(norm.weight), numbers_of(norm.bias)};
}

BertEncoder::Layer BertEncoder::layer_of(const BertLayer& layer) const {
    return {linear_of(format_, {&layer.query, &layer.key, &layer.value}),
            linear_of(format_, {&layer.attention_output}),
            norm_of(layer.attention_norm),
            linear_of(format_, {&layer.ffn_in}),
            linear_of(format_, {&layer.ffn_out}),
            norm_of(layer.ffn_norm)};
}

void BertEncoder::read_tokens(const std::vector<std::int32_t>& ids, float* rows) const {
    const std::int64_t width = config_.hidden_dim;
    const float* position = positions_.data();
    const std::size_t row_bytes = config_.hidden_dim * sizeof(float);
    for (const std::int32_t id : ids) {
        std::memcpy(rows, words_.data() + static_cast<std::size_t>(id) * row_bytes, row_bytes);
        add_rows(rows, position, width, rows);
        rows += width;
        position += width;
    }
}

void BertEncoder::normalize(const Norm& norm, EncoderRoom& room) const {
    const std::int64_t width = config_.hidden_dim;
    const std::int64_t count = size_of(room.rows) / width;
    for (std::int64_t t = 0; t < count; ++t) {
        float* row = room.rows.data() + t * width;
        normalize_row(row, norm.weight.data(), norm.bias.data(), width, config_.norm_epsilon);
        to_elements(format_, row, width, room.elements.data() + t * width);
    }
}

void BertEncoder::run_layer(const Layer& layer, Texts texts, EncoderRoom& room) const {
    const std::int64_t width = config_.hidden_dim;
    const std::int64_t count = size_of(room.rows) / width;
    multiply(layer.qkv, room.elements.data(), count, room.qkv.data());
    std::int64_t first = 0;
    std::vector<float>& seen = room.attention.out;
    for (const std::vector<std::int32_t>* text : texts) {
        const std::int64_t length = size_of(*text);
        seen.resize(static_cast<std::size_t>(length * width));
        attend_text(room.qkv.data() + first * 3 * width, length, config_.head_count,
                    config_.head_dim(), room.attention, seen.data());
        to_elements(format_, seen.data(), length * width, room.elements.data() + first * width);
        first += length;
    }
    multiply_add(layer.attention_output, room.elements.data(), count, room.rows.data());
    normalize(layer.attention_norm, room);
    multiply_gelu(layer.ffn_in, room.elements.data(), count, room.inner.data());
    multiply_add(layer.ffn_out, room.inner.data(), count, room.rows.data());
    normalize(layer.ffn_norm, room);
}

bool BertEncoder::embed(Texts texts, EncoderRoom& room, std::span<float* const> out) const {
    const std::int64_t width = config_.hidden_dim;
    std::size_t count = 0;
    for (const std::vector<std::int32_t>* text : texts) count += text->size();
    const auto numbers = [&](std::uint32_t columns) { return count * columns; };
    room.rows.resize(numbers(config_.hidden_dim));
    room.elements.resize(room.rows.size());
    room.qkv.resize(3 * room.rows.size());
    room.inner.resize(numbers(config_.ffn_dim));
    float* rows = room.rows.data();
    for (const std::vector<std::int32_t>* text : texts) {
        read_tokens(*text, rows);
        rows += size_of(*text) * width;
    }
    normalize(norm_, room);
    for (const Layer& layer : layers_) run_layer(layer, texts, room);
    rows = room.rows.data();
    bool is_finite = true;
    for (std::size_t i = 0; i < texts.size(); ++i) {
        is_finite = pool(rows, size_of(*texts[i]), width, out[i]) && is_finite;
        rows += size_of(*texts[i]) * width;
    }
    return is_finite;
}

}  // namespace mc::embedder

// SPDX-License-Identifier: Apache-2.0
#include "lm/model_benchmark.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "lm/model_parts.h"
#include "lm/torch/torch_model.h"

namespace mc::lm {
namespace {

constexpr std::int64_t kSquare = 4096;
constexpr std::int64_t kArrayFloats = 64LL << 20;  // 256 MiB: beyond every cache
constexpr int kRunsMin = 3;
constexpr int kDecodedTokens = 32;
constexpr std::uint32_t kPartTokensMax = 2048;

std::vector<TokenId> some_tokens(std::uint32_t count, std::uint32_t vocabulary) {
    std::vector<TokenId> out(count);
    for (std::uint32_t i = 0; i < count; ++i)
        out[i] = static_cast<TokenId>((std::uint64_t{i} * 7919 + 17) % vocabulary);
    return out;
}

double read_bytes_per_second(const Clock& clock, double seconds) {
    const at::Tensor array = at::ones({kArrayFloats}, at::kFloat);
    const double once = median_seconds(clock, seconds, [&] { at::sum(array); });
    return static_cast<double>(kArrayFloats) * sizeof(float) / once;
}

double square_flops(const TorchModel& model, const Clock& clock, double seconds) {
    const auto options = at::TensorOptions().dtype(model.dtype).device(model.device);
    const at::Tensor a = at::ones({kSquare, kSquare}, options);
    const at::Tensor b = at::ones({kSquare, kSquare}, options);
    const double once = median_seconds(clock, seconds, [&] { at::mm(a, b); });
    return 2.0 * std::pow(static_cast<double>(kSquare), 3) / once;
}

// FLOPs of one token that sees `context` keys: matrix products of all layers and attention.
double flops_of_token(const TorchModel& model, double context) {
    double weights = 0;
    for (const LayerWeights& layer : model.weights.layers)
        weights += static_cast<double>(layer.qkv.numel() + layer.output.numel() +
                                       layer.gate_up.numel() + layer.down.numel());
    const ModelConfig& config = model.config;
    const double attention = 2.0 * config.layer_count * config.head_count * config.head_dim;
    return 2.0 * (weights + attention * context);
}

double head_flops(const TorchModel& model) {
    return 2.0 * static_cast<double>(model.weights.head.numel());
}

double cache_bytes(const TorchModel& model, double context) {
    const ModelConfig& config = model.config;
    return 2.0 * config.layer_count * config.kv_head_count * config.head_dim * context *
           static_cast<double>(c10::elementSize(model.dtype));
}

Result<SpeedAt> time_prefill(const BaseModel& model, std::uint32_t tokens, double layer_flops,
                             double seconds, const Clock& clock) {
    const std::vector<Segment> prompt = {
        Segment::of_tokens(some_tokens(tokens, model.config().vocabulary_size))};
    Result<void> status;
    const double once = median_seconds(clock, seconds, [&] {
        const std::unique_ptr<Sequence> sequence = model.new_sequence();
        if (status) status = sequence->append(prompt);
        if (!status) return;
        if (auto logits = sequence->next_logits(); !logits)
            status = fail(std::move(logits.error()));
    });
    MC_TRY(status);
    SpeedAt out;
    out.tokens = tokens;
    out.tokens_per_second = tokens / once;
    out.flops_per_token = flops_of_token(model.torch_model(), (tokens + 1) / 2.0) +
                          head_flops(model.torch_model()) / tokens;
    out.bound_tokens_per_second = layer_flops / out.flops_per_token;
    return out;
}

Result<void> decode_tokens(Sequence& sequence, std::span<const TokenId> tokens,
                           std::span<float> logits) {
    for (const TokenId token : tokens) {
        MC_TRY(sequence.append_token(token));
        MC_TRY(sequence.next_logits_into(logits));
    }
    return {};
}

Result<SpeedAt> time_decode(const BaseModel& model, std::uint32_t context, double bytes_read,
                            double seconds, const Clock& clock) {
    const std::uint32_t vocabulary = model.config().vocabulary_size;
    const std::unique_ptr<Sequence> sequence = model.new_sequence();
    if (context > 0) {
        const std::vector<Segment> prompt = {Segment::of_tokens(some_tokens(context, vocabulary))};
        MC_TRY(sequence->append(prompt));
    }
    const std::vector<TokenId> tokens = some_tokens(kDecodedTokens, vocabulary);
    std::vector<float> logits(vocabulary);
    Result<void> status;
    const double once = median_seconds(clock, seconds, [&] {
        sequence->truncate(context);
        if (status) status = decode_tokens(*sequence, tokens, logits);
    });
    MC_TRY(status);
    const TorchModel& inner = model.torch_model();
    const double keys = context + (kDecodedTokens + 1) / 2.0;
    SpeedAt out;
    out.tokens = context;
    out.tokens_per_second = kDecodedTokens / once;
    out.flops_per_token = flops_of_token(inner, keys) + head_flops(inner);
    out.bytes_per_token = decode_weight_bytes(inner) + cache_bytes(inner, keys);
    out.bound_tokens_per_second = bytes_read / out.bytes_per_token;
    return out;
}

}  // namespace

double median_seconds(const Clock& clock, double seconds, const std::function<void()>& body) {
    body();  // first touch of memory, first choice of kernels
    std::vector<double> times;
    const std::int64_t begin = clock.monotonic_ns();
    while (times.size() < kRunsMin ||
           static_cast<double>(clock.monotonic_ns() - begin) < seconds * 1e9) {
        const std::int64_t start = clock.monotonic_ns();
        body();
        times.push_back(static_cast<double>(clock.monotonic_ns() - start) * 1e-9);
    }
    const auto middle = times.begin() + static_cast<std::ptrdiff_t>(times.size() / 2);
    std::nth_element(times.begin(), middle, times.end());
    return *middle;
}

Result<ModelBenchmark> benchmark_model(const BaseModel& model, const ModelBenchmarkOptions& options,
                                       const Clock& clock) {
    const TorchModel& inner = model.torch_model();
    ModelBenchmark out;
    MC_TRY(torch_guard([&]() -> Result<int> {
        const c10::InferenceMode inference;
        MC_TRY(check_fast_path(inner));
        out.machine.square_flops = square_flops(inner, clock, options.seconds);
        out.machine.layer_flops = layer_product_flops(inner, clock, options.seconds);
        out.machine.bytes_read = read_bytes_per_second(clock, options.seconds);
        for (const std::uint32_t tokens : options.prefill_tokens)
            if (tokens <= kPartTokensMax)
                out.parts.push_back(time_parts(inner, tokens, clock, options.seconds));
        return 0;
    }));
    for (const std::uint32_t tokens : options.prefill_tokens) {
        MC_ASSIGN(const SpeedAt speed,
                  time_prefill(model, tokens, out.machine.layer_flops, options.seconds, clock));
        out.prefill.push_back(speed);
    }
    for (const std::uint32_t context : options.decode_contexts) {
        MC_ASSIGN(const SpeedAt speed,
                  time_decode(model, context, out.machine.bytes_read, options.seconds, clock));
        out.decode.push_back(speed);
    }
    return out;
}

}  // namespace mc::lm

// SPDX-License-Identifier: Apache-2.0
// Forward and backward through the frozen model, beside libtorch's autograd through the same pass.
//
// training_bench MODEL: 16 rows of 9 placed entries and 96 tokens, the shape that training reads.
// The gradients are compared before anything is timed; positions count all 105 columns.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "lm/internal/training_pass.h"

namespace mc::bench {
namespace {

constexpr std::int64_t kRows = 16;
constexpr std::int64_t kPlaced = 9;
constexpr std::int64_t kTokens = 96;
constexpr double kCosineMin = 0.99;  // both round to bf16 in their own places

struct Problem {
    lm::PassLayout layout;
    lm::PlacedEntries placed;
    at::Tensor inputs;
    at::Tensor hidden_gradient;
};

Problem make_problem(const lm::TorchModel& model) {
    at::manual_seed(7);
    Problem out;
    out.layout.placed_columns.resize(kPlaced);
    std::iota(out.layout.placed_columns.begin(), out.layout.placed_columns.end(), 0);
    out.layout.token_columns.resize(kTokens);
    std::iota(out.layout.token_columns.begin(), out.layout.token_columns.end(), kPlaced);
    out.layout.first_columns.assign(kRows, 0);
    const lm::ModelConfig& config = model.config;
    const std::vector<std::int64_t> shape = {kRows, kPlaced, config.layer_count,
                                             config.kv_head_count, config.head_dim};
    out.placed = {at::randn(shape), at::randn(shape)};
    const at::Tensor ids =
        at::randint(std::int64_t{config.vocabulary_size}, {kRows * kTokens}, at::kLong);
    out.inputs =
        model.weights.embeddings.index_select(0, ids).view({kRows, kTokens, -1}).to(at::kFloat);
    out.hidden_gradient = at::randn({kRows * kTokens, config.hidden_dim}).to(model.dtype);
    return out;
}

at::Tensor written_out(const lm::TorchModel& model, const Problem& problem) {
    lm::TrainingPass pass(model, problem.layout);
    pass.forward(problem.inputs, problem.placed);
    return pass.backward(problem.hidden_gradient).placed.keys;
}

at::Tensor by_autograd(const lm::TorchModel& model, const Problem& problem) {
    const at::Tensor keys = problem.placed.keys.clone().requires_grad_();
    const at::Tensor values = problem.placed.values.clone().requires_grad_();
    lm::KvCache cache = model.new_cache(kRows, lm::CacheKind::kPerLayer);
    cache.reserve(kPlaced + kTokens);
    model.place(cache, problem.layout.placed_columns, keys, values);
    const at::Tensor hidden =
        model.forward(problem.inputs, problem.layout.token_columns, cache).flatten(0, 1);
    (hidden * problem.hidden_gradient).sum().backward();
    return keys.grad();
}

void run(int argc, char** argv, const lm::TorchModel& model) {
    const Problem problem = make_problem(model);
    const at::Tensor ours = written_out(model, problem).flatten();
    const at::Tensor plain = by_autograd(model, problem).flatten();
    const double cosine = (ours.dot(plain) / (ours.norm() * plain.norm())).item<double>();
    std::printf("cosine of the gradients: %.5f\n", cosine);
    if (!(cosine >= kCosineMin)) {
        std::fprintf(stderr, "the gradients differ: nothing is timed\n");
        std::exit(EXIT_FAILURE);
    }
    const auto add = [&](const char* name, auto body) {
        benchmark::RegisterBenchmark(name,
                                     [&, body](benchmark::State& state) {
                                         for (auto _ : state)
                                             benchmark::DoNotOptimize(body(model, problem));
                                         state.counters["positions/s"] = benchmark::Counter(
                                             static_cast<double>(kRows * (kPlaced + kTokens)),
                                             benchmark::Counter::kIsIterationInvariantRate);
                                     })
            ->UseRealTime()
            ->Unit(benchmark::kMillisecond);
    };
    add("training/ours", written_out);
    add("training/autograd", by_autograd);
    benchmark::Initialize(&argc, argv);
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
}

}  // namespace
}  // namespace mc::bench

int main(int argc, char** argv) {
    if (argc < 2) {
        std::fprintf(stderr, "usage: training_bench MODEL [benchmark options]\n");
        return EXIT_FAILURE;
    }
    mc::lm::ModelOptions options;
    options.path = argv[1];
    const auto model = mc::lm::BaseModel::open(options);
    if (!model) {
        std::fprintf(stderr, "%s\n", model.error().to_string().c_str());
        return EXIT_FAILURE;
    }
    mc::bench::run(argc - 1, argv + 1, (*model)->torch_model());
    return EXIT_SUCCESS;
}

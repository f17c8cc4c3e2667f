// SPDX-License-Identifier: Apache-2.0
// Forward and backward through the frozen model, beside libtorch's autograd through the same pass.
//
// training_bench MODEL TEXT: 16 rows of 9 placed entries and 96 tokens, the shape that training
// reads, from a text of 6,000 tokens or more. The gradients are compared before anything is timed;
// positions count all 105 columns.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <numeric>

#include "lm/base_model.h"
#include "lm/training/distillation.h"
#include "lm/training/training_pass.h"

namespace mc::bench {
namespace {

constexpr std::int64_t kRows = 16;
constexpr std::int64_t kPlaced = 9;
constexpr std::int64_t kTokens = 96;
constexpr std::size_t kTextTokens = kRows * ((kPlaced - 1) * 32 + kTokens + 1);
constexpr double kCosineMin = 0.99;  // both round to bf16 in their own places

struct Problem {
    lm::PassLayout layout;
    lm::PlacedEntries placed;
    at::Tensor inputs;
    at::Tensor hidden_gradient;
};

// Windows of real text: BOS and the last position of each of 8 blocks, then 96 tokens. Random
// inputs would not do: far from text the model's gradients drown in bf16's rounding.
Problem make_problem(const lm::TorchModel& model, const std::vector<TokenId>& text) {
    const c10::InferenceMode no_inference(false);
    at::NoGradGuard no_grad;
    constexpr std::int64_t kContext = (kPlaced - 1) * 32;
    Problem out;
    out.layout = lm::placed_then_tokens(kRows, kPlaced, kTokens);
    std::vector<at::Tensor> keys;
    std::vector<at::Tensor> values;
    std::vector<at::Tensor> inputs;
    std::vector<at::Tensor> teacher;
    std::vector<at::Tensor> targets;
    for (std::int64_t row = 0; row < kRows; ++row) {
        const auto begin = text.begin() + row * (kContext + kTokens + 1);
        std::vector<TokenId> read = {model.tokenizer->bos()};
        read.insert(read.end(), begin, begin + kContext + kTokens + 1);
        const at::Tensor ids = model.token_index(std::span(read).subspan(1));
        const lm::ReadOutput window =
            model.read_windows(std::vector<std::vector<TokenId>>{read}, 0);
        // BOS, then positions 32, 64, …: (P, L, H, D)
        const at::Tensor chosen = at::arange(0, kContext + 1, 32);
        const auto pick = [&](const at::Tensor& x) {
            return x.select(0, 0).index_select(2, chosen).permute({2, 0, 1, 3}).to(at::kFloat);
        };
        keys.push_back(pick(window.keys));
        values.push_back(pick(window.values));
        inputs.push_back(
            model.weights.embeddings.index_select(0, ids.narrow(0, kContext, kTokens)));
        teacher.push_back(window.hidden.select(0, 0).narrow(0, kContext + 1, kTokens));
        targets.push_back(ids.narrow(0, kContext + 1, kTokens));
    }
    out.placed = {at::stack(keys), at::stack(values)};
    out.inputs = at::stack(inputs);
    const lm::TeacherPrediction predicted =
        lm::predict_as_teacher(model, at::cat(teacher), at::cat(targets));
    lm::TrainingPass pass(model, out.layout);
    const at::Tensor hidden = pass.forward(out.inputs, out.placed);
    out.hidden_gradient =
        lm::distil(model, hidden, predicted, at::ones({kRows * kTokens}, at::kFloat), 0.8)
            .hidden_gradient;
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

void run(int argc, char** argv, const lm::TorchModel& model, const std::vector<TokenId>& text) {
    const Problem problem = make_problem(model, text);
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
    if (argc < 3) {
        std::fprintf(stderr, "usage: training_bench MODEL TEXT [benchmark options]\n");
        return EXIT_FAILURE;
    }
    mc::lm::ModelOptions options;
    options.path = argv[1];
    const auto model = mc::lm::BaseModel::open(options);
    if (!model) {
        std::fprintf(stderr, "%s\n", model.error().to_string().c_str());
        return EXIT_FAILURE;
    }
    const auto text = mc::read_file(argv[2], 1 << 24);
    if (!text) {
        std::fprintf(stderr, "%s\n", text.error().to_string().c_str());
        return EXIT_FAILURE;
    }
    const auto tokens = (*model)->tokenizer().encode(*text);
    if (tokens.size() < mc::bench::kTextTokens) {
        std::fprintf(stderr, "%s: too short\n", argv[2]);
        return EXIT_FAILURE;
    }
    mc::bench::run(argc - 2, argv + 2, (*model)->torch_model(), tokens);
    return EXIT_SUCCESS;
}

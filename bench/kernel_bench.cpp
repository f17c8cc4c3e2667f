// SPDX-License-Identifier: Apache-2.0
#include <benchmark/benchmark.h>

#include <cstdio>
#include <cstdlib>
#include <utility>

#include "bench/contest.h"
#include "lm/kernels/panel_kernels.h"

namespace mc::bench {
namespace {

constexpr std::uint64_t kSeed = 7;
constexpr double kRounding = 0.05;  // plain forms round to bf16 up to three times on the way

Contest make_seeded(const std::function<Contest()>& make) {
    at::manual_seed(kSeed);
    return make();
}

// Largest difference, each as a share of the number's own size and the root mean square together.
double difference(const at::Tensor& ours, const at::Tensor& plain) {
    const at::Tensor expected = plain.to(at::kDouble);
    const at::Tensor scale = expected.abs() + expected.square().mean().sqrt();
    return ((ours.to(at::kDouble) - expected).abs() / scale).max().item<double>();
}

void check_answer(const std::string& name, const Contest& contest) {
    const at::Tensor ours = contest.ours();
    const at::Tensor plain = contest.plain();
    const bool same_shape = ours.sizes() == plain.sizes();
    const double off = same_shape ? difference(ours, plain) : 1;
    if (off <= kRounding) return;  // NaN is not
    std::fprintf(stderr, "%s: the answer is wrong: %s %g of the plain form's, allowed is %g\n",
                 name.c_str(), same_shape ? "off by" : "another shape;", off, kRounding);
    std::exit(EXIT_FAILURE);
}

void time_body(benchmark::State& state, const Contest& contest,
               const std::function<at::Tensor()>& body) {
    for (auto _ : state) benchmark::DoNotOptimize(body());
    const bool is_flops = contest.unit == Unit::kFlops;
    state.counters[is_flops ? "GFLOPS" : "GB/s"] =
        benchmark::Counter(contest.work * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

}  // namespace

void add_contest(const std::string& name, std::function<Contest()> make) {
    benchmark::RegisterBenchmark((name + "/ours").c_str(), [name, make](benchmark::State& state) {
        const c10::InferenceMode inference;
        check_answer(name, make_seeded(make));
        const Contest contest = make_seeded(make);
        time_body(state, contest, contest.ours);
    })->UseRealTime();
    benchmark::RegisterBenchmark((name + "/aten").c_str(), [make](benchmark::State& state) {
        const c10::InferenceMode inference;
        const Contest contest = make_seeded(make);
        time_body(state, contest, contest.plain);
    })->UseRealTime();
}

}  // namespace mc::bench

int main(int argc, char** argv) {
    benchmark::Initialize(&argc, argv);
    if (benchmark::ReportUnrecognizedArguments(argc, argv)) return EXIT_FAILURE;
    mc::bench::add_element_contests();
    if (mc::lm::has_panel_kernels()) {
        mc::bench::add_product_contests();
        mc::bench::add_attention_contests();
    } else {
        std::fputs("no AVX512_BF16 here: products and attention have the plain form alone\n",
                   stderr);
    }
    benchmark::RunSpecifiedBenchmarks();
    benchmark::Shutdown();
    return EXIT_SUCCESS;
}

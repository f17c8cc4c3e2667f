// SPDX-License-Identifier: Apache-2.0
// Check, then time: a kernel beside its plain form in ATen operations.
//
// A contest becomes two benchmarks, "<name>/ours" and "<name>/aten". It is made when one of them
// runs and given back after it, so that inputs of others take no room. Ours is first compared with
// the plain form; if they differ by more than rounding, the program names it and ends with failure.
// Threads: Google Benchmark's one, with libtorch's pool below it.
#pragma once

#include <functional>
#include <string>

#include "lm/torch/torch_fence.h"

namespace mc::bench {

enum class Unit { kFlops, kBytes };

struct Contest {
    // Each call gives the same answer, apart from what a body adds to inputs of its own.
    std::function<at::Tensor()> ours;
    std::function<at::Tensor()> plain;
    Unit unit = Unit::kFlops;
    double work = 0;  // FLOPs or bytes of a call: counted as GFLOPS or GB/s
};

// Inputs are random from a fixed seed.
void add_contest(const std::string& name, std::function<Contest()> make);

// One of each folder's file; called by main().
void add_attention_contests();
void add_element_contests();
void add_product_contests();

}  // namespace mc::bench

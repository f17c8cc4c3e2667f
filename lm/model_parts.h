// SPDX-License-Identifier: Apache-2.0
// The parts of the forward pass one by one, for benchmark_model(): times and a check.
//
// Each part runs by itself over every layer's own weights, so the sum leaves out only what lies
// between the parts. Threads: one. Errors: kModel when the fast path and the plain one disagree.
#pragma once

#include <functional>

#include "lm/model_benchmark.h"
#include "lm/torch/torch_model.h"

namespace mc::lm {

// Median over runs of at least `seconds` in all.
double median_seconds(const Clock& clock, double seconds, const std::function<void()>& body);

// The same argmax after a short prompt as the path that autograd records, and finite logits.
Result<void> check_fast_path(const TorchModel& model);

// FLOPs a second of one layer's matrix products, as libtorch computes them, 512 rows.
double layer_product_flops(const TorchModel& model, const Clock& clock, double seconds);

PartTimes time_parts(const TorchModel& model, std::uint32_t tokens, const Clock& clock,
                     double seconds);

// Bytes of weights that decoding one token reads, head included.
double decode_weight_bytes(const TorchModel& model);

}  // namespace mc::lm

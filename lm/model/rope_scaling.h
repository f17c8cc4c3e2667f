// SPDX-License-Identifier: Apache-2.0
// How a model's rotation frequencies were stretched for contexts longer than it was trained on.
//
// Pure arithmetic, in double. Formulas: linear (kaiokendev 2023), llama3 (Llama 3.1's reference
// code), yarn (Peng et al. 2023, arXiv 2309.00071, sections 3.2 and 3.4).
#pragma once

#include <cstdint>
#include <vector>

namespace mc::lm {

struct RopeScaling {
    std::vector<double> divisors;  // (D / 2) of the frequencies; empty: all 1
    // Factor of all queries: the attention temperature, which yarn puts on queries and keys alike.
    double query_scale = 1;
};

struct Llama3Stretch {
    double factor = 1;
    double low_freq_factor = 1;
    double high_freq_factor = 4;
    double original_context = 0;
};

struct YarnStretch {
    double factor = 1;
    double original_context = 0;
    double beta_fast = 32;
    double beta_slow = 1;
    double attention_factor = 1;  // of queries and of keys
};

// 0.1 ln(factor) + 1: yarn's attention factor where a file gives none.
double yarn_attention_factor(double factor);

RopeScaling linear_scaling(double factor, std::uint32_t head_dim);
RopeScaling llama3_scaling(const Llama3Stretch& stretch, double base, std::uint32_t head_dim);
RopeScaling yarn_scaling(const YarnStretch& stretch, double base, std::uint32_t head_dim);

}  // namespace mc::lm

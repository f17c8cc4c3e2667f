// SPDX-License-Identifier: Apache-2.0
// Backward steps of the element-wise operations, and the distillation loss, as fused loops.
//
// Companions of cpu_kernels.h, with the same conventions: no libtorch, rows [begin, end) of
// row-major matrices, T float or Bf16Bits with arithmetic in f32. Every formula is checked against
// autograd in tests/lm/training/training_pass_test.cpp.
#pragma once

#include <cstdint>

#include "lm/kernels/cpu_kernels.h"

namespace mc::lm {

// Backward of y = residual / rms(residual) × weight, added to the gradient of the residual:
// gradient += s × (g - x̂ × mean(g × x̂)), with s = 1 / rms, x̂ = residual × s, g = output_gradient
// × weight. The sum is also written in T, ready for the next matrix product.
struct NormBackwardRows {
    const float* residual;        // (N, width)
    const float* weight;          // (width)
    const void* output_gradient;  // (N, width) T
    float* gradient;              // (N, width), added to
    void* gradient_out;           // (N, width) T
    std::int64_t width;
    float epsilon;
};

void rms_norm_backward_f32(const NormBackwardRows& rows, std::int64_t begin, std::int64_t end);
void rms_norm_backward_bf16(const NormBackwardRows& rows, std::int64_t begin, std::int64_t end);

// Backward of silu(gate) × up.
struct SiluBackwardRows {
    const void* gate_up;          // (N, 2 × width) T
    const void* output_gradient;  // (N, width) T
    void* gradient;               // (N, 2 × width) T
    std::int64_t width;
};

void silu_mul_backward_f32(const SiluBackwardRows& rows, std::int64_t begin, std::int64_t end);
void silu_mul_backward_bf16(const SiluBackwardRows& rows, std::int64_t begin, std::int64_t end);

// Scores become softmax(scale × score + log_mass) over the columns from first_columns[b] to
// columns[t], 0 elsewhere. Row n belongs to batch n / rows_per_batch, to KV head n / rows_per_head
// of all batches' and to query n % query_count.
struct AttentionRows {
    void* scores;                       // (N, column_count) T, in place
    const std::int64_t* columns;        // (query_count): of each query
    const std::int64_t* first_columns;  // (batch): earlier columns are padding
    const float* log_mass;              // (batch × KV heads, column_count) nats; null: 0
    std::int64_t rows_per_batch;
    std::int64_t rows_per_head;
    std::int64_t query_count;
    std::int64_t column_count;
    float scale;
};

void masked_softmax_f32(const AttentionRows& rows, std::int64_t begin, std::int64_t end);
void masked_softmax_bf16(const AttentionRows& rows, std::int64_t begin, std::int64_t end);

// Backward of the above: gradient becomes scale × p × (gradient - Σ p × gradient), in place.
struct SoftmaxBackwardRows {
    const void* probabilities;  // (N, column_count) T
    void* gradient;             // (N, column_count) T, in place
    std::int64_t column_count;
    float scale;
};

void softmax_backward_f32(const SoftmaxBackwardRows& rows, std::int64_t begin, std::int64_t end);
void softmax_backward_bf16(const SoftmaxBackwardRows& rows, std::int64_t begin, std::int64_t end);

// Backward of split_and_rotate: gathers the gradients of rotated queries, keys and values, turns
// queries and keys back, and lays them side by side as the projection's rows. Row n is batch n / T,
// step n % T; keys and values of step t stand at columns[t].
struct SplitBackwardRows {
    const void* queries;          // (B, query_heads, T, head_dim) T
    const void* keys;             // (B, kv_heads, column_count, head_dim) T
    const void* values;           // as keys
    const float* cosines;         // (positions, head_dim / 2)
    const float* sines;           // (positions, head_dim / 2)
    const std::int64_t* columns;  // (T)
    void* gradient;               // (B × T, (query_heads + 2 × kv_heads) × head_dim) T
    std::int64_t step_count;      // T
    std::int64_t column_count;
    std::int64_t query_heads;
    std::int64_t kv_heads;
    std::int64_t head_dim;
};

void split_backward_f32(const SplitBackwardRows& rows, std::int64_t begin, std::int64_t end);
void split_backward_bf16(const SplitBackwardRows& rows, std::int64_t begin, std::int64_t end);

// Limit of DistillationRows::top_count.
inline constexpr std::int64_t kDistillationTopMax = 256;

// Loss of each row of logits against a teacher known by its likeliest tokens and the probability
// of all others together, and its gradient in place of the logits:
//   kl_weight × KL(teacher ‖ student) over top_count + 1 outcomes + (1 - kl_weight) × NLL(target),
// the gradient times the row's scale. With p the student's and q the teacher's probabilities, the
// gradient at a top token is p - kl_weight × q, elsewhere p × (1 - kl_weight × q_rest / p_rest),
// less 1 - kl_weight at the target.
struct DistillationRows {
    void* logits;                    // (N, vocabulary) T; gradient afterwards
    const std::int64_t* top_tokens;  // (N, top_count)
    const float* top_probabilities;  // (N, top_count)
    const std::int64_t* targets;     // (N)
    float* divergence;               // (N): KL in nats
    float* nll;                      // (N): in nats
    std::int64_t vocabulary;
    std::int64_t top_count;
    float kl_weight;
    const float* row_scales;  // (N)
};

void distillation_f32(const DistillationRows& rows, std::int64_t begin, std::int64_t end);
void distillation_bf16(const DistillationRows& rows, std::int64_t begin, std::int64_t end);

}  // namespace mc::lm

// SPDX-License-Identifier: Apache-2.0
#include "lm/kernels/training_kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "lm/kernels/kernel_math.h"

namespace mc::lm {
namespace {

// Below it a probability is noise of its own rounding.
constexpr float kProbabilityMin = 1e-6F;

template <class T>
MC_INLINE void rms_norm_backward(const NormBackwardRows& rows, std::int64_t begin,
                                 std::int64_t end) {
    const std::int64_t width = rows.width;
    const float* weight = rows.weight;
    for (std::int64_t n = begin; n < end; ++n) {
        const float* residual = rows.residual + n * width;
        const T* incoming = static_cast<const T*>(rows.output_gradient) + n * width;
        float* gradient = rows.gradient + n * width;
        T* out = static_cast<T*>(rows.gradient_out) + n * width;
        float squares = 0;
        float products = 0;
#pragma omp simd reduction(+ : squares, products)
        for (std::int64_t i = 0; i < width; ++i) {
            squares += residual[i] * residual[i];
            products += residual[i] * to_float(incoming[i]) * weight[i];
        }
        const float count = static_cast<float>(width);
        const float scale = 1.0F / std::sqrt(squares / count + rows.epsilon);
        const float along = products * scale * scale / count;
#pragma omp simd
        for (std::int64_t i = 0; i < width; ++i) {
            gradient[i] += scale * (to_float(incoming[i]) * weight[i] - residual[i] * along);
            out[i] = from_float<T>(gradient[i]);
        }
    }
}

template <class T>
MC_INLINE void silu_mul_backward(const SiluBackwardRows& rows, std::int64_t begin,
                                 std::int64_t end) {
    const std::int64_t width = rows.width;
    for (std::int64_t n = begin; n < end; ++n) {
        const T* gate = static_cast<const T*>(rows.gate_up) + n * 2 * width;
        const T* up = gate + width;
        const T* incoming = static_cast<const T*>(rows.output_gradient) + n * width;
        T* gate_gradient = static_cast<T*>(rows.gradient) + n * 2 * width;
        T* up_gradient = gate_gradient + width;
#pragma omp simd
        for (std::int64_t i = 0; i < width; ++i) {
            const float x = to_float(gate[i]);
            const float y = to_float(incoming[i]);
            const float sigmoid = 1.0F / (1.0F + exp_approx(-x));
            up_gradient[i] = from_float<T>(y * x * sigmoid);
            gate_gradient[i] =
                from_float<T>(y * to_float(up[i]) * sigmoid * (1.0F + x * (1.0F - sigmoid)));
        }
    }
}

// The softmax of one row's columns [first, count).
template <class T, bool kHasMass>
MC_INLINE void softmax_columns(T* scores, const float* log_mass, std::int64_t first,
                               std::int64_t count, float scale) {
    const auto logit = [=](std::int64_t i) {
        const float scaled = to_float(scores[i]) * scale;
        if constexpr (kHasMass) return scaled + log_mass[i];
        return scaled;
    };
    float top = -std::numeric_limits<float>::max();
#pragma omp simd reduction(max : top)
    for (std::int64_t i = first; i < count; ++i) top = std::max(top, logit(i));
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = first; i < count; ++i) sum += exp_approx(logit(i) - top);
    const float inverse = 1.0F / sum;
#pragma omp simd
    for (std::int64_t i = first; i < count; ++i)
        scores[i] = from_float<T>(exp_approx(logit(i) - top) * inverse);
}

template <class T>
MC_INLINE void masked_softmax(const AttentionRows& rows, std::int64_t begin, std::int64_t end) {
    for (std::int64_t n = begin; n < end; ++n) {
        T* scores = static_cast<T*>(rows.scores) + n * rows.column_count;
        const std::int64_t first = rows.first_columns[n / rows.rows_per_batch];
        const std::int64_t count = rows.columns[n % rows.query_count] + 1;
        if (rows.log_mass == nullptr)
            softmax_columns<T, false>(scores, nullptr, first, count, rows.scale);
        else
            softmax_columns<T, true>(scores,
                                     rows.log_mass + n / rows.rows_per_head * rows.column_count,
                                     first, count, rows.scale);
        std::fill(scores, scores + first, T{});
        std::fill(scores + count, scores + rows.column_count, T{});
    }
}

template <class T>
MC_INLINE void softmax_backward(const SoftmaxBackwardRows& rows, std::int64_t begin,
                                std::int64_t end) {
    const std::int64_t count = rows.column_count;
    for (std::int64_t n = begin; n < end; ++n) {
        const T* p = static_cast<const T*>(rows.probabilities) + n * count;
        T* gradient = static_cast<T*>(rows.gradient) + n * count;
        float mean = 0;
#pragma omp simd reduction(+ : mean)
        for (std::int64_t i = 0; i < count; ++i) mean += to_float(p[i]) * to_float(gradient[i]);
#pragma omp simd
        for (std::int64_t i = 0; i < count; ++i)
            gradient[i] =
                from_float<T>(rows.scale * to_float(p[i]) * (to_float(gradient[i]) - mean));
    }
}

template <class T>
MC_INLINE void split_backward(const SplitBackwardRows& rows, std::int64_t begin, std::int64_t end) {
    const std::int64_t dim = rows.head_dim;
    const std::int64_t pairs = dim / 2;
    for (std::int64_t n = begin; n < end; ++n) {
        const std::int64_t batch = n / rows.step_count;
        const std::int64_t step = n % rows.step_count;
        const std::int64_t column = rows.columns[step];
        const float* cosines = rows.cosines + column * pairs;
        const float* sines = rows.sines + column * pairs;
        T* to = static_cast<T*>(rows.gradient) + n * (rows.query_heads + 2 * rows.kv_heads) * dim;
        for (std::int64_t h = 0; h < rows.query_heads; ++h, to += dim)
            rotate<true>(static_cast<const T*>(rows.queries) +
                             ((batch * rows.query_heads + h) * rows.step_count + step) * dim,
                         to, cosines, sines, pairs);
        const auto place = [&](std::int64_t h) {
            return ((batch * rows.kv_heads + h) * rows.column_count + column) * dim;
        };
        for (std::int64_t h = 0; h < rows.kv_heads; ++h, to += dim)
            rotate<true>(static_cast<const T*>(rows.keys) + place(h), to, cosines, sines, pairs);
        for (std::int64_t h = 0; h < rows.kv_heads; ++h, to += dim)
            std::copy_n(static_cast<const T*>(rows.values) + place(h), dim, to);
    }
}

template <class T>
MC_INLINE void distillation(const DistillationRows& rows, std::int64_t begin, std::int64_t end) {
    const std::int64_t vocabulary = rows.vocabulary;
    for (std::int64_t n = begin; n < end; ++n) {
        T* logits = static_cast<T*>(rows.logits) + n * vocabulary;
        float top = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : top)
        for (std::int64_t i = 0; i < vocabulary; ++i) top = std::max(top, to_float(logits[i]));
        float sum = 0;
#pragma omp simd reduction(+ : sum)
        for (std::int64_t i = 0; i < vocabulary; ++i) sum += exp_approx(to_float(logits[i]) - top);
        const float log_sum = top + std::log(sum);
        const std::int64_t target = rows.targets[n];
        const std::int64_t* tokens = rows.top_tokens + n * rows.top_count;
        const float* teacher = rows.top_probabilities + n * rows.top_count;
        rows.nll[n] = log_sum - to_float(logits[target]);

        // Kept because their logits are written over below.
        float top_p[kDistillationTopMax];
        bool target_is_top = false;
        float divergence = 0;
        float student_rest = 1.0F;
        float teacher_rest = 1.0F;
        for (std::int64_t k = 0; k < rows.top_count; ++k) {
            const float log_p = to_float(logits[tokens[k]]) - log_sum;
            const float q = std::max(teacher[k], kProbabilityMin);
            divergence += q * (std::log(q) - log_p);
            top_p[k] = std::exp(log_p);
            target_is_top |= tokens[k] == target;
            student_rest -= top_p[k];
            teacher_rest -= teacher[k];
        }
        student_rest = std::max(student_rest, kProbabilityMin);
        teacher_rest = std::max(teacher_rest, kProbabilityMin);
        divergence += teacher_rest * (std::log(teacher_rest) - std::log(student_rest));
        rows.divergence[n] = divergence;

        const float row_scale = rows.row_scales[n];
        const float rest_factor = row_scale * (1.0F - rows.kl_weight * teacher_rest / student_rest);
        const float target_p = std::exp(to_float(logits[target]) - log_sum);
#pragma omp simd
        for (std::int64_t i = 0; i < vocabulary; ++i)
            logits[i] = from_float<T>(exp_approx(to_float(logits[i]) - log_sum) * rest_factor);
        const float target_part = row_scale * (1.0F - rows.kl_weight);
        for (std::int64_t k = 0; k < rows.top_count; ++k) {
            float gradient = row_scale * (top_p[k] - rows.kl_weight * teacher[k]);
            if (tokens[k] == target) gradient -= target_part;
            logits[tokens[k]] = from_float<T>(gradient);
        }
        if (!target_is_top) logits[target] = from_float<T>(target_p * rest_factor - target_part);
    }
}

}  // namespace

MC_CLONES void rms_norm_backward_f32(const NormBackwardRows& rows, std::int64_t begin,
                                     std::int64_t end) {
    rms_norm_backward<float>(rows, begin, end);
}

MC_CLONES void rms_norm_backward_bf16(const NormBackwardRows& rows, std::int64_t begin,
                                      std::int64_t end) {
    rms_norm_backward<Bf16Bits>(rows, begin, end);
}

MC_CLONES void silu_mul_backward_f32(const SiluBackwardRows& rows, std::int64_t begin,
                                     std::int64_t end) {
    silu_mul_backward<float>(rows, begin, end);
}

MC_CLONES void silu_mul_backward_bf16(const SiluBackwardRows& rows, std::int64_t begin,
                                      std::int64_t end) {
    silu_mul_backward<Bf16Bits>(rows, begin, end);
}

MC_CLONES void masked_softmax_f32(const AttentionRows& rows, std::int64_t begin, std::int64_t end) {
    masked_softmax<float>(rows, begin, end);
}

MC_CLONES void masked_softmax_bf16(const AttentionRows& rows, std::int64_t begin,
                                   std::int64_t end) {
    masked_softmax<Bf16Bits>(rows, begin, end);
}

MC_CLONES void softmax_backward_f32(const SoftmaxBackwardRows& rows, std::int64_t begin,
                                    std::int64_t end) {
    softmax_backward<float>(rows, begin, end);
}

MC_CLONES void softmax_backward_bf16(const SoftmaxBackwardRows& rows, std::int64_t begin,
                                     std::int64_t end) {
    softmax_backward<Bf16Bits>(rows, begin, end);
}

MC_CLONES void split_backward_f32(const SplitBackwardRows& rows, std::int64_t begin,
                                  std::int64_t end) {
    split_backward<float>(rows, begin, end);
}

MC_CLONES void split_backward_bf16(const SplitBackwardRows& rows, std::int64_t begin,
                                   std::int64_t end) {
    split_backward<Bf16Bits>(rows, begin, end);
}

MC_CLONES void distillation_f32(const DistillationRows& rows, std::int64_t begin,
                                std::int64_t end) {
    distillation<float>(rows, begin, end);
}

MC_CLONES void distillation_bf16(const DistillationRows& rows, std::int64_t begin,
                                 std::int64_t end) {
    distillation<Bf16Bits>(rows, begin, end);
}

}  // namespace mc::lm

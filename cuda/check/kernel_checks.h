// SPDX-License-Identifier: Apache-2.0
// Every kernel against the CPU's numbers, and how long it takes at the base model's sizes.
//
// Threads: one. Errors: the machine's; a kernel that disagrees is no error but an outcome.
#pragma once

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "cuda/check/attention_cases.h"
#include "cuda/check/cpu_machine.h"
#include "cuda/check/gist_cases.h"

namespace mc::cuda {

struct Outcome {
    CaseSize size;
    double seconds = 0;
    double difference = 0;  // largest; 0 where nothing was compared

    bool agrees() const { return difference <= size.allowed; }
};

// NaN agrees with NaN alone, an infinity with itself.
inline double largest_difference(const std::vector<float>& a, const std::vector<float>& b) {
    if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
    double largest = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        if (a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i]))) continue;
        const double off = std::abs(double{a[i]} - double{b[i]});
        largest =
            std::isnan(off) ? std::numeric_limits<double>::infinity() : std::max(largest, off);
    }
    return largest;
}

template <class Machine, class Case>
Result<Outcome> check_case(Machine& machine, const Case& one, bool compares) {
    Outcome out{one.size()};
    machine.reset();
    MC_ASSIGN(const Ran made, one.run_on(machine, compares));
    out.seconds = made.seconds;
    if (!compares) return out;
    CpuMachine cpu;
    MC_ASSIGN(const Ran expected, one.run_on(cpu, true));
    out.difference = largest_difference(made.numbers, expected.numbers);
    return out;
}

inline constexpr lm::GgmlType kWeightTypes[] = {
    lm::GgmlType::kF32,  lm::GgmlType::kF16,  lm::GgmlType::kBF16, lm::GgmlType::kQ4_0,
    lm::GgmlType::kQ4_1, lm::GgmlType::kQ5_0, lm::GgmlType::kQ5_1, lm::GgmlType::kQ8_0,
    lm::GgmlType::kQ4_K, lm::GgmlType::kQ5_K, lm::GgmlType::kQ6_K};

struct CheckSizes {
    std::int64_t weights;  // a multiple of 256
    std::int64_t rows;     // of weights that a row is multiplied with
    std::int64_t entries;
    std::int64_t gists;
    std::int64_t steps;  // at most keys
    std::int64_t keys;
};

// Quick on the CPU; no size fills its last block of threads.
inline constexpr CheckSizes kComparedSizes{5 * 256, 21, 301, 11, 131, 333};
// The base model's: its longest window, as many weights, and the gists of 32,768 tokens.
inline constexpr CheckSizes kTimedSizes{32LL << 20, 175'000, 8192, 1024, 8192, 8192};

// One outcome after the other goes to report.
template <class Machine, class Report>
Result<void> check_kernels(Machine& machine, const CheckSizes& sizes, bool compares,
                           Report report) {
    const auto check = [&](const auto& one) -> Result<void> {
        MC_ASSIGN(const Outcome outcome, check_case(machine, one, compares));
        report(outcome);
        return {};
    };
    for (const lm::GgmlType type : kWeightTypes)
        MC_TRY(with_format(type, [&](auto format) -> Result<void> {
            using Format = decltype(format);
            const std::string name(lm::ggml_type_name(type));
            MC_TRY(check(DequantizeCase<Format>(name, sizes.weights)));
            return check(ProductCase<Format>(name, sizes.rows));
        }));
    MC_TRY(check(RotateCase(sizes.entries)));
    MC_TRY(check(CodeCase(sizes.gists)));
    MC_TRY(check(PoolCase(sizes.gists)));
    MC_TRY(check(TileCase(sizes.keys, sizes.steps)));
    return check(RowCase(sizes.keys));
}

}  // namespace mc::cuda

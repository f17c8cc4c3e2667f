// SPDX-License-Identifier: Apache-2.0
// What is run of every kernel, at sizes small enough to compare or as large as the base model's.
//
// A case holds its inputs; run_on(machine, brings_back) puts them there, runs the kernel and, if
// asked to, brings back its numbers as f32. Letters as in the kernels' headers. Value types.
// Errors: the machine's.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/rng.h"
#include "cuda/kernel_limits.h"

namespace mc::cuda {

struct Ran {
    std::vector<float> numbers;
    double seconds = 0;
};

// What a run is called, and what it costs at least (docs/cuda.md).
struct CaseSize {
    std::string name;
    std::string sizes;
    double bytes = 0;    // read and written, each once
    double flops = 0;    // of the formula
    double allowed = 0;  // largest difference from the CPU's numbers; 0: the same bits
};

// The base model's sizes: SmolLM2-135M and its compressor.
struct BaseModelSizes {
    static constexpr int kLayers = 30;
    static constexpr int kKvHeads = 3;
    static constexpr int kGroup = 3;
    static constexpr int kHeadDim = 64;
    static constexpr int kPoolingQueries = 4;
    static constexpr int kSharedDims = 128;
    static constexpr int kSharedBytes = 64;
    static constexpr int kHeadBytes = 8;  // the mean of its codebook
    static constexpr int kGistNumbers = kLayers * 2 * kKvHeads * kHeadDim;
};

// Numbers between -bound and bound; above 2^16 the same again, so that large inputs cost no time.
template <class T = float>
std::vector<T> drawn(std::int64_t count, float bound, std::uint64_t seed) {
    constexpr std::size_t kPeriod = 1 << 16;
    Rng rng(seed);
    std::vector<T> out(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] = i < kPeriod ? from_float<T>(bound * static_cast<float>(2 * rng.uniform() - 1))
                             : out[i - kPeriod];
    return out;
}

// Bytes below 2^bits, likewise.
inline std::vector<std::uint8_t> drawn_bytes(std::int64_t count, int bits, std::uint64_t seed) {
    constexpr std::size_t kPeriod = 1 << 16;
    Rng rng(seed);
    std::vector<std::uint8_t> out(static_cast<std::size_t>(count));
    for (std::size_t i = 0; i < out.size(); ++i)
        out[i] =
            i < kPeriod ? static_cast<std::uint8_t>(rng.next() >> (64 - bits)) : out[i - kPeriod];
    return out;
}

template <class T>
std::vector<float> as_floats(const std::vector<T>& numbers) {
    std::vector<float> out;
    out.reserve(numbers.size());
    for (const T x : numbers) out.push_back(to_float(x));
    return out;
}

// What a machine made of a kernel whose numbers are at out.
template <class Machine, class Kernel, class T>
Result<Ran> ran(Machine& machine, const Kernel& kernel, const T* out, std::int64_t count,
                bool brings_back) {
    Ran made;
    MC_ASSIGN(made.seconds, machine.run(kernel));
    if (!brings_back) return made;
    MC_ASSIGN(const std::vector<T> numbers, machine.download(out, static_cast<std::size_t>(count)));
    made.numbers = as_floats(numbers);
    return made;
}

}  // namespace mc::cuda

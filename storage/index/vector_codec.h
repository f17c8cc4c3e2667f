// SPDX-License-Identifier: Apache-2.0
// How a passage's vector becomes bytes, and how a question's vector is compared with them.
//
// Immutable after construction; threads: any. Errors: none; a codec is made for one width.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/result.h"

namespace mc::storage {

// A question's vector, ready to be compared with many codes.
class CodeScorer {
  public:
    virtual ~CodeScorer() = default;

    // Inner product with what a code stands for.
    virtual float score(const std::byte* code) const = 0;
};

class VectorCodec {
  public:
    virtual ~VectorCodec() = default;

    // Kept beside the codes: those of another name cannot be compared.
    virtual const std::string& name() const = 0;
    virtual std::size_t code_bytes() const = 0;
    // Requires: vectors holds whole rows, codes code_bytes() for each.
    virtual Result<void> encode(std::span<const float> vectors,
                                std::span<std::byte> codes) const = 0;
    // Of one code, as many numbers as a vector has.
    virtual void decode(const std::byte* code, std::span<float> vector) const = 0;
    // Sets a bit for each number of decode() that is negative; the words come as zeros.
    virtual void signs(const std::byte* code, std::span<std::uint64_t> words) const = 0;
    virtual std::unique_ptr<CodeScorer> scorer(std::span<const float> query) const = 0;
};

// The bit of each number that is negative, 64 a word; words come as zeros.
void set_signs(std::span<const float> vector, std::span<std::uint64_t> words);

// Two bytes a number, for vectors of any model.
std::unique_ptr<VectorCodec> make_half_codec(std::uint32_t dim);

}  // namespace mc::storage

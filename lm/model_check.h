// SPDX-License-Identifier: Apache-2.0
// Whether a model file is whole and works: what `megacontext model verify` says.
//
// Looks at every tensor (it decodes and every value is finite), at the tokenizer (bytes come back)
// and at one forward pass (finite logits and likelihoods). Cost: decodes the file twice. Threads:
// one. Errors: those of BaseModel::open; what is wrong with a file that opens is a fault.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/hash.h"
#include "core/result.h"
#include "lm/base_model.h"

namespace mc::lm {

struct ModelCheck {
    Hash128 hash;
    std::size_t tensor_count = 0;
    std::uint64_t value_count = 0;
    std::vector<std::string> faults;  // empty: all is well
};

// expected: the hash that the file should have, when known.
Result<ModelCheck> check_model(const ModelOptions& options, std::optional<Hash128> expected);

}  // namespace mc::lm

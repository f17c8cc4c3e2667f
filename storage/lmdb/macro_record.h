// SPDX-License-Identifier: Apache-2.0
// A macro as a store keeps it: an instruction, and the gists that stand for it in a prompt.
//
// The text is kept so that the gists can be made again, for another base model too. Value type.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/hash.h"
#include "tree/gist.h"

namespace mc::storage {

// More would be a document: read it as one.
inline constexpr std::size_t kMacroGistsMax = 32;

struct MacroRecord {
    std::string name;
    std::int64_t created_us = 0;
    std::string text;
    std::uint32_t token_count = 0;  // of the text
    std::string base_model_name;    // whose keys and values the gists are
    Hash128 base_model_hash;
    Hash128 recipe_hash;  // of all that the gists were made from: equal hash, equal gists
    std::uint32_t steps = 0;
    std::uint64_t seed = 0;
    std::vector<Gist> gists;  // in order; without index vectors and statistics
    // Nats a token of the instruction's own answers to inputs that descent never saw: without the
    // instruction, with it, and with the gists.
    float nll_none = 0;
    float nll_full = 0;
    float nll_gists = 0;
    float seconds = 0;  // that making the gists took

    // The share of the instruction's gain that the gists keep; NaN where it gains nothing.
    double gain_kept() const {
        const double gain = static_cast<double>(nll_none) - nll_full;
        return gain > 0 ? (static_cast<double>(nll_none) - nll_gists) / gain
                        : std::numeric_limits<double>::quiet_NaN();
    }
};

}  // namespace mc::storage

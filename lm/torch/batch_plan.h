// SPDX-License-Identifier: Apache-2.0
// Which rows of unequal length run as one batch.
//
// A row shorter than the longest of its batch is padded at its end with that one's entries: nothing
// before the padding sees it. Pure. Errors: none.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

namespace mc::lm {

// Largest share of a batch's entries that may be padding: what one matrix product over many rows
// saves is more than this by far, and what it wastes is never felt.
inline constexpr double kPaddingShareMax = 0.12;

// kinds: one character an entry. Rows by index; in each batch the longest comes first, every other
// row's kinds are a prefix of the first one's, and rows × longest ≤ entries_max unless it is one
// row. Empty rows are in no batch.
std::vector<std::vector<std::size_t>> plan_batches(std::span<const std::string> kinds,
                                                   std::size_t entries_max);

}  // namespace mc::lm

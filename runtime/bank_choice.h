// SPDX-License-Identifier: Apache-2.0
// Which banks of a store a question is asked of.
// Reads only. Errors: kInvalidInput for an empty name; the store's. No name is looked up here.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/store.h"

namespace mc::runtime {

// Every bank of the store, where banks are named; no bank can be called so.
inline constexpr std::string_view kAllBanks = "*";

Result<std::vector<std::string>> bank_names(const storage::Store& store);

// The banks that are meant, each once, in the order in which they are named.
Result<std::vector<std::string>> banks_meant(const storage::Store& store,
                                             std::span<const std::string> named);

}  // namespace mc::runtime

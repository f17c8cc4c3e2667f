// SPDX-License-Identifier: Apache-2.0
// What a bank holds, counted from its records. Value type and free functions.
// Cost: one read per document. Errors: those of the store.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "storage/store.h"

namespace mc::runtime {

struct BankSummary {
    BankRecord bank;
    std::vector<DocumentRecord> documents;
    std::vector<DocumentRecord> versions;  // which the counts below leave out
    std::uint64_t token_count = 0;
    std::uint64_t tokens_without_gists = 0;
    std::uint64_t byte_count = 0;
};

Result<BankSummary> summarize_bank(storage::Store& store, std::string_view name);
Result<std::vector<BankSummary>> summarize_banks(storage::Store& store);

}  // namespace mc::runtime

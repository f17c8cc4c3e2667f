// SPDX-License-Identifier: Apache-2.0
#include "runtime/bank_choice.h"

#include <algorithm>

namespace mc::runtime {

Result<std::vector<std::string>> bank_names(const storage::Store& store) {
    MC_ASSIGN(const auto banks, store.list_banks());
    std::vector<std::string> names;
    for (const BankRecord& bank : banks) names.push_back(bank.name);
    return names;
}

Result<std::vector<std::string>> banks_meant(const storage::Store& store,
                                             std::span<const std::string> named) {
    if (std::ranges::find(named, kAllBanks) != named.end()) return bank_names(store);
    std::vector<std::string> names;
    for (const std::string& name : named) {
        if (name.empty()) return fail(ErrorCode::kInvalidInput, "a bank that is named is empty");
        if (std::ranges::find(names, name) == names.end()) names.push_back(name);
    }
    return names;
}

}  // namespace mc::runtime

// SPDX-License-Identifier: Apache-2.0
#include "runtime/bank_summary.h"

#include <utility>

namespace mc::runtime {

Result<BankSummary> summarize_bank(storage::Store& store, std::string_view name) {
    MC_ASSIGN(const auto nodes, store.bank_store(name));
    BankSummary summary;
    summary.bank = nodes->bank();
    MC_ASSIGN(summary.documents, nodes->list_documents());
    MC_ASSIGN(summary.versions, nodes->list_versions());
    for (const DocumentRecord& document : summary.documents) {
        summary.token_count += document.token_count;
        summary.tokens_without_gists += tokens_without_gists(document);
        summary.byte_count += document.byte_count;
    }
    return summary;
}

Result<std::vector<BankSummary>> summarize_banks(storage::Store& store) {
    MC_ASSIGN(const std::vector<BankRecord> banks, store.list_banks());
    std::vector<BankSummary> summaries;
    for (const BankRecord& bank : banks) {
        MC_ASSIGN(BankSummary summary, summarize_bank(store, bank.name));
        summaries.push_back(std::move(summary));
    }
    return summaries;
}

}  // namespace mc::runtime

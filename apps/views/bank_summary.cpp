// SPDX-License-Identifier: Apache-2.0
#include "apps/views/bank_summary.h"

#include <nlohmann/json.hpp>

#include "apps/terminal/text.h"

namespace mc::apps {

Result<BankSummary> summarize_bank(storage::Store& store, std::string_view name) {
    MC_ASSIGN(const auto nodes, store.bank_store(name));
    BankSummary summary;
    summary.bank = nodes->bank();
    MC_ASSIGN(summary.documents, nodes->list_documents());
    for (const DocumentRecord& document : summary.documents) {
        summary.token_count += document.token_count;
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

Json to_json(const BankSummary& summary) {
    return {{"bank", summary.bank.name},
            {"created_us", summary.bank.created_us},
            {"documents", summary.documents.size()},
            {"tokens", summary.token_count},
            {"bytes", summary.byte_count}};
}

Json documents_json(const BankSummary& summary) {
    Json list = Json::array();
    for (const DocumentRecord& document : summary.documents) list.push_back(to_json(document));
    return list;
}

void print_banks(Output& out, const std::vector<BankSummary>& summaries) {
    using Align = Table::Align;
    Table table({{"bank"},
                 {"documents", Align::kRight},
                 {"tokens", Align::kRight},
                 {"bytes", Align::kRight},
                 {"created"}});
    for (const BankSummary& summary : summaries)
        table.add_row({summary.bank.name, format_count(summary.documents.size()),
                       format_count(summary.token_count), format_count(summary.byte_count),
                       format_time(summary.bank.created_us)});
    table.print(out);
}

}  // namespace mc::apps

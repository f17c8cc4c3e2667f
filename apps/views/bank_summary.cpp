// SPDX-License-Identifier: Apache-2.0
#include "apps/views/bank_summary.h"

#include <nlohmann/json.hpp>

#include "apps/terminal/text.h"

namespace mc::apps {

Json documents_json(const runtime::BankSummary& summary) {
    Json list = Json::array();
    for (const DocumentRecord& document : summary.documents) list.push_back(to_json(document));
    return list;
}

void print_banks(Output& out, const std::vector<runtime::BankSummary>& summaries) {
    using Align = Table::Align;
    Table table({{"bank"},
                 {"documents", Align::kRight},
                 {"tokens", Align::kRight},
                 {"bytes", Align::kRight},
                 {"created"}});
    for (const runtime::BankSummary& summary : summaries)
        table.add_row({summary.bank.name, format_count(summary.documents.size()),
                       format_count(summary.token_count), format_count(summary.byte_count),
                       format_time(summary.bank.created_us)});
    table.print(out);
}

}  // namespace mc::apps

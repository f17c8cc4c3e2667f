// SPDX-License-Identifier: Apache-2.0
#include "apps/views/bank_summary.h"

#include <nlohmann/json.hpp>

#include "apps/terminal/text.h"

namespace mc::apps {

Json documents_json(const runtime::BankSummary& summary) {
    Json list = Json::array();
    const auto counts = versions_by_source(summary.versions);
    for (const DocumentRecord& document : summary.documents) {
        list.push_back(to_json(document));
        const auto kept = counts.find(document.source_name);
        list.back()["versions_kept"] = kept == counts.end() ? 0 : kept->second;
    }
    return list;
}

Json versions_json(const runtime::BankSummary& summary) {
    Json list = Json::array();
    for (const DocumentRecord& version : summary.versions) list.push_back(to_json(version));
    return list;
}

void print_versions(Output& out, const std::vector<DocumentRecord>& versions) {
    using Align = Table::Align;
    Table table({{"document"},
                 {"source"},
                 {"version", Align::kRight},
                 {"tokens", Align::kRight},
                 {"bytes", Align::kRight},
                 {"from"},
                 {"until"}});
    for (const DocumentRecord& version : versions)
        table.add_row({to_text(version.id), printable(version.source_name),
                       std::to_string(version.version), format_count(version.token_count),
                       format_count(version.byte_count), format_time(version.created_us),
                       format_time(version.superseded_us)});
    table.print(out);
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

// SPDX-License-Identifier: Apache-2.0
// Banks as text and, from serve/forms.h, as JSON. Free functions. Errors: none.
#pragma once

#include <vector>

#include "apps/views/render.h"
#include "runtime/bank_summary.h"

namespace mc::apps {

// Each with the number of versions that are kept of it.
Json documents_json(const runtime::BankSummary& summary);
Json versions_json(const runtime::BankSummary& summary);
void print_versions(Output& out, const std::vector<DocumentRecord>& versions);
void print_banks(Output& out, const std::vector<runtime::BankSummary>& summaries);

}  // namespace mc::apps

// SPDX-License-Identifier: Apache-2.0
// Documents, evidence, answers and banks as JSON: one form each, on the command line and in every
// protocol. Keys are stable: they are added, never renamed (docs/cli.md).
// Pure. Errors: none.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "runtime/bank_summary.h"
#include "runtime/focus_session.h"
#include "runtime/ingest.h"
#include "runtime/redaction.h"
#include "serve/protocol/json.h"
#include "tree/records.h"

namespace mc::serve {

// "d7".
std::string to_text(DocumentId document);

// Half-open {"begin":…,"end":…}.
Json to_json(TokenSpan span);
Json to_json(ByteSpan span);
Json to_json(const runtime::DocumentPart& part);
Json to_json(const DocumentRecord& document);
Json to_json(const runtime::Evidence& evidence, std::size_t rank);
Json to_json(const runtime::QueryReport& report);
Json to_json(const runtime::FocusSession::Considered& considered, std::size_t rank);
Json to_json(const runtime::Answer& answer);
// Without the documents, but with their number.
Json to_json(const runtime::BankSummary& summary);

// Complete nodes of each level ≥ 1 of a document: [{"level":1,"nodes":251}, …].
Json levels_json(std::uint64_t gist_end);

// "ingested", "resumed", "extended", "already_there", "replaced".
std::string_view outcome_name(runtime::IngestOutcome outcome);

}  // namespace mc::serve

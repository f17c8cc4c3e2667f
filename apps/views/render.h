// SPDX-License-Identifier: Apache-2.0
// Documents, evidence and answers as text and, from serve/forms.h, as JSON: one form each.
// Pure but for the Output written to. Errors: none.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "apps/terminal/output.h"
#include "runtime/focus_session.h"
#include "serve/forms.h"
#include "tree/records.h"

namespace mc::apps {

// Of what a question found, so many are told with why they are read or left out.
inline constexpr std::size_t kConsideredShown = 10;

// The JSON forms are those of every interface.
using serve::levels_json;
using serve::outcome_name;
using serve::to_json;
using serve::to_text;

// "L1 251, L2 7"; "-" when there is none.
std::string levels_text(std::uint64_t gist_end);
// ", 4,096 tokens without gists yet"; empty when there are none.
std::string waiting_text(const DocumentRecord& document);

// How many there are of each source name.
std::map<std::string, std::size_t> versions_by_source(const std::vector<DocumentRecord>& versions);
// One line per document, with a header and how many of the versions are its own.
void print_documents(Output& out, const std::vector<DocumentRecord>& documents,
                     const std::vector<DocumentRecord>& versions);

// "passages: 38 of 1,024 entries stand for 24 tokens; search 0.004 s, focus 0.012 s".
std::string summary_of(const runtime::QueryReport& report);
// with_banks: where it may be of several.
void print_evidence(Output& out, const std::vector<runtime::Evidence>& evidence,
                    bool with_banks = false);
// Why each passage is read or left out.
void print_considered(Output& out,
                      const std::vector<runtime::FocusSession::Considered>& considered);
Json to_json(const std::vector<runtime::FocusSession::Considered>& considered);
// "41 tokens in 1.9 s, the first after 0.210 s".
std::string summary_of(const runtime::Answer& answer);
// " [1][3]": the evidence that an answer's words come from; empty when they come from none.
std::string source_marks(const runtime::Answer& answer);

}  // namespace mc::apps

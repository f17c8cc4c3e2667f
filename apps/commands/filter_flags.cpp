// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/filter_flags.h"

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

namespace mc::apps {
namespace {

std::string why_no_pair(const std::string& text) {
    const std::size_t sign = text.find('=');
    if (sign != std::string::npos && sign > 0) return {};
    return "\"" + text + "\" is not of the form KEY=VALUE";
}

}  // namespace

void add_filter_flags(CLI::App& app, runtime::RecallFilter& filter) {
    app.add_option("--document", filter.documents, "only this document (repeatable)")
        ->type_name("DOCUMENT")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    app.add_option("--session", filter.session, "only this session")->type_name("NAME");
    app.add_option("--source", filter.source,
                   "only documents of this source name; * in it stands for any characters")
        ->type_name("PATTERN");
    const auto add_pairs = [&filter](const std::vector<std::string>& pairs) {
        for (const std::string& pair : pairs) {
            const std::size_t sign = pair.find('=');
            filter.metadata[pair.substr(0, sign)] = pair.substr(sign + 1);
        }
    };
    app.add_option_function<std::vector<std::string>>(
           "--metadata", add_pairs, "only documents with this in their metadata (repeatable)")
        ->type_name("KEY=VALUE")
        ->expected(1)
        ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)
        ->check(why_no_pair);
    app.add_option("--since", filter.since,
                   "only what happened from then on: 2026-03-01 or 2026-03-01T12:30:00Z")
        ->type_name("TIME");
    app.add_option("--until", filter.until, "only what happened up to then")->type_name("TIME");
    app.add_option("--as-of", filter.as_of,
                   "what the bank held then: kept versions of documents, and nothing newer")
        ->type_name("TIME");
}

}  // namespace mc::apps

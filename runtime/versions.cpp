// SPDX-License-Identifier: Apache-2.0
#include "runtime/versions.h"

#include <algorithm>
#include <utility>

#include "runtime/event_time.h"

namespace mc::runtime {
namespace {

// Every version of a name, the oldest first, then the document that stands.
Result<std::vector<DocumentRecord>> history_of(const NodeStore& nodes, const std::string& name) {
    MC_ASSIGN(auto history, nodes.versions_of(name));
    MC_ASSIGN(auto standing, nodes.find_document_by_source(name));
    if (standing) history.push_back(std::move(*standing));
    return history;
}

// "; it has versions 2, 3 and 4".
std::string numbers_of(const std::vector<DocumentRecord>& history) {
    std::string text = history.size() == 1 ? "; it has version " : "; it has versions ";
    for (std::size_t i = 0; i < history.size(); ++i)
        text += (i == 0                    ? ""
                 : i + 1 == history.size() ? " and "
                                           : ", ") +
                std::to_string(history[i].version);
    return text + ", which bank info --versions lists with their times";
}

}  // namespace

Result<std::int64_t> parse_as_of(const std::string& text) {
    if (const auto time = parse_event_time(text)) return time->end_us - 1;
    return fail(ErrorCode::kInvalidInput, "as_of is \"" + text + "\", and must be of a form like " +
                                              std::string(kEventTimeForm));
}

Result<DocumentRecord> resolve_version(const BankText& text, std::string_view name,
                                       const VersionChoice& choice) {
    std::optional<std::int64_t> at_us;
    if (!choice.as_of.empty()) {
        MC_ASSIGN(at_us, parse_as_of(choice.as_of));
    }
    MC_ASSIGN(DocumentRecord named, text.resolve_document(name));
    if (!choice.number && !at_us) return named;
    if (choice.number && at_us)
        return fail(ErrorCode::kInvalidInput, "say which version by its number or by a time");
    MC_ASSIGN(const auto history, history_of(text.nodes(), named.source_name));
    const auto found = std::ranges::find_if(history, [&](const DocumentRecord& one) {
        return at_us ? was_in_force(one, *at_us) : one.version == *choice.number;
    });
    if (found != history.end()) return *found;
    return fail(ErrorCode::kInvalidInput,
                named.source_name +
                    (at_us ? " said nothing that is kept as of " + choice.as_of
                           : " has no version " + std::to_string(*choice.number)) +
                    numbers_of(history));
}

Result<std::vector<DocumentRecord>> documents_in_force(const NodeStore& nodes, std::int64_t at_us) {
    MC_ASSIGN(auto documents, nodes.list_documents());
    MC_ASSIGN(const auto versions, nodes.list_versions());
    documents.insert(documents.end(), versions.begin(), versions.end());
    std::erase_if(documents, [&](const auto& one) { return !was_in_force(one, at_us); });
    return documents;
}

Result<std::optional<DocumentRecord>> find_in_place_of(const NodeStore& nodes,
                                                       const DocumentRecord& record) {
    if (!is_superseded(record)) return nodes.find_document_by_source(record.source_name);
    MC_ASSIGN(const auto versions, nodes.versions_of(record.source_name));
    const auto found = std::ranges::find(versions, record.version, &DocumentRecord::version);
    if (found != versions.end()) return std::optional(*found);
    MC_ASSIGN(const auto standing, nodes.find_document_by_source(record.source_name));
    if (standing && standing->version <= record.version) return std::optional(*standing);
    return std::optional<DocumentRecord>();
}

std::string describe(const DocumentRecord& document) {
    if (!is_superseded(document)) return document.source_name;
    return "version " + std::to_string(document.version) + " of " + document.source_name;
}

}  // namespace mc::runtime

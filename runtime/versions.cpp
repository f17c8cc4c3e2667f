// SPDX-License-Identifier: Apache-2.0
#include "runtime/versions.h"

#include <algorithm>
#include <functional>
#include <map>
#include <ranges>
#include <set>
#include <utility>

#include "core/span_math.h"
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

// Commits whose lines of the journal are read at once.
constexpr std::uint64_t kCommitsAtOnce = 4096;

// Shows every line of a journal that says when text was added, the newest first, while that is
// wanted.
Result<void> look_back(const NodeStore& nodes,
                       const std::function<bool(const JournalEntry&)>& goes_on) {
    MC_ASSIGN(CommitNumber last, nodes.last_commit());
    while (last.value > 0) {
        const CommitNumber before(last.value - std::min(last.value, kCommitsAtOnce));
        MC_ASSIGN(const auto entries, nodes.journal_between(before, last));
        for (const JournalEntry& entry : std::views::reverse(entries))
            if (entry.added_us != 0 && !goes_on(entry)) return {};
        last = before;
    }
    return {};
}

// The first token that was added after a time to each of the documents that have one. Additions to
// one document stand in the journal in the order of their times.
Result<std::map<DocumentId, std::uint64_t>> first_added_after(const NodeStore& nodes,
                                                              std::int64_t at_us,
                                                              std::set<DocumentId> documents) {
    std::map<DocumentId, std::uint64_t> first;
    if (documents.empty()) return first;
    MC_TRY(look_back(nodes, [&](const JournalEntry& entry) {
        if (!documents.contains(entry.document)) return true;
        if (entry.added_us > at_us)
            first[entry.document] = entry.tokens.begin;
        else
            documents.erase(entry.document);
        return !documents.empty();
    }));
    return first;
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
    MC_ASSIGN(DocumentRecord found, find_version(text, name, choice));
    if (choice.as_of.empty()) return found;
    MC_ASSIGN(const std::int64_t at_us, parse_as_of(choice.as_of));
    DocumentRecord* const documents[] = {&found};
    MC_TRY(take_back(text, at_us, documents));
    return found;
}

Result<DocumentRecord> find_version(const BankText& text, std::string_view name,
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

Result<std::vector<DocumentId>> take_back(const BankText& text, std::int64_t at_us,
                                          std::span<DocumentRecord* const> documents) {
    std::set<DocumentId> added_to;
    for (const DocumentRecord* const document : documents)
        if (document->updated_us > at_us) added_to.insert(document->id);
    MC_ASSIGN(const auto first, first_added_after(text.nodes(), at_us, std::move(added_to)));
    std::vector<DocumentId> shortened;
    for (DocumentRecord* const document : documents) {
        const auto found = first.find(document->id);
        if (found == first.end()) continue;
        const std::uint64_t end = found->second;
        MC_ASSIGN(const ByteSpan bytes, text.byte_span_of(document->id, {0, end}));
        document->token_count = end;
        document->gist_end = std::min(document->gist_end, tail_begin(end));
        document->byte_count = bytes.end;
        document->updated_us = at_us;
        shortened.push_back(document->id);
    }
    return shortened;
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

bool same_content(const DocumentRecord& a, const DocumentRecord& b) {
    return a.content_hash == b.content_hash && a.byte_count == b.byte_count &&
           a.complete == b.complete;
}

std::string describe(const DocumentRecord& document) {
    if (!is_superseded(document)) return document.source_name;
    return "version " + std::to_string(document.version) + " of " + document.source_name;
}

}  // namespace mc::runtime

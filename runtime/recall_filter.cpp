// SPDX-License-Identifier: Apache-2.0
#include "runtime/recall_filter.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "runtime/event_time.h"
#include "runtime/message_times.h"
#include "runtime/remember_request.h"
#include "runtime/versions.h"

namespace mc::runtime {
namespace {

constexpr TimeSpan kAllTime{std::numeric_limits<std::int64_t>::min(),
                            std::numeric_limits<std::int64_t>::max()};

// "*" stands for any characters. Goes back to the last star alone, so a pattern costs at most its
// length times the name's.
bool fits_pattern(std::string_view name, std::string_view pattern) {
    std::size_t n = 0;
    std::size_t p = 0;
    std::size_t star = std::string_view::npos;
    std::size_t star_name = 0;
    while (n < name.size()) {
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            star_name = n;
        } else if (p < pattern.size() && pattern[p] == name[n]) {
            ++p;
            ++n;
        } else if (star != std::string_view::npos) {
            p = star + 1;
            n = ++star_name;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*', p) == std::string_view::npos;
}

bool has_metadata(const DocumentRecord& document, const RecallFilter& filter) {
    for (const auto& [key, value] : filter.metadata) {
        const auto found = document.metadata.find(key);
        if (found == document.metadata.end() || found->second != value) return false;
    }
    return true;
}

Result<std::optional<TimeSpan>> parse_bound(const char* field, const std::string& text) {
    if (text.empty()) return std::optional<TimeSpan>();
    const auto time = parse_event_time(text);
    if (time) return time;
    return fail(ErrorCode::kInvalidInput, std::string(field) + " is \"" + text +
                                              "\", and must be of a form like " +
                                              std::string(kEventTimeForm));
}

Result<TimeSpan> time_of(const RecallFilter& filter) {
    MC_ASSIGN(const auto since, parse_bound("since", filter.since));
    MC_ASSIGN(const auto until, parse_bound("until", filter.until));
    TimeSpan time = kAllTime;
    if (since) time.begin_us = since->begin_us;
    if (until) time.end_us = until->end_us;
    if (time.begin_us < time.end_us) return time;
    return fail(ErrorCode::kInvalidInput,
                "since " + filter.since + " lies after until " + filter.until);
}

Result<void> check_metadata(const RecallFilter& filter) {
    for (const auto& [key, value] : filter.metadata)
        if (key.starts_with(kOwnMetadataPrefix))
            return fail(ErrorCode::kInvalidInput,
                        "metadata " + key + " is the program's own and cannot be asked for");
    return {};
}

TimeSpan time_of(const DocumentRecord& document) {
    const auto told = document.metadata.find(std::string(kEventTimeKey));
    if (told != document.metadata.end())
        if (const auto time = parse_event_time(told->second)) return *time;
    return {document.created_us, document.updated_us + 1};
}

// The ranges of a document that lie in a time, up to a token.
Result<void> add_ranges(const BankText& text, const DocumentRecord& document, TimeSpan time,
                        std::uint64_t end, std::vector<PassageRange>& ranges) {
    if (time == kAllTime || !document.source_name.starts_with(session_document(""))) {
        if (time_of(document).overlaps(time)) ranges.push_back({document.id, {0, end}});
        return {};
    }
    MC_ASSIGN(const auto messages, dated_messages(text, document));
    std::uint64_t begin = 0;
    TimeSpan when = time_of(document);
    for (const DatedMessage& message : messages) {
        if (when.overlaps(time)) ranges.push_back({document.id, {begin, message.first_token}});
        begin = message.first_token;
        when = message.time;
    }
    if (when.overlaps(time)) ranges.push_back({document.id, {begin, end}});
    return {};
}

struct PlacedDocument {
    const BankText* text;  // of its bank
    DocumentRecord document;
};

Result<std::vector<DocumentRecord>> documents_of(const BankText& text, const std::string& as_of) {
    if (as_of.empty()) return text.nodes().list_documents();
    MC_ASSIGN(const std::int64_t at_us, parse_as_of(as_of));
    return documents_in_force(text.nodes(), at_us);
}

// A name may be a document's in each of the banks. In none: what the first says of it.
Result<std::vector<PlacedDocument>> named(const std::string& name, const std::string& as_of,
                                          const std::vector<const BankText*>& banks) {
    std::vector<PlacedDocument> found;
    std::optional<Error> missing;
    for (const BankText* const text : banks) {
        auto document = find_version(*text, name, {{}, as_of});
        if (document)
            found.push_back({text, std::move(*document)});
        else if (document.error().code() != ErrorCode::kInvalidInput)
            return fail(document.error());
        else if (!missing)
            missing = document.error();
    }
    if (found.empty()) return fail(*missing);
    return found;
}

// The documents that a filter names or, where it names none, all; those in force at its time.
Result<std::vector<PlacedDocument>> candidates_of(const RecallFilter& filter,
                                                  std::span<const std::string> names,
                                                  const std::vector<const BankText*>& banks) {
    std::vector<PlacedDocument> candidates;
    for (const std::string& name : names) {
        MC_ASSIGN(auto found, named(name, filter.as_of, banks));
        std::ranges::move(found, std::back_inserter(candidates));
    }
    if (!names.empty()) return candidates;
    for (const BankText* const text : banks) {
        MC_ASSIGN(auto documents, documents_of(*text, filter.as_of));
        for (DocumentRecord& document : documents)
            candidates.push_back({text, std::move(document)});
    }
    return candidates;
}

// What was added after a time leaves the documents; of which it did.
Result<std::set<DocumentId>> take_back_all(const std::string& as_of,
                                           const std::vector<const BankText*>& banks,
                                           std::vector<PlacedDocument>& places) {
    std::set<DocumentId> shortened;
    if (as_of.empty()) return shortened;
    MC_ASSIGN(const std::int64_t at_us, parse_as_of(as_of));
    for (const BankText* const text : banks) {
        std::vector<DocumentRecord*> documents;
        for (PlacedDocument& place : places)
            if (place.text == text) documents.push_back(&place.document);
        MC_ASSIGN(const auto ids, take_back(*text, at_us, documents));
        shortened.insert(ids.begin(), ids.end());
    }
    return shortened;
}

}  // namespace

RecallScope RecallScope::of(std::vector<DocumentId> documents) {
    RecallScope scope;
    scope.is_everything = documents.empty();
    scope.ranges = ranges_of(documents);
    scope.documents = std::move(documents);
    return scope;
}

bool RecallScope::holds_any(DocumentId document, TokenSpan tokens) const {
    return is_everything || std::ranges::any_of(ranges, [&](const PassageRange& range) {
               return range.document == document && range.first_tokens.begin < tokens.end &&
                      tokens.begin < range.first_tokens.end;
           });
}

Result<RecallScope> resolve(const RecallFilter& filter, const std::vector<const BankText*>& banks) {
    MC_TRY(check_metadata(filter));
    MC_ASSIGN(const TimeSpan time, time_of(filter));
    std::vector<std::string> names = filter.documents;
    if (!filter.session.empty()) names.push_back(session_document(filter.session));
    const bool narrows = !filter.source.empty() || !filter.metadata.empty() ||
                         !filter.as_of.empty() || time != kAllTime;
    if (names.empty() && !narrows) return RecallScope();
    MC_ASSIGN(auto places, candidates_of(filter, names, banks));
    MC_ASSIGN(const auto shortened, take_back_all(filter.as_of, banks, places));
    if (!narrows) {
        std::vector<DocumentId> ids;
        for (const PlacedDocument& place : places) ids.push_back(place.document.id);
        return RecallScope::of(std::move(ids));
    }
    RecallScope scope;
    scope.is_everything = false;
    for (const auto& [text, document] : places) {
        if (!filter.source.empty() && !fits_pattern(document.source_name, filter.source)) continue;
        if (!has_metadata(document, filter)) continue;
        const bool is_shortened = shortened.contains(document.id);
        const std::uint64_t end = is_shortened ? document.token_count : UINT64_MAX;
        MC_TRY(add_ranges(*text, document, time, end, scope.ranges));
        if (is_superseded(document)) scope.versions.push_back(document);
        if (is_shortened) scope.shortened.push_back(document);
    }
    return scope;
}

}  // namespace mc::runtime

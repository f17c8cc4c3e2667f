// SPDX-License-Identifier: Apache-2.0
#include "runtime/recall_filter.h"

#include <algorithm>
#include <limits>
#include <optional>
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

// The documents that a filter names or, where it names none, all; those in force at its time.
Result<std::vector<DocumentRecord>> candidates_of(const RecallFilter& filter,
                                                  std::span<const std::string> names,
                                                  const BankText& text) {
    std::vector<DocumentRecord> documents;
    for (const std::string& name : names) {
        MC_ASSIGN(documents.emplace_back(), resolve_version(text, name, {{}, filter.as_of}));
    }
    if (!names.empty()) return documents;
    if (filter.as_of.empty()) return text.nodes().list_documents();
    MC_ASSIGN(const std::int64_t at_us, parse_as_of(filter.as_of));
    return documents_in_force(text.nodes(), at_us);
}

// The ranges of a document that lie in a time.
Result<void> add_ranges(const BankText& text, const DocumentRecord& document, TimeSpan time,
                        std::vector<PassageRange>& ranges) {
    if (time == kAllTime || !document.source_name.starts_with(session_document(""))) {
        if (time_of(document).overlaps(time)) ranges.push_back({document.id});
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
    if (when.overlaps(time)) ranges.push_back({document.id, {begin, UINT64_MAX}});
    return {};
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

Result<RecallScope> resolve(const RecallFilter& filter, const BankText& text) {
    MC_TRY(check_metadata(filter));
    MC_ASSIGN(const TimeSpan time, time_of(filter));
    std::vector<std::string> names = filter.documents;
    if (!filter.session.empty()) names.push_back(session_document(filter.session));
    if (filter.source.empty() && filter.metadata.empty() && filter.as_of.empty() &&
        time == kAllTime) {
        MC_ASSIGN(std::vector<DocumentId> named, text.resolve_documents(names));
        return RecallScope::of(std::move(named));
    }
    MC_ASSIGN(const auto documents, candidates_of(filter, names, text));
    RecallScope scope;
    scope.is_everything = false;
    for (const DocumentRecord& document : documents) {
        if (!filter.source.empty() && !fits_pattern(document.source_name, filter.source)) continue;
        if (!has_metadata(document, filter)) continue;
        MC_TRY(add_ranges(text, document, time, scope.ranges));
        if (is_superseded(document)) scope.versions.push_back(document);
    }
    return scope;
}

}  // namespace mc::runtime

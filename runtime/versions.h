// SPDX-License-Identifier: Apache-2.0
// What a document said before: the version of a number, or the one in force at a time.
//
// A version is in force from when its text was taken in until other content took its place. A
// document that was added to, as a session is with every message, says what it said at a time:
// nothing that was added later.
// Reads only. Threads: one. Errors: kInvalidInput for a document, a version or a time that is not
// there, naming it; the store's.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "runtime/search/bank_text.h"

namespace mc::runtime {

// Of a document: none of them, the one that stands; at most one is given.
struct VersionChoice {
    std::optional<std::uint64_t> number;
    std::string as_of;  // RFC 3339; a day is meant to its end
};

// The last microsecond that a time means. Errors: kInvalidInput for a text that is no time.
Result<std::int64_t> parse_as_of(const std::string& text);

// name: as BankText::resolve_document() takes it; the id of a version names its document too. As of
// a time as take_back() leaves it.
Result<DocumentRecord> resolve_version(const BankText& text, std::string_view name,
                                       const VersionChoice& choice);
// The same with all that was added to it until now.
Result<DocumentRecord> find_version(const BankText& text, std::string_view name,
                                    const VersionChoice& choice);

// All that was in force at a time, versions last, with all that was added until now. Cost: every
// document's record.
Result<std::vector<DocumentRecord>> documents_in_force(const NodeStore& nodes, std::int64_t at_us);

// Takes back what was added to documents of a bank after a time, and gives those back that it was
// taken from: their tokens, bytes, gists and last addition are those of then, their content hash is
// of now. What a program added that did not say when stays. Requires: each was in force.
// Cost: where any was added to since, the journal from its end to what stood at that time of each.
Result<std::vector<DocumentId>> take_back(const BankText& text, std::int64_t at_us,
                                          std::span<DocumentRecord* const> documents);

// What has a record's place: the document of its name; for a version the one of its number, or the
// document where that has no greater number. nullopt: the place is free.
Result<std::optional<DocumentRecord>> find_in_place_of(const NodeStore& nodes,
                                                       const DocumentRecord& record);

// Whether what has a record's place says the same, as far as it goes.
bool same_content(const DocumentRecord& a, const DocumentRecord& b);

// "notes.txt", or "version 2 of notes.txt".
std::string describe(const DocumentRecord& document);

}  // namespace mc::runtime

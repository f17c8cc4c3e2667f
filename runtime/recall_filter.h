// SPDX-License-Identifier: Apache-2.0
// Which part of a bank, or of several, a question is asked of, and the passages that lie in it.
//
// `documents` and `session` name places to look in; everything else narrows that, and all of it has
// to hold. The search itself is kept to what fits (PassageIndex), so a passage that fits is found
// however many others are nearer to the question. Threads: one. Errors: kInvalidInput for a
// document that is in none of the banks, a time that is none, since after until, and metadata that
// the program keeps for itself; the store's. Cost: names alone, a record each; anything else, every
// document's record, and for times the text of every session that may hold one.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/result.h"
#include "runtime/search/bank_text.h"
#include "tree/passage_index.h"

namespace mc::runtime {

struct RecallFilter {
    std::vector<std::string> documents;  // "d7", "7" or source names
    std::string session;
    std::string source;  // source name; "*" in it stands for any characters
    std::map<std::string, std::string> metadata;  // of the document, each as given
    // Event time from and up to, RFC 3339; a day is meant whole. What has no event time counts by
    // when it was stored.
    std::string since;
    std::string until;
    // What the bank said at this time, RFC 3339: versions that were in force then, and nothing that
    // was taken in, said or added later.
    std::string as_of;
};

struct RecallScope {
    bool is_everything = true;
    std::vector<DocumentId> documents;      // that are named, and meant whole
    std::vector<PassageRange> ranges;       // that fit; none of everything
    std::vector<DocumentRecord> versions;   // of the documents that fit, those no search knows yet
    std::vector<DocumentRecord> shortened;  // of all that fit, those to which more was added since

    // These documents; everything where there are none.
    static RecallScope of(std::vector<DocumentId> documents);

    bool is_nothing() const { return !is_everything && ranges.empty(); }

    bool holds_any(DocumentId document, TokenSpan tokens) const;
};

// Documents have ids of their own in a store, so one scope is of all banks.
Result<RecallScope> resolve(const RecallFilter& filter, const std::vector<const BankText*>& banks);

}  // namespace mc::runtime

// SPDX-License-Identifier: Apache-2.0
// Forgetting documents, and parts of one: text, gists, use and what the index holds of them; of a
// document a tombstone stays, of a part a line in the document's metadata.
//
// A document is announced, taken out of the index while its text is still there to say what to take
// out, then erased from the store in one transaction. A kill in between leaves the announcement,
// and whoever opens the bank for writing next goes on. Gists of other documents never read a
// forgotten one, because read windows end with their document; of a document's own gists see
// runtime/redaction.h. Ownership: borrows the session.
// Threads: one. Errors: kInvalidInput for a document that is not there, naming it, before anything
// is forgotten; those of store and index.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "runtime/bank_session.h"
#include "runtime/redaction.h"

namespace mc::runtime {

// Bytes of a document; an end that is not given is the document's own.
struct ByteRange {
    std::optional<std::uint64_t> begin;
    std::optional<std::uint64_t> end;
};

// Which documents: these, those not added to for so long, or all. Exactly one. A document's
// versions go with it, and with any part of it, because they may say the same.
struct ForgetChoice {
    std::vector<std::string> documents;  // "d7", "7" or the source name
    std::optional<std::int64_t> older_than_us;
    bool all = false;
    // Of one document: forget these stretches alone, widened to whole tokens.
    std::vector<ByteRange> bytes;
    bool versions_only = false;  // versions of these documents, those that are as old, or all
};

struct ForgetReport {
    std::vector<DocumentRecord> documents;  // as they were
    std::vector<DocumentRecord> versions;   // wholly, with any part of their document
    std::vector<DocumentPart> parts;        // of the one document; empty: all of each
    std::uint64_t token_count = 0;          // without the versions'
    std::uint64_t byte_count = 0;

    bool is_empty() const { return documents.empty() && versions.empty(); }
};

// What forgetting these documents would take away; changes nothing. In order of id, each once.
// Errors: kUsage for a choice that is none or several, and for stretches of several documents or of
// a version; those of parts_of().
Result<ForgetReport> plan_forget(BankSession& session, const ForgetChoice& choice);

// What a plan says; when it returns, none of it can be found or read. progress: documents done.
// Requires: the engine has its model where the plan has parts.
Result<void> forget(BankSession& session, const ForgetReport& plan, const std::string& reason,
                    const std::function<void(std::size_t done)>& progress = {});

// Writes the store's files anew, without free pages and with nothing in them of what was ever
// forgotten, in any bank. open_session: the engine's open session, null where none is; no other may
// be open. Errors: kLocked while another process has the store open. Cost: writes all that is
// stored.
Result<void> rewrite_store(Engine& engine, BankSession* open_session);

// Goes on with what was announced and not completed; parts wait for an engine that has its model.
// BankSession::open does it for writers.
Result<void> finish_forgetting(BankSession& session);

}  // namespace mc::runtime

// SPDX-License-Identifier: Apache-2.0
#include "runtime/forget.h"

#include <set>
#include <utility>

namespace mc::runtime {
namespace {

// Requires: it is announced.
Result<void> erase(BankSession& session, DocumentId document) {
    MC_ASSIGN(BankSearch* const search, session.search());
    MC_ASSIGN(const DocumentRecord record, session.text().require_document(document));
    MC_TRY(search->remove_document(record));
    MC_TRY(session.nodes().forget(document));
    return session.index_now();
}

Result<void> purge_index(BankSession& session) {
    MC_ASSIGN(BankSearch* const search, session.search());
    return search->purge();
}

Result<std::vector<DocumentId>> chosen(BankSession& session, const ForgetChoice& choice) {
    const int ways = (choice.documents.empty() ? 0 : 1) + (choice.all ? 1 : 0) +
                     (choice.older_than_us.has_value() ? 1 : 0);
    if (ways != 1)
        return fail(ErrorCode::kUsage,
                    "say what to forget in one way: documents, older than an age, or all");
    if (!choice.documents.empty()) return session.text().resolve_documents(choice.documents);
    const std::int64_t newest_us =
        session.engine().clock().now_us() - choice.older_than_us.value_or(0);
    std::vector<DocumentId> ids;
    MC_ASSIGN(const auto documents, session.nodes().list_documents());
    for (const DocumentRecord& document : documents)
        if (choice.all || document.updated_us <= newest_us) ids.push_back(document.id);
    return ids;
}

}  // namespace

Result<ForgetReport> plan_forget(BankSession& session, const ForgetChoice& choice) {
    MC_ASSIGN(const auto ids, chosen(session, choice));
    ForgetReport report;
    for (const DocumentId id : std::set<DocumentId>(ids.begin(), ids.end())) {
        MC_ASSIGN(DocumentRecord record, session.text().require_document(id));
        report.token_count += record.token_count;
        report.byte_count += record.byte_count;
        report.documents.push_back(std::move(record));
    }
    return report;
}

Result<void> forget(BankSession& session, const ForgetReport& plan, const std::string& reason,
                    const std::function<void(std::size_t done)>& progress) {
    const std::int64_t now_us = session.engine().clock().now_us();
    std::vector<Tombstone> tombstones;
    for (const DocumentRecord& document : plan.documents)
        tombstones.push_back({document.id, now_us, document.token_count, reason});
    MC_TRY(session.nodes().announce_forgets(tombstones));
    std::size_t done = 0;
    for (const DocumentRecord& document : plan.documents) {
        MC_TRY_CONTEXT(erase(session, document.id), "forgetting " + document.source_name);
        if (progress) progress(++done);
    }
    return {};
}

Result<void> purge(BankSession& session) {
    storage::Store& store = session.engine().store();
    MC_ASSIGN(const auto banks, store.list_banks());
    for (const BankRecord& bank : banks) {
        if (bank.id == session.nodes().bank().id) {
            MC_TRY(purge_index(session));
        } else {
            MC_ASSIGN(const auto other, BankSession::open(session.engine(), bank.name, false));
            MC_TRY(purge_index(*other));
        }
    }
    return store.purge();
}

Result<void> finish_forgetting(BankSession& session) {
    MC_ASSIGN(const auto announced, session.nodes().announced_forgets());
    for (const Tombstone& tombstone : announced) MC_TRY(erase(session, tombstone.document));
    return {};
}

}  // namespace mc::runtime

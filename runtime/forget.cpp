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

Result<ForgetReport> plan_parts(BankSession& session, const ForgetChoice& choice,
                                std::span<const DocumentId> ids) {
    if (choice.documents.size() != 1)
        return fail(ErrorCode::kUsage, "stretches of bytes are those of one document: name it");
    ForgetReport report;
    MC_ASSIGN(DocumentRecord record, session.text().require_document(ids.front()));
    std::vector<ByteSpan> spans;
    for (const ByteRange& range : choice.bytes) {
        MC_ASSIGN(const ByteSpan span, byte_span_in(record, range.begin, range.end));
        spans.push_back(span);
    }
    MC_ASSIGN(report.parts, parts_of(session.text(), record, spans));
    for (const DocumentPart& part : report.parts) {
        report.token_count += part.tokens.count();
        report.byte_count += part.bytes.count();
    }
    report.documents.push_back(std::move(record));
    return report;
}

}  // namespace

Result<ForgetReport> plan_forget(BankSession& session, const ForgetChoice& choice) {
    MC_ASSIGN(const auto ids, chosen(session, choice));
    if (!choice.bytes.empty()) return plan_parts(session, choice, ids);
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
    std::vector<TokenSpan> parts;
    for (const DocumentPart& part : plan.parts) parts.push_back(part.tokens);
    std::vector<Tombstone> tombstones;
    for (const DocumentRecord& document : plan.documents)
        tombstones.push_back({document.id, now_us, document.token_count, reason, parts});
    MC_TRY(session.nodes().announce_forgets(tombstones));
    if (!parts.empty()) return redact(session, tombstones.front());
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
    for (const Tombstone& tombstone : announced) {
        if (tombstone.parts.empty())
            MC_TRY(erase(session, tombstone.document));
        else if (session.engine().has_model())
            MC_TRY(redact(session, tombstone));
    }
    return {};
}

}  // namespace mc::runtime

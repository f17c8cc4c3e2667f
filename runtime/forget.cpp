// SPDX-License-Identifier: Apache-2.0
#include "runtime/forget.h"

#include <map>
#include <utility>

#include "runtime/versions.h"

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

Result<void> check_one_way(const ForgetChoice& choice) {
    const int ways = (choice.documents.empty() ? 0 : 1) + (choice.all ? 1 : 0) +
                     (choice.older_than_us.has_value() ? 1 : 0);
    if (ways != 1)
        return fail(ErrorCode::kUsage,
                    "say what to forget in one way: documents, older than an age, or all");
    if (choice.bytes.empty()) return {};
    if (choice.documents.size() != 1)
        return fail(ErrorCode::kUsage, "stretches of bytes are those of one document: name it");
    if (choice.versions_only)
        return fail(ErrorCode::kUsage, "versions are forgotten whole: leave the bytes out");
    return {};
}

// Documents that stand and versions that were named, by id each once.
Result<std::map<DocumentId, DocumentRecord>> chosen(BankSession& session,
                                                    const ForgetChoice& choice) {
    std::map<DocumentId, DocumentRecord> found;
    for (const std::string& name : choice.documents) {
        MC_ASSIGN(DocumentRecord record, session.text().resolve_document(name));
        found.emplace(record.id, std::move(record));
    }
    if (!choice.documents.empty()) return found;
    const std::int64_t newest_us =
        session.engine().clock().now_us() - choice.older_than_us.value_or(0);
    MC_ASSIGN(auto records, session.nodes().list_documents());
    MC_ASSIGN(const auto versions, session.nodes().list_versions());
    records.insert(records.end(), versions.begin(), versions.end());
    for (DocumentRecord& record : records)
        if (choice.all || record.updated_us <= newest_us)
            found.emplace(record.id, std::move(record));
    return found;
}

// Where older versions alone are chosen by age, the document that stands says nothing of them.
bool takes_versions_along(const ForgetChoice& choice) {
    return !choice.versions_only || !choice.older_than_us.has_value();
}

Result<void> plan_parts(BankSession& session, const ForgetChoice& choice, ForgetReport& report) {
    if (report.documents.empty())
        return fail(ErrorCode::kUsage, "a version is forgotten whole: leave the bytes out");
    std::vector<ByteSpan> spans;
    for (const ByteRange& range : choice.bytes) {
        MC_ASSIGN(const ByteSpan span,
                  byte_span_in(report.documents.front(), range.begin, range.end));
        spans.push_back(span);
    }
    MC_ASSIGN(report.parts, parts_of(session.text(), report.documents.front(), spans));
    return {};
}

}  // namespace

Result<ForgetReport> plan_forget(BankSession& session, const ForgetChoice& choice) {
    MC_TRY(check_one_way(choice));
    MC_ASSIGN(const auto records, chosen(session, choice));
    ForgetReport report;
    std::map<DocumentId, DocumentRecord> versions;
    for (const auto& [id, record] : records) {
        if (is_superseded(record)) {
            versions.emplace(id, record);
            continue;
        }
        if (!choice.versions_only) report.documents.push_back(record);
        if (!takes_versions_along(choice)) continue;
        MC_ASSIGN(const auto own, session.nodes().versions_of(record.source_name));
        for (const DocumentRecord& version : own) versions.emplace(version.id, version);
    }
    for (auto& [id, version] : versions) report.versions.push_back(std::move(version));
    if (!choice.bytes.empty()) MC_TRY(plan_parts(session, choice, report));
    for (const DocumentPart& part : report.parts) {
        report.token_count += part.tokens.count();
        report.byte_count += part.bytes.count();
    }
    for (const DocumentRecord& document : report.documents) {
        report.token_count += report.parts.empty() ? document.token_count : 0;
        report.byte_count += report.parts.empty() ? document.byte_count : 0;
    }
    return report;
}

// Versions first: whoever is killed in between finds no part of the document in them.
Result<void> forget(BankSession& session, const ForgetReport& plan, const std::string& reason,
                    const std::function<void(std::size_t done)>& progress) {
    const std::int64_t now_us = session.engine().clock().now_us();
    std::vector<TokenSpan> parts;
    for (const DocumentPart& part : plan.parts) parts.push_back(part.tokens);
    std::vector<Tombstone> tombstones;
    std::vector<DocumentRecord> wholly = plan.versions;
    if (parts.empty())
        wholly.insert(wholly.end(), plan.documents.begin(), plan.documents.end());
    else
        tombstones.push_back(
            {plan.documents.front().id, now_us, plan.documents.front().token_count, reason, parts});
    for (const DocumentRecord& document : wholly)
        tombstones.push_back({document.id, now_us, document.token_count, reason});
    MC_TRY(session.nodes().announce_forgets(tombstones));
    std::size_t done = 0;
    for (const DocumentRecord& document : wholly) {
        MC_TRY_CONTEXT(erase(session, document.id), "forgetting " + describe(document));
        if (progress) progress(++done);
    }
    return parts.empty() ? Result<void>() : redact(session, tombstones.front());
}

Result<void> rewrite_store(Engine& engine, BankSession* open_session) {
    MC_ASSIGN(const auto banks, engine.store().list_banks());
    for (const BankRecord& bank : banks) {
        if (open_session != nullptr && bank.id == open_session->nodes().bank().id) {
            MC_TRY(purge_index(*open_session));
        } else {
            MC_ASSIGN(const auto session, BankSession::open(engine, bank.name, false));
            MC_TRY(purge_index(*session));
        }
    }
    return engine.store().purge();
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

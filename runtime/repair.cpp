// SPDX-License-Identifier: Apache-2.0
#include "runtime/repair.h"

#include <algorithm>
#include <map>
#include <memory>
#include <system_error>
#include <utility>

#include "runtime/bank_session.h"
#include "runtime/bank_transfer.h"
#include "runtime/foreign_gists.h"
#include "runtime/store_key.h"
#include "runtime/versions.h"
#include "storage/portable/import_document.h"

namespace mc::runtime {
namespace {

class Repair {
  public:
    Repair(const Config& from, const Path& into, const storage::SalvagedStore& damaged,
           const RepairOptions& options)
        : from_(from), into_(from), damaged_(damaged), options_(options) {
        into_.store = into;
    }

    Result<RepairReport> run(telemetry::Metrics& metrics);

  private:
    Result<void> examine();
    Result<void> open_target(telemetry::Metrics& metrics);
    Result<BankSession*> session_of(const std::string& bank);
    Result<void> save(const storage::SalvagedDocument& document);
    Result<DocumentRecord> encode(NodeStore& nodes, const storage::SalvagedDocument& document);
    Result<void> save_tombstones();

    bool takes_gists(const storage::SalvagedDocument& document) const {
        return document.has_gists && report_.why_encoded.empty();
    }

    const Config& from_;
    Config into_;
    const storage::SalvagedStore& damaged_;
    const RepairOptions& options_;
    SystemClock clock_;
    std::vector<storage::SalvagedDocument> whole_;
    std::unique_ptr<Engine> engine_;
    std::map<std::string, std::unique_ptr<BankSession>> sessions_;
    RepairReport report_;
};

Result<void> Repair::examine() {
    MC_ASSIGN(const auto tokenizer, lm::Tokenizer::open(from_.model));
    const auto& meta = damaged_.meta();
    if (meta && meta->identity.tokenizer_hash != tokenizer->hash())
        return fail(ErrorCode::kModelMismatch,
                    "the store at " + from_.store.string() + " holds tokens of " +
                        meta->identity.base_model_name + ", not of " + from_.model.string() +
                        "; pass --model with the file it was made with");
    for (auto& document : damaged_.documents(text_by(*tokenizer))) {
        if (document.is_whole) {
            whole_.push_back(std::move(document));
            continue;
        }
        const DocumentRecord& record = document.record;
        const char* const reason =
            document.is_nameless    ? "its record and some of its tokens are lost"
            : document.lost.empty() ? "its text does not have the hash of its record"
                                    : "some of its tokens are lost";
        report_.lost.push_back({document.bank, record.id, record.source_name, record.byte_count,
                                reason, std::move(document.lost)});
    }
    if (!whole_.empty()) return {};
    return fail(ErrorCode::kCorruption,
                "no whole document was found in " + (from_.store / "data.mdb").string() + " (" +
                    std::to_string(damaged_.summary().records) + " sound records, " +
                    std::to_string(report_.lost.size()) +
                    " documents that are not whole); nothing was written");
}

Result<void> Repair::open_target(telemetry::Metrics& metrics) {
    MC_ASSIGN(const auto existing, existing_store(into_, clock_));
    if (!damaged_.meta()) {
        report_.why_encoded = "the record that says what made its gists is lost";
    } else {
        MC_ASSIGN(report_.why_encoded, why_not_their_gists(into_, *damaged_.meta(), existing));
    }
    if (!existing && report_.why_encoded.empty())
        MC_TRY(make_store_for(into_, *damaged_.meta(), clock_));
    const bool encodes = !std::ranges::all_of(
        whole_, [&](const storage::SalvagedDocument& document) { return takes_gists(document); });
    MC_ASSIGN(engine_, Engine::open(into_, encodes ? Need::kModel : Need::kTokenizer,
                                    Access::kWrite, metrics));
    return {};
}

Result<BankSession*> Repair::session_of(const std::string& bank) {
    std::unique_ptr<BankSession>& session = sessions_[bank];
    if (!session) {
        MC_ASSIGN(session, BankSession::open(*engine_, bank, true));
    }
    return session.get();
}

Result<DocumentRecord> Repair::encode(NodeStore& nodes, const storage::SalvagedDocument& document) {
    const auto pieces = damaged_.pieces(document, false);
    MC_TRY(pieces->rewind());
    const auto next = [&]() -> Result<std::optional<storage::MadePiece>> {
        MC_ASSIGN(auto piece, pieces->next());
        using Made = std::optional<storage::MadePiece>;
        if (!piece) return Made();
        if (auto* original = std::get_if<OriginalRecord>(&*piece))
            return Made(std::move(*original));
        if (auto* bytes = std::get_if<storage::OriginalPiece>(&*piece))
            return Made(std::move(*bytes));
        return Made(std::move(std::get<storage::TokenChunk>(*piece).tokens));
    };
    const auto size_of = [&](TokenId token) {
        return static_cast<std::uint16_t>(engine_->tokenizer().bytes_of(token).size());
    };
    return storage::import_encoding(nodes, document.record,
                                    {engine_->encoder(), next, size_of, options_.cancelled});
}

Result<void> Repair::save(const storage::SalvagedDocument& document) {
    if (options_.cancelled && options_.cancelled->load())
        return fail(ErrorCode::kCancelled,
                    "interrupted; whole documents are saved, and the same command goes on");
    const DocumentRecord& record = document.record;
    MC_ASSIGN(BankSession* const session, session_of(document.bank));
    NodeStore& nodes = session->nodes();
    MC_ASSIGN(const auto held, find_in_place_of(nodes, record));
    if (held &&
        (held->content_hash != record.content_hash || held->byte_count != record.byte_count)) {
        report_.lost.push_back({document.bank,
                                record.id,
                                record.source_name,
                                record.byte_count,
                                "other content has its name in " + into_.store.string(),
                                {}});
        return {};
    }
    SavedDocument saved{{},
                        document.bank,
                        record.id,
                        document.is_nameless,
                        document.original_is_lost,
                        !held && !takes_gists(document)};
    if (held) {
        saved.record = *held;
    } else if (takes_gists(document)) {
        const auto pieces = damaged_.pieces(document, true);
        MC_ASSIGN(saved.record, storage::import_document(nodes, record, *pieces));
    } else {
        MC_ASSIGN(saved.record, encode(nodes, document));
    }
    report_.saved.push_back(std::move(saved));
    return {};
}

Result<void> Repair::save_tombstones() {
    for (const auto& [bank, tombstones] : damaged_.tombstones()) {
        MC_ASSIGN(BankSession* const session, session_of(bank));
        MC_TRY(storage::import_tombstones(session->nodes(), tombstones));
    }
    return {};
}

Result<RepairReport> Repair::run(telemetry::Metrics& metrics) {
    report_.scan = damaged_.summary();
    MC_TRY(examine());
    MC_TRY(open_target(metrics));
    std::size_t done = 0;
    for (const storage::SalvagedDocument& document : whole_) {
        MC_TRY_CONTEXT(save(document), "saving " + document.record.source_name);
        if (options_.progress) options_.progress(++done, whole_.size());
    }
    MC_TRY(save_tombstones());
    for (const auto& [bank, session] : sessions_) MC_TRY(session->index_now());
    return std::move(report_);
}

}  // namespace

Result<RepairReport> repair_store(const Config& config, const Path& into,
                                  telemetry::Metrics& metrics, const RepairOptions& options) {
    std::error_code failed;
    if (std::filesystem::equivalent(into, config.store, failed) && !failed)
        return fail(ErrorCode::kUsage, "--into " + into.string() +
                                           " is the damaged store itself: name another folder");
    MC_ASSIGN(const auto key, store_key_of(config));
    MC_ASSIGN(const auto damaged, storage::SalvagedStore::open(config.store, pointer_to(key)));
    return Repair(config, into, *damaged, options).run(metrics);
}

}  // namespace mc::runtime

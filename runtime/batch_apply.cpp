// SPDX-License-Identifier: Apache-2.0
#include "runtime/batch_apply.h"

#include "runtime/bank_transfer.h"
#include "runtime/versions.h"
#include "storage/portable/import_document.h"

namespace mc::runtime {
namespace {

class Application {
  public:
    Application(BankSession& session, storage::BankFile& file, const LogPosition& position)
        : session_(session), file_(file), position_(position) {
        visit_.text_of = text_by(session.engine().tokenizer());
    }

    Result<AppliedBatch> run() {
        if (!storage::takes_gists_of(session_.engine().store().meta(), file_.head().meta))
            return fail(ErrorCode::kModelMismatch,
                        "the batch's gists are of another base model, encoder or codec (" +
                            file_.head().meta.identity.base_model_name + ", " +
                            file_.head().meta.identity.encoder.name +
                            ") than this store's: run workers and servers with the same settings");
        // All of it is read before any of it is taken.
        visit_.on_document = [this](storage::FileDocument&) -> Result<void> {
            ++documents_;
            return {};
        };
        MC_TRY(file_.walk(visit_));
        if (documents_ != 1)
            return fail(ErrorCode::kCorruption,
                        "a batch of " + std::to_string(documents_) + " documents, and not of one");
        visit_.on_document = [this](storage::FileDocument& document) { return take(document); };
        MC_TRY(file_.walk(visit_));
        if (!is_recorded_) MC_TRY(storage::set_log_position(session_.nodes(), position_));
        return std::move(applied_);
    }

  private:
    Result<void> take(storage::FileDocument& document) {
        NodeStore& nodes = session_.nodes();
        MC_ASSIGN(const auto held, find_in_place_of(nodes, document.record()));
        applied_.was_there = held && same_content(*held, document.record());
        if (applied_.was_there) return {};
        if (held) {
            applied_.refused.emplace(
                ErrorCode::kInvalidInput,
                "the bank holds other content under the name " + document.record().source_name);
            return {};
        }
        MC_ASSIGN(const DocumentRecord made,
                  storage::import_document(nodes, document.record(), document, position_));
        is_recorded_ = true;
        applied_.tokens = made.token_count;
        return session_.index_soon(made.token_count);
    }

    BankSession& session_;
    storage::BankFile& file_;
    const LogPosition position_;
    storage::BankFile::Visit visit_;
    std::uint64_t documents_ = 0;
    bool is_recorded_ = false;
    AppliedBatch applied_;
};

}  // namespace

Result<AppliedBatch> apply_batch(BankSession& session, const Path& file,
                                 const LogPosition& position) {
    MC_ASSIGN(const auto opened, storage::BankFile::open(file));
    return Application(session, *opened, position).run();
}

}  // namespace mc::runtime

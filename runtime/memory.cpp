// SPDX-License-Identifier: Apache-2.0
#include "runtime/memory.h"

#include <algorithm>
#include <utility>

#include "core/check.h"
#include "core/utf8.h"
#include "runtime/bank_choice.h"
#include "runtime/document_file.h"
#include "runtime/evidence_room.h"
#include "runtime/remember_request.h"
#include "runtime/remembering.h"
#include "storage/portable/import_document.h"

namespace mc::runtime {
namespace {

Result<void> read_original(const BankText& text, const ReadRequest& request, ReadResult& result) {
    MC_ASSIGN(const DocumentFile file, DocumentFile::open(text, result.document));
    DocumentRecord as_file = result.document;
    as_file.byte_count = file.byte_count();
    MC_ASSIGN(result.bytes, byte_span_in(as_file, request.begin, request.end));
    result.bytes.end = std::min(result.bytes.end, result.bytes.begin + kReadBytesMax);
    result.byte_count = file.byte_count();
    result.media_type = file.media_type();
    return file.copy(result.bytes, [&](std::string_view piece) { result.text += piece; });
}

}  // namespace

Result<std::unique_ptr<Memory>> Memory::open(const Config& config, telemetry::Metrics& metrics) {
    MC_ASSIGN(auto engine, Engine::open(config, Need::kModel, Access::kWrite, metrics));
    std::unique_ptr<Memory> memory(new Memory(std::move(engine)));
    MC_ASSIGN(BankSession* const configured, memory->bank(config.bank, true));
    MC_TRY(configured->search());  // whatever it has to catch up with is no question's to wait for
    return memory;
}

Result<Memory::OpenBank*> Memory::open_bank(const std::string& name, bool create) {
    const std::string& wanted = name.empty() ? engine_->config().bank : name;
    if (const auto open = banks_.find(wanted); open != banks_.end()) return &open->second;
    OpenBank opened;
    MC_ASSIGN(opened.session, BankSession::open(*engine_, wanted, create));
    opened.gists = std::make_unique<GistBacklog>(*opened.session);
    return &banks_.emplace(wanted, std::move(opened)).first->second;
}

Result<BankSession*> Memory::bank(const std::string& name, bool create) {
    return open_bank(name, create).map([](OpenBank* open) { return open->session.get(); });
}

Result<bool> Memory::try_to_make_gists() {
    MC_ASSIGN(const auto names, engine_->store().list_banks());
    for (const BankRecord& one : names) {
        MC_ASSIGN(OpenBank* const open, open_bank(one.name, false));
        MC_ASSIGN(const bool made, open->gists->step());
        if (made) return true;
    }
    return false;
}

bool Memory::make_some_gists() {
    const auto made = try_to_make_gists();
    gist_fault_ = made ? std::string() : made.error().to_string();
    return made.value_or(false);
}

Result<Remembered> Memory::remember(const RememberRequest& request) {
    if (!request.session.empty()) {
        MC_TRY(check_request(request));
        MC_ASSIGN(BankSession* const session, bank(request.bank, true));
        return remember_message(*session, request);
    }
    MC_ASSIGN(const auto work, begin_remember(request));
    while (true) {
        MC_ASSIGN(auto done, work->step());
        if (done) return std::move(*done);
    }
}

Result<std::unique_ptr<Remembering>> Memory::begin_remember(const RememberRequest& request) {
    MC_CHECK(request.session.empty(), "a message is remembered at once");
    MC_TRY(check_request(request));
    MC_ASSIGN(BankSession* const session, bank(request.bank, true));
    return Remembering::begin(*session, request);
}

Result<Remembered> Memory::remember_message(BankSession& session, const RememberRequest& request) {
    const std::string name = session_document(request.session);
    const std::string line = message_line(request);
    IngestOptions options;
    options.size_bytes_max = kAppendBytesMax;
    if (!request.idempotency_key.empty()) {
        MC_ASSIGN(const auto known, session.nodes().find_document_by_source(name));
        const std::string key(kMessageKeysKey);
        MessageKeys keys(known && known->metadata.contains(key) ? known->metadata.at(key) : "");
        MC_ASSIGN(const auto taken, keys.find(request.idempotency_key, line));
        if (taken) return Remembered{*known, IngestOutcome::kAlreadyThere, *taken};
        const std::uint64_t begin = known ? known->byte_count : 0;
        keys.add(request.idempotency_key, line, {begin, begin + line.size()});
        options.metadata.emplace(key, keys.record());
    }
    MC_ASSIGN(const IngestReport report, append_text(session, name, line, options));
    MC_TRY(session.index_now());
    const std::uint64_t end = report.document.byte_count;
    return Remembered{report.document, report.outcome, {end - line.size(), end}};
}

Result<std::vector<BankSession*>> Memory::banks_of(const RecallRequest& request) {
    if (!request.bank.empty() && !request.banks.empty())
        return fail(ErrorCode::kInvalidInput, "recall takes bank or banks, not both");
    std::vector<std::string> names{request.bank};
    if (!request.banks.empty()) {
        MC_ASSIGN(names, banks_meant(engine_->store(), request.banks));
    }
    std::vector<BankSession*> sessions;
    for (const std::string& name : names) {
        MC_ASSIGN(sessions.emplace_back(), bank(name, false));
    }
    return sessions;
}

Result<Recollection> Memory::recall(const RecallRequest& request) {
    MC_ASSIGN(const std::vector<BankSession*> sessions, banks_of(request));
    QueryOptions options;
    options.budget = engine_->config().budget_entries;
    options.policy = engine_->config().policy;
    options.evidence_count = request.passages_max;
    if (request.tokens_max) options.budget = std::min(options.budget, *request.tokens_max);
    std::vector<const BankText*> texts;
    bool has_text = false;
    for (BankSession* const session : sessions) {
        texts.push_back(&session->text());
        MC_ASSIGN(const BankSearch* const search, session->search());
        has_text = has_text || search->index().size() > 0;
    }
    MC_ASSIGN(options.scope, resolve(request.filter, texts));
    Recollection recollection;
    if (!has_text) {
        recollection.report = {
            request.question, options.policy, options.budget, 0, 0, 0, false, {}, 0, 0};
        if (request.on_found) request.on_found(recollection);
        return recollection;
    }
    FocusSession focus(sessions);
    MC_ASSIGN(recollection.report, focus.ask(request.question, options));
    auto& evidence = recollection.report.evidence;
    std::optional<std::vector<std::size_t>> kept;  // nullopt: all
    if (request.tokens_max) kept = keep_within(*request.tokens_max, evidence);
    for (const Evidence& item : evidence) recollection.token_count += item.tokens.count();
    if (request.on_found) request.on_found(recollection);
    if (request.answer) {
        AnswerOptions answer = *request.answer;
        if (reader_) answer.outside_reader = &*reader_;
        MC_ASSIGN(recollection.answer, focus.answer(answer));
        if (kept) recollection.answer->sources = renumbered(recollection.answer->sources, *kept);
    }
    return recollection;
}

Result<ReadResult> Memory::read(const ReadRequest& request) {
    MC_ASSIGN(BankSession* const session, bank(request.bank, false));
    const BankText& text = session->text();
    ReadResult result;
    MC_ASSIGN(result.document, resolve_version(text, request.document, request.version));
    if (request.original) {
        MC_TRY(read_original(text, request, result));
        return result;
    }
    result.byte_count = result.document.byte_count;
    result.media_type = result.document.media_type;
    MC_ASSIGN(result.bytes, byte_span_in(result.document, request.begin, request.end));
    const bool is_cut = result.bytes.count() > kReadBytesMax;
    if (is_cut) result.bytes.end = result.bytes.begin + kReadBytesMax;
    MC_ASSIGN(result.text, text.read_bytes(result.document.id, result.bytes));
    // A cut of ours falls between characters.
    const auto invalid = is_cut ? find_invalid_utf8(result.text) : std::nullopt;
    if (invalid && result.text.size() - *invalid < 4 && *invalid > 0) {
        result.text.resize(*invalid);
        result.bytes.end = result.bytes.begin + *invalid;
    }
    return result;
}

Result<ForgetReport> Memory::forget(const ForgetRequest& request) {
    MC_ASSIGN(OpenBank* const open, open_bank(request.bank, false));
    MC_ASSIGN(ForgetReport plan, plan_forget(*open->session, request.choice));
    if (request.dry_run) return plan;
    open->gists->restart();
    MC_TRY(runtime::forget(*open->session, plan, request.reason));
    return plan;
}

Result<AppliedBatch> Memory::apply_batch(const std::string& name, const Path& file,
                                         const LogPosition& position) {
    MC_ASSIGN(BankSession* const session, bank(name, true));
    MC_ASSIGN(AppliedBatch applied, runtime::apply_batch(*session, file, position));
    MC_TRY(session->index_now());
    return applied;
}

Result<LogPosition> Memory::log_position(const std::string& name) {
    MC_ASSIGN(BankSession* const session, bank(name, true));
    return storage::log_position(session->nodes());
}

Result<void> Memory::set_log_position(const std::string& name, const LogPosition& position) {
    MC_ASSIGN(BankSession* const session, bank(name, true));
    return storage::set_log_position(session->nodes(), position);
}

Result<std::vector<std::string>> Memory::bank_names() const {
    return runtime::bank_names(engine_->store());
}

Result<std::vector<DocumentRecord>> Memory::newest_documents(const std::string& name,
                                                             std::size_t count) {
    MC_ASSIGN(BankSession* const session, bank(name, false));
    return session->nodes().newest_documents(count);
}

Result<Memory::TreeStep> Memory::walk(const std::string& name, const std::string& document,
                                      std::optional<std::pair<Level, NodeIndex>> node) {
    MC_ASSIGN(BankSession* const session, bank(name, false));
    TreeStep step;
    MC_ASSIGN(step.document, session->text().resolve_document(document));
    std::optional<NodeId> below;
    if (node) below = NodeId{step.document.id, node->first, node->second};
    MC_ASSIGN(step.pieces, walk_tree(session->text(), step.document, below));
    return step;
}

Result<MemoryStatus> Memory::status() {
    MemoryStatus status;
    status.bank = engine_->config().bank;
    status.base_model = engine_->store().meta().identity.base_model_name;
    status.encoder = engine_->store().meta().identity.encoder.name;
    MC_ASSIGN(const TextEmbedder* const embedder, engine_->embedder());
    status.has_vectors = embedder != nullptr;
    status.gist_fault = gist_fault_;
    MC_ASSIGN(status.banks, summarize_banks(engine_->store()));
    return status;
}

}  // namespace mc::runtime

// SPDX-License-Identifier: Apache-2.0
#include "runtime/bank_transfer.h"

#include <optional>
#include <utility>
#include <vector>

#include "runtime/foreign_gists.h"
#include "runtime/store_key.h"
#include "runtime/versions.h"
#include "storage/portable/import_document.h"

namespace mc::runtime {
namespace {

class Import {
  public:
    Import(const Config& config, storage::BankFile& file, const lm::Tokenizer& tokenizer,
           const ImportOptions& options)
        : config_(config), file_(file), tokenizer_(tokenizer), options_(options) {
        knows_tokens_ = file.head().meta.identity.tokenizer_hash == tokenizer.hash();
        report_.from_bank = file.head().bank.name;
    }

    Result<ImportReport> run(telemetry::Metrics& metrics);

  private:
    Result<void> check_file();
    Result<std::string> why_not_as_they_are() const;
    Result<void> check_names();
    Result<void> import_all();
    Result<void> import_one(storage::FileDocument& document);
    Result<std::optional<storage::MadePiece>> next(storage::FileDocument& document,
                                                   std::optional<lm::StreamEncoder>& text);
    void tell(std::string_view stage, std::uint64_t file_bytes) const;

    const Config& config_;
    storage::BankFile& file_;
    const lm::Tokenizer& tokenizer_;
    const ImportOptions& options_;
    SystemClock clock_;
    bool knows_tokens_ = false;
    std::optional<storage::StoreMeta> existing_;
    std::vector<DocumentRecord> documents_;  // of the file
    std::vector<Tombstone> tombstones_;
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<BankSession> session_;
    ImportReport report_;
};

void Import::tell(std::string_view stage, std::uint64_t file_bytes) const {
    if (options_.progress)
        options_.progress(
            {stage, report_.tokens,
             static_cast<double>(file_bytes) / static_cast<double>(file_.size_bytes())});
}

// Nothing of a damaged file is taken in.
Result<void> Import::check_file() {
    storage::BankFile::Visit visit;
    if (knows_tokens_) visit.text_of = text_by(tokenizer_);
    visit.on_document = [&](storage::FileDocument& document) -> Result<void> {
        if (options_.cancelled && options_.cancelled->load())
            return fail(ErrorCode::kCancelled, "interrupted; nothing was imported");
        documents_.push_back(document.record());
        return {};
    };
    visit.on_tombstone = [&](const Tombstone& tombstone) { tombstones_.push_back(tombstone); };
    visit.progress = [&](std::uint64_t done) { tell("check", done); };
    return file_.walk(visit).map([](const auto&) {});
}

// Empty: the store takes the file's gists.
Result<std::string> Import::why_not_as_they_are() const {
    if (!file_.head().has_gists) return std::string("the file holds no gists");
    if (!knows_tokens_) return std::string("the file's tokens are of another tokenizer");
    return why_not_their_gists(config_, file_.head().meta, existing_);
}

// All of them before the first is imported.
Result<void> Import::check_names() {
    for (const DocumentRecord& document : documents_) {
        MC_ASSIGN(const auto held, find_in_place_of(session_->nodes(), document));
        if (!held || same_content(*held, document)) continue;
        return fail(ErrorCode::kInvalidInput,
                    "bank \"" + config_.bank + "\" already holds other content under the name " +
                        describe(document) + " (document d" + std::to_string(held->id.value) +
                        ", " + std::to_string(held->byte_count) +
                        " bytes), and nothing was imported; import into another bank with --bank, "
                        "or forget that document first");
    }
    return {};
}

Result<std::optional<storage::MadePiece>> Import::next(storage::FileDocument& document,
                                                       std::optional<lm::StreamEncoder>& text) {
    using Made = std::optional<storage::MadePiece>;
    while (true) {
        MC_ASSIGN(auto piece, document.next());
        if (!piece) break;
        if (auto* original = std::get_if<OriginalRecord>(&*piece))
            return Made(std::move(*original));
        if (auto* bytes = std::get_if<storage::OriginalPiece>(&*piece))
            return Made(std::move(*bytes));
        auto* chunk = std::get_if<storage::TokenChunk>(&*piece);
        if (!chunk) continue;  // gists that are not wanted
        return knows_tokens_ ? Made(std::move(chunk->tokens)) : Made(text->push(document.text()));
    }
    if (knows_tokens_ || !text) return Made();
    auto rest = text->finish();
    text.reset();
    return Made(std::move(rest));
}

Result<void> Import::import_one(storage::FileDocument& document) {
    if (options_.cancelled && options_.cancelled->load())
        return fail(ErrorCode::kCancelled,
                    "interrupted; " + std::to_string(report_.imported) +
                        " documents are imported, and the same command goes on with the rest");
    NodeStore& nodes = session_->nodes();
    MC_ASSIGN(const auto held, find_in_place_of(nodes, document.record()));
    const bool was_there = held && same_content(*held, document.record());
    DocumentRecord made;
    if (was_there) {
        made = *held;
        ++report_.already_there;
    } else if (report_.why_encoded.empty()) {
        MC_ASSIGN(made, storage::import_document(nodes, document.record(), document));
    } else {
        std::optional<lm::StreamEncoder> text(tokenizer_);
        MC_TRY(document.rewind());
        const storage::DocumentMaking making{
            engine_->encoder(), [&] { return next(document, text); },
            [&](TokenId token) {
                return static_cast<std::uint16_t>(tokenizer_.bytes_of(token).size());
            },
            options_.cancelled};
        MC_ASSIGN(made, storage::import_encoding(nodes, document.record(), making));
    }
    if (!was_there) {
        ++report_.imported;
        report_.tokens += made.token_count;
        report_.bytes += made.byte_count;
    }
    if (options_.on_document) options_.on_document(made, was_there);
    return {};
}

Result<void> Import::import_all() {
    storage::BankFile::Visit visit;
    if (knows_tokens_) visit.text_of = text_by(tokenizer_);
    visit.on_document = [&](storage::FileDocument& document) {
        auto done = import_one(document);
        if (!done)
            done = fail(
                std::move(done.error()).add_context("importing " + document.record().source_name));
        return done;
    };
    visit.progress = [&](std::uint64_t done) { tell("import", done); };
    MC_TRY(file_.walk(visit));
    MC_ASSIGN(report_.tombstones, storage::import_tombstones(session_->nodes(), tombstones_));
    return {};
}

Result<ImportReport> Import::run(telemetry::Metrics& metrics) {
    MC_ASSIGN(existing_, existing_store(config_, clock_));
    MC_TRY(check_file());
    MC_ASSIGN(report_.why_encoded, why_not_as_they_are());
    const bool encodes = !report_.why_encoded.empty();
    if (!existing_ && !encodes) MC_TRY(make_store_for(config_, file_.head().meta, clock_));
    MC_ASSIGN(engine_, Engine::open(config_, encodes ? Need::kModel : Need::kTokenizer,
                                    Access::kWrite, metrics));
    MC_ASSIGN(session_, BankSession::open(*engine_, config_.bank, true));
    MC_TRY(check_names());
    MC_TRY(import_all());
    MC_TRY(session_->search([&](std::uint64_t done, std::uint64_t total) {
        if (options_.progress)
            options_.progress(
                {"index", done, static_cast<double>(done) / static_cast<double>(total)});
    }));
    MC_TRY(session_->index_now());
    return std::move(report_);
}

}  // namespace

storage::TextOf text_by(const lm::Tokenizer& tokenizer) {
    return [&tokenizer](std::span<const TokenId> tokens) -> Result<std::string> {
        for (const TokenId token : tokens)
            if (token < 0 || token > tokenizer.blank_token())
                return fail(ErrorCode::kCorruption, "a token " + std::to_string(token) +
                                                        ", which the tokenizer does not have");
        return tokenizer.decode(tokens);
    };
}

Result<ImportReport> import_bank(const Config& config, const Path& path,
                                 telemetry::Metrics& metrics, const ImportOptions& options) {
    MC_ASSIGN(const auto store_key, store_key_of(config));
    const storage::StoreKey* const key =
        options.file_key ? &*options.file_key : pointer_to(store_key);
    MC_ASSIGN(const auto file, storage::BankFile::open(path, key));
    MC_ASSIGN(const auto tokenizer, lm::Tokenizer::open(config.model));
    return Import(config, *file, *tokenizer, options).run(metrics);
}

}  // namespace mc::runtime

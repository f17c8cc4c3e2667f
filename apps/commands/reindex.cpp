// SPDX-License-Identifier: Apache-2.0
// `megacontext reindex`: a store's documents once more, with another encoder, codec or base model.
//
// The raw bytes are the truth, so a new store is made beside the old one and every document is
// ingested from the old one's bytes. The old store is only read: nothing is lost when the run is
// killed, and the same command goes on.
#include <CLI/CLI.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/commands/gists.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "runtime/copy_version.h"
#include "runtime/ingest.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext reindex --into new-store\n"
    "  megacontext reindex --into new-store --encoder kv-last --codec int8\n"
    "Afterwards give --store new-store, or move it to the old one's place.";

// What the document was converted from goes along.
Result<std::optional<Original>> original_of(const NodeStore& nodes, DocumentId document) {
    MC_ASSIGN(const auto record, nodes.find_original(document));
    if (!record) return std::optional<Original>();
    MC_ASSIGN(std::string bytes, nodes.read_original(document, {0, record->byte_count}));
    return std::optional(Original{record->kind, std::move(bytes), record->places});
}

class ReindexCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer& flags) override {
        CLI::App* app =
            program.add_subcommand("reindex", "Make a store's gists anew in another store");
        app->add_option("--into", target_, "folder of the new store")->type_name("DIR")->required();
        app->add_flag("--stats", options_.with_statistics,
                      "also keep each block's mean NLL and entropy (slower)");
        add_setting_flag(*app, flags, Setting::kEncoder);
        add_setting_flag(*app, flags, Setting::kCodec);
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    Result<void> copy_bank(Invocation& invocation, runtime::Engine& from, runtime::Engine& to,
                           const std::string& bank);

    std::string target_;
    runtime::IngestOptions options_;
    std::uint64_t documents_ = 0;
    std::uint64_t gists_ = 0;
};

Result<void> ReindexCommand::copy_bank(Invocation& invocation, runtime::Engine& from,
                                       runtime::Engine& to, const std::string& bank) {
    MC_ASSIGN(const auto source, runtime::BankSession::open(from, bank, false));
    MC_ASSIGN(const auto target, runtime::BankSession::open(to, bank, true));
    MC_ASSIGN(const auto documents, source->nodes().list_documents());
    for (const DocumentRecord& document : documents) {
        MC_ASSIGN(const std::string bytes,
                  source->text().read_bytes(document.id, {0, document.byte_count}));
        auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
        bar.begin("reindex " + excerpt(document.source_name, 24));
        const auto progress = [&](const runtime::IngestProgress& state) {
            bar.update(state.tokens_done, static_cast<double>(state.bytes_done) /
                                              static_cast<double>(document.byte_count));
        };
        options_.media_type = document.media_type;
        options_.metadata = document.metadata;
        options_.copied_from = &document;
        MC_ASSIGN(const auto original, original_of(source->nodes(), document.id));
        options_.original = original ? &*original : nullptr;
        MC_TRY(runtime::ingest_text(*target, document.source_name, bytes, options_, progress));
        ++documents_;
    }
    MC_ASSIGN(const auto versions, source->nodes().list_versions());
    for (const DocumentRecord& version : versions)
        MC_TRY_CONTEXT(runtime::copy_version(*source, version, *target, options_.with_statistics,
                                             options_.cancelled),
                       "reindexing an earlier " + version.source_name);
    MC_TRY(target->index_now());
    MC_ASSIGN(const MadeGists made,
              make_waiting_gists(invocation, *target, options_.with_statistics));
    gists_ += made.gists;
    return {};
}

Result<int> ReindexCommand::run(Invocation& invocation) {
    std::error_code failed;
    if (std::filesystem::equivalent(target_, invocation.config.store, failed) && !failed)
        return fail(ErrorCode::kUsage,
                    "--into " + target_ + " is the store itself: name another folder");
    const InterruptWatch watch;
    options_.cancelled = &invocation.interrupted;
    options_.size_bytes_max = invocation.config.ingest_bytes_max;
    options_.allow_binary = true;  // the old store took these bytes already
    MC_ASSIGN(const auto from,
              open_engine(invocation, runtime::Need::kTokenizer, runtime::Access::kRead));
    Config config = invocation.config;
    config.store = target_;
    MC_ASSIGN(const auto to, runtime::Engine::open(config, runtime::Need::kModel,
                                                   runtime::Access::kWrite, invocation.metrics));
    MC_ASSIGN(const auto banks, from->store().list_banks());
    for (const BankRecord& bank : banks) MC_TRY(copy_bank(invocation, *from, *to, bank.name));
    const std::string encoder = to->encoder().info().name;
    if (invocation.out.json())
        invocation.out.json({{"store", target_},
                             {"banks", banks.size()},
                             {"documents", documents_},
                             {"gists_added", gists_},
                             {"encoder", encoder}});
    else
        invocation.out.text(format_count(documents_) + " documents of " +
                            format_count(banks.size()) + " banks, " + format_count(gists_) +
                            " gists by " + encoder + " in " + printable(target_));
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_reindex_command() {
    return std::make_unique<ReindexCommand>();
}

}  // namespace mc::apps

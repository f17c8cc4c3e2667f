// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/cluster_commands.h"
#include "apps/commands/command.h"
#include "apps/terminal/text.h"
#include "telemetry/progress.h"

namespace mc::apps {

std::vector<std::unique_ptr<Command>> make_commands() {
    std::vector<std::unique_ptr<Command>> commands;
    commands.push_back(make_ingest_command());
    commands.push_back(make_gists_command());
    commands.push_back(make_query_command());
    commands.push_back(make_read_command());
    commands.push_back(make_forget_command());
    commands.push_back(make_chat_command());
    commands.push_back(make_stream_command());
    commands.push_back(make_repl_command());
    commands.push_back(make_mcp_command());
    commands.push_back(make_serve_command());
    commands.push_back(make_cluster_command());
    commands.push_back(make_submit_command());
    commands.push_back(make_worker_command());
    commands.push_back(make_inspect_command());
    commands.push_back(make_verify_command());
    commands.push_back(make_compact_command());
    commands.push_back(make_backup_command());
    commands.push_back(make_export_command());
    commands.push_back(make_import_command());
    commands.push_back(make_repair_command());
    commands.push_back(make_bank_command());
    commands.push_back(make_key_command());
    commands.push_back(make_macro_command());
    commands.push_back(make_model_command());
    commands.push_back(make_eval_command());
    commands.push_back(make_train_command());
    commands.push_back(make_reindex_command());
    commands.push_back(make_completion_command());
    return commands;
}

Result<std::unique_ptr<runtime::Engine>> open_engine(const Invocation& invocation,
                                                     runtime::Need need, runtime::Access access) {
    return runtime::Engine::open(invocation.config, need, access, invocation.metrics);
}

Result<void> open_search(const Invocation& invocation, runtime::BankSession& bank) {
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin("index " + excerpt(invocation.config.bank, 24));
    const auto progress = [&bar](std::uint64_t done, std::uint64_t total) {
        bar.update(done, static_cast<double>(done) / static_cast<double>(total));
    };
    MC_ASSIGN(const runtime::BankSearch* const search, bank.search(progress));
    bar.clear();
    const runtime::CatchUpReport& report = search->opening_report();
    invocation.log.info("search_opened", {{"bank", invocation.config.bank},
                                          {"passages", search->index().size()},
                                          {"vectors", search->index().vector_dim() > 0},
                                          {"passages_added", report.passages_added},
                                          {"rebuilt", report.rebuilt}});
    return {};
}

Result<std::unique_ptr<lm::BaseModel>> open_model(const Config& config) {
    return lm::BaseModel::open(runtime::model_options(config));
}

}  // namespace mc::apps

// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/command.h"

namespace mc::apps {

std::vector<std::unique_ptr<Command>> make_commands() {
    std::vector<std::unique_ptr<Command>> commands;
    commands.push_back(make_ingest_command());
    commands.push_back(make_query_command());
    commands.push_back(make_read_command());
    commands.push_back(make_repl_command());
    commands.push_back(make_inspect_command());
    commands.push_back(make_verify_command());
    commands.push_back(make_bank_command());
    commands.push_back(make_model_command());
    commands.push_back(make_eval_command());
    commands.push_back(make_train_command());
    commands.push_back(make_reindex_command());
    commands.push_back(make_completion_command());
    return commands;
}

Result<std::unique_ptr<runtime::Engine>> open_for_reading(const Config& config,
                                                          runtime::Need need) {
    return runtime::Engine::open(config, need, runtime::Access::kRead);
}

Result<std::unique_ptr<runtime::BankSession>> open_bank(const Invocation& invocation,
                                                        runtime::Engine& engine, bool create) {
    MC_ASSIGN(auto bank, runtime::BankSession::open(engine, invocation.config.bank, create));
    const runtime::CatchUpReport& report = bank->opening_report();
    invocation.log.info("bank_opened", {{"bank", invocation.config.bank},
                                        {"vector_nodes_added", report.vector_nodes_added},
                                        {"text_blocks_added", report.text_blocks_added},
                                        {"vectors_rebuilt", report.vectors_rebuilt},
                                        {"texts_rebuilt", report.texts_rebuilt}});
    return bank;
}

Result<std::unique_ptr<lm::BaseModel>> open_model(const Config& config) {
    return lm::BaseModel::open(runtime::model_options(config));
}

}  // namespace mc::apps

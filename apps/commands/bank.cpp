// SPDX-License-Identifier: Apache-2.0
// `megacontext bank`: the banks of a store.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/terminal/text.h"
#include "apps/views/bank_summary.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext bank list\n"
    "  megacontext bank create work\n"
    "  megacontext bank info work --versions";

class BankCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app = program.add_subcommand("bank", "List, create and describe banks");
        app->require_subcommand(1);
        list_ = app->add_subcommand("list", "All banks of the store");
        create_ = app->add_subcommand("create", "Make a bank");
        create_->add_option("NAME", name_, "1 to 64 of A-Z a-z 0-9 . _ -")->required();
        info_ = app->add_subcommand("info", "One bank and its documents");
        info_->add_option("NAME", name_, "name of the bank [that of --bank]");
        info_->add_flag("--versions", with_versions_, "also what is kept of replaced documents");
        for (CLI::App* part : {app, list_, create_, info_}) part->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        if (create_->parsed()) return create(invocation);
        return list_->parsed() ? list(invocation) : info(invocation);
    }

  private:
    Result<int> list(Invocation& invocation) const;
    Result<int> create(Invocation& invocation) const;
    Result<int> info(Invocation& invocation) const;

    CLI::App* list_ = nullptr;
    CLI::App* create_ = nullptr;
    CLI::App* info_ = nullptr;
    std::string name_;
    bool with_versions_ = false;
};

Result<int> BankCommand::list(Invocation& invocation) const {
    MC_ASSIGN(const auto engine,
              open_engine(invocation, runtime::Need::kStore, runtime::Access::kRead));
    MC_ASSIGN(const auto summaries, runtime::summarize_banks(engine->store()));
    if (!invocation.out.json()) {
        print_banks(invocation.out, summaries);
        return 0;
    }
    Json banks = Json::array();
    for (const runtime::BankSummary& summary : summaries) banks.push_back(to_json(summary));
    invocation.out.json({{"store", engine->store().directory().string()}, {"banks", banks}});
    return 0;
}

Result<int> BankCommand::create(Invocation& invocation) const {
    MC_ASSIGN(const auto engine,
              open_engine(invocation, runtime::Need::kModel, runtime::Access::kWrite));
    MC_ASSIGN(const BankRecord bank, engine->store().create_bank(name_));
    if (invocation.out.json())
        invocation.out.json({{"bank", bank.name}, {"created_us", bank.created_us}});
    else
        invocation.out.text("created bank " + bank.name);
    return 0;
}

Result<int> BankCommand::info(Invocation& invocation) const {
    MC_ASSIGN(const auto engine,
              open_engine(invocation, runtime::Need::kStore, runtime::Access::kRead));
    const std::string& name = name_.empty() ? invocation.config.bank : name_;
    MC_ASSIGN(const runtime::BankSummary summary, runtime::summarize_bank(engine->store(), name));
    if (invocation.out.json()) {
        Json line = to_json(summary);
        line["document_list"] = documents_json(summary);
        if (with_versions_) line["version_list"] = versions_json(summary);
        invocation.out.json(line);
        return 0;
    }
    print_banks(invocation.out, {summary});
    invocation.out.text("");
    print_documents(invocation.out, summary.documents, summary.versions);
    if (!with_versions_) return 0;
    invocation.out.text("");
    print_versions(invocation.out, summary.versions);
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_bank_command() {
    return std::make_unique<BankCommand>();
}

}  // namespace mc::apps

// SPDX-License-Identifier: Apache-2.0
// `megacontext verify`: every record, every tree, every index of a store against the rules.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/commands/store_check.h"
#include "apps/terminal/text.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext verify\n"
    "  megacontext verify --store backup --json\n"
    "Reads the whole store and changes nothing. Exit code 5 when anything is wrong. An index that\n"
    "is behind the store is no fault: the next ingest or query catches it up.";

void print_findings(Output& out, const Findings& findings) {
    for (const Json& fault : findings.faults)
        out.text("fault: " + printable(fault.at("where").get<std::string>()) + ": " +
                 printable(fault.at("message").get<std::string>()));
    for (const Json& index : findings.indexes)
        out.text("bank " + index.at("bank").get<std::string>() + ", " +
                 index.at("index").get<std::string>() +
                 " index: " + printable(index.at("state").get<std::string>()));
    out.text(format_count(findings.records) + " records, " + format_count(findings.documents) +
             " documents and " + format_count(findings.nodes) + " nodes read, " +
             (findings.versions > 0 ? format_count(findings.versions) + " versions, " : "") +
             format_count(findings.faults.size()) + " faults");
}

class VerifyCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app =
            program.add_subcommand("verify", "Check every record, tree and index of a store");
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;
};

Result<int> VerifyCommand::run(Invocation& invocation) {
    MC_ASSIGN(const auto engine,
              open_engine(invocation, runtime::Need::kStore, runtime::Access::kRead));
    MC_ASSIGN(const Findings findings, check_store(*engine));
    const storage::Store& store = engine->store();
    Output& out = invocation.out;
    if (out.json())
        out.json({{"store", store.directory().string()},
                  {"ok", findings.faults.empty()},
                  {"records", findings.records},
                  {"documents", findings.documents},
                  {"versions", findings.versions},
                  {"nodes", findings.nodes},
                  {"faults", findings.faults},
                  {"indexes", findings.indexes}});
    else
        print_findings(out, findings);
    if (findings.faults.empty()) return 0;
    return fail(ErrorCode::kCorruption, std::to_string(findings.faults.size()) +
                                            " faults in the store at " +
                                            store.directory().string());
}

}  // namespace

std::unique_ptr<Command> make_verify_command() {
    return std::make_unique<VerifyCommand>();
}

}  // namespace mc::apps

// SPDX-License-Identifier: Apache-2.0
// `megacontext mcp`: the memory for an agent, on standard input and output.
#include "serve/mcp_stdio.h"

#include <CLI/CLI.hpp>
#include <iostream>

#include "apps/commands/command.h"
#include "runtime/memory.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext mcp --store ~/agent-memory\n"
    "An agent's host starts this command and speaks the Model Context Protocol (2026-07-28 and\n"
    "2025-11-25) with it. It is the one writer of its store; several agents share a store through\n"
    "`megacontext serve`.";

class McpCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer& flags) override {
        CLI::App* app =
            program.add_subcommand("mcp", "Be the memory of an agent, as an MCP server on stdio");
        add_setting_flag(*app, flags, Setting::kBudget);
        add_setting_flag(*app, flags, Setting::kEncoder);
        add_setting_flag(*app, flags, Setting::kCodec);
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        MC_ASSIGN(const auto memory, runtime::Memory::open(invocation.config, invocation.metrics));
        invocation.log.info("mcp_ready", {{"bank", invocation.config.bank}});
        MC_TRY(serve::serve_mcp_stdio(*memory, MC_VERSION, std::cin, std::cout));
        return 0;
    }
};

}  // namespace

std::unique_ptr<Command> make_mcp_command() {
    return std::make_unique<McpCommand>();
}

}  // namespace mc::apps

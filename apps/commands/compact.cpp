// SPDX-License-Identifier: Apache-2.0
// `megacontext compact`: a store's files written anew, without what they no longer need.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/terminal/text.h"
#include "runtime/forget.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext compact\n"
    "  megacontext compact --json\n"
    "Needs room for a second copy meanwhile, and that no other process has the store open. A kill\n"
    "leaves the old files or the new ones. `inspect --size` shows what there is to gain: other.";

class CompactCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app =
            program.add_subcommand("compact", "Write a store's files anew, without free pages");
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        MC_ASSIGN(const auto engine,
                  open_engine(invocation, runtime::Need::kTokenizer, runtime::Access::kWrite));
        MC_ASSIGN(const std::uint64_t before, engine->store().size_on_disk_bytes());
        MC_TRY(runtime::rewrite_store(*engine, nullptr));
        MC_ASSIGN(const std::uint64_t after, engine->store().size_on_disk_bytes());
        Output& out = invocation.out;
        if (out.json())
            out.json({{"store", engine->store().directory().string()},
                      {"bytes_before", before},
                      {"bytes_after", after}});
        else
            out.text(format_bytes(before) + " before, " + format_bytes(after) + " now");
        return 0;
    }
};

}  // namespace

std::unique_ptr<Command> make_compact_command() {
    return std::make_unique<CompactCommand>();
}

}  // namespace mc::apps

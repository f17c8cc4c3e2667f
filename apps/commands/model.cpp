// SPDX-License-Identifier: Apache-2.0
// `megacontext model`: what is said of and done with the base model alone.
#include "apps/commands/model.h"

#include <CLI/CLI.hpp>
#include <utility>
#include <vector>

#include "core/check.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext model info\n"
    "  megacontext model info --model other.gguf --json\n"
    "  megacontext model verify\n"
    "  megacontext model score book.txt";

class ModelCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer& flags) override {
        CLI::App* app = program.add_subcommand("model", "The base model by itself");
        app->require_subcommand(1);
        app->footer(kFooter);
        add(*app, flags, make_model_info_command());
        add(*app, flags, make_model_verify_command());
        add(*app, flags, make_model_score_command());
        add(*app, flags, make_model_fetch_command());
        add(*app, flags, make_model_bench_command());
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        for (const auto& [app, part] : parts_)
            if (app->parsed()) return part->run(invocation);
        MC_CHECK(false, "the parser asks for one part");
        return 0;
    }

  private:
    void add(CLI::App& app, ConfigLayer& flags, std::unique_ptr<Command> part) {
        CLI::App* declared = part->define(app, flags);
        parts_.emplace_back(declared, std::move(part));
    }

    std::vector<std::pair<CLI::App*, std::unique_ptr<Command>>> parts_;
};

}  // namespace

std::unique_ptr<Command> make_model_command() {
    return std::make_unique<ModelCommand>();
}

}  // namespace mc::apps

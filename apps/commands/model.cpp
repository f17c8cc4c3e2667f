// SPDX-License-Identifier: Apache-2.0
// `megacontext model`: what is said of and done with the base model alone.
#include "apps/commands/model.h"

#include <CLI/CLI.hpp>

#include "apps/commands/parts.h"

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
        app->footer(kFooter);
        parts_.add(*app, flags, make_model_info_command());
        parts_.add(*app, flags, make_model_verify_command());
        parts_.add(*app, flags, make_model_score_command());
        parts_.add(*app, flags, make_model_fetch_command());
        parts_.add(*app, flags, make_model_bench_command());
        return app;
    }

    bool opens_store() const override { return false; }

    Result<int> run(Invocation& invocation) override { return parts_.run(invocation); }

  private:
    CommandParts parts_;
};

}  // namespace

std::unique_ptr<Command> make_model_command() {
    return std::make_unique<ModelCommand>();
}

}  // namespace mc::apps

// SPDX-License-Identifier: Apache-2.0
// `megacontext eval run SUITE`: measurements with controls, resumable, results on disk.
#include <CLI/CLI.hpp>

#include "apps/commands/parts.h"
#include "apps/commands/suites.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext eval run delta-nll --docs book.txt paper.txt --output results\n"
    "  megacontext eval run retrieval --docs book.txt paper.txt --queries 200\n"
    "  megacontext eval run gist-probes --docs book.txt --encoders kv-last,gistnet\n"
    "  megacontext eval run answers --docs book.txt --lengths 1k,16k --budgets 128,1024\n"
    "A suite's options: megacontext eval run SUITE --help. A run of answers, delta-nll or "
    "retrieval\n"
    "that was killed goes on where it stopped when the same command is given again.";

class EvalCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer& flags) override {
        CLI::App* app = program.add_subcommand(
            "eval",
            "Measure what gists keep, what search finds and what is answered, against controls");
        app->require_subcommand(1);
        CLI::App* run = app->add_subcommand("run", "Run a suite");
        for (auto& suite : make_suites()) suites_.add(*run, flags, std::move(suite));
        for (CLI::App* part : {app, run}) part->footer(kFooter);
        return app;
    }

    bool opens_store() const override { return false; }

    Result<int> run(Invocation& invocation) override { return suites_.run(invocation); }

  private:
    CommandParts suites_;
};

}  // namespace

std::unique_ptr<Command> make_eval_command() {
    return std::make_unique<EvalCommand>();
}

}  // namespace mc::apps

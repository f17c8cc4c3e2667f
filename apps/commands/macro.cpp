// SPDX-License-Identifier: Apache-2.0
// `megacontext macro`: instructions as a few gists, made once and read in every call.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "apps/views/macro_view.h"
#include "core/utf8.h"
#include "runtime/macros.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext macro create brief --text brief.txt\n"
    "  megacontext macro create brief8 --text brief.txt --gists 8 --steps 96\n"
    "  megacontext query \"Who signed the treaty?\" --answer --macro brief\n"
    "  megacontext macro show brief\n"
    "A macro belongs to a bank and to the base model whose keys and values it holds. Its text is\n"
    "kept with it.";

// Far above what kInstructionTokensMax tokens take.
constexpr std::uint64_t kTextBytesMax = 256 * 1024;

class MacroCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override;

    Result<int> run(Invocation& invocation) override {
        if (create_->parsed()) return create(invocation);
        if (list_->parsed()) return list(invocation);
        return show_->parsed() ? show(invocation) : remove(invocation);
    }

  private:
    void define_create(CLI::App& app);
    Result<int> create(Invocation& invocation);
    Result<int> list(Invocation& invocation) const;
    Result<int> show(Invocation& invocation) const;
    Result<int> remove(Invocation& invocation) const;

    CLI::App* create_ = nullptr;
    CLI::App* list_ = nullptr;
    CLI::App* show_ = nullptr;
    std::string name_;
    std::string text_file_;
    runtime::MacroSettings settings_;
    bool purge_ = false;
};

CLI::App* MacroCommand::define(CLI::App& program, ConfigLayer&) {
    CLI::App* app = program.add_subcommand("macro", "Make an instruction a few gists, once");
    app->require_subcommand(1);
    create_ = app->add_subcommand("create", "Make a macro of an instruction");
    define_create(*create_);
    list_ = app->add_subcommand("list", "The macros of the bank");
    show_ = app->add_subcommand("show", "One macro, with its text");
    CLI::App* removal = app->add_subcommand("remove", "Take a macro out for good");
    removal->add_flag("--purge", purge_,
                      "also leave no trace in the store's file (writes it anew)");
    for (CLI::App* part : {create_, show_, removal})
        part->add_option("NAME", name_, "1 to 64 of A-Z a-z 0-9 . _ -")->required();
    for (CLI::App* part : {app, create_, list_, show_, removal}) part->footer(kFooter);
    return app;
}

void MacroCommand::define_create(CLI::App& app) {
    app.add_option("--text", text_file_, "the instruction, a file of UTF-8")
        ->type_name("FILE")
        ->required();
    app.add_option("--gists", settings_.entries, "entries that stand for it, 1 to 8")
        ->type_name("N")
        ->check(CLI::Range(1U, runtime::kMacroEntriesMax).description(""))
        ->capture_default_str();
    app.add_option("--steps", settings_.steps,
                   "steps of descent on them; 0: as the encoder made them")
        ->type_name("N")
        ->check(CLI::Range(0U, runtime::kMacroStepsMax).description(""))
        ->capture_default_str();
    app.add_option("--lessons", settings_.lessons, "that the model writes to fit them to")
        ->type_name("N")
        ->check(CLI::Range(1U, runtime::kMacroLessonsMax).description(""))
        ->capture_default_str();
    app.add_option("--seed", settings_.seed, "of the lessons and their order")
        ->capture_default_str();
}

std::string_view name_of(runtime::MacroOutcome outcome) {
    switch (outcome) {
        case runtime::MacroOutcome::kMade:
            return "made";
        case runtime::MacroOutcome::kAlreadyThere:
            return "already_there";
        case runtime::MacroOutcome::kSameGists:
            return "same_gists";
    }
    return {};
}

Result<int> MacroCommand::create(Invocation& invocation) {
    MC_ASSIGN(const std::string text, read_file(text_file_, kTextBytesMax));
    if (is_blank(text)) return fail(ErrorCode::kInvalidInput, text_file_ + " is empty");
    if (find_invalid_utf8(text))
        return fail(ErrorCode::kInvalidInput, text_file_ + " is not UTF-8");
    MC_ASSIGN(const auto engine,
              open_engine(invocation, runtime::Need::kModel, runtime::Access::kWrite));
    const std::string& bank = invocation.config.bank;
    MC_TRY(runtime::BankSession::open(*engine, bank, true));
    const InterruptWatch watch;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    std::string phase_shown;
    settings_.progress = [&](std::string_view phase, std::uint64_t done, std::uint64_t total) {
        if (phase != phase_shown) bar.begin(phase_shown = phase);
        bar.update(done, static_cast<double>(done) / static_cast<double>(total));
    };
    settings_.cancelled = &invocation.interrupted;
    MC_ASSIGN(const runtime::MadeMacro made,
              runtime::create_macro(*engine, bank, name_, text, settings_));
    bar.clear();
    if (invocation.out.json()) {
        Json line{{"outcome", name_of(made.outcome)}};
        line.update(to_json(made.macro));
        invocation.out.json(line);
        return 0;
    }
    const char* const what = made.outcome == runtime::MacroOutcome::kMade ? "made "
                             : made.outcome == runtime::MacroOutcome::kSameGists
                                 ? "the gists of another macro serve "
                                 : "already there: ";
    invocation.out.text(what + made.macro.name + ": " + summary_of(made.macro));
    invocation.out.text("seed " + std::to_string(made.macro.seed) + ", " +
                        format_count(made.macro.steps) + " steps, " +
                        format_seconds(static_cast<double>(made.macro.seconds)));
    return 0;
}

Result<int> MacroCommand::list(Invocation& invocation) const {
    MC_ASSIGN(const auto engine,
              open_engine(invocation, runtime::Need::kStore, runtime::Access::kRead));
    MC_ASSIGN(const auto macros, engine->store().list_macros(invocation.config.bank));
    if (!invocation.out.json()) {
        print_macros(invocation.out, macros);
        return 0;
    }
    Json list = Json::array();
    for (const storage::MacroRecord& macro : macros) list.push_back(to_json(macro));
    invocation.out.json({{"bank", invocation.config.bank}, {"macros", std::move(list)}});
    return 0;
}

Result<int> MacroCommand::show(Invocation& invocation) const {
    MC_ASSIGN(const auto engine,
              open_engine(invocation, runtime::Need::kStore, runtime::Access::kRead));
    MC_ASSIGN(const storage::MacroRecord macro,
              engine->store().read_macro(invocation.config.bank, name_));
    Output& out = invocation.out;
    if (out.json()) {
        Json line = to_json(macro);
        line["text"] = macro.text;
        out.json(line);
        return 0;
    }
    out.text(out.strong(macro.name) + "  " + summary_of(macro));
    out.text(out.faint("base model " + printable(macro.base_model_name) + " (" +
                       to_hex(macro.base_model_hash) + "), recipe " + to_hex(macro.recipe_hash)));
    out.text(out.faint("made " + format_time(macro.created_us) + " with " +
                       format_count(macro.steps) + " steps, seed " + std::to_string(macro.seed) +
                       ", in " + format_seconds(static_cast<double>(macro.seconds))));
    out.text(out.faint("nats a token of its answers to inputs kept for this: none " +
                       format_number(static_cast<double>(macro.nll_none)) + ", full " +
                       format_number(static_cast<double>(macro.nll_full)) + ", gists " +
                       format_number(static_cast<double>(macro.nll_gists))));
    out.text("");
    out.text(printable(macro.text));
    return 0;
}

Result<int> MacroCommand::remove(Invocation& invocation) const {
    MC_ASSIGN(const auto engine,
              open_engine(invocation, runtime::Need::kStore, runtime::Access::kWrite));
    MC_TRY(engine->store().remove_macro(invocation.config.bank, name_));
    if (purge_) MC_TRY(engine->store().purge());
    if (invocation.out.json())
        invocation.out.json({{"outcome", "removed"}, {"macro", name_}});
    else
        invocation.out.text("removed " + name_);
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_macro_command() {
    return std::make_unique<MacroCommand>();
}

}  // namespace mc::apps

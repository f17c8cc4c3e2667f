// SPDX-License-Identifier: Apache-2.0
// `megacontext forget`: documents go, a tombstone stays.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "apps/commands/command.h"
#include "apps/terminal/text.h"
#include "apps/views/render.h"
#include "runtime/forget.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext forget old-notes.txt d7 --dry-run\n"
    "  megacontext forget old-notes.txt --reason 'asked for by the author' --yes\n"
    "  megacontext forget --older-than 90d --yes\n"
    "What is forgotten cannot be found, read or shown any more, and cannot be brought back. Free\n"
    "pages of the store's files may hold some of it until they are written over; --purge writes "
    "the\n"
    "files anew without them.";

// "90d", "12h": a number of seconds, minutes, hours, days or weeks.
Result<std::int64_t> parse_age_us(const std::string& text) {
    constexpr std::pair<char, std::int64_t> kUnits[] = {
        {'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
    constexpr std::uint64_t kCountMax = 1'000'000;
    const auto* const unit = std::ranges::find(kUnits, text.empty() ? '\0' : text.back(),
                                               &std::pair<char, std::int64_t>::first);
    std::optional<std::uint64_t> count;
    if (unit != std::end(kUnits)) {
        const auto parsed = parse_count(std::string_view(text).substr(0, text.size() - 1));
        if (parsed) count = *parsed;
    }
    if (!count || *count > kCountMax)
        return fail(ErrorCode::kUsage, "--older-than: '" + printable(text) +
                                           "' is no age; write 90d, 12h, 30m, 45s or 8w");
    return static_cast<std::int64_t>(*count) * unit->second * 1'000'000;
}

class ForgetCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app =
            program.add_subcommand("forget", "Take documents out of the store for good");
        app->add_option("DOCUMENT", names_, "d3, 3 or the source name; several may be given");
        app->add_flag("--all", all_, "every document of the bank");
        app->add_option("--older-than", age_, "those not added to for so long: 90d, 12h, 30m")
            ->type_name("AGE");
        app->add_option("--reason", reason_, "kept with the tombstone");
        app->add_flag("--purge", purge_,
                      "also leave no trace in the store's files (writes them anew)");
        app->add_flag("--dry-run", dry_run_, "say what would go, and change nothing");
        app->add_flag("-y,--yes", yes_, "do not ask");
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    Result<void> check_usage() const;
    Result<runtime::ForgetChoice> choice() const;
    static void print_plan(Output& out, const runtime::ForgetReport& plan,
                           std::string_view outcome);

    std::vector<std::string> names_;
    bool all_ = false;
    std::string age_;
    std::string reason_;
    bool purge_ = false;
    bool dry_run_ = false;
    bool yes_ = false;
};

Result<void> ForgetCommand::check_usage() const {
    const int ways = (names_.empty() ? 0 : 1) + (all_ ? 1 : 0) + (age_.empty() ? 0 : 1);
    if (ways != 1)
        return fail(ErrorCode::kUsage,
                    "say what to forget in one way: documents, --older-than AGE or --all");
    if (!yes_ && !dry_run_ && isatty(STDIN_FILENO) != 1)
        return fail(ErrorCode::kUsage,
                    "forgetting cannot be undone, and nobody is there to be asked: pass --yes, or "
                    "--dry-run to see what would go");
    return {};
}

Result<runtime::ForgetChoice> ForgetCommand::choice() const {
    runtime::ForgetChoice choice{names_, {}, all_};
    if (!age_.empty()) {
        MC_ASSIGN(choice.older_than_us, parse_age_us(age_));
    }
    return choice;
}

void ForgetCommand::print_plan(Output& out, const runtime::ForgetReport& plan,
                               std::string_view outcome) {
    if (out.json()) {
        for (const DocumentRecord& document : plan.documents) {
            Json line{{"outcome", outcome}};
            line.update(to_json(document));
            out.json(line);
        }
        return;
    }
    for (const DocumentRecord& document : plan.documents)
        out.text(out.strong(std::string(outcome == "forgotten" ? "forgotten" : "would forget")) +
                 "  " + to_text(document.id) + "  " + printable(document.source_name) + "  " +
                 format_count(document.token_count) + " tokens, " +
                 format_count(document.byte_count) + " bytes");
}

// Anything but yes is no.
bool is_confirmed(std::size_t documents) {
    std::cerr << "Forget " << documents << (documents == 1 ? " document" : " documents")
              << " for good? [y/N] " << std::flush;
    std::string line;
    std::getline(std::cin, line);
    return line == "y" || line == "Y" || line == "yes";
}

Result<int> ForgetCommand::run(Invocation& invocation) {
    MC_TRY(check_usage());
    const auto access = dry_run_ ? runtime::Access::kRead : runtime::Access::kWrite;
    MC_ASSIGN(const auto engine, open_engine(invocation, runtime::Need::kTokenizer, access));
    MC_ASSIGN(const auto session,
              runtime::BankSession::open(*engine, invocation.config.bank, false));
    MC_ASSIGN(const runtime::ForgetChoice choice, this->choice());
    MC_ASSIGN(const runtime::ForgetReport plan, runtime::plan_forget(*session, choice));
    Output& out = invocation.out;
    if (plan.documents.empty()) {
        if (purge_ && !dry_run_) MC_TRY(runtime::purge(*session));
        if (!out.json()) out.text("nothing to forget");
        return 0;
    }
    if (dry_run_ || !yes_) print_plan(out, plan, "would_forget");
    if (dry_run_) return 0;
    if (!yes_ && !is_confirmed(plan.documents.size())) {
        out.text("nothing was forgotten");
        return 0;
    }
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin("forget");
    const auto progress = [&](std::size_t done) {
        bar.update(done, static_cast<double>(done) / static_cast<double>(plan.documents.size()));
    };
    MC_TRY(runtime::forget(*session, plan, reason_, progress));
    if (purge_) MC_TRY(runtime::purge(*session));
    bar.clear();
    invocation.log.info("forgotten", {{"documents", plan.documents.size()},
                                      {"tokens", plan.token_count},
                                      {"bytes", plan.byte_count}});
    print_plan(out, plan, "forgotten");
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_forget_command() {
    return std::make_unique<ForgetCommand>();
}

}  // namespace mc::apps

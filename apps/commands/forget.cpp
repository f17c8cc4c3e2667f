// SPDX-License-Identifier: Apache-2.0
// `megacontext forget`: documents go, a tombstone stays; or parts of one go, and the rest stays.
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
#include "runtime/versions.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext forget old-notes.txt d7 --dry-run\n"
    "  megacontext forget old-notes.txt --reason 'asked for by the author' --yes\n"
    "  megacontext forget --older-than 90d --yes\n"
    "  megacontext forget d3 --bytes 1200:1290 --dry-run   (bytes as evidence and read have them)\n"
    "  megacontext forget notes.txt --versions-only --yes\n"
    "Kept versions of a document go with it, and with any part of it, because they may say the\n"
    "same.\n"
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

// Of a part's text in a plan.
constexpr std::size_t kPartColumns = 100;

class ForgetCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer&) override {
        CLI::App* app =
            program.add_subcommand("forget", "Take documents out of the store for good");
        app->add_option("DOCUMENT", names_, "d3, 3 or the source name; several may be given");
        app->add_option("--bytes", ranges_,
                        "of one document, forget these bytes alone, in whole tokens; several may "
                        "be given")
            ->type_name("A:B");
        app->add_flag("--all", all_, "every document of the bank");
        app->add_option("--older-than", age_, "those not added to for so long: 90d, 12h, 30m")
            ->type_name("AGE");
        app->add_flag("--versions-only", versions_only_,
                      "kept versions of these documents, those that are as old, or all; what "
                      "stands stays");
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
    Result<int> forget(Invocation& invocation, runtime::BankSession& session,
                       const runtime::ForgetReport& plan);
    static Result<void> print_plan(Output& out, const runtime::BankText& text,
                                   const runtime::ForgetReport& plan);
    static void print_outcome(Output& out, const runtime::ForgetReport& plan,
                              std::string_view outcome);
    static void print_versions(Output& out, const runtime::ForgetReport& plan,
                               std::string_view outcome);

    std::vector<std::string> names_;
    std::vector<std::string> ranges_;
    bool all_ = false;
    std::string age_;
    bool versions_only_ = false;
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
    if (!ranges_.empty() && names_.size() != 1)
        return fail(ErrorCode::kUsage, "--bytes are those of one document: name it");
    if (!yes_ && !dry_run_ && isatty(STDIN_FILENO) != 1)
        return fail(ErrorCode::kUsage,
                    "forgetting cannot be undone, and nobody is there to be asked: pass --yes, or "
                    "--dry-run to see what would go");
    return {};
}

Result<runtime::ForgetChoice> ForgetCommand::choice() const {
    runtime::ForgetChoice choice{names_, {}, all_, {}, versions_only_};
    for (const std::string& text : ranges_) {
        MC_ASSIGN(const OpenRange range, parse_range(text));
        choice.bytes.push_back({range.begin, range.end});
    }
    if (!age_.empty()) {
        MC_ASSIGN(choice.older_than_us, parse_age_us(age_));
    }
    return choice;
}

// With the text of the parts, because bytes tell nobody what would go.
Result<void> ForgetCommand::print_plan(Output& out, const runtime::BankText& text,
                                       const runtime::ForgetReport& plan) {
    print_outcome(out, plan, "would_forget");
    if (out.json()) return {};
    for (const runtime::DocumentPart& part : plan.parts) {
        MC_ASSIGN(const std::string bytes, text.read_bytes(plan.documents.front().id, part.bytes));
        out.text("  " + format_range(part.bytes.begin, part.bytes.end) + "  " +
                 excerpt(bytes, kPartColumns));
    }
    return {};
}

// parts: what goes of it; none: all.
Json forgotten_line(const DocumentRecord& document, std::string_view outcome,
                    const std::vector<runtime::DocumentPart>& parts) {
    Json line{{"outcome", outcome}};
    line.update(apps::to_json(document));
    line["parts"] = Json::array();
    for (const runtime::DocumentPart& part : parts) line["parts"].push_back(to_json(part));
    return line;
}

void ForgetCommand::print_outcome(Output& out, const runtime::ForgetReport& plan,
                                  std::string_view outcome) {
    for (const DocumentRecord& document : plan.documents) {
        if (out.json()) {
            out.json(forgotten_line(document, outcome, plan.parts));
            continue;
        }
        const bool is_part = !plan.parts.empty();
        out.text(out.strong(outcome == "forgotten" ? "forgotten" : "would forget") +
                 (is_part ? " of " : "  ") + to_text(document.id) + "  " +
                 printable(document.source_name) + "  " +
                 format_count(is_part ? plan.token_count : document.token_count) + " tokens, " +
                 format_count(is_part ? plan.byte_count : document.byte_count) + " bytes");
    }
    print_versions(out, plan, outcome);
}

void ForgetCommand::print_versions(Output& out, const runtime::ForgetReport& plan,
                                   std::string_view outcome) {
    for (const DocumentRecord& version : plan.versions) {
        if (out.json()) {
            out.json(forgotten_line(version, outcome, {}));
            continue;
        }
        out.text(out.strong(outcome == "forgotten" ? "forgotten" : "would forget") + "  " +
                 to_text(version.id) + "  " + printable(runtime::describe(version)) + "  " +
                 format_count(version.token_count) + " tokens, " +
                 format_count(version.byte_count) + " bytes");
    }
}

// Anything but yes is no.
bool is_confirmed(const runtime::ForgetReport& plan) {
    const std::size_t documents = plan.documents.size();
    const std::size_t versions = plan.versions.size();
    std::cerr << "Forget ";
    if (!plan.parts.empty()) std::cerr << plan.byte_count << " bytes of ";
    if (documents > 0 || versions == 0)
        std::cerr << documents << (documents == 1 ? " document" : " documents");
    if (versions > 0)
        std::cerr << (documents > 0 ? " and " : "") << versions
                  << (versions == 1 ? " version" : " versions");
    std::cerr << " for good? [y/N] " << std::flush;
    std::string line;
    std::getline(std::cin, line);
    return line == "y" || line == "Y" || line == "yes";
}

Result<int> ForgetCommand::run(Invocation& invocation) {
    MC_TRY(check_usage());
    MC_ASSIGN(const runtime::ForgetChoice choice, this->choice());
    // A writer with a model would make a store that is not there; a reader says that it is not.
    if (!ranges_.empty() && !dry_run_) {
        MC_ASSIGN(const auto reader,
                  open_engine(invocation, runtime::Need::kTokenizer, runtime::Access::kRead));
        MC_TRY(runtime::BankSession::open(*reader, invocation.config.bank, false));
    }
    const bool makes_gists = !ranges_.empty() && !dry_run_;
    const auto access = dry_run_ ? runtime::Access::kRead : runtime::Access::kWrite;
    MC_ASSIGN(const auto engine,
              open_engine(invocation,
                          makes_gists ? runtime::Need::kModel : runtime::Need::kTokenizer, access));
    MC_ASSIGN(const auto session,
              runtime::BankSession::open(*engine, invocation.config.bank, false));
    MC_ASSIGN(const runtime::ForgetReport plan, runtime::plan_forget(*session, choice));
    Output& out = invocation.out;
    if (plan.is_empty()) {
        if (purge_ && !dry_run_) MC_TRY(runtime::rewrite_store(*engine, session.get()));
        if (!out.json()) out.text("nothing to forget");
        return 0;
    }
    if (dry_run_ || !yes_) MC_TRY(print_plan(out, session->text(), plan));
    if (dry_run_) return 0;
    if (!yes_ && !is_confirmed(plan)) {
        out.text("nothing was forgotten");
        return 0;
    }
    return forget(invocation, *session, plan);
}

Result<int> ForgetCommand::forget(Invocation& invocation, runtime::BankSession& session,
                                  const runtime::ForgetReport& plan) {
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin("forget");
    const std::size_t total = plan.documents.size() + plan.versions.size();
    const auto progress = [&](std::size_t done) {
        bar.update(done, static_cast<double>(done) / static_cast<double>(total));
    };
    MC_TRY(runtime::forget(session, plan, reason_, progress));
    if (purge_) MC_TRY(runtime::rewrite_store(session.engine(), &session));
    bar.clear();
    invocation.log.info("forgotten", {{"documents", plan.documents.size()},
                                      {"versions", plan.versions.size()},
                                      {"tokens", plan.token_count},
                                      {"bytes", plan.byte_count}});
    print_outcome(invocation.out, plan, "forgotten");
    return 0;
}

}  // namespace

std::unique_ptr<Command> make_forget_command() {
    return std::make_unique<ForgetCommand>();
}

}  // namespace mc::apps

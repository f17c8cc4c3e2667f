// SPDX-License-Identifier: Apache-2.0
// The one binary: parses the command line, resolves the settings, runs a subcommand, reports.
#include <CLI/CLI.hpp>
#include <clocale>
#include <cstdio>
#include <iostream>

#include "apps/commands/command.h"
#include "apps/commands/key_prompt.h"
#include "apps/commands/options.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/last_resort.h"
#include "apps/terminal/output.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace mc::apps {
namespace {

constexpr const char* kDescription =
    "MegaContext: a persistent memory for a frozen language model. Documents become trees of "
    "gists,\nquestions read them through a working context of bounded size.";

constexpr const char* kProgramFooter =
    "Examples:\n"
    "  megacontext ingest notes.txt book.txt\n"
    "  megacontext query \"Who signed the treaty?\" --answer\n"
    "  megacontext repl\n"
    "Options may stand before or after the subcommand. Settings come from flags, MEGACONTEXT_*\n"
    "variables, ./megacontext.toml and the user's config.toml, in this order.\n"
    "Exit codes: 0 done, 2 usage, 3 invalid input, 4 input/output, 5 corruption, 6 out of space,\n"
    "7 format version, 8 model mismatch, 9 over budget, 10 stale index, 11 model, 12 locked,\n"
    "13 key, 70 a fault of megacontext itself, 130 interrupted.";

int exit_code_of(const Error& error) {
    return static_cast<int>(error.code());
}

telemetry::LogOptions log_options(const Config& config, const GlobalOptions& options) {
    telemetry::LogOptions log;
    if (const auto level = telemetry::log_level_from_name(config.log_level)) log.level = *level;
    log.format = options.log_json ? telemetry::LogFormat::kJson : telemetry::LogFormat::kText;
    log.color = !options.no_color && telemetry::color_wanted();
    return log;
}

// The last line of a run, whatever its end: what was counted.
void log_totals(const telemetry::Logger& log, const telemetry::Metrics& metrics) {
    const auto totals = metrics.totals();
    std::vector<telemetry::LogField> fields;
    for (const telemetry::MetricTotal& total : totals)
        std::visit([&](auto value) { fields.emplace_back(total.name, value); }, total.value);
    log.log(telemetry::LogLevel::kInfo, "totals", fields);
}

Result<int> run_command(Command& command, CLI::App& program, const GlobalOptions& options,
                        Output& out) {
    MC_ASSIGN(ResolvedConfig settings, resolve_settings(options));
    MC_TRY(complete_key(settings.config, command.opens_store()));
    const SystemClock clock;
    const telemetry::Logger log(log_options(settings.config, options), clock);
    telemetry::Metrics metrics;
    Invocation invocation{settings.config, out, log, clock, metrics, interrupt_flag(), program};
    Result<int> code = command.run(invocation);
    log_totals(log, metrics);
    if (code) MC_TRY(out.finish());
    return code;
}

// The innermost subcommand that was given, or the program.
const CLI::App& last_parsed(const CLI::App& app) {
    const auto given = app.get_subcommands();
    return given.empty() ? app : last_parsed(*given.front());
}

// "megacontext eval run".
std::string name_of(const CLI::App& app) {
    const CLI::App* parent = app.get_parent();
    return parent == nullptr ? app.get_name() : name_of(*parent) + " " + app.get_name();
}

// Help and version print and succeed; everything else that the parser throws is a usage error.
int report_parse_end(const CLI::App& program, const CLI::ParseError& end, Output& out) {
    if (end.get_exit_code() == static_cast<int>(CLI::ExitCodes::Success))
        return program.exit(end, std::cout, std::cerr);
    std::string message = end.what();
    const CLI::App& last = last_parsed(program);
    const auto left_over = program.remaining(true);
    if (last.get_require_subcommand_min() > 0 && !left_over.empty())
        message = "there is no subcommand " + left_over.front() + " of " + name_of(last);
    const Error error(ErrorCode::kUsage, message + " (see " + name_of(last) + " --help)");
    out.error(error);
    return exit_code_of(error);
}

int run(int argument_count, char** arguments) {
    CLI::App program(kDescription, "megacontext");
    program.fallthrough();
    program.require_subcommand(1);
    program.set_version_flag("--version", std::string("megacontext ") + MC_VERSION);
    GlobalOptions options;
    add_global_options(program, options);
    auto commands = make_commands();
    std::vector<std::pair<const CLI::App*, Command*>> defined;
    for (auto& command : commands)
        defined.emplace_back(command->define(program, options.flags), command.get());
    program.footer(kProgramFooter);

    try {
        program.parse(argument_count, arguments);
    } catch (const CLI::ParseError& end) {
        const bool json = asks_for_json(argument_count, arguments);
        Output out(std::cout, std::cerr, style_from_environment(json, options.no_color));
        return report_parse_end(program, end, out);
    }
    Output out(std::cout, std::cerr, style_from_environment(options.json, options.no_color));
    for (const auto& [app, command] : defined) {
        if (!app->parsed()) continue;
        const Result<int> code = run_command(*command, program, options, out);
        if (code) return *code;
        out.error(code.error());
        return exit_code_of(code.error());
    }
    return 0;
}

}  // namespace
}  // namespace mc::apps

int main(int argument_count, char** arguments) {
    // Characters as the terminal has them; numbers stay as in the C locale, for JSON.
    std::setlocale(LC_CTYPE, "");
    mc::apps::Output out(std::cout, std::cerr,
                         mc::apps::style_from_environment(
                             mc::apps::asks_for_json(argument_count, arguments), false));
    return mc::apps::run_with_last_resort(out,
                                          [&] { return mc::apps::run(argument_count, arguments); });
}

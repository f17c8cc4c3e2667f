// SPDX-License-Identifier: Apache-2.0
// `megacontext ingest`: documents in, one outcome line each.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "apps/commands/command.h"
#include "apps/commands/folder_watch.h"
#include "apps/commands/gists.h"
#include "apps/commands/inputs.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "apps/views/render.h"
#include "documents/kind.h"
#include "runtime/ingest.h"
#include "runtime/source_names.h"
#include "telemetry/progress.h"

namespace mc::apps {
namespace {

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext ingest book.txt notes/\n"
    "  curl -s https://example.org/page.txt | megacontext ingest - --name page.txt\n"
    "  megacontext ingest --bank work --stats report.md\n"
    "  megacontext ingest --watch notes/\n"
    "Texts first, which can be found from then on, then their gists. An interrupted ingest is\n"
    "continued by the same command. A file is one document however its\n"
    "path is spelled. A document whose file has grown at its end is extended; one whose file has\n"
    "changed is refused, or with --replace forgotten and taken in anew; --keep-versions 5 keeps\n"
    "the newest five of what was replaced, which read and query --as-of find. With --watch what "
    "is\n"
    "written into the folders later is taken in, too, a changed file in the place of what it was,\n"
    "until Ctrl-C; a document whose file is gone stays. Between two files nobody is locked out.\n"
    "Kinds, known by their content: text, Markdown and source code as they are (UTF-8, UTF-16);\n"
    "HTML, PDF, EPUB, DOCX, ODT, mail (eml, mbox) and chats (JSON lines of role and content) as\n"
    "text. Evidence says where in them it stands (page, heading, message); read --original gives\n"
    "the file's bytes back.";

// "text", "html", …
std::string_view kind_of(const runtime::SourceText& content) {
    return content.kind ? documents::kind_name(*content.kind) : "text";
}

// ", converted from HTML"; empty for text as it was.
std::string conversion_of(const runtime::SourceText& content) {
    if (content.kind)
        return ", converted from " + std::string(documents::kind_title(*content.kind));
    if (content.converted_from)
        return ", converted from " + std::string(runtime::utf16_name(*content.converted_from));
    return {};
}

void print_report(Output& out, const runtime::IngestReport& report,
                  const runtime::SourceText& content) {
    const double rate =
        report.seconds > 0 ? static_cast<double>(report.tokens_added) / report.seconds : 0;
    if (out.json()) {
        Json line{{"outcome", outcome_name(report.outcome)}};
        line.update(to_json(report.document));
        line["kind"] = kind_of(content);
        line.update({{"tokens_added", report.tokens_added},
                     {"bytes_added", report.bytes_added},
                     {"seconds", report.seconds},
                     {"tokens_per_second", rate}});
        if (report.replaced) {
            line["replaced"] = to_text(*report.replaced);
            line["kept_version"] = report.kept_version ? Json(*report.kept_version) : Json(nullptr);
            line["tokens_kept"] = report.tokens_kept;
            line["gists_added"] = report.gists_made;
        }
        if (content.converted_from)
            line["converted_from"] = runtime::utf16_name(*content.converted_from);
        out.json(line);
    } else {
        std::string name(outcome_name(report.outcome));
        std::replace(name.begin(), name.end(), '_', ' ');
        std::string line = out.strong(name + "  " + to_text(report.document.id)) + "  " +
                           printable(report.document.source_name) + "  " +
                           format_count(report.document.token_count) + " tokens, " +
                           format_count(report.document.byte_count) + " bytes";
        if (report.replaced) line += ", in the place of " + to_text(*report.replaced);
        if (report.kept_version)
            line += ", which is kept as version " + std::to_string(*report.kept_version);
        if (report.tokens_kept > 0)
            line += ", " + format_count(report.tokens_kept) + " tokens with the gists they had";
        line += conversion_of(content);
        if (report.tokens_added > 0)
            line += "  (" + format_count(report.tokens_added) + " tokens added in " +
                    format_seconds(report.seconds) + ", " +
                    format_count(static_cast<std::uint64_t>(rate)) + " tokens/s)";
        out.text(line);
    }
    out.flush();
}

void print_skipped(Output& out, const Input& input) {
    if (out.json())
        out.json(
            {{"outcome", "skipped"}, {"source", input.source_name}, {"reason", *input.skipped}});
    else
        out.text("skipped  " + printable(input.source_name) + "  (" + printable(*input.skipped) +
                 ")");
}

// Null until an input can be taken.
struct OpenBank {
    std::unique_ptr<runtime::Engine> engine;
    std::unique_ptr<runtime::BankSession> session;
    std::unique_ptr<runtime::SourceNames> names;
};

class IngestCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer& flags) override {
        CLI::App* app = program.add_subcommand("ingest", "Take documents into the store");
        app->add_option("FILE", names_, "files, folders, pipes, or - for standard input")
            ->required();
        app->add_option("--name", source_name_,
                        "source name of the document; of a folder: what stands before its files'");
        app->add_flag("--no-gists", without_gists_,
                      "text alone, which can be found at once; its gists are made by a server, or "
                      "megacontext gists");
        app->add_flag("--stats", options_.with_statistics,
                      "also keep each block's mean NLL and entropy (slower)");
        app->add_flag("--binary", options_.allow_binary,
                      "take bytes of any kind as they are, UTF-16 and HTML too");
        app->add_flag("--replace", options_.replace,
                      "a document whose source has changed is forgotten and taken in anew");
        add_setting_flag(*app, flags, Setting::kKeepVersions);
        app->add_flag("--watch", is_watching_,
                      "folders: go on with what is written there, until Ctrl-C; implies --replace");
        app->add_option("--media-type", options_.media_type, "recorded with the document")
            ->capture_default_str();
        add_setting_flag(*app, flags, Setting::kIngestBytesMax);
        add_setting_flag(*app, flags, Setting::kEncoder);
        add_setting_flag(*app, flags, Setting::kCodec);
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    Result<void> check_names() const;
    Result<FolderWatch> watch_folders() const;
    Result<void> keep_watching(Invocation& invocation, FolderWatch& watch);
    Result<void> ingest_all(Invocation& invocation, std::vector<Input>& inputs);
    Result<void> ingest_each(Invocation& invocation, OpenBank& bank, std::vector<Input>& inputs);
    Result<void> ingest_one(Invocation& invocation, OpenBank& bank, Input& input);
    void take_fault(Output& out, const Error& error);
    void print_summary(Output& out, std::size_t input_count) const;

    std::vector<std::string> names_;
    std::string source_name_;
    runtime::IngestOptions options_;
    bool without_gists_ = false;
    bool is_watching_ = false;
    std::size_t taken_ = 0;
    std::size_t passed_over_ = 0;
    std::size_t failed_ = 0;
    int exit_code_ = 0;  // of the first fault
};

Result<void> IngestCommand::check_names() const {
    const auto stream = std::ranges::find_if(
        names_, [](const std::string& name) { return name == "-" || runtime::is_stream(name); });
    if (stream != names_.end() && source_name_.empty())
        return fail(ErrorCode::kUsage,
                    (*stream == "-" ? "standard input" : *stream + " is a stream and") +
                        " has no name of its own: give --name NAME");
    if (source_name_.empty()) return {};
    if (names_.size() != 1)
        return fail(ErrorCode::kUsage, "--name names one input: give one file, one folder or -");
    return {};
}

Result<FolderWatch> IngestCommand::watch_folders() const {
    for (const std::string& name : names_)
        if (std::error_code ignored; !std::filesystem::is_directory(name, ignored))
            return fail(ErrorCode::kUsage, "--watch is for folders, and " + name + " is none");
    return FolderWatch::open({names_.begin(), names_.end()});
}

// Until Ctrl-C. What another process keeps out by writing is tried again.
Result<void> IngestCommand::keep_watching(Invocation& invocation, FolderWatch& watch) {
    if (!invocation.out.json()) invocation.out.text("watching; Ctrl-C ends");
    invocation.out.flush();
    std::set<Path> held;
    while (true) {
        const bool was_held = !held.empty();
        MC_ASSIGN(std::set<Path> written, watch.wait(invocation.interrupted, std::move(held)));
        held.clear();
        if (invocation.interrupted) return {};
        std::vector<Input> inputs = list_inputs(names_, source_name_);
        std::erase_if(inputs, [&](const Input& input) { return !written.contains(input.path); });
        const auto done = ingest_all(invocation, inputs);
        invocation.out.flush();  // what was passed over waits for nothing either
        if (done) continue;
        if (done.error().code() == ErrorCode::kCancelled) return {};
        if (done.error().code() != ErrorCode::kLocked) return fail(done.error());
        if (!was_held) invocation.log.warning(done.error().message() + "; trying again", {});
        held = std::move(written);
    }
}

void IngestCommand::take_fault(Output& out, const Error& error) {
    out.error(error);
    ++failed_;
    if (exit_code_ == 0) exit_code_ = static_cast<int>(error.code());
}

Result<void> IngestCommand::ingest_one(Invocation& invocation, OpenBank& bank, Input& input) {
    runtime::IngestOptions options = options_;
    std::string name = input.source_name;
    if (const std::string path = identity_of(input); !path.empty()) {
        MC_ASSIGN(name, bank.names->name_of(input.source_name, path));
        options.metadata.emplace(runtime::kSourcePathKey, path);
    }
    const runtime::SourceText& content = input.content;
    options.metadata.merge(runtime::metadata_of(content));
    if (content.original) options.original = &*content.original;
    auto bar = telemetry::ProgressBar::for_stderr(invocation.clock);
    bar.begin("ingest " + excerpt(input.source_name, 24) +
              (content.kind ? " (" + std::string(documents::kind_title(*content.kind)) + ")" : ""));
    const auto progress = [&bar](const runtime::IngestProgress& state) {
        const double share = state.bytes_total == 0 ? 1.0
                                                    : static_cast<double>(state.bytes_done) /
                                                          static_cast<double>(state.bytes_total);
        bar.update(state.tokens_done, share);
    };
    auto report = runtime::ingest_text(*bank.session, name, content.text, options, progress);
    bar.clear();
    if (!report) return fail(std::move(report.error()));
    invocation.log.info("ingested", {{"document", to_text(report->document.id)},
                                     {"tokens", report->tokens_added},
                                     {"seconds", report->seconds}});
    print_report(invocation.out, *report, content);
    ++taken_;
    return {};
}

Result<void> IngestCommand::ingest_all(Invocation& invocation, std::vector<Input>& inputs) {
    OpenBank bank;
    auto done = ingest_each(invocation, bank, inputs);
    if (bank.session == nullptr) return done;
    // Whatever ended the run, what was committed is to be found by search.
    MC_TRY(bank.session->index_now());
    if (!done || without_gists_) return done;
    return make_waiting_gists(invocation, *bank.session, options_.with_statistics)
        .map([](const MadeGists&) {});
}

// Opens the store for the first input that can be taken. Goes on after a wrong document; anything
// else (a full disk, an interrupt) ends the run.
Result<void> IngestCommand::ingest_each(Invocation& invocation, OpenBank& bank,
                                        std::vector<Input>& inputs) {
    for (Input& input : inputs) {
        load_input(input, options_);
        if (input.skipped) {
            print_skipped(invocation.out, input);
            ++passed_over_;
        }
        if (input.fault) {
            if (input.fault->code() == ErrorCode::kCancelled) return fail(*input.fault);
            take_fault(invocation.out, *input.fault);
        }
        if (input.skipped || input.fault) continue;
        if (bank.session == nullptr) {
            MC_ASSIGN(bank.engine,
                      open_engine(invocation, runtime::Need::kModel, runtime::Access::kWrite));
            MC_ASSIGN(bank.session,
                      runtime::BankSession::open(*bank.engine, invocation.config.bank, true));
            bank.names = std::make_unique<runtime::SourceNames>(*bank.session);
            MC_TRY(open_search(invocation, *bank.session));
        }
        const auto done = ingest_one(invocation, bank, input);
        input.content = {};
        if (done) continue;
        if (done.error().code() != ErrorCode::kInvalidInput) return fail(done.error());
        take_fault(invocation.out, done.error());
    }
    return {};
}

// What of many files there was to see is far up by now.
void IngestCommand::print_summary(Output& out, std::size_t input_count) const {
    if (out.json() || input_count < 2) return;
    std::string line =
        format_count(taken_) + " of " + format_count(input_count) + " taken in or there already";
    if (passed_over_ > 0) line += ", " + format_count(passed_over_) + " passed over";
    if (failed_ > 0) line += ", " + format_count(failed_) + " failed";
    out.text(line);
}

Result<int> IngestCommand::run(Invocation& invocation) {
    MC_TRY(check_names());
    const InterruptWatch watch;
    options_.cancelled = &invocation.interrupted;
    options_.size_bytes_max = invocation.config.ingest_bytes_max;
    options_.versions_kept = invocation.config.keep_versions;
    std::optional<FolderWatch> watched;
    if (is_watching_) {
        MC_ASSIGN(FolderWatch opened, watch_folders());
        watched.emplace(std::move(opened));
        options_.replace = true;
    }
    std::vector<Input> inputs = list_inputs(names_, source_name_);
    if (auto done = ingest_all(invocation, inputs); !done) {
        if (exit_code_ == 0) return fail(std::move(done.error()));
        take_fault(invocation.out, done.error());
    }
    print_summary(invocation.out, inputs.size());
    if (watched && !invocation.interrupted) MC_TRY(keep_watching(invocation, *watched));
    return exit_code_;
}

}  // namespace

std::unique_ptr<Command> make_ingest_command() {
    return std::make_unique<IngestCommand>();
}

}  // namespace mc::apps

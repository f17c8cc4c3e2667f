// SPDX-License-Identifier: Apache-2.0
// `megacontext submit`: documents onto a cluster's queue.
#include <CLI/CLI.hpp>
#include <chrono>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/commands/cluster_commands.h"
#include "apps/commands/cluster_flags.h"
#include "apps/commands/command.h"
#include "apps/commands/inputs.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "cluster/streams.h"
#include "cluster/work_queue.h"

namespace mc::apps {
namespace {

constexpr std::chrono::milliseconds kFullPause(1000);

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext submit --cluster nats://a:4222 --bank work book.txt reports/\n"
    "  generate | megacontext submit --cluster nats://a:4222 --name today.txt -\n"
    "A document is safe once its line is printed: some worker reads and encodes it, and every "
    "store\n"
    "of the bank takes it in. While the queue is full, submit waits. What cannot be taken in is\n"
    "listed by megacontext cluster failed.";

class SubmitCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer& flags) override {
        CLI::App* app = program.add_subcommand("submit", "Put documents onto a cluster's queue");
        app->add_option("FILE", names_, "files, folders, or - for standard input")->required();
        app->add_option("--name", source_name_,
                        "source name of the document; of a folder: what stands before its files'");
        app->add_option("--media-type", media_type_, "recorded with the document")
            ->capture_default_str();
        cluster_.add(*app)->required();
        add_setting_flag(*app, flags, Setting::kIngestBytesMax);
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    Result<void> submit_one(Invocation& invocation, cluster::Link& link, const Input& input) const;

    std::vector<std::string> names_;
    std::string source_name_;
    std::string media_type_ = "text/plain";
    ClusterFlags cluster_;
};

Result<std::string> content_of(const Input& input, std::uint64_t bytes_max) {
    if (!input.path.empty()) return read_file(input.path, bytes_max);
    std::string content(std::istreambuf_iterator<char>(std::cin), {});
    if (content.size() <= bytes_max) return content;
    return fail(ErrorCode::kInvalidInput,
                "standard input is larger than " + std::to_string(bytes_max) + " bytes");
}

Result<void> SubmitCommand::submit_one(Invocation& invocation, cluster::Link& link,
                                       const Input& input) const {
    MC_ASSIGN(const std::string content, content_of(input, invocation.config.ingest_bytes_max));
    const cluster::WorkItem item{
        cluster::new_id(), invocation.config.bank, input.source_name, media_type_, {}};
    auto id = cluster::submit(link, item, content);
    while (!id && id.error().code() == ErrorCode::kOutOfSpace) {
        if (invocation.interrupted)
            return fail(ErrorCode::kCancelled,
                        "interrupted; documents without a line were not "
                        "submitted");
        std::this_thread::sleep_for(kFullPause);
        id = cluster::submit(link, item, content);
    }
    if (!id) return fail(id.error());
    Output& out = invocation.out;
    if (out.json())
        out.json({{"outcome", "submitted"},
                  {"id", *id},
                  {"bank", item.bank},
                  {"source", item.name},
                  {"bytes", content.size()}});
    else
        out.text(out.strong("submitted") + "  " + id->substr(0, 8) + "  " + printable(item.name) +
                 "  " + format_count(content.size()) + " bytes");
    out.flush();
    return {};
}

Result<int> SubmitCommand::run(Invocation& invocation) {
    for (const std::string& name : names_)
        if (name == "-" && source_name_.empty())
            return fail(ErrorCode::kUsage,
                        "standard input has no name of its own: give --name NAME");
    if (!source_name_.empty() && names_.size() != 1)
        return fail(ErrorCode::kUsage, "--name names one input: give one file, one folder or -");
    const InterruptWatch watch;
    MC_ASSIGN(const auto link, cluster::Link::open(cluster_.link("megacontext submit")));
    MC_TRY(cluster::check_cluster(*link));
    int exit_code = 0;
    for (const Input& input : list_inputs(names_, source_name_)) {
        if (input.skipped) continue;
        auto done =
            input.fault ? Result<void>(fail(*input.fault)) : submit_one(invocation, *link, input);
        if (done) continue;
        const ErrorCode code = done.error().code();
        if (code != ErrorCode::kInvalidInput && code != ErrorCode::kIo) return fail(done.error());
        invocation.out.error(done.error());
        if (exit_code == 0) exit_code = static_cast<int>(code);
    }
    return exit_code;
}

}  // namespace

std::unique_ptr<Command> make_submit_command() {
    return std::make_unique<SubmitCommand>();
}

}  // namespace mc::apps

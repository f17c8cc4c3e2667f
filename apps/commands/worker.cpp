// SPDX-License-Identifier: Apache-2.0
// `megacontext worker`: reads and encodes documents of a cluster's queue.
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "apps/commands/cluster_commands.h"
#include "apps/commands/cluster_flags.h"
#include "apps/commands/command.h"
#include "apps/terminal/interrupt.h"
#include "apps/terminal/text.h"
#include "cluster/bank_log.h"
#include "cluster/streams.h"
#include "cluster/work_queue.h"
#include "runtime/batch_maker.h"

namespace mc::apps {
namespace {

constexpr int kWaitMs = 500;
constexpr std::chrono::milliseconds kPause(500);

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext worker --cluster nats://a:4222\n"
    "  megacontext worker --cluster nats://a:4222 --until-empty\n"
    "Run as many as there are machines, with the same model, encoder and codec as the servers. A\n"
    "worker keeps no store: what it was reading when it was killed goes to another one.";

// Whether another worker would fail at the document too.
bool is_of_the_document(ErrorCode code) {
    return code == ErrorCode::kInvalidInput || code == ErrorCode::kUsage ||
           code == ErrorCode::kCorruption || code == ErrorCode::kModel;
}

std::string name_of_this_process() {
    char host[256] = "";
    ::gethostname(host, sizeof host - 1);
    return std::string(host) + " " + std::to_string(::getpid());
}

class WorkerCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer& flags) override {
        CLI::App* app =
            program.add_subcommand("worker", "Read and encode documents of a cluster's queue");
        cluster_.add(*app)->required();
        app->add_flag("--until-empty", until_empty_, "end when nothing waits any more");
        add_setting_flag(*app, flags, Setting::kIngestBytesMax);
        add_setting_flag(*app, flags, Setting::kEncoder);
        add_setting_flag(*app, flags, Setting::kCodec);
        app->footer(kFooter);
        return app;
    }

    Result<int> run(Invocation& invocation) override;

  private:
    Result<void> work_on(Invocation& invocation, cluster::Link& link, runtime::BatchMaker& maker,
                         cluster::WorkClaim& claim) const;
    Result<void> work_until_done(Invocation& invocation, cluster::Link& link,
                                 runtime::BatchMaker& maker, cluster::WorkClaim& claim) const;
    Result<void> encode(Invocation& invocation, cluster::Link& link, runtime::BatchMaker& maker,
                        const cluster::WorkClaim& claim) const;

    ClusterFlags cluster_;
    bool until_empty_ = false;
};

void print_line(Output& out, const char* outcome, const cluster::WorkItem& item, Json numbers,
                const std::string& words) {
    if (out.json()) {
        Json line{
            {"outcome", outcome}, {"id", item.id}, {"bank", item.bank}, {"source", item.name}};
        line.update(numbers);
        out.json(line);
    } else {
        out.text(out.strong(outcome) + "  " + item.id.substr(0, 8) + "  " + printable(item.name) +
                 "  " + words);
    }
    out.flush();
}

Result<void> WorkerCommand::encode(Invocation& invocation, cluster::Link& link,
                                   runtime::BatchMaker& maker,
                                   const cluster::WorkClaim& claim) const {
    const cluster::WorkItem& item = claim.item();
    const std::int64_t began = invocation.clock.monotonic_ns();
    const auto seconds = [&] {
        return static_cast<double>(invocation.clock.monotonic_ns() - began) * 1e-9;
    };
    MC_ASSIGN(std::string content, cluster::get_parcel(link, cluster::kInputStream, item.content));
    const double fetched = seconds();
    MC_ASSIGN(const auto made, maker.make({item.name, item.media_type, std::move(content)}));
    const double encoded = seconds();
    MC_ASSIGN(
        const auto added,
        cluster::append_entry(link, {item.id, item.bank, "batch", item.name, {}}, made.bytes));
    print_line(invocation.out, added.was_there ? "was_there" : "encoded", item,
               {{"tokens", made.tokens},
                {"gists", made.gists},
                {"batch_bytes", made.bytes.size()},
                {"sequence", added.sequence},
                {"fetch_seconds", fetched},
                {"encode_seconds", encoded - fetched},
                {"publish_seconds", seconds() - encoded}},
               format_count(made.tokens) + " tokens, " + format_count(made.gists) + " gists in " +
                   format_seconds(encoded - fetched));
    return {};
}

Result<void> WorkerCommand::work_on(Invocation& invocation, cluster::Link& link,
                                    runtime::BatchMaker& maker, cluster::WorkClaim& claim) const {
    const cluster::WorkItem& item = claim.item();
    // Who had it before died between its entry and its word that it was done.
    MC_ASSIGN(const bool is_done, cluster::log_has(link, item.bank, item.id));
    if (is_done) return claim.done();
    auto done =
        claim.tries() <= cluster::kTriesMax
            ? encode(invocation, link, maker, claim)
            : Result<void>(fail(ErrorCode::kModel, std::to_string(cluster::kTriesMax) +
                                                       " workers ended while they read it"));
    if (done) return claim.done();
    if (!is_of_the_document(done.error().code())) return done;
    print_line(invocation.out, "set_aside", item, {{"error", done.error().to_string()}},
               done.error().to_string());
    return claim.set_aside(done.error(), name_of_this_process());
}

// Keeps what it has while the cluster cannot be reached: to give it back would count as a death.
Result<void> WorkerCommand::work_until_done(Invocation& invocation, cluster::Link& link,
                                            runtime::BatchMaker& maker,
                                            cluster::WorkClaim& claim) const {
    while (true) {
        auto done = work_on(invocation, link, maker, claim);
        if (done || done.error().code() != ErrorCode::kIo || invocation.interrupted) return done;
        invocation.log.warning("work_again", {{"error", done.error().to_string()}});
        std::this_thread::sleep_for(kPause);
    }
}

Result<int> WorkerCommand::run(Invocation& invocation) {
    const InterruptWatch watch;
    MC_ASSIGN(const auto link, cluster::Link::open(cluster_.link("megacontext worker")));
    MC_ASSIGN(const auto queue, cluster::WorkQueue::open(*link));
    MC_ASSIGN(const auto maker, runtime::BatchMaker::open(invocation.config, invocation.metrics,
                                                          &invocation.interrupted));
    while (!invocation.interrupted) {
        auto claim = queue->take(kWaitMs);
        if (!claim) {  // servers come back
            invocation.log.warning("no_work", {{"error", claim.error().to_string()}});
            std::this_thread::sleep_for(kPause);
            continue;
        }
        if (!*claim) {
            if (!until_empty_) continue;
            const auto state = cluster::stream_state(*link, cluster::kWorkStream);
            if (state && state->messages == 0) return 0;
            continue;
        }
        const auto done = work_until_done(invocation, *link, *maker, **claim);
        if (!done && done.error().code() != ErrorCode::kCancelled) return fail(done.error());
    }
    return fail(ErrorCode::kCancelled, "interrupted; what was not done goes to another worker");
}

}  // namespace

std::unique_ptr<Command> make_worker_command() {
    return std::make_unique<WorkerCommand>();
}

}  // namespace mc::apps

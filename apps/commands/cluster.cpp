// SPDX-License-Identifier: Apache-2.0
// `megacontext cluster`: makes a cluster on servers of NATS and shows what goes on in it.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/cluster_commands.h"
#include "apps/commands/cluster_flags.h"
#include "apps/commands/command.h"
#include "apps/commands/parts.h"
#include "apps/terminal/text.h"
#include "cluster/bank_lease.h"
#include "cluster/streams.h"
#include "cluster/work_queue.h"

namespace mc::apps {
namespace {

class ClusterCreate final : public Command {
  public:
    CLI::App* define(CLI::App& cluster, ConfigLayer&) override {
        CLI::App* app = cluster.add_subcommand("create", "Make what a cluster consists of, once");
        flags_.add(*app)->required();
        app->add_option("--replicas", shape_.replicas,
                        "servers of NATS that everything lies on; 3 bear the loss of one")
            ->check(CLI::Range(1, 5).description(""))
            ->type_name("N")
            ->capture_default_str();
        app->add_option("--queue-documents", shape_.queue_documents_max,
                        "documents that may wait; submit waits while there are more")
            ->check(CLI::PositiveNumber.description(""))
            ->type_name("N")
            ->capture_default_str();
        app->add_option("--queue-bytes", shape_.queue_bytes_max, "bytes of them, likewise")
            ->check(CLI::PositiveNumber.description(""))
            ->type_name("N")
            ->capture_default_str();
        app->add_option("--lease-seconds", shape_.lease_seconds,
                        "how long a bank stays with a server that is not heard from")
            ->check(CLI::Range(2, 3600).description(""))
            ->type_name("N")
            ->capture_default_str();
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        MC_ASSIGN(const auto link, cluster::Link::open(flags_.link("megacontext cluster")));
        MC_TRY(cluster::create_cluster(*link, shape_));
        Output& out = invocation.out;
        if (out.json())
            out.json({{"outcome", "created"}, {"replicas", shape_.replicas}});
        else
            out.text("the cluster is there, " + std::to_string(shape_.replicas) +
                     " copies of everything");
        return 0;
    }

  private:
    ClusterFlags flags_;
    cluster::ClusterShape shape_;
};

class ClusterStatus final : public Command {
  public:
    CLI::App* define(CLI::App& cluster, ConfigLayer&) override {
        CLI::App* app = cluster.add_subcommand(
            "status", "What waits, what was done, what was set aside, who has which bank");
        flags_.add(*app)->required();
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        MC_ASSIGN(const auto link, cluster::Link::open(flags_.link("megacontext cluster")));
        MC_ASSIGN(const auto work, cluster::stream_state(*link, cluster::kWorkStream));
        MC_ASSIGN(const auto input, cluster::stream_state(*link, cluster::kInputStream));
        MC_ASSIGN(const auto log, cluster::stream_state(*link, cluster::kLogStream));
        MC_ASSIGN(const auto data, cluster::stream_state(*link, cluster::kDataStream));
        MC_ASSIGN(const auto failed, cluster::stream_state(*link, cluster::kFailedStream));
        MC_ASSIGN(const auto owners, cluster::list_owners(*link));
        Output& out = invocation.out;
        if (out.json()) {
            Json banks = Json::array();
            for (const auto& one : owners)
                banks.push_back({{"bank", one.bank}, {"owner", one.owner}});
            out.json({{"waiting", work.messages},
                      {"waiting_bytes", input.bytes},
                      {"log_entries", log.messages},
                      {"log_bytes", data.bytes},
                      {"set_aside", failed.messages},
                      {"owners", std::move(banks)}});
            return 0;
        }
        out.text("waiting    " + format_count(work.messages) + " documents, " +
                 format_bytes(input.bytes));
        out.text("log        " + format_count(log.messages) + " entries, " +
                 format_bytes(data.bytes));
        out.text("set aside  " + format_count(failed.messages) + " documents");
        for (const auto& one : owners) out.text("bank       " + one.bank + "  at " + one.owner);
        return 0;
    }

  private:
    ClusterFlags flags_;
};

class ClusterFailed final : public Command {
  public:
    CLI::App* define(CLI::App& cluster, ConfigLayer&) override {
        CLI::App* app = cluster.add_subcommand("failed", "Documents that were set aside, and why");
        flags_.add(*app)->required();
        app->add_option("--count", count_, "most that are shown, oldest first")
            ->check(CLI::PositiveNumber.description(""))
            ->type_name("N")
            ->capture_default_str();
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        MC_ASSIGN(const auto link, cluster::Link::open(flags_.link("megacontext cluster")));
        MC_ASSIGN(const auto failures, cluster::list_failures(*link, count_));
        Output& out = invocation.out;
        for (const cluster::Failure& one : failures) {
            if (out.json())
                out.json({{"id", one.id},
                          {"bank", one.bank},
                          {"source", one.name},
                          {"code", one.code},
                          {"error", one.error},
                          {"worker", one.worker},
                          {"tries", one.tries}});
            else
                out.text(out.strong(one.id.substr(0, 8)) + "  " + one.bank + "  " +
                         printable(one.name) + "  " + printable(one.error));
        }
        return 0;
    }

  private:
    ClusterFlags flags_;
    std::size_t count_ = 1000;
};

class ClusterCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer& flags) override {
        CLI::App* app = program.add_subcommand(
            "cluster", "Several machines that take documents in together, over NATS");
        parts_.add(*app, flags, std::make_unique<ClusterCreate>());
        parts_.add(*app, flags, std::make_unique<ClusterStatus>());
        parts_.add(*app, flags, std::make_unique<ClusterFailed>());
        app->footer(
            "Examples:\n"
            "  megacontext cluster create --cluster nats://a:4222,nats://b:4222 --replicas 3\n"
            "  megacontext worker --cluster nats://a:4222\n"
            "  megacontext submit --cluster nats://a:4222 --bank work reports/\n"
            "  megacontext serve --cluster nats://a:4222 --bank work");
        return app;
    }

    Result<int> run(Invocation& invocation) override { return parts_.run(invocation); }

  private:
    CommandParts parts_;
};

}  // namespace

std::unique_ptr<Command> make_cluster_command() {
    return std::make_unique<ClusterCommand>();
}

}  // namespace mc::apps

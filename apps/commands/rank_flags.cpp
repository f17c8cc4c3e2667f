// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/rank_flags.h"

#include <CLI/CLI.hpp>
#include <charconv>
#include <cstdlib>

#include "ranks/c10d/store_group.h"

namespace mc::apps {
namespace {

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    return value != nullptr ? value : "";
}

Result<ranks::Rendezvous> place_of(const std::string& text) {
    ranks::Rendezvous place;
    const std::size_t colon = text.rfind(':');
    if (colon != std::string::npos && colon > 0) {
        place.host = text.substr(0, colon);
        const char* const end = text.data() + text.size();
        const auto [stop, error] = std::from_chars(text.data() + colon + 1, end, place.port);
        if (error == std::errc() && stop == end && place.port > 0) return place;
    }
    return fail(ErrorCode::kUsage,
                "'" + text +
                    "' is no HOST:PORT; where do the ranks meet? Give --rendezvous, or set "
                    "MASTER_ADDR and MASTER_PORT");
}

}  // namespace

void RankFlags::add(CLI::App& app) {
    app.add_option("--world", world_, "processes that train together")
        ->check(CLI::Range(1, 4096).description(""))
        ->envname("WORLD_SIZE")
        ->type_name("N")
        ->capture_default_str();
    app.add_option("--rank", rank_, "which of them this is, from 0")
        ->check(CLI::Range(0, 4095).description(""))
        ->envname("RANK")
        ->type_name("N")
        ->capture_default_str();
    app.add_option("--rendezvous", rendezvous_,
                   "where they meet: a port on rank 0's machine that all reach "
                   "(Env: MASTER_ADDR and MASTER_PORT)")
        ->type_name("HOST:PORT");
}

Result<std::unique_ptr<ranks::RankGroup>> RankFlags::join() const {
    ranks::GroupOptions options;
    options.world = world_;
    options.rank = rank_;
    if (world_ > 1) {
        MC_ASSIGN(options.place, place_of(!rendezvous_.empty() ? rendezvous_
                                                               : variable("MASTER_ADDR") + ":" +
                                                                     variable("MASTER_PORT")));
        // torchrun's agent keeps the store itself, one for every start of the ranks.
        options.place.is_hosted =
            rendezvous_.empty() && variable("TORCHELASTIC_USE_AGENT_STORE") == "True";
        options.place.prefix = "start" + variable("TORCHELASTIC_RESTART_COUNT") + "/";
    }
    return ranks::join_group(options);
}

}  // namespace mc::apps

// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/reader_flags.h"

#include <CLI/CLI.hpp>

namespace mc::apps {
namespace {

constexpr std::uint32_t kSecondsMax = 3600;

}  // namespace

CLI::Option* ReaderFlags::add(CLI::App& app) {
    CLI::Option* reader = app.add_option(
        "--reader", server_.url,
        "let the server of OpenAI's API at this base URL write answers; passages are sent there, "
        "with the key in " +
            std::string(reader::kKeyVariable));
    reader->type_name("URL");
    app.add_option("--reader-model", server_.model, "which of the reader's models")
        ->type_name("NAME")
        ->capture_default_str()
        ->needs(reader);
    app.add_option("--reader-timeout", server_.seconds_max,
                   "longest wait for its answer, in seconds")
        ->type_name("N")
        ->check(CLI::Range(std::uint32_t{1}, kSecondsMax).description(""))
        ->capture_default_str()
        ->needs(reader);
    return reader;
}

Result<std::optional<reader::ChatServer>> ReaderFlags::server(
    const Environment& environment) const {
    if (server_.url.empty()) return std::optional<reader::ChatServer>();
    reader::ChatServer server = server_;
    server.key = environment(reader::kKeyVariable).value_or("");
    MC_TRY(reader::check_server(server));
    return std::optional(std::move(server));
}

}  // namespace mc::apps

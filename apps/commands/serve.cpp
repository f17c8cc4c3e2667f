// SPDX-License-Identifier: Apache-2.0
// `megacontext serve`: the memory over HTTP, and the keys that let agents in.
#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "apps/commands/cluster_flags.h"
#include "apps/commands/command.h"
#include "apps/commands/reader_flags.h"
#include "apps/commands/serve_key.h"
#include "serve/serve_http.h"

namespace mc::apps {
namespace {

constexpr int kDefaultPort = 8642;

constexpr const char* kFooter =
    "Examples:\n"
    "  megacontext serve\n"
    "  megacontext serve key create laptop\n"
    "  megacontext serve --host 0.0.0.0 --tls-cert server.pem --tls-key server.key\n"
    "Requests: POST /v1/remember, /v1/recall, /v1/read, /v1/forget, GET /v1/status; MCP at /mcp;\n"
    "/openapi.json describes them, /metrics is for Prometheus. SIGTERM ends the server after what\n"
    "it was asked is answered.";

class ServeCommand final : public Command {
  public:
    CLI::App* define(CLI::App& program, ConfigLayer& flags) override {
        CLI::App* app = program.add_subcommand("serve", "Be the memory of agents, over HTTP");
        app->add_option("--host", options_.host, "address to listen on")->capture_default_str();
        app->add_option("--port", options_.port, "port to listen on; 0: any that is free")
            ->check(CLI::Range(0, 65535).description(""))
            ->type_name("N")
            ->capture_default_str();
        add_tls_flags(*app);
        reader_.add(*app);
        cluster_.add(*app);
        app->add_option("--cluster-bank", cluster_banks_,
                        "banks of the cluster to take, while no other server has them (default: "
                        "the one in use)")
            ->type_name("NAME…");
        add_setting_flag(*app, flags, Setting::kBudget);
        add_setting_flag(*app, flags, Setting::kEncoder);
        add_setting_flag(*app, flags, Setting::kCodec);
        app->footer(kFooter);
        key_app_ = app->add_subcommand("key", "Keys that let agents in");
        key_.add(*key_app_, flags, make_serve_key_create());
        key_.add(*key_app_, flags, make_serve_key_list());
        key_.add(*key_app_, flags, make_serve_key_revoke());
        return app;
    }

    Result<int> run(Invocation& invocation) override {
        if (key_app_->parsed()) return key_.run(invocation);
        const serve::StopSignal stop;
        options_.version = MC_VERSION;
        if (tls_key_->count() > 0) options_.tls = tls_;
        if (cluster_.given())
            options_.cluster = {cluster_.link("megacontext serve"), cluster_banks_};
        if (cluster_.given() && cluster_banks_.empty())
            options_.cluster->banks = {invocation.config.bank};
        MC_ASSIGN(const auto reader, reader_.server(process_environment()));
        MC_ASSIGN(const auto memory, runtime::Memory::open(invocation.config, invocation.metrics));
        if (reader) memory->set_reader(*reader);
        const auto ready = [&](int port) { print_ready(invocation.out, port); };
        MC_TRY(serve::serve_http(*memory, options_, stop, ready));
        return 0;
    }

  private:
    void add_tls_flags(CLI::App& app) {
        auto* certificate = app.add_option("--tls-cert", tls_.certificate,
                                           "speak HTTPS with this certificate, in PEM form")
                                ->type_name("FILE");
        tls_key_ = app.add_option("--tls-key", tls_.key, "its private key, in PEM form")
                       ->type_name("FILE")
                       ->needs(certificate);
        certificate->needs(tls_key_);
    }

    void print_ready(Output& out, int port) const {
        const std::string scheme = options_.tls ? "https://" : "http://";
        const std::string url = scheme + options_.host + ":" + std::to_string(port);
        if (out.json())
            out.json({{"url", url}});
        else
            out.text("listening on " + url);
        out.flush();
    }

    serve::ServeOptions options_{"127.0.0.1", kDefaultPort, "", std::nullopt, std::nullopt};
    ClusterFlags cluster_;
    std::vector<std::string> cluster_banks_;
    serve::TlsFiles tls_;
    CLI::Option* tls_key_ = nullptr;
    ReaderFlags reader_;
    CommandParts key_;
    CLI::App* key_app_ = nullptr;
};

}  // namespace

std::unique_ptr<Command> make_serve_command() {
    return std::make_unique<ServeCommand>();
}

}  // namespace mc::apps

// SPDX-License-Identifier: Apache-2.0
#include "serve/serve_http.h"

#include <atomic>
#include <thread>

#include "serve/cluster_memory.h"
#include "serve/http/chores.h"
#include "serve/http/http_server.h"
#include "serve/memory_adapter.h"

namespace mc::serve {
namespace {

bool is_local(const std::string& host) {
    return host == "127.0.0.1" || host == "::1" || host == "localhost";
}

Result<std::unique_ptr<ClusterMember>> member_of(const ServeOptions& options,
                                                 runtime::Memory& memory, MemoryPort& calls) {
    if (!options.cluster) return std::unique_ptr<ClusterMember>();
    return ClusterMember::open(*options.cluster, memory, calls);
}

}  // namespace

Result<void> serve_http(runtime::Memory& memory, const ServeOptions& options,
                        const StopSignal& stop, const std::function<void(int port)>& ready) {
    const Config& config = memory.engine().config();
    ServiceOptions service_options;
    service_options.version = options.version;
    service_options.bank = config.bank;
    service_options.keys_file = AccessKeys::file_of(config.store);
    service_options.seal = memory.engine().store().seal();
    service_options.is_local = is_local(options.host);
    service_options.metrics_text = [&memory] {
        return memory.engine().metrics().prometheus_text();
    };
    service_options.clock = &memory.engine().clock();
    MC_ASSIGN(const AccessKeys keys,
              AccessKeys::load(service_options.keys_file, service_options.seal));
    if (!service_options.is_local && keys.keys().empty())
        return fail(ErrorCode::kUsage,
                    "others can reach " + options.host +
                        ", and there is no key: make one with megacontext serve key create NAME");

    std::atomic<bool> stopping = false;
    EngineQueue queue(kPlacesMax);
    MemoryAdapter adapter(memory);
    MC_ASSIGN(const auto member, member_of(options, memory, adapter));
    std::optional<ClusterMemory> shared;
    if (member) shared.emplace(adapter, *member, config.bank);
    MemoryPort& port = shared ? static_cast<MemoryPort&>(*shared) : adapter;
    MC_ASSIGN(const auto operations,
              Operations::open(Operations::folder_of(config.store), memory.engine().clock(), port,
                               service_options.seal));
    HttpService service(service_options, port, queue, *operations, stopping);
    MC_ASSIGN(const auto server,
              HttpServer::open(options.host, options.port, options.tls, service));
    if (member) {
        const std::string scheme = options.tls ? "https://" : "http://";
        MC_TRY(member->follow(scheme + options.host + ":" + std::to_string(server->port()),
                              [&queue] { queue.wake(); }));
    }
    ready(server->port());
    std::thread listener([&] {
        server->listen();
        queue.close();
        stop.release();  // where it was no signal that ended it
    });
    std::thread stopper([&] {
        stop.wait();
        stopping = true;
        server->stop();
    });
    queue.wake();  // an earlier server may have left something to do
    Chores chores(
        *operations, [&member] { return member && member->step(); },
        [&memory] { return memory.make_some_gists(); });
    queue.serve(&chores);
    listener.join();
    stopper.join();
    return {};
}

}  // namespace mc::serve

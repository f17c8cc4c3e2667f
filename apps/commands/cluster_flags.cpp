// SPDX-License-Identifier: Apache-2.0
#include "apps/commands/cluster_flags.h"

#include <CLI/CLI.hpp>

namespace mc::apps {

CLI::Option* ClusterFlags::add(CLI::App& app) {
    auto* urls =
        app.add_option("--cluster", urls_,
                       "servers of NATS: nats://HOST:PORT or tls://HOST:PORT, several with "
                       "commas between")
            ->envname("MEGACONTEXT_CLUSTER")
            ->type_name("URL");
    app.add_option("--cluster-creds", credentials_, "credentials of NATS to show them")
        ->envname("MEGACONTEXT_CLUSTER_CREDS")
        ->needs(urls)
        ->type_name("FILE");
    app.add_option("--cluster-ca", authority_,
                   "certificates, in PEM form, that theirs are checked with")
        ->envname("MEGACONTEXT_CLUSTER_CA")
        ->needs(urls)
        ->type_name("FILE");
    return urls;
}

cluster::LinkOptions ClusterFlags::link(const std::string& name) const {
    return {urls_, credentials_, authority_, name};
}

}  // namespace mc::apps

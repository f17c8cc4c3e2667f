// SPDX-License-Identifier: Apache-2.0
// Which cluster a command speaks to, and as whom. Ownership: outlives the parser. Threads: one.
#pragma once

#include <string>

#include "cluster/link.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace mc::apps {

class ClusterFlags {
  public:
    // --cluster, --cluster-creds and --cluster-ca; gives --cluster back.
    CLI::Option* add(CLI::App& app);

    bool given() const { return !urls_.empty(); }

    // name: what the servers call this process.
    cluster::LinkOptions link(const std::string& name) const;

  private:
    std::string urls_;
    std::string credentials_;
    std::string authority_;
};

}  // namespace mc::apps

// SPDX-License-Identifier: Apache-2.0
// The memory of a server in a cluster: what it has of the cluster's banks it answers, what changes
// them goes through their logs, and other banks are as ever.
//
// Ownership: borrows both. Threads: the engine's. Errors: the memory's; ClusterMember's.
#pragma once

#include "serve/cluster_member.h"
#include "serve/protocol/verbs.h"

namespace mc::serve {

class ClusterMemory final : public MemoryPort {
  public:
    // bank: which is meant where a request names none.
    ClusterMemory(MemoryPort& memory, ClusterMember& member, std::string bank)
        : memory_(memory), member_(member), bank_(std::move(bank)) {}

    Result<Json> call(Verb verb, const Json& arguments, const Listener& listener) override;
    Result<std::unique_ptr<LongRemember>> begin_remember(const Json& arguments,
                                                         Length length) override;
    Result<std::vector<std::string>> bank_names() override;
    Result<std::vector<Resource>> resources(const std::string& bank, std::size_t count) override;
    Result<Json> documents(const std::string& bank, std::size_t count) override;
    Result<Json> tree(const TreePlace& place) override;
    Result<std::vector<std::vector<float>>> embed(const std::vector<std::string>& texts) override;

  private:
    const std::string& meant(const std::string& bank) const { return bank.empty() ? bank_ : bank; }

    Result<void> check_banks(const Json& arguments);
    Result<Json> forget(const std::string& bank, Json arguments, const Listener& listener);

    MemoryPort& memory_;
    ClusterMember& member_;
    const std::string bank_;
};

}  // namespace mc::serve

// SPDX-License-Identifier: Apache-2.0
// Every record, every tree, every index of a store against the rules: what `verify` reports and
// what `backup` asks of its copy.
//
// Reads the whole store and changes nothing. Threads: one. Errors: those of reading; what is wrong
// with the store is a finding.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "apps/terminal/output.h"
#include "core/result.h"
#include "runtime/engine.h"

namespace mc::apps {

// What was looked at and what was wrong.
struct Findings {
    std::uint64_t records = 0;
    std::uint64_t documents = 0;
    std::uint64_t versions = 0;  // kept of replaced documents; in no other number but records
    std::uint64_t nodes = 0;
    std::uint64_t tokens = 0;
    std::uint64_t bytes = 0;
    Json faults = Json::array();
    Json indexes = Json::array();

    void add_fault(const std::string& where, const std::string& what) {
        faults.push_back({{"where", where}, {"message", what}});
    }
};

Result<Findings> check_store(runtime::Engine& engine);

}  // namespace mc::apps

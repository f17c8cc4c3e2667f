// SPDX-License-Identifier: Apache-2.0
// Does what lines of JSON ask of the C++ library, ["verb", {arguments}], and prints the results'
// JSON form.
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "core/config.h"
#include "runtime/memory.h"
#include "serve/memory_adapter.h"
#include "serve/protocol/json.h"

namespace {

mc::Result<void> run() {
    MC_ASSIGN(const auto settings, mc::load_config({}, mc::process_environment(), "."));
    mc::telemetry::Metrics metrics;
    MC_ASSIGN(const auto memory, mc::runtime::Memory::open(settings.config, metrics));
    mc::serve::MemoryAdapter adapter(*memory);
    const std::atomic<bool> cancelled = false;
    for (std::string line; std::getline(std::cin, line);) {
        MC_ASSIGN(const mc::serve::Json asked, mc::serve::parse_json(line, line.size()));
        const auto verb = mc::serve::find_verb(asked[0].get<std::string>());
        MC_ASSIGN(const mc::serve::Json said,
                  mc::serve::call_checked(adapter, verb.value(), asked[1], {cancelled}));
        std::cout << mc::serve::to_line(said) << std::endl;
    }
    return {};
}

}  // namespace

int main() {
    const auto done = run();
    if (done) return 0;
    std::cerr << done.error().to_string() << '\n';
    return 1;
}

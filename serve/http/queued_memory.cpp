// SPDX-License-Identifier: Apache-2.0
#include "serve/http/queued_memory.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace mc::serve {

Result<Json> QueuedMemory::call(Verb verb, const Json& arguments, const Listener& listener) {
    std::optional<Result<Json>> result;
    place_.run([&] { result.emplace(memory_.call(verb, arguments, listener)); });
    return std::move(*result);
}

Result<std::vector<Resource>> QueuedMemory::resources(const std::string& bank, std::size_t count) {
    std::optional<Result<std::vector<Resource>>> result;
    place_.run([&] { result.emplace(memory_.resources(bank, count)); });
    return std::move(*result);
}

Result<Json> QueuedMemory::documents(const std::string& bank, std::size_t count) {
    std::optional<Result<Json>> result;
    place_.run([&] { result.emplace(memory_.documents(bank, count)); });
    return std::move(*result);
}

Result<Json> QueuedMemory::tree(const TreePlace& place) {
    std::optional<Result<Json>> result;
    place_.run([&] { result.emplace(memory_.tree(place)); });
    return std::move(*result);
}

Result<std::vector<std::vector<float>>> QueuedMemory::embed(const std::vector<std::string>& texts) {
    std::optional<Result<std::vector<std::vector<float>>>> result;
    place_.run([&] { result.emplace(memory_.embed(texts)); });
    return std::move(*result);
}

}  // namespace mc::serve

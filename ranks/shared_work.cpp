// SPDX-License-Identifier: Apache-2.0
#include "ranks/shared_work.h"

#include <cstdint>
#include <cstring>

namespace mc::ranks {
namespace {

using Size = std::uint64_t;

std::string framed(const std::vector<std::string>& results) {
    std::string out;
    for (const std::string& result : results) {
        const Size size = result.size();
        out.append(reinterpret_cast<const char*>(&size), sizeof size);
        out += result;
    }
    return out;
}

// The next result of those that framed() put together.
Result<std::string> take(std::string_view& rest) {
    Size size = 0;
    if (rest.size() >= sizeof size) {
        std::memcpy(&size, rest.data(), sizeof size);
        rest.remove_prefix(sizeof size);
        if (size <= rest.size()) {
            std::string result(rest.substr(0, size));
            rest.remove_prefix(size);
            return result;
        }
    }
    return fail(ErrorCode::kCorruption,
                "a rank did other work than this one: start all ranks with "
                "one program and the same arguments");
}

}  // namespace

Result<std::vector<std::string>> share_work(
    RankGroup& group, std::size_t units,
    const std::function<Result<std::string>(std::size_t unit)>& work) {
    const auto world = static_cast<std::size_t>(group.world());
    std::vector<std::string> own;
    for (auto unit = static_cast<std::size_t>(group.rank()); unit < units; unit += world) {
        MC_ASSIGN(std::string result, work(unit));
        own.push_back(std::move(result));
    }
    if (world == 1) return own;
    MC_ASSIGN(const std::vector<std::string> all, group.gather(framed(own)));
    std::vector<std::string_view> rests(all.begin(), all.end());
    std::vector<std::string> out;
    for (std::size_t unit = 0; unit < units; ++unit) {
        MC_ASSIGN(std::string result, take(rests[unit % world]));
        out.push_back(std::move(result));
    }
    return out;
}

}  // namespace mc::ranks

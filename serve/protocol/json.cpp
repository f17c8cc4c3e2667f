// SPDX-License-Identifier: Apache-2.0
#include "serve/protocol/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace mc::serve {
namespace {

// How deep the brackets outside of strings stand, whether or not they match.
std::size_t depth_of(std::string_view text) {
    std::size_t depth = 0;
    std::size_t deepest = 0;
    bool in_string = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        if (in_string) {
            if (c == '\\') ++i;
            if (c == '"') in_string = false;
        } else if (c == '"') {
            in_string = true;
        } else if (c == '[' || c == '{') {
            deepest = std::max(deepest, ++depth);
        } else if ((c == ']' || c == '}') && depth > 0) {
            --depth;
        }
    }
    return deepest;
}

}  // namespace

Result<Json> parse_json(std::string_view text, std::size_t size_bytes_max) {
    if (text.size() > size_bytes_max)
        return fail(ErrorCode::kInvalidInput,
                    "JSON of more than " + std::to_string(size_bytes_max) + " bytes");
    if (depth_of(text) > kJsonDepthMax)
        return fail(ErrorCode::kInvalidInput,
                    "JSON that is nested deeper than " + std::to_string(kJsonDepthMax) + " levels");
    Json value = Json::parse(text, nullptr, false);
    if (value.is_discarded()) return fail(ErrorCode::kInvalidInput, "this is no JSON");
    return value;
}

std::string to_line(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace mc::serve

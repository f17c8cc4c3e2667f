// SPDX-License-Identifier: Apache-2.0
#include "serve/http/browse.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>

namespace mc::serve {
namespace {

constexpr std::string_view kListKeys[] = {"bank", "count"};
constexpr std::string_view kTreeKeys[] = {"bank", "document", "level", "index"};
constexpr std::uint64_t kDocumentsListed = 100;

// The parameters of a request, each known and given once.
class Parameters {
  public:
    static Result<Parameters> read(const HttpRequest& request,
                                   std::span<const std::string_view> known) {
        for (const auto& [key, value] : request.query) {
            if (std::ranges::find(known, key) == known.end())
                return fail(ErrorCode::kInvalidInput, request.path + " does not take " + key);
            const auto same = [&](const auto& other) { return other.first == key; };
            if (std::ranges::count_if(request.query, same) > 1)
                return fail(ErrorCode::kInvalidInput, key + " is given more than once");
        }
        return Parameters(request);
    }

    std::string text(std::string_view key) const {
        for (const auto& [name, value] : request_.query)
            if (name == key) return value;
        return {};
    }

    Result<std::optional<std::uint64_t>> number(std::string_view key) const {
        const std::string given = text(key);
        if (given.empty()) return std::optional<std::uint64_t>();
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(given.data(), given.data() + given.size(), value);
        if (error == std::errc() && end == given.data() + given.size()) return std::optional(value);
        std::string what(key);
        what += " must be a whole number";
        return fail(ErrorCode::kInvalidInput, what);
    }

  private:
    explicit Parameters(const HttpRequest& request) : request_(request) {}

    const HttpRequest& request_;
};

Result<Json> listed(MemoryPort& memory, const HttpRequest& request) {
    MC_ASSIGN(const Parameters given, Parameters::read(request, kListKeys));
    MC_ASSIGN(const auto count, given.number("count"));
    if (count && (*count == 0 || *count > kDocumentsListedMax))
        return fail(ErrorCode::kInvalidInput,
                    "count must be from 1 to " + std::to_string(kDocumentsListedMax));
    return memory.documents(given.text("bank"), count.value_or(kDocumentsListed));
}

Result<Json> step_of(MemoryPort& memory, const HttpRequest& request) {
    MC_ASSIGN(const Parameters given, Parameters::read(request, kTreeKeys));
    TreePlace place;
    place.bank = given.text("bank");
    place.document = given.text("document");
    if (place.document.empty())
        return fail(ErrorCode::kInvalidInput, request.path + " needs document");
    MC_ASSIGN(place.level, given.number("level"));
    MC_ASSIGN(place.index, given.number("index"));
    if (place.level.has_value() != place.index.has_value())
        return fail(ErrorCode::kInvalidInput, "level and index go together");
    return memory.tree(place);
}

Json parameters(std::span<const std::string_view> names) {
    Json list = Json::array();
    for (const std::string_view name : names) {
        const bool is_text = name == "bank" || name == "document";
        list.push_back({{"name", name},
                        {"in", "query"},
                        {"required", name == "document"},
                        {"schema", {{"type", is_text ? "string" : "integer"}}}});
    }
    return list;
}

}  // namespace

HttpReply list_documents(MemoryPort& memory, const HttpRequest& request) {
    return reply_of(listed(memory, request));
}

HttpReply show_tree(MemoryPort& memory, const HttpRequest& request) {
    return reply_of(step_of(memory, request));
}

Json list_parameters() {
    return parameters(kListKeys);
}

Json tree_parameters() {
    return parameters(kTreeKeys);
}

}  // namespace mc::serve

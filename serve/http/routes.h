// SPDX-License-Identifier: Apache-2.0
// What the server answers to, as one table: the service dispatches by it, and the OpenAPI document
// is made of it, so that neither can have a path that the other has not.
// Pure. Threads: the table is constant.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "serve/protocol/verbs.h"

namespace mc::serve {

enum class Endpoint {
    kVerb,
    kDocument,
    kDocuments,
    kOperation,
    kTree,
    kMcp,
    kChat,
    kEmbeddings,
    kModels,
    kLive,
    kReady,
    kMetrics,
    kOpenApi,
    kPage
};

inline constexpr std::string_view kOperationsPath = "/v1/operations/";

struct Route {
    std::string_view method;
    std::string_view path;  // "{…}" at its end stands for any word
    Endpoint endpoint;
    std::optional<Verb> verb;
    std::string_view summary;
    std::string_view content_type = "application/json";
    bool is_open = false;  // needs no key
};

std::span<const Route> routes();

// OpenAPI 3.1. version: of the program.
Json open_api(const std::string& version);

}  // namespace mc::serve

// SPDX-License-Identifier: Apache-2.0
// A request and a reply of HTTP as the service sees them, without the library that carries them.
// Value types, but for a stream, which a reply owns.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/result.h"
#include "serve/protocol/json.h"

namespace mc::serve {

struct HttpRequest {
    std::string method;
    std::string path;
    std::string body;
    // A header's value; empty when it is not there. Names in any case.
    std::function<std::string(const char* name)> header;
    std::vector<std::pair<std::string, std::string>> query = {};  // decoded
};

// A body that is made while it is sent. Its end stops what makes it.
class ByteStream {
  public:
    ByteStream() = default;
    virtual ~ByteStream() = default;
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;

    // Waits for what comes next; never empty, nullopt at the end.
    virtual std::optional<std::string> next() = 0;
};

struct HttpReply {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::unique_ptr<ByteStream> stream = nullptr;  // in place of a body; null: none
};

HttpReply json_reply(const Json& value);

// RFC 9457: application/problem+json. code: a stable name for programs.
HttpReply problem(int status, std::string_view code, const std::string& detail);

// What an error of the memory is to a client.
HttpReply problem_of(const Error& error);
// What the memory said, or why it did not.
HttpReply reply_of(const Result<Json>& done);

}  // namespace mc::serve

// SPDX-License-Identifier: Apache-2.0
// A request and a reply of HTTP as the service sees them, without the library that carries them.
// Value types, but for a stream, which a reply owns.
#pragma once

#include <functional>
#include <memory>
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
class StreamedBody {
  public:
    // False: the client is gone.
    using Write = std::function<bool(std::string_view bytes)>;

    StreamedBody() = default;
    virtual ~StreamedBody() = default;
    StreamedBody(const StreamedBody&) = delete;
    StreamedBody& operator=(const StreamedBody&) = delete;

    // Writes it all, as it comes; once. False: the client is gone.
    virtual bool write_to(const Write& write) = 0;
};

struct HttpReply {
    int status = 200;
    std::string content_type = "application/json";
    std::string body;
    std::vector<std::pair<std::string, std::string>> headers;
    std::unique_ptr<StreamedBody> stream = nullptr;  // in place of a body; null: none
};

HttpReply json_reply(const Json& value);

// RFC 9457: application/problem+json. code: a stable name for programs.
HttpReply problem(int status, std::string_view code, const std::string& detail);

// What an error of the memory is to a client.
HttpReply problem_of(const Error& error);
// What the memory said, or why it did not.
HttpReply reply_of(const Result<Json>& done);

}  // namespace mc::serve

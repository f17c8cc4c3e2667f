// SPDX-License-Identifier: Apache-2.0
#include "serve/http/http_message.h"

#include <nlohmann/json.hpp>

namespace mc::serve {
namespace {

std::string_view title_of(int status) {
    switch (status) {
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 408:
            return "Request Timeout";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 422:
            return "Unprocessable Content";
        case 429:
            return "Too Many Requests";
        case 503:
            return "Service Unavailable";
        case 507:
            return "Insufficient Storage";
        default:
            return "Internal Server Error";
    }
}

int status_of(ErrorCode code) {
    switch (code) {
        case ErrorCode::kUsage:
        case ErrorCode::kInvalidInput:
            return 400;
        case ErrorCode::kOverBudget:
            return 422;
        case ErrorCode::kCancelled:
            return 503;
        case ErrorCode::kOutOfSpace:
            return 507;
        default:
            return 500;
    }
}

}  // namespace

HttpReply json_reply(const Json& value) {
    HttpReply reply;
    reply.body = to_line(value) + "\n";
    return reply;
}

HttpReply problem(int status, std::string_view code, const std::string& detail) {
    HttpReply reply = json_reply({{"type", "about:blank"},
                                  {"title", title_of(status)},
                                  {"status", status},
                                  {"detail", detail},
                                  {"code", code}});
    reply.status = status;
    reply.content_type = "application/problem+json";
    return reply;
}

HttpReply problem_of(const Error& error) {
    return problem(status_of(error.code()), error_code_name(error.code()), error.to_string());
}

HttpReply reply_of(const Result<Json>& done) {
    return done ? json_reply(*done) : problem_of(done.error());
}

}  // namespace mc::serve

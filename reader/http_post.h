// SPDX-License-Identifier: Apache-2.0
// The rim of HTTP as a client: one request with a body of JSON, and its whole answer.
//
// Redirects are not followed: they would take the key elsewhere. Threads: any; has one of its own
// meanwhile, that ends a wait. Errors: kIo saying why there is no answer; kCancelled.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "core/result.h"

namespace mc::reader {

// Longest answer that is taken; a thousand times what a reader writes.
inline constexpr std::size_t kAnswerBytesMax = 4 * 1024 * 1024;

struct HttpPost {
    std::string origin;  // "http://127.0.0.1:8080"
    std::string path;
    std::string key;  // of Authorization; empty: none is sent
    std::string body;
    std::uint32_t seconds_max = 60;  // of all together
    const std::atomic<bool>* cancelled = nullptr;
};

struct HttpAnswer {
    int status = 0;
    std::string body;
};

Result<HttpAnswer> post(const HttpPost& request);

}  // namespace mc::reader

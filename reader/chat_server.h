// SPDX-License-Identifier: Apache-2.0
// A reader that is not the base model: a server of OpenAI's chat completions, which writes an
// answer from passages that it is given.
//
// What is sent leaves this process: nobody asks a server that the user has not named. Its answer is
// text like any other. Value types and free functions. Threads: any. Errors: kUsage for an address
// that is none, and for a key that would cross a network in the open; kIo when there is no answer
// or one that is none, with what the server said of it; kCancelled.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

namespace mc::reader {

// The environment variable that holds a server's key: a flag would show it to everyone who lists
// processes.
inline constexpr const char* kKeyVariable = "MEGACONTEXT_READER_KEY";

struct ChatServer {
    std::string url;  // "http://127.0.0.1:8080/v1": before /chat/completions, or with it
    std::string model = "default";
    std::string key;                 // empty: none is sent
    std::uint32_t seconds_max = 60;  // for an answer
};

struct ChatRequest {
    std::string system;
    std::string user;
    std::uint32_t tokens_max = 128;
    float temperature = 0;
    std::uint64_t seed = 1;
    std::vector<std::string> stop;
    const std::atomic<bool>* cancelled = nullptr;
};

struct ChatReply {
    std::string text;                 // UTF-8, without white space at its ends
    std::string model;                // as the server calls it
    bool is_cut = false;              // by tokens_max
    std::uint32_t prompt_tokens = 0;  // 0 where the server does not say
    std::uint32_t new_tokens = 0;
};

// Whether there can be such a server. Asks nobody.
Result<void> check_server(const ChatServer& server);

Result<ChatReply> ask(const ChatServer& server, const ChatRequest& request);

}  // namespace mc::reader

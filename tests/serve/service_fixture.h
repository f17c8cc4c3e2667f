// SPDX-License-Identifier: Apache-2.0
// The HTTP service on a memory that remembers what it was asked, with a thread as its engine.
#pragma once

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "serve/http/chores.h"
#include "serve/http/http_service.h"
#include "tests/serve/fake_memory.h"
#include "tests/support/store_fixture.h"

namespace mc::serve::test {

using Headers = std::map<std::string, std::string>;

class ServiceFixture : public testing::Test {
  protected:
    ServiceFixture() {
        options_.version = "1.2.3";
        options_.bank = "default";
        options_.keys_file = folder_.path() / "keys.json";
        options_.metrics_text = [] { return std::string("metrics"); };
        options_.clock = &clock_;
        auto operations = Operations::open(folder_.path() / "operations", clock_, memory_);
        EXPECT_TRUE(operations) << operations.error().to_string();
        operations_ = std::move(*operations);
        chores_.emplace(
            *operations_, [] { return false; }, [] { return false; });
        engine_ = std::thread([this] { queue_.serve(&*chores_); });
    }

    ~ServiceFixture() override {
        queue_.close();
        engine_.join();
    }

    HttpReply ask(const std::string& method, const std::string& path, const std::string& body = "",
                  Headers headers = {}) {
        headers.emplace("Host", "localhost:8642");
        headers.emplace("Content-Type", "application/json");
        HttpService service(options_, memory_, queue_, *operations_, stopping_);
        return service.answer({method, path, body, [&](const char* name) {
                                   const auto found = headers.find(name);
                                   return found == headers.end() ? "" : found->second;
                               }});
    }

    // The whole of a streamed reply, without comments.
    static std::string events_of(const HttpReply& reply) {
        EXPECT_EQ(reply.content_type, "text/event-stream") << reply.body;
        std::string events;
        if (reply.stream != nullptr)
            reply.stream->write_to([&](std::string_view bytes) {
                if (!bytes.starts_with(':')) events += bytes;
                return true;
            });
        return events;
    }

    // The secret of a new key.
    std::string make_key(const std::vector<std::string>& verbs,
                         const std::vector<std::string>& banks) {
        auto keys = *AccessKeys::load(options_.keys_file);
        AccessKey draft;
        draft.name = "agent";
        draft.verbs = verbs;
        draft.banks = banks;
        const auto secret = keys.create(draft, 1);
        EXPECT_TRUE(secret);
        EXPECT_TRUE(keys.save(options_.keys_file));
        return *secret;
    }

    static Headers with_key(const std::string& secret) {
        return {{"Authorization", "Bearer " + secret}};
    }

    storage::ScratchDirectory folder_;
    SimulatedClock clock_;
    ServiceOptions options_;
    FakeMemory memory_;
    EngineQueue queue_{2};
    std::unique_ptr<Operations> operations_;
    std::optional<Chores> chores_;
    std::atomic<bool> stopping_ = false;
    std::thread engine_;
};

}  // namespace mc::serve::test

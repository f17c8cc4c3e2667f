// SPDX-License-Identifier: Apache-2.0
// A reader elsewhere, as a server on this machine that says what the test wants.
#include "reader/chat_server.h"

#include <gtest/gtest.h>
#include <httplib.h>

#include <chrono>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

namespace mc::reader {
namespace {

using Json = nlohmann::json;

class ChatServerTest : public testing::Test {
  protected:
    ChatServerTest() {
        fake_.Post(".*", [this](const httplib::Request& from, httplib::Response& to) {
            asked_ = from;
            ++times_asked_;
            answer_(to);
        });
        port_ = fake_.bind_to_any_port("127.0.0.1");
        thread_ = std::thread([this] { fake_.listen_after_bind(); });
        while (!fake_.is_running()) std::this_thread::yield();
        server_.url = url("/v1");
        server_.seconds_max = 20;
        says(completion("Lisbon."));
    }

    ~ChatServerTest() override {
        fake_.stop();
        thread_.join();
    }

    std::string url(const std::string& path) const {
        return "http://127.0.0.1:" + std::to_string(port_) + path;
    }

    static Json completion(const std::string& text, const std::string& reason = "stop") {
        return {{"model", "tiny-1"},
                {"choices", Json::array({{{"index", 0},
                                          {"message", {{"role", "assistant"}, {"content", text}}},
                                          {"finish_reason", reason}}})},
                {"usage", {{"prompt_tokens", 31}, {"completion_tokens", 3}}}};
    }

    void says(const Json& body, int status = 200) { says_text(body.dump(), status); }

    void says_text(const std::string& body, int status = 200) {
        answer_ = [=](httplib::Response& to) {
            to.status = status;
            to.set_content(body, "application/json");
        };
    }

    Error refusal() {
        const auto reply = ask(server_, request_);
        EXPECT_FALSE(reply);
        return reply ? Error(ErrorCode::kCorruption, "") : reply.error();
    }

    void check_refusal(ErrorCode code, const std::string& part) {
        const Error error = refusal();
        EXPECT_EQ(error.code(), code) << error.to_string();
        EXPECT_NE(error.to_string().find(part), std::string::npos) << error.to_string();
    }

    httplib::Server fake_;
    int port_ = 0;
    std::thread thread_;
    std::function<void(httplib::Response&)> answer_;
    httplib::Request asked_;
    std::atomic<int> times_asked_ = 0;
    ChatServer server_;
    ChatRequest request_{"Be brief.", "Where was the bell cast?", 40, 0.5F, 7, {"\n"}, nullptr};
};

TEST_F(ChatServerTest, IsAskedAsOpenAisApiIs) {
    server_.key = "sk-secret";
    server_.model = "tiny";
    const auto reply = ask(server_, request_);
    ASSERT_TRUE(reply) << reply.error().to_string();
    EXPECT_EQ(reply->text, "Lisbon.");
    EXPECT_EQ(reply->model, "tiny-1");
    EXPECT_FALSE(reply->is_cut);
    EXPECT_EQ(reply->prompt_tokens, 31U);
    EXPECT_EQ(reply->new_tokens, 3U);
    EXPECT_EQ(asked_.path, "/v1/chat/completions");
    EXPECT_EQ(asked_.get_header_value("Authorization"), "Bearer sk-secret");
    EXPECT_EQ(asked_.get_header_value("Content-Type"), "application/json");
    const Json sent = Json::parse(asked_.body);
    const Json expected = {
        {"model", "tiny"},
        {"messages", Json::array({{{"role", "system"}, {"content", "Be brief."}},
                                  {{"role", "user"}, {"content", "Where was the bell cast?"}}})},
        {"max_tokens", 40},
        {"temperature", 0.5},
        {"seed", 7},
        {"stop", {"\n"}},
        {"stream", false}};
    EXPECT_EQ(sent, expected);
}

TEST_F(ChatServerTest, ItsAddressMayEndInSeveralWays) {
    for (const char* path : {"/v1", "/v1/", "/v1/chat/completions", "/v1/chat/completions/"}) {
        server_.url = url(path);
        ASSERT_TRUE(ask(server_, request_)) << path;
        EXPECT_EQ(asked_.path, "/v1/chat/completions") << path;
    }
    server_.url = url("");
    ASSERT_TRUE(ask(server_, request_));
    EXPECT_EQ(asked_.path, "/chat/completions");
    EXPECT_FALSE(asked_.has_header("Authorization"));
}

TEST_F(ChatServerTest, WhatItSaysIsTextWithoutWhiteSpaceAroundIt) {
    says(completion("\n  In Lisbon, in 1755.\n", "length"));
    const auto reply = ask(server_, request_);
    ASSERT_TRUE(reply);
    EXPECT_EQ(reply->text, "In Lisbon, in 1755.");
    EXPECT_TRUE(reply->is_cut);
    says({{"choices", Json::array({{{"message", {{"content", "Yes."}}}}})}});
    server_.model = "mine";
    EXPECT_EQ(ask(server_, request_)->model, "mine");
}

TEST_F(ChatServerTest, ARefusalSaysWhatToDoAndWhatTheServerSaid) {
    says({{"error", {{"message", "bad\nkey"}}}}, 401);
    check_refusal(ErrorCode::kIo, "MEGACONTEXT_READER_KEY");
    check_refusal(ErrorCode::kIo, "bad key");
    says({{"error", "model not found"}}, 404);
    check_refusal(ErrorCode::kIo, "model not found");
    check_refusal(ErrorCode::kIo, "\"default\"");
    says_text("<html>overloaded</html>", 503);
    check_refusal(ErrorCode::kIo, "status 503");
    says_text(std::string(5000, 'x'), 500);
    EXPECT_LT(refusal().to_string().size(), 600U);
    answer_ = [this](httplib::Response& to) { to.set_redirect(url("/elsewhere")); };
    times_asked_ = 0;
    check_refusal(ErrorCode::kIo, "status 302");
    EXPECT_EQ(times_asked_, 1);
}

TEST_F(ChatServerTest, WhatIsNoCompletionIsNoAnswer) {
    for (const char* body : {"", "no json", "[]", "{}", R"({"choices":[]})",
                             R"({"choices":[{"message":{"content":null}}]})",
                             R"({"choices":[{"message":{"content":"  "}}]})",
                             R"({"choices":{"0":{"message":{"content":5}}}})"}) {
        says_text(body);
        check_refusal(ErrorCode::kIo, "gives no text");
    }
    says_text(std::string(5 << 20, ' '));
    check_refusal(ErrorCode::kIo, "more than");
}

TEST_F(ChatServerTest, NobodyWaitsLongerThanWasSaid) {
    server_.seconds_max = 1;
    answer_ = [](httplib::Response& to) {
        to.set_chunked_content_provider(
            "application/json", [](std::size_t, httplib::DataSink& sink) {
                std::this_thread::sleep_for(std::chrono::milliseconds(100));  // more, bit by bit
                return sink.write(" ", 1);
            });
    };
    check_refusal(ErrorCode::kIo, "more than 1 s");
    std::atomic<bool> cancelled = false;
    server_.seconds_max = 60;
    request_.cancelled = &cancelled;
    std::thread canceller([&] {
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
        cancelled = true;
    });
    check_refusal(ErrorCode::kCancelled, "interrupted");
    canceller.join();
}

TEST_F(ChatServerTest, WhereNobodyListensThatIsSaid) {
    server_.url = "http://127.0.0.1:1/v1";
    check_refusal(ErrorCode::kIo, "is the server running?");
    server_.url = "https://127.0.0.1:" + std::to_string(port_);
    check_refusal(ErrorCode::kIo, "no answer");
}

TEST(CheckServer, RefusesWhatIsNoAddressAndKeysInTheOpen) {
    const auto code = [](const std::string& url, const std::string& key = "") -> std::string {
        ChatServer server;
        server.url = url;
        server.key = key;
        const auto checked = check_server(server);
        if (checked) return "";
        EXPECT_EQ(checked.error().code(), ErrorCode::kUsage);
        return checked.error().to_string();
    };
    for (const char* bad :
         {"", "localhost:8080", "ftp://a/v1", "http://", "http:///v1", "http://:80",
          "http://a b/v1", "http://me:word@a/v1", "http://a/v1?key=1", "http://a/#x"})
        EXPECT_NE(code(bad).find("base URL"), std::string::npos) << bad;
    for (const char* good : {"http://a/v1", "https://api.example.com/v1", "http://[::1]:8080/v1"})
        EXPECT_EQ(code(good), "") << good;
    EXPECT_NE(code("http://example.com/v1", "k").find("in the open"), std::string::npos);
    EXPECT_NE(code("https://example.com/v1", "a\r\nHost: b").find("no key"), std::string::npos);
    for (const char* safe : {"https://example.com/v1", "http://localhost/v1", "http://[::1]:1/v1"})
        EXPECT_EQ(code(safe, "k"), "") << safe;
}

}  // namespace
}  // namespace mc::reader

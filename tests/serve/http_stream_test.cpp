// SPDX-License-Identifier: Apache-2.0
// Answers as server-sent events: the same as those that come whole, and an end for who hangs up.
#include <gtest/gtest.h>

#include "tests/serve/service_fixture.h"

namespace mc::serve {
namespace {

struct ReadEvent {
    std::string name;
    std::string data;
};

class HttpStreamTest : public test::ServiceFixture {
  protected:
    HttpStreamTest() {
        memory_.pieces = {"Ben: ", "Anna picks", " Zebulon up"};
        memory_.untold = " at four.";
    }

    static std::vector<ReadEvent> parse(const std::string& text) {
        std::vector<ReadEvent> events;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = text.find("\n\n", at);
            EXPECT_NE(end, std::string::npos) << text.substr(at);
            if (end == std::string::npos) break;
            std::string one = text.substr(at, end - at);
            ReadEvent event;
            if (one.starts_with("event: ")) {
                event.name = one.substr(7, one.find('\n') - 7);
                one.erase(0, one.find('\n') + 1);
            }
            EXPECT_TRUE(one.starts_with("data: ")) << one;
            event.data = one.substr(6);
            events.push_back(event);
            at = end + 2;
        }
        return events;
    }

    HttpReply chat(const std::string& more) {
        return ask("POST", "/v1/chat/completions",
                   R"({"messages":[{"role":"user","content":"who?"}])" + more + "}");
    }

    HttpReply recall(const std::string& body, test::Headers headers = {}) {
        headers.emplace("Accept", "application/json, text/event-stream");
        return ask("POST", "/v1/recall", body, headers);
    }
};

TEST_F(HttpStreamTest, TheChunksOfACompletionAreTheCompletion) {
    const Json whole = Json::parse(chat("").body);
    const auto events = parse(events_of(chat(R"(,"stream":true)")));
    ASSERT_EQ(events.size(), 7U);  // the role, three pieces, the rest, the end, the mark
    EXPECT_EQ(events.back().data, "[DONE]");
    std::string text;
    for (std::size_t i = 0; i + 1 < events.size(); ++i) {
        EXPECT_EQ(events[i].name, "");
        const Json chunk = Json::parse(events[i].data);
        EXPECT_EQ(chunk["object"], "chat.completion.chunk");
        EXPECT_FALSE(chunk.contains("usage"));
        EXPECT_EQ(chunk.contains("memory"), i == 0);
        for (const char* key : {"id", "created", "model"}) EXPECT_EQ(chunk[key], whole[key]);
        const Json& choice = chunk["choices"][0];
        EXPECT_EQ(choice["delta"].contains("role"), i == 0);
        text += choice["delta"].value("content", "");
        const bool is_end = i + 2 == events.size();
        EXPECT_EQ(choice["finish_reason"], is_end ? Json("stop") : Json());
        if (i == 0) {
            EXPECT_EQ(chunk["memory"], whole["memory"]);
        }
    }
    EXPECT_EQ(text, whole["choices"][0]["message"]["content"]);
    EXPECT_EQ(text, "Ben: Anna picks Zebulon up at four.");
}

TEST_F(HttpStreamTest, UsageComesLastForThoseThatAsk) {
    const Json whole = Json::parse(chat("").body);
    const auto events =
        parse(events_of(chat(R"(,"stream":true,"stream_options":{"include_usage":true})")));
    ASSERT_EQ(events.size(), 8U);
    const Json last = Json::parse(events[6].data);
    EXPECT_EQ(last["choices"], Json::array());
    EXPECT_EQ(last["usage"], whole["usage"]);
    EXPECT_EQ(Json::parse(events[0].data)["usage"], Json());
}

TEST_F(HttpStreamTest, WhatIsNotKnownIsSaidInAStreamToo) {
    memory_.pieces.clear();
    const auto events = parse(events_of(chat(R"(,"stream":true)")));
    ASSERT_EQ(events.size(), 4U);
    EXPECT_EQ(Json::parse(events[0].data)["memory"]["known"], false);
    EXPECT_EQ(Json::parse(events[1].data)["choices"][0]["delta"]["content"],
              "The memory does not tell.");
}

TEST_F(HttpStreamTest, AStreamedTurnIsKeptOnceItIsWhole) {
    events_of(chat(R"(,"stream":true,"user":"anna")"));
    ASSERT_EQ(memory_.calls.size(), 3U);
    EXPECT_NE(memory_.calls[1].find(R"("session":"anna","role":"user")"), std::string::npos);
    EXPECT_NE(memory_.calls[2].find("Zebulon up at four."), std::string::npos);
}

TEST_F(HttpStreamTest, ARecallTellsItsEvidenceThenItsAnswerThenAll) {
    const std::string body = R"({"question":"who?","answer":true})";
    const Json whole = Json::parse(ask("POST", "/v1/recall", body).body);
    const auto events = parse(events_of(recall(body)));
    ASSERT_EQ(events.size(), 5U);
    EXPECT_EQ(events[0].name, "evidence");
    Json evidence = Json::parse(events[0].data);
    evidence["answer"] = whole["answer"];
    EXPECT_EQ(evidence, whole);
    std::string text;
    for (std::size_t i = 1; i < 4; ++i) {
        EXPECT_EQ(events[i].name, "delta");
        text += Json::parse(events[i].data)["text"].get<std::string>();
    }
    EXPECT_TRUE(whole["answer"]["text"].get<std::string>().starts_with(text));
    EXPECT_EQ(events[4].name, "reply");
    EXPECT_EQ(Json::parse(events[4].data), whole);
}

TEST_F(HttpStreamTest, WhatIsRefusedBeforeTheFirstEventIsAProblem) {
    EXPECT_EQ(recall("{").status, 400);
    EXPECT_EQ(recall(R"({"question":7})").status, 400);
    EXPECT_EQ(chat(R"(,"stream":true,"stream_options":7)").status, 400);
    memory_.refusal = "no such document";
    const HttpReply reply = recall(R"({"question":"a"})");
    EXPECT_EQ(reply.status, 400);
    EXPECT_EQ(reply.content_type, "application/problem+json");
    const HttpReply refused = chat(R"(,"stream":true)");
    EXPECT_EQ(refused.status, 400);
    EXPECT_TRUE(Json::parse(refused.body)["error"]["message"].is_string());
    const auto key = with_key(make_key({"remember"}, {}));
    EXPECT_EQ(recall(R"({"question":"a"})", key).status, 403);
    EXPECT_EQ(memory_.calls.size(), 2U);
}

TEST_F(HttpStreamTest, WhoHangsUpEndsTheAnswerAndItIsNotKept) {
    std::atomic<int> begun = 0;
    memory_.during_call = [&](const std::atomic<bool>& cancelled) {
        memory_.before_piece = [&] {
            if (++begun < 2) return;
            while (!cancelled) std::this_thread::yield();
        };
    };
    {
        const HttpReply reply = chat(R"(,"stream":true,"user":"anna")");
        ASSERT_NE(reply.stream, nullptr);
        while (begun < 2) std::this_thread::yield();
    }  // the client is gone
    EXPECT_EQ(begun, 2);
    EXPECT_EQ(memory_.calls.size(), 1U);
    EXPECT_EQ(ask("GET", "/v1/status").status, 200);  // its place is free again
    EXPECT_TRUE(queue_.admit());
}

TEST_F(HttpStreamTest, AServerThatStopsEndsAStreamWithAnErrorThatSaysSo) {
    memory_.during_call = [&](const std::atomic<bool>& cancelled) {
        memory_.before_piece = [&] {
            stopping_ = true;
            while (!cancelled) std::this_thread::yield();
        };
    };
    const auto events = parse(events_of(chat(R"(,"stream":true,"user":"anna")")));
    ASSERT_EQ(events.size(), 2U);
    EXPECT_EQ(events[1].name, "error");
    EXPECT_EQ(Json::parse(events[1].data)["error"]["type"], "cancelled");
    EXPECT_EQ(memory_.calls.size(), 1U);
}

}  // namespace
}  // namespace mc::serve

// SPDX-License-Identifier: Apache-2.0
#include "serve/http/http_service.h"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <thread>

#include "serve/http/secrets.h"
#include "serve/mcp/stdio_transport.h"
#include "tests/serve/service_fixture.h"

namespace mc::serve {
namespace {

using HttpServiceTest = test::ServiceFixture;

TEST_F(HttpServiceTest, ItsPathsAreThoseOfTheOpenApiDocument) {
    std::set<std::string> answered;
    for (const Route& route : routes()) {
        answered.insert(std::string(route.path));
        const HttpReply reply = ask(std::string(route.method), std::string(route.path), "{}");
        EXPECT_NE(reply.status, 405) << route.path;
        if (reply.status == 404) {
            EXPECT_EQ(Json::parse(reply.body)["code"], "no_such_operation") << route.path;
        }
    }
    std::set<std::string> described;
    const Json document = Json::parse(ask("GET", "/openapi.json").body);
    for (const auto& [path, methods] : document["paths"].items()) {
        described.insert(path);
        for (const auto& [method, operation] : methods.items())
            EXPECT_TRUE(operation["responses"].contains("200"));
    }
    EXPECT_EQ(answered, described);
    EXPECT_EQ(document["openapi"], "3.1.0");
}

TEST_F(HttpServiceTest, AVerbIsAskedOnceWithTheBankNamed) {
    const HttpReply reply = ask("POST", "/v1/recall", R"({"question":"who?"})");
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(Json::parse(reply.body)["known"], false);
    EXPECT_EQ(memory_.calls,
              std::vector<std::string>{R"(recall {"question":"who?","bank":"default"})"});
}

TEST_F(HttpServiceTest, RefusalsAreProblems) {
    const auto check = [](const HttpReply& reply, int status) {
        EXPECT_EQ(reply.status, status) << reply.body;
        EXPECT_EQ(reply.content_type, "application/problem+json");
        EXPECT_EQ(Json::parse(reply.body)["status"], status);
    };
    check(ask("GET", "/nothing"), 404);
    check(ask("GET", "/v1/../v1/status"), 404);
    check(ask("GET", "/v1/recall"), 405);
    check(ask("POST", "/v1/recall", "{"), 400);
    check(ask("POST", "/v1/recall", "[]"), 400);
    check(ask("POST", "/v1/recall", R"({"question":1})"), 400);
    check(ask("POST", "/v1/recall", "{}", {{"Content-Type", "text/plain"}}), 415);
    check(ask("GET", "/v1/status", "", {{"Host", "evil.example"}}), 403);
    check(ask("GET", "/v1/status", "", {{"Origin", "https://evil.example"}}), 403);
    EXPECT_EQ(ask("GET", "/v1/status", "", {{"Origin", "http://127.0.0.1:3000"}}).status, 200);
    memory_.refusal = "no such document";
    check(ask("POST", "/v1/read", R"({"document":"d9"})"), 400);
}

TEST_F(HttpServiceTest, ABodyOfItsOwnIsADocument) {
    HttpService service(options_, memory_, queue_, *operations_, stopping_);
    const auto give = [&](std::vector<std::pair<std::string, std::string>> query,
                          const std::string& type, const std::string& body) {
        const auto header = [type](const char* name) -> std::string {
            if (std::string_view(name) == "Host") return "localhost";
            return std::string_view(name) == "Content-Type" ? type : "";
        };
        return service.answer({"POST", "/v1/documents", body, header, std::move(query)});
    };
    const std::string bytes("\0\xff%PDF", 6);
    EXPECT_EQ(give({{"metadata.of", "anna"}, {"name", "a.pdf"}}, "application/pdf", bytes).status,
              200);
    EXPECT_EQ(memory_.calls.back(),
              R"(begin {"name":"a.pdf","metadata":{"of":"anna"},"file":"AP8lUERG",)"
              R"("media_type":"application/pdf","bank":"default"})");
    EXPECT_EQ(give({{"colour", "red"}}, "", bytes).status, 400);
    EXPECT_EQ(give({{"metadata", "a"}}, "", bytes).status, 400);
    EXPECT_EQ(give({{"metadata", "a"}, {"metadata.b", "c"}}, "", bytes).status, 200);
    const std::string long_body(kMessageBytesMax + 1, ' ');
    EXPECT_EQ(give({}, "text/plain", long_body).status, 202);
    EXPECT_EQ(ask("POST", "/v1/remember", long_body).status, 413);
}

TEST_F(HttpServiceTest, DocumentsAndTreesAreListedAndWalked) {
    HttpService service(options_, memory_, queue_, *operations_, stopping_);
    const auto get = [&](const char* path, std::vector<std::pair<std::string, std::string>> query) {
        const auto header = [](const char* name) -> std::string {
            return std::string_view(name) == "Host" ? "localhost" : "";
        };
        return service.answer({"GET", path, "", header, std::move(query)}).status;
    };
    EXPECT_EQ(get("/v1/documents", {}), 200);
    EXPECT_EQ(memory_.calls.back(), "documents default 100");
    EXPECT_EQ(get("/v1/documents", {{"bank", "work"}, {"count", "7"}}), 200);
    EXPECT_EQ(memory_.calls.back(), "documents work 7");
    EXPECT_EQ(get("/v1/tree", {{"document", "d3"}}), 200);
    EXPECT_EQ(memory_.calls.back(), "tree default d3");
    EXPECT_EQ(get("/v1/tree", {{"document", "d3"}, {"level", "2"}, {"index", "13"}}), 200);
    EXPECT_EQ(memory_.calls.back(), "tree default d3 L2/13");
    const std::size_t asked = memory_.calls.size();
    for (const char* count : {"0", "1001", "-1", "7x", "99999999999999999999"})
        EXPECT_EQ(get("/v1/documents", {{"count", count}}), 400) << count;
    EXPECT_EQ(get("/v1/documents", {{"colour", "red"}}), 400);
    EXPECT_EQ(get("/v1/documents", {{"bank", "a"}, {"bank", "b"}}), 400);
    EXPECT_EQ(get("/v1/tree", {}), 400);
    EXPECT_EQ(get("/v1/tree", {{"document", "d3"}, {"level", "1"}}), 400);
    EXPECT_EQ(memory_.calls.size(), asked);
    const auto key = with_key(make_key({"recall"}, {}));
    EXPECT_EQ(ask("GET", "/v1/documents", "", key).status, 403);
    EXPECT_EQ(memory_.calls.size(), asked);
}

TEST_F(HttpServiceTest, ThePageIsOneFileThatRunsNothingElse) {
    make_key({}, {});
    const HttpReply reply = ask("GET", "/");  // the page alone needs no key
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.content_type, "text/html; charset=utf-8");
    const std::map<std::string, std::string> headers(reply.headers.begin(), reply.headers.end());
    const std::string& policy = headers.at("Content-Security-Policy");
    EXPECT_TRUE(policy.starts_with("default-src 'none'; script-src 'sha256-")) << policy;
    EXPECT_EQ(policy.find("unsafe"), std::string::npos);
    EXPECT_NE(policy.find("frame-ancestors 'none'"), std::string::npos);
    EXPECT_EQ(headers.at("X-Content-Type-Options"), "nosniff");
    for (const char* outside : {"http://", "https://", "src=", "@import", "url(", "innerHTML",
                                " style=", "onclick=\"", "eval("})
        EXPECT_EQ(reply.body.find(outside), std::string::npos) << outside;
    for (const Route& route : routes())
        if (route.endpoint == Endpoint::kDocuments || route.endpoint == Endpoint::kTree) {
            EXPECT_NE(reply.body.find(std::string(route.path)), std::string::npos) << route.path;
        }
    EXPECT_EQ(sha256_hex("abc").size(), 2 * sha256_bytes("abc").size());
}

TEST_F(HttpServiceTest, OnceThereIsAKeyNobodyComesInWithoutOne) {
    EXPECT_EQ(ask("GET", "/v1/status").status, 200);
    const std::string secret = make_key({}, {});
    EXPECT_EQ(ask("GET", "/v1/status").status, 401);
    EXPECT_EQ(ask("GET", "/metrics").status, 401);
    EXPECT_EQ(ask("POST", "/mcp", "{}").status, 401);
    EXPECT_EQ(ask("GET", "/health/live").status, 200);
    EXPECT_EQ(ask("GET", "/v1/status", "", with_key("mc_" + std::string(64, '0'))).status, 401);
    EXPECT_EQ(ask("GET", "/v1/status", "", with_key(secret)).status, 200);
    auto keys = *AccessKeys::load(options_.keys_file);
    EXPECT_EQ(keys.keys().front().hash, sha256_hex(secret));
    ASSERT_TRUE(keys.revoke("k1", 2));
    EXPECT_FALSE(keys.revoke("k2", 2));
    ASSERT_TRUE(keys.save(options_.keys_file));
    EXPECT_EQ(ask("GET", "/v1/status", "", with_key(secret)).status, 401);
}

TEST_F(HttpServiceTest, AKeyOfOneBankMeansItAndSeesNoOther) {
    const auto key = with_key(make_key({"recall"}, {"work"}));
    EXPECT_EQ(ask("POST", "/v1/recall", R"({"question":"a"})", key).status, 200);
    EXPECT_EQ(memory_.calls.back(), R"(recall {"question":"a","bank":"work"})");
    const HttpReply other = ask("POST", "/v1/recall", R"({"question":"a","bank":"default"})", key);
    EXPECT_EQ(other.status, 403);
    EXPECT_EQ(other.body, ask("POST", "/v1/recall", R"({"question":"a","bank":"none"})", key).body);
    EXPECT_EQ(ask("POST", "/v1/read", R"({"document":"d1"})", key).status, 403);
    EXPECT_EQ(memory_.calls.size(), 1U);
    const std::string tool =
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"forget","arguments":{"all":true}}})";
    EXPECT_EQ(Json::parse(ask("POST", "/mcp", tool, key).body)["result"]["isError"], true);
    EXPECT_EQ(memory_.calls.size(), 1U);
}

TEST_F(HttpServiceTest, SeveralBanksAreThoseThatTheKeyMaySee) {
    const auto recall = [&](const std::string& banks, const test::Headers& key) {
        return ask("POST", "/v1/recall", R"({"question":"a","banks":)" + banks + "}", key);
    };
    EXPECT_EQ(recall(R"(["*"])", {}).status, 200);
    EXPECT_EQ(memory_.calls.back(), R"(recall {"question":"a","banks":["default","home","work"]})");
    const auto two = with_key(make_key({"recall"}, {"work", "home", "not made yet"}));
    EXPECT_EQ(recall(R"(["*"])", two).status, 200);
    EXPECT_EQ(memory_.calls.back(), R"(recall {"question":"a","banks":["home","work"]})");
    EXPECT_EQ(recall(R"(["work"])", two).status, 200);
    EXPECT_EQ(memory_.calls.back(), R"(recall {"question":"a","banks":["work"]})");
    // No bank is the key's own where it has one, and nobody else's.
    const auto one = with_key(make_key({"recall"}, {"work"}));
    EXPECT_EQ(recall("[]", one).status, 200);
    EXPECT_EQ(memory_.calls.back(), R"(recall {"question":"a","bank":"work"})");
    const std::size_t calls = memory_.calls.size();
    EXPECT_EQ(recall("[]", two).status, 403);
    for (const auto& key : {one, two}) {
        const HttpReply there = recall(R"(["work","default"])", key);
        EXPECT_EQ(there.status, 403);
        EXPECT_EQ(there.body, recall(R"(["work","nowhere"])", key).body);
    }
    EXPECT_EQ(recall(R"(["*"])", with_key(make_key({"recall"}, {"not made yet"}))).status, 400);
    EXPECT_EQ(recall(R"(["*"])", with_key(make_key({"read"}, {}))).status, 403);
    EXPECT_EQ(recall(R"("*")", one).status, 400);
    EXPECT_EQ(memory_.calls.size(), calls);
}

TEST_F(HttpServiceTest, AFullQueueSaysWhenToComeAgain) {
    auto first = queue_.admit();
    auto second = queue_.admit();
    const HttpReply reply = ask("GET", "/v1/status");
    EXPECT_EQ(reply.status, 429);
    EXPECT_EQ(reply.headers.front(), (std::pair<std::string, std::string>("Retry-After", "1")));
    first.reset();
    EXPECT_EQ(ask("GET", "/v1/status").status, 200);
}

TEST_F(HttpServiceTest, AChatIsAQuestionToTheMemoryAndItsSessionIsKept) {
    const std::string chat = R"({"model":"m","user":"anna","messages":[
        {"role":"system","content":"Be brief."},{"role":"user","content":"first"},
        {"role":"user","content":[{"type":"text","text":"who?"}]}]})";
    const Json completion = Json::parse(ask("POST", "/v1/chat/completions", chat).body);
    EXPECT_EQ(completion["object"], "chat.completion");
    EXPECT_EQ(completion["choices"][0]["message"]["content"], "The memory does not tell.");
    EXPECT_EQ(completion["choices"][0]["finish_reason"], "stop");
    EXPECT_EQ(completion["memory"]["known"], false);
    ASSERT_EQ(memory_.calls.size(), 3U);
    EXPECT_EQ(memory_.calls[0], R"(recall {"question":"who?","answer":true,"bank":"default"})");
    EXPECT_NE(memory_.calls[1].find(R"("session":"anna","role":"user")"), std::string::npos);
    EXPECT_NE(memory_.calls[2].find(R"("role":"assistant")"), std::string::npos);

    const HttpReply wrong = ask("POST", "/v1/chat/completions", R"({"messages":[]})");
    EXPECT_EQ(wrong.status, 400);
    EXPECT_TRUE(Json::parse(wrong.body)["error"]["message"].is_string());
}

TEST_F(HttpServiceTest, EmbeddingsAreInTheOrderOfTheirTexts) {
    const Json one = Json::parse(ask("POST", "/v1/embeddings", R"({"input":"a"})").body);
    EXPECT_EQ(one["data"][0]["embedding"], Json({0.5, 0.25}));
    const Json two = Json::parse(ask("POST", "/v1/embeddings", R"({"input":["a","b"]})").body);
    EXPECT_EQ(two["data"].size(), 2U);
    EXPECT_EQ(two["data"][1]["index"], 1);
    EXPECT_EQ(ask("POST", "/v1/embeddings", R"({"input":7})").status, 400);
    EXPECT_EQ(Json::parse(ask("GET", "/v1/models").body)["data"][0]["id"], "megacontext");
}

TEST_F(HttpServiceTest, SecretsAreRandomAndComparedWhole) {
    EXPECT_NE(*random_secret(), *random_secret());
    EXPECT_EQ(random_secret()->size(), 67U);
    EXPECT_EQ(sha256_hex("abc"),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_TRUE(equal_in_constant_time("abc", "abc"));
    EXPECT_FALSE(equal_in_constant_time("abc", "abd"));
    EXPECT_FALSE(equal_in_constant_time("abc", "ab"));
}

TEST(EngineQueueTest, WorkIsDoneOneByOneAndAllOfItBeforeTheEnd) {
    constexpr int kWorkers = 8;
    EngineQueue queue(kWorkers);
    int count = 0;  // of the engine thread alone: ThreadSanitizer watches
    std::vector<std::thread> workers;
    std::atomic<int> admitted = 0;
    for (int i = 0; i < kWorkers; ++i)
        workers.emplace_back([&] {
            auto place = queue.admit();
            ++admitted;
            for (int k = 0; k < 100; ++k) place->run([&] { ++count; });
        });
    while (admitted < kWorkers) std::this_thread::yield();
    queue.close();
    EXPECT_FALSE(queue.admit());
    queue.serve();
    for (std::thread& worker : workers) worker.join();
    EXPECT_EQ(count, kWorkers * 100);
}

}  // namespace
}  // namespace mc::serve

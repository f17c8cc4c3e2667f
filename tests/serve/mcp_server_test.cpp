// SPDX-License-Identifier: Apache-2.0
#include "serve/mcp/mcp_server.h"

#include <gtest/gtest.h>

#include "serve/protocol/schema.h"
#include "tests/serve/fake_memory.h"

namespace mc::serve {
namespace {

const Json kModernMeta = {{"io.modelcontextprotocol/protocolVersion", kModernRevision},
                          {"io.modelcontextprotocol/clientCapabilities", Json::object()}};

class McpServerTest : public testing::Test {
  protected:
    Json ask(const std::string& method, Json params = Json::object(), bool modern = false) {
        if (modern) params["_meta"] = kModernMeta;
        const auto answer = server_.handle(
            {{"jsonrpc", "2.0"}, {"id", 7}, {"method", method}, {"params", params}}, cancelled_);
        EXPECT_TRUE(answer);
        EXPECT_EQ((*answer)["id"], 7);
        return *answer;
    }

    Json call(const std::string& tool, const Json& arguments, bool modern = false) {
        return ask("tools/call", {{"name", tool}, {"arguments", arguments}}, modern);
    }

    int code_of(const char* message) {
        const auto answer = server_.handle(Json::parse(message), cancelled_);
        return answer ? answer->at("error").at("code").get<int>() : 0;
    }

    test::FakeMemory memory_;
    McpServer server_{memory_, "1.2.3"};
    std::atomic<bool> cancelled_ = false;
};

TEST_F(McpServerTest, AnOlderClientIsToldTheOlderRevision) {
    const Json result = ask("initialize", {{"protocolVersion", "2024-11-05"}})["result"];
    EXPECT_EQ(result["protocolVersion"], kLegacyRevision);
    EXPECT_EQ(result["serverInfo"]["version"], "1.2.3");
    EXPECT_TRUE(result["capabilities"].contains("tools"));
    EXPECT_EQ(ask("ping")["result"], Json::object());
    const Json tools = ask("tools/list")["result"];
    EXPECT_FALSE(tools.contains("resultType"));
    EXPECT_FALSE(tools.contains("ttlMs"));
    EXPECT_EQ(ask("server/discover")["error"]["code"], -32601);
}

TEST_F(McpServerTest, ANewerClientDiscoversAndIsServedWithoutAHandshake) {
    const Json result = ask("server/discover", Json::object(), true)["result"];
    EXPECT_EQ(result["resultType"], "complete");
    EXPECT_EQ(result["supportedVersions"][0], kModernRevision);
    EXPECT_GE(result["ttlMs"], 0);
    EXPECT_EQ(result["cacheScope"], "private");
    EXPECT_EQ(result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"], "megacontext");
    EXPECT_EQ(ask("tools/list", Json::object(), true)["result"]["resultType"], "complete");
    EXPECT_EQ(ask("initialize", {{"protocolVersion", "x"}}, true)["error"]["code"], -32601);
}

TEST_F(McpServerTest, AnUnknownRevisionIsRefusedWithThoseThatAreServed) {
    Json meta = kModernMeta;
    meta["io.modelcontextprotocol/protocolVersion"] = "2031-01-01";
    const Json error = ask("tools/list", {{"_meta", meta}})["error"];
    EXPECT_EQ(error["code"], -32022);
    EXPECT_EQ(error["data"]["supported"], Json::array({kModernRevision}));
    meta = kModernMeta;
    meta.erase("io.modelcontextprotocol/clientCapabilities");
    EXPECT_EQ(ask("tools/list", {{"_meta", meta}})["error"]["code"], -32602);
}

TEST_F(McpServerTest, FiveToolsSayWhatTheyDoToTheMemory) {
    const Json tools = ask("tools/list")["result"]["tools"];
    ASSERT_EQ(tools.size(), 5U);
    std::string names;
    for (const Json& tool : tools) {
        names += tool["name"].get<std::string>() + " ";
        EXPECT_EQ(tool["annotations"]["destructiveHint"], tool["name"] == "forget");
        EXPECT_EQ(tool["annotations"]["readOnlyHint"],
                  tool["name"] != "forget" && tool["name"] != "remember");
    }
    EXPECT_EQ(names, "remember recall read forget status ");
}

TEST_F(McpServerTest, ACallGivesTheSameJsonAsTextAndAsStructure) {
    for (const bool modern : {false, true}) {
        const Json result = call("recall", {{"question", "who?"}}, modern)["result"];
        EXPECT_EQ(result["isError"], false);
        EXPECT_EQ(Json::parse(result["content"][0]["text"].get<std::string>()),
                  result["structuredContent"]);
        EXPECT_TRUE(check_schema(output_schema(Verb::kRecall), result["structuredContent"], "out"));
    }
    EXPECT_EQ(memory_.calls.front(), R"(recall {"question":"who?"})");
}

TEST_F(McpServerTest, WhatAModelCanMendIsAToolErrorAndTheMemoryIsNotAsked) {
    const Json result = call("recall", {{"query", "who?"}})["result"];
    EXPECT_EQ(result["isError"], true);
    EXPECT_EQ(result["content"][0]["text"], "recall needs question");
    EXPECT_TRUE(memory_.calls.empty());
    memory_.refusal = "no document \"x\"";
    EXPECT_EQ(call("read", {{"document", "x"}})["result"]["content"][0]["text"],
              "no document \"x\"");
    EXPECT_EQ(call("recall_all", Json::object())["error"]["code"], -32602);
}

TEST_F(McpServerTest, DocumentsAreResources) {
    const Json listed = ask("resources/list")["result"]["resources"];
    EXPECT_EQ(listed[0]["uri"], "megacontext://document/d1");
    const Json read = ask("resources/read", {{"uri", listed[0]["uri"]}}, true)["result"];
    EXPECT_EQ(read["contents"][0]["text"], "the text");
    EXPECT_EQ(memory_.calls.back(), R"(read {"document":"d1"})");
    EXPECT_EQ(ask("resources/read", {{"uri", "file:///etc/passwd"}})["error"]["code"], -32602);
    EXPECT_EQ(ask("resources/templates/list")["result"]["resourceTemplates"].size(), 1U);
}

TEST_F(McpServerTest, WrongMessagesAreErrorsAndNotificationsAreNotAnswered) {
    EXPECT_EQ(code_of("[]"), -32600);
    EXPECT_EQ(code_of("7"), -32600);
    EXPECT_EQ(code_of(R"({"jsonrpc":"1.0","id":1,"method":"ping"})"), -32600);
    EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":1})"), -32600);
    EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":{},"method":"ping"})"), -32600);
    EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":1,"method":"ping","params":[1]})"), -32602);
    EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":1,"method":"nothing"})"), -32601);
    EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":1,"method":"tools/call"})"), -32602);
    EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","method":"notifications/initialized"})"), 0);
    EXPECT_EQ(code_of(R"({"jsonrpc":"2.0","id":1,"result":{}})"), 0);
}

}  // namespace
}  // namespace mc::serve

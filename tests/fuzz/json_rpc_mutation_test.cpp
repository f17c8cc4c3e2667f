// SPDX-License-Identifier: Apache-2.0
// Damaged messages: the reader of JSON-RPC answers each with one line or none, and never falls.
#include <gtest/gtest.h>

#include <sstream>

#include "serve/mcp/stdio_transport.h"
#include "tests/fuzz/mutations.h"
#include "tests/serve/fake_memory.h"

namespace mc::serve {
namespace {

const char* const kMessages[] = {
    R"({"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}})",
    R"({"jsonrpc":"2.0","id":2,"method":"tools/call","params":{"name":"recall","arguments":{"question":"who?","passages":3,"documents":["d1"]}}})",
    R"({"jsonrpc":"2.0","id":"a","method":"tools/call","params":{"name":"remember","arguments":{"text":"\u00e9 x","metadata":{"k":"v"}}}})",
    R"({"jsonrpc":"2.0","id":3,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}})",
    R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":2}})",
    R"({"jsonrpc":"2.0","id":4,"method":"resources/read","params":{"uri":"megacontext://document/d1"}})",
};

std::string one_message(Rng& rng) {
    std::string text = kMessages[rng.below(std::size(kMessages))];
    if (rng.below(8) == 0) return text;
    if (rng.below(8) == 0) return std::string(rng.below(300), "[{\":,"[rng.below(5)]) + text;
    return mc::test::mutate(text, rng);
}

TEST(JsonRpcMutation, NoMessageBringsTheServerDown) {
    Rng rng(20260401);
    test::FakeMemory memory;
    McpServer server(memory, "1");
    for (int round = 0; round < 300; ++round) {
        std::string input;
        std::size_t lines_at_most = 0;
        for (int i = 0; i < 20; ++i) input += one_message(rng) + "\n";
        for (const char c : input) lines_at_most += c == '\n' ? 1 : 0;
        std::istringstream in(input);
        std::ostringstream out;
        ASSERT_TRUE(serve_lines(server, in, out));
        std::istringstream lines(out.str());
        std::size_t answered = 0;
        for (std::string line; std::getline(lines, line); ++answered) {
            const auto answer = parse_json(line, 1 << 20);
            ASSERT_TRUE(answer) << line;
            EXPECT_EQ(answer->at("jsonrpc"), "2.0");
            EXPECT_NE(answer->contains("result"), answer->contains("error"));
        }
        EXPECT_LE(answered, lines_at_most);
    }
}

}  // namespace
}  // namespace mc::serve

// SPDX-License-Identifier: Apache-2.0
#include "serve/mcp/stdio_transport.h"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>
#include <sstream>
#include <streambuf>

#include "serve/mcp/message_queue.h"
#include "tests/serve/fake_memory.h"

namespace mc::serve {
namespace {

std::string recall_line(int id) {
    return R"({"jsonrpc":"2.0","id":)" + std::to_string(id) +
           R"(,"method":"tools/call","params":{"name":"recall","arguments":{"question":"who?"}}})" +
           "\n";
}

std::string cancel_line(int id) {
    return R"({"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":)" +
           std::to_string(id) + "}}\n";
}

class StdioTransport : public testing::Test {
  protected:
    std::vector<Json> answers_to(const std::string& input) {
        std::istringstream in(input);
        std::ostringstream out;
        EXPECT_TRUE(serve_lines(server_, in, out));
        std::vector<Json> answers;
        std::istringstream lines(out.str());
        for (std::string line; std::getline(lines, line);) answers.push_back(Json::parse(line));
        return answers;
    }

    test::FakeMemory memory_;
    McpServer server_{memory_, "1"};
};

TEST_F(StdioTransport, EveryRequestIsAnsweredInOrderBeforeTheEnd) {
    std::string input;
    for (int id = 1; id <= 200; ++id) input += recall_line(id);
    const auto answers = answers_to(input);
    ASSERT_EQ(answers.size(), 200U);
    for (int id = 1; id <= 200; ++id) EXPECT_EQ(answers[std::size_t(id - 1)]["id"], id);
}

TEST_F(StdioTransport, WhatIsNoJsonIsAnErrorAndReadingGoesOn) {
    const auto answers = answers_to("{\n\n \r\n" + std::string(kMessageBytesMax + 5, 'x') + "\n" +
                                    std::string(5000, '[') + "\n" + recall_line(3));
    ASSERT_EQ(answers.size(), 4U);
    for (std::size_t i = 0; i < 3; ++i) {
        EXPECT_EQ(answers[i]["error"]["code"], -32700);
        EXPECT_TRUE(answers[i]["id"].is_null());
    }
    EXPECT_EQ(answers[3]["id"], 3);
}

TEST_F(StdioTransport, TextWithLineEndsStaysOnOneLine) {
    memory_.refusal = "two\nlines";
    const auto answers = answers_to(recall_line(1));
    ASSERT_EQ(answers.size(), 1U);
    EXPECT_EQ(answers[0]["result"]["content"][0]["text"], "two\nlines");
}

TEST_F(StdioTransport, WordOfProgressComesBeforeTheAnswerForThoseWhoAsk) {
    memory_.steps = 4;
    const std::string call =
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"remember",)"
        R"("arguments":{"text":"long"},"_meta":{"progressToken":"t"}}})";
    const auto answers = answers_to(call + "\n" + recall_line(2));
    ASSERT_EQ(answers.size(), 5U);
    for (int step = 1; step < 4; ++step) {
        const Json& note = answers[std::size_t(step - 1)];
        EXPECT_EQ(note["method"], "notifications/progress");
        EXPECT_FALSE(note.contains("id"));
        EXPECT_EQ(note["params"],
                  (Json{{"progressToken", "t"}, {"progress", 100 * step}, {"total", 400}}));
    }
    EXPECT_EQ(answers[3]["id"], 1);
    EXPECT_EQ(answers[3]["result"]["structuredContent"]["document"], "d1");
    EXPECT_EQ(answers[4]["id"], 2);
    EXPECT_EQ(memory_.calls.front(), R"(begin long {"text":"long"})");
}

// Gives its second part only once the first is being answered.
class PausingInput final : public std::streambuf {
  public:
    PausingInput(std::string first, std::string second)
        : first_(std::move(first)), second_(std::move(second)) {
        setg(first_.data(), first_.data(), first_.data() + first_.size());
    }

    void go_on() {
        const std::lock_guard lock(mutex_);
        goes_on_ = true;
        changed_.notify_all();
    }

  private:
    int_type underflow() override {
        if (std::exchange(at_second_, true)) return traits_type::eof();
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [&] { return goes_on_; });
        setg(second_.data(), second_.data(), second_.data() + second_.size());
        return traits_type::to_int_type(second_.front());
    }

    std::string first_;
    std::string second_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool goes_on_ = false;
    bool at_second_ = false;
};

TEST_F(StdioTransport, WhatIsCancelledStopsAndIsNotAnswered) {
    PausingInput input(recall_line(1), recall_line(2) + cancel_line(2) + cancel_line(1));
    std::istream in(&input);
    std::ostringstream out;
    memory_.during_call = [&](const std::atomic<bool>& cancelled) {
        input.go_on();
        while (!cancelled) std::this_thread::yield();
    };
    EXPECT_TRUE(serve_lines(server_, in, out));
    EXPECT_EQ(out.str(), "");
    EXPECT_EQ(memory_.calls.size(), 1U);
}

TEST_F(StdioTransport, IdleStepsAreDoneWhileNoMessageWaitsAndEndWithTheInput) {
    PausingInput input(recall_line(1), recall_line(2));
    std::istream in(&input);
    std::ostringstream out;
    int steps = 0;
    EXPECT_TRUE(serve_lines(server_, in, out, [&] {
        if (++steps == 3) input.go_on();
        return true;
    }));
    EXPECT_GE(steps, 3);
    EXPECT_EQ(memory_.calls.size(), 2U);
}

TEST(MessageQueue, AFullQueueWaitsAndIdsOfTextAndNumberDiffer) {
    MessageQueue queue(1);
    queue.push({"1", "a"});
    std::thread second([&] {
        queue.push({"\"1\"", "b"});
        queue.close();
    });
    EXPECT_EQ(queue.pop()->text, "a");
    EXPECT_EQ(queue.pop()->text, "b");
    queue.cancel("1");
    EXPECT_FALSE(queue.cancelled());
    queue.cancel("\"1\"");
    EXPECT_TRUE(queue.cancelled());
    EXPECT_FALSE(queue.pop());
    EXPECT_FALSE(queue.cancelled());
    second.join();
}

}  // namespace
}  // namespace mc::serve

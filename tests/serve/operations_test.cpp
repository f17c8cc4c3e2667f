// SPDX-License-Identifier: Apache-2.0
// Documents that are taken in after their request was answered: kept first, done between requests,
// ended at a step's edge.
#include "serve/http/operations.h"

#include <gtest/gtest.h>

#include "serve/http/queued_memory.h"
#include "tests/serve/service_fixture.h"

namespace mc::serve {
namespace {

class OperationsTest : public test::ServiceFixture {
  protected:
    static test::Headers async() { return {{"Prefer", "respond-async, wait=5"}}; }

    // The path of a new operation.
    std::string begin(const std::string& body) {
        const HttpReply reply = ask("POST", "/v1/remember", body, async());
        EXPECT_EQ(reply.status, 202) << reply.body;
        for (const auto& [name, value] : reply.headers)
            if (name == "Location") return value;
        ADD_FAILURE() << "no Location";
        return "";
    }

    Json get(const std::string& path) { return Json::parse(ask("GET", path).body); }

    Json get_once_ended(const std::string& path) {
        while (true) {
            Json form = get(path);
            if (!form.contains("ended_us") || !form["ended_us"].is_null()) return form;
            std::this_thread::yield();
        }
    }
};

TEST_F(OperationsTest, AnOperationEndsWithWhatRememberGives) {
    memory_.steps = 3;
    const std::string path = begin(R"({"text":"a long text"})");
    EXPECT_TRUE(path.starts_with("/v1/operations/"));
    const Json form = get_once_ended(path);
    EXPECT_EQ(form["state"], "done");
    EXPECT_EQ(form["result"], (Json{{"outcome", "ingested"}, {"document", "d1"}}));
    EXPECT_TRUE(form["error"].is_null());
    EXPECT_EQ(form["progress"],
              (Json{{"bytes_done", 300}, {"bytes_total", 300}, {"tokens_done", 30}}));
    EXPECT_EQ(memory_.calls,
              std::vector<std::string>{R"(begin long {"text":"a long text","bank":"default"})"});
}

TEST_F(OperationsTest, ABodyOfItsOwnMayBeOne) {
    const HttpReply reply = ask("POST", "/v1/documents", "bytes",
                                {{"Prefer", "respond-async"}, {"Content-Type", "text/plain"}});
    EXPECT_EQ(reply.status, 202);
    const Json form = Json::parse(reply.body);
    EXPECT_EQ(get_once_ended("/v1/operations/" + form["operation"].get<std::string>())["state"],
              "done");
}

TEST_F(OperationsTest, OthersAreAnsweredMeanwhileAndAnEndIsAtAStepsEdge) {
    memory_.steps = 1'000'000'000;
    const std::string path = begin(R"({"text":"a text without end"})");
    while (get(path)["state"] != "running") std::this_thread::yield();
    EXPECT_EQ(ask("GET", "/v1/status").status, 200);
    EXPECT_EQ(ask("POST", "/v1/recall", R"({"question":"who?"})").status, 200);
    EXPECT_EQ(get(path)["state"], "running");
    const std::string second = begin(R"({"text":"another"})");
    EXPECT_EQ(get(second)["state"], "waiting");
    EXPECT_EQ(ask("DELETE", second).status, 200);
    EXPECT_EQ(ask("DELETE", path).status, 200);
    const Json form = get_once_ended(path);
    EXPECT_EQ(form["state"], "cancelled");
    EXPECT_EQ(form["error"]["code"], "cancelled");
    EXPECT_EQ(get_once_ended(second)["state"], "cancelled");
    EXPECT_EQ(Json::parse(ask("DELETE", path).body), form);  // what has ended stays
}

TEST_F(OperationsTest, WhatGoesWrongIsAProblem) {
    memory_.steps = 2;
    memory_.step_refusal = "the disk is full";
    const Json form = get_once_ended(begin(R"({"text":"a"})"));
    EXPECT_EQ(form["state"], "failed");
    EXPECT_EQ(form["error"]["status"], 400);
    EXPECT_EQ(form["error"]["detail"], "the disk is full");
    memory_.refusal = "no such kind";
    EXPECT_EQ(get_once_ended(begin(R"({"text":"b"})"))["error"]["detail"], "no such kind");
    EXPECT_EQ(ask("POST", "/v1/remember", R"({"colour":"red"})", async()).status, 400);
    EXPECT_EQ(ask("POST", "/v1/remember", "{", async()).status, 400);
    EXPECT_EQ(ask("GET", "/v1/operations/").status, 404);
    EXPECT_EQ(ask("GET", "/v1/operations/a/b").status, 404);
    const HttpReply other = ask("POST", "/v1/operations/a", "{}");
    EXPECT_EQ(other.status, 405);
    EXPECT_EQ(other.headers.front(), (std::pair<std::string, std::string>("Allow", "GET, DELETE")));
}

TEST_F(OperationsTest, ALongDocumentIsOneUnlessItsClientWaits) {
    const auto status = [&](const char* path, const std::string& body, test::Headers headers) {
        const HttpReply reply = ask("POST", path, body, std::move(headers));
        if (reply.status == 202) {
            EXPECT_EQ(reply.headers.size(), 1U);  // its Location: nothing was preferred
            EXPECT_EQ(get_once_ended(reply.headers.front().second)["state"], "done");
        }
        return reply.status;
    };
    const std::string at_most(kWaitedForBytesMax, 'x');
    const auto text = [](const std::string& value) { return R"({"text":")" + value + R"("})"; };
    const auto file = [](const std::string& value) { return R"({"file":")" + value + R"("})"; };
    EXPECT_EQ(status("/v1/remember", text(at_most), {}), 200);
    EXPECT_EQ(status("/v1/remember", text(at_most + "x"), {}), 202);
    EXPECT_EQ(status("/v1/remember", text(at_most + "x"), {{"Prefer", "wait=60"}}), 200);
    const std::string as_base64(kWaitedForBytesMax / 3 * 4, 'A');
    EXPECT_EQ(status("/v1/remember", file(as_base64), {}), 200);
    EXPECT_EQ(status("/v1/remember", file(as_base64 + "AAAAAAAA"), {}), 202);
    EXPECT_EQ(status("/v1/documents", at_most, {{"Content-Type", "text/plain"}}), 200);
    EXPECT_EQ(status("/v1/documents", at_most + "x", {{"Content-Type", "text/plain"}}), 202);
    const std::string message = R"({"session":"chat","text":")" + at_most + R"(x"})";
    EXPECT_EQ(status("/v1/remember", message, {}), 200);
    EXPECT_EQ(status("/v1/remember", text(at_most + R"(x","colour":"red)"), {}), 400);
    EXPECT_EQ(status("/v1/remember", R"({"text":7,"name":")" + at_most + R"("})", {}), 400);
}

TEST_F(OperationsTest, AMessageIsRememberedAtOnce) {
    const HttpReply reply =
        ask("POST", "/v1/remember", R"({"text":"hello","session":"chat"})", async());
    EXPECT_EQ(reply.status, 200);
}

TEST_F(OperationsTest, AnOperationIsShownToThoseWhoMayRememberInItsBank) {
    const auto work = with_key(make_key({"remember"}, {"work"}));
    const auto reader = with_key(make_key({"recall"}, {"work"}));
    const auto other = with_key(make_key({"remember"}, {"home"}));
    auto headers = work;
    headers.emplace("Prefer", "respond-async");
    const HttpReply taken = ask("POST", "/v1/remember", R"({"text":"a"})", headers);
    ASSERT_EQ(taken.status, 202);
    const std::string path =
        "/v1/operations/" + Json::parse(taken.body)["operation"].get<std::string>();
    EXPECT_EQ(ask("GET", path, "", work).status, 200);
    for (const auto& key : {reader, other}) {
        const HttpReply hidden = ask("GET", path, "", key);
        EXPECT_EQ(hidden.status, 404);
        EXPECT_EQ(hidden.body, ask("GET", "/v1/operations/none", "", key).body);
        EXPECT_EQ(ask("DELETE", path, "", key).status, 404);
    }
    EXPECT_EQ(ask("GET", path).status, 401);
    headers.emplace("Content-Type", "application/json");
    EXPECT_EQ(ask("POST", "/v1/remember", R"({"text":"a","bank":"home"})", headers).status, 403);
}

class McpProgressTest : public OperationsTest {
  protected:
    const std::string call_ =
        R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"remember",)"
        R"("arguments":{"text":"long"},"_meta":{"progressToken":7}}})";
    const test::Headers accepts_events_ = {{"Accept", "application/json, text/event-stream"}};
};

TEST_F(McpProgressTest, ProgressComesInEventsBeforeTheAnswer) {
    memory_.steps = 3;
    const std::string events = events_of(ask("POST", "/mcp", call_, accepts_events_));
    const std::string begin = "event: message\ndata: {\"jsonrpc\":\"2.0\",";
    EXPECT_TRUE(events.starts_with(begin + R"("method":"notifications/progress","params":)"
                                           R"({"progressToken":7,"progress":100,"total":300}})"))
        << events;
    EXPECT_NE(events.find(R"("progress":200)"), std::string::npos);
    EXPECT_EQ(events.find(R"("progress":300)"), std::string::npos);  // the answer says so
    EXPECT_NE(events.rfind(begin + R"("id":1,"result":)"), std::string::npos) << events;
    const HttpReply whole = ask("POST", "/mcp", call_);  // a client that accepts no events
    EXPECT_EQ(whole.content_type, "application/json");
    EXPECT_EQ(Json::parse(whole.body)["result"]["isError"], false);
}

TEST_F(McpProgressTest, WhoHangsUpEndsItAtAStepsEdge) {
    memory_.steps = 1'000'000'000;
    {
        const HttpReply reply = ask("POST", "/mcp", call_, accepts_events_);
        ASSERT_NE(reply.stream, nullptr);
        int written = 0;
        EXPECT_FALSE(reply.stream->write_to([&](std::string_view) { return ++written < 3; }));
        EXPECT_EQ(written, 3);
    }
    EXPECT_TRUE(queue_.admit());
    const auto key = with_key(make_key({"recall"}, {}));
    auto headers = accepts_events_;
    headers.insert(key.begin(), key.end());
    EXPECT_NE(events_of(ask("POST", "/mcp", call_, headers)).find(R"("isError":true)"),
              std::string::npos);
}

// Without a server: what lies in the folder, and what a later process makes of it.
class OperationFilesTest : public testing::Test {
  protected:
    std::unique_ptr<Operations> open() {
        auto opened = Operations::open(folder_.path() / "operations", clock_, memory_);
        EXPECT_TRUE(opened) << opened.error().to_string();
        return std::move(*opened);
    }

    Operation add(Operations& operations, const std::string& text) {
        const auto added = operations.add(Json{{"text", text}, {"bank", "default"}});
        EXPECT_TRUE(added && *added);
        clock_.advance_us(1);
        return **added;
    }

    storage::ScratchDirectory folder_;
    SimulatedClock clock_;
    test::FakeMemory memory_;
};

TEST_F(OperationFilesTest, WhatWasTakenIsDoneByTheNextServer) {
    std::string first;
    std::string second;
    {
        const auto operations = open();
        first = add(*operations, "the first text").id;
        second = add(*operations, "the second text").id;
        memory_.steps = 5;
        for (int i = 0; i < 3; ++i) EXPECT_TRUE(operations->step());
        EXPECT_EQ(operations->find(first)->state, Operation::State::kRunning);
    }  // as a kill leaves it
    const Path file = folder_.path() / "operations" / (first + ".json");
    EXPECT_NE(read_file(file, 1 << 20)->find("the first text"), std::string::npos);
    const std::string draft = "{";
    ASSERT_TRUE(replace_file(folder_.path() / "operations" / "a.json.new",
                             std::as_bytes(std::span(draft))));
    {
        const auto operations = open();
        EXPECT_EQ(operations->find(first)->state, Operation::State::kWaiting);
        while (operations->step()) {
        }
        EXPECT_EQ(operations->find(first)->state, Operation::State::kDone);
        EXPECT_EQ(memory_.calls, (std::vector<std::string>{
                                     R"(begin long {"text":"the first text","bank":"default"})",
                                     R"(begin long {"text":"the first text","bank":"default"})",
                                     R"(begin long {"text":"the second text","bank":"default"})"}));
    }
    EXPECT_EQ(read_file(file, 1 << 20)->find("the first text"), std::string::npos);
    const auto operations = open();
    EXPECT_FALSE(operations->step());
    const Json form = to_json(*operations->find(second));
    EXPECT_EQ(form["state"], "done");
    EXPECT_EQ(form["result"]["document"], "d1");
}

TEST_F(OperationFilesTest, NoMoreWaitThanAreTakenAndTheOldestThatEndedAreDropped) {
    const auto operations = open();
    const std::string first = add(*operations, "0").id;
    for (std::size_t i = 1; i < kOperationsWaiting; ++i) add(*operations, std::to_string(i));
    const auto refused = operations->add(Json{{"text", "more"}, {"bank", "default"}});
    ASSERT_TRUE(refused);
    EXPECT_FALSE(*refused);
    while (operations->step()) {
    }
    for (std::size_t i = 0; i < kOperationsKept; ++i) {
        add(*operations, "again");
        while (operations->step()) {
        }
    }
    add(*operations, "last");
    EXPECT_FALSE(operations->find(first));
    EXPECT_FALSE(std::filesystem::exists(folder_.path() / "operations" / (first + ".json")));
    const auto files = std::filesystem::directory_iterator(folder_.path() / "operations");
    EXPECT_EQ(std::distance(begin(files), end(files)),
              static_cast<std::ptrdiff_t>(kOperationsKept + 1));
}

TEST_F(OperationFilesTest, AFileThatIsNoOperationIsSaid) {
    open();
    const std::string wrong = R"({"operation":"a"})";
    ASSERT_TRUE(
        replace_file(folder_.path() / "operations" / "a.json", std::as_bytes(std::span(wrong))));
    const auto opened = Operations::open(folder_.path() / "operations", clock_, memory_);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::kCorruption);
    EXPECT_NE(opened.error().to_string().find("a.json"), std::string::npos);
}

class NotedSteps final : public EngineQueue::Background {
  public:
    explicit NotedSteps(const std::size_t& jobs_done) : jobs_done_(jobs_done) {}

    bool step() override {
        noted.push_back(jobs_done_);
        return true;
    }

    std::vector<std::size_t> noted;  // of each step, the jobs done before it

  private:
    const std::size_t& jobs_done_;
};

TEST(EngineQueueTest, TheBackgroundHasItsTurnsUnderLoadAndNoneAfterTheEnd) {
    constexpr std::size_t kJobs = 5 * kJobsPerStep;
    EngineQueue queue(kJobs);
    std::size_t done = 0;
    NotedSteps background(done);
    std::vector<EngineQueue::Place> places;
    places.reserve(kJobs);
    for (std::size_t i = 0; i < kJobs; ++i) {
        places.push_back(*queue.admit());
        places.back().start([&] {
            if (++done == kJobs) queue.close();
        });
    }
    queue.wake();
    std::thread engine([&] { queue.serve(&background); });
    places.clear();
    engine.join();
    EXPECT_EQ(done, kJobs);
    EXPECT_EQ(background.noted, (std::vector<std::size_t>{20, 40, 60, 80}));
}

TEST(EngineQueueTest, QuestionsGoBeforeWhatIsToBeRememberedAndDoNotKeepItWaitingForEver) {
    constexpr std::size_t kEach = 10;
    EngineQueue queue(2 * kEach);
    std::string done;  // of the engine thread alone
    std::vector<EngineQueue::Place> places;
    places.reserve(2 * kEach);
    for (std::size_t i = 0; i < 2 * kEach; ++i) {
        const bool is_read = i >= kEach;
        places.push_back(*queue.admit());
        places.back().start([&done, is_read] { done += is_read ? 'r' : 'w'; },
                            is_read ? Order::kRead : Order::kInTurn);
    }
    std::thread engine([&] { queue.serve(); });
    places.clear();
    queue.close();
    engine.join();
    EXPECT_EQ(done, "rrrrwrrrrwrrwwwwwwww");
}

TEST(EngineQueueTest, AQuestionWithoutAnAnswerIsARead) {
    EXPECT_EQ(order_of(Verb::kRecall, Json{{"question", "who?"}}), Order::kRead);
    EXPECT_EQ(order_of(Verb::kRecall, Json{{"answer", false}}), Order::kRead);
    EXPECT_EQ(order_of(Verb::kRecall, Json{{"answer", true}}), Order::kInTurn);
    EXPECT_EQ(order_of(Verb::kStatus, Json::object()), Order::kRead);
    EXPECT_EQ(order_of(Verb::kRead, Json::array()), Order::kRead);
    EXPECT_EQ(order_of(Verb::kRemember, Json{{"text", "x"}}), Order::kInTurn);
    EXPECT_EQ(order_of(Verb::kForget, Json{{"dry_run", true}}), Order::kInTurn);
}

// Its idle steps are counted; the last of them ends the queue.
class CountedIdleSteps final : public EngineQueue::Background {
  public:
    CountedIdleSteps(EngineQueue& queue, int last) : queue_(queue), last_(last) {}

    bool step() override { return false; }

    bool idle_step() override {
        if (++count == last_) queue_.close();
        return true;
    }

    int count = 0;

  private:
    EngineQueue& queue_;
    const int last_;
};

TEST(EngineQueueTest, IdleStepsWaitForEveryRequest) {
    constexpr std::size_t kJobs = 3 * kJobsPerStep;
    EngineQueue queue(kJobs);
    CountedIdleSteps background(queue, 3);
    int steps_before_the_last_job = -1;
    std::vector<EngineQueue::Place> places;
    places.reserve(kJobs);
    for (std::size_t i = 0; i < kJobs; ++i) {
        places.push_back(*queue.admit());
        places.back().start([&] { steps_before_the_last_job = background.count; });
    }
    std::thread engine([&] { queue.serve(&background); });
    places.clear();
    engine.join();
    EXPECT_EQ(steps_before_the_last_job, 0);
    EXPECT_EQ(background.count, 3);
}

}  // namespace
}  // namespace mc::serve

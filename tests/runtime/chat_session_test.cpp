// SPDX-License-Identifier: Apache-2.0
// Conversations on a tiny model: what a prompt holds, and what a new start finds.
#include "runtime/chat_session.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "tests/support/tiny_model.h"

namespace mc::runtime {
namespace {

class ChatSessionTest : public testing::Test {
  protected:
    ChatSessionTest() {
        folder_ = Path(testing::TempDir()) / ("chat-session-" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder_);
        lm::test::TinyShape shape;
        shape.context_length = 2048;
        const std::string bytes = lm::test::tiny_model_bytes(shape);
        EXPECT_TRUE(replace_file(folder_ / "tiny.gguf", std::as_bytes(std::span(bytes))));
        config_.store = folder_ / "store";
        config_.model = folder_ / "tiny.gguf";
        config_.device = "cpu";
        config_.dtype = "f32";
        config_.thread_count = 1;
        config_.encoder = "kv-last";
        config_.codec = "int8";
        config_.codebook = "auto";
        config_.embedder = "none";
        options_.name = "talk";
        options_.budget = 600;
        answers_.tokens_max = 8;
        open();
    }

    ~ChatSessionTest() override {
        close();
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }

    void open() {
        auto engine = Engine::open(config_, Need::kModel, Access::kWrite, metrics_);
        ASSERT_TRUE(engine) << engine.error().to_string();
        engine_ = std::move(*engine);
        bank_ = std::move(*BankSession::open(*engine_, "default", true));
        auto chat = ChatSession::open(*bank_, options_);
        ASSERT_TRUE(chat) << chat.error().to_string();
        chat_ = std::move(*chat);
    }

    void close() {
        chat_.reset();
        bank_.reset();
        engine_.reset();
    }

    void reopen() {
        close();
        open();
    }

    void take(const std::string& user, const std::string& assistant) {
        const auto done = chat_->take_turn({user, assistant});
        ASSERT_TRUE(done) << done.error().to_string();
    }

    // Words that no fact has.
    void fill(std::size_t turns) {
        for (std::size_t i = 0; i < turns; ++i)
            take("zor mek ilu number " + std::to_string(i), "vesh ono pyx.");
    }

    TurnPrompt prompt(const std::string& message) {
        auto made = chat_->prompt_for(message);
        EXPECT_TRUE(made) << made.error().to_string();
        return made ? std::move(*made) : TurnPrompt();
    }

    std::string text_of(const TurnPrompt& prompt) {
        return engine_->tokenizer().decode(prompt.tokens);
    }

    Path folder_;
    Config config_;
    ChatOptions options_;
    AnswerOptions answers_;
    telemetry::Metrics metrics_;
    std::unique_ptr<Engine> engine_;
    std::unique_ptr<BankSession> bank_;
    std::unique_ptr<ChatSession> chat_;
};

std::size_t count_of(const std::string& text, const std::string& part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

TEST_F(ChatSessionTest, an_old_fact_comes_back_and_new_turns_stand_there_raw) {
    take("My lantern hangs in the boathouse.", "I see.");
    fill(40);
    const TurnPrompt made = prompt("Where is my lantern?");
    const std::string text = text_of(made);
    EXPECT_LE(made.cost(), 600U);
    ASSERT_EQ(made.memory.size(), 1U);
    EXPECT_EQ(made.memory[0].text, "User: My lantern hangs in the boathouse.");
    EXPECT_EQ(count_of(text, "boathouse"), 1U);
    EXPECT_EQ(count_of(text, "number 39"), 1U);
    EXPECT_LT(text.find("number 39"), text.find("boathouse"));
    EXPECT_LT(text.find("boathouse"), text.find("Where is my lantern?"));
    EXPECT_GT(made.turns_shown, 2U);
    EXPECT_LT(made.turns_shown, 41U);
}

TEST_F(ChatSessionTest, what_the_last_turns_show_is_not_remembered_too) {
    fill(40);
    take("My lantern hangs in the boathouse.", "I see.");
    const TurnPrompt made = prompt("Where is my lantern?");
    EXPECT_TRUE(made.memory.empty());
    EXPECT_EQ(count_of(text_of(made), "boathouse"), 1U);
}

TEST_F(ChatSessionTest, a_question_asked_before_is_no_memory) {
    take("My lantern hangs in the boathouse.", "I see.");
    take("Where is my lantern?", "zor.");
    fill(40);
    const TurnPrompt made = prompt("Where is my lantern?");
    ASSERT_EQ(made.memory.size(), 1U);
    EXPECT_NE(made.memory[0].text.find("boathouse"), std::string::npos);
}

TEST_F(ChatSessionTest, other_documents_are_remembered_on_request_alone) {
    options_.name = "other";
    reopen();
    take("My lantern hangs in the boathouse.", "I see.");
    options_.name = "talk";
    reopen();
    fill(1);
    EXPECT_TRUE(prompt("Where is my lantern?").memory.empty());
    options_.with_documents = true;
    reopen();
    EXPECT_EQ(prompt("Where is my lantern?").memory.size(), 1U);
}

TEST_F(ChatSessionTest, the_budget_is_kept_at_every_size) {
    take("My lantern hangs in the boathouse, behind the oars and under the old sail.", "I see.");
    fill(30);
    for (options_.budget = 160; options_.budget < 900; options_.budget += 37) {
        reopen();
        const TurnPrompt made = prompt("Where is my lantern?");
        EXPECT_LE(made.cost(), options_.budget);
        EXPECT_GT(made.cost(), 60U);
    }
}

TEST_F(ChatSessionTest, system_prompt_and_pins_stand_in_every_prompt_and_stay) {
    options_.system = "Speak like a sailor.";
    options_.pins = {"The user is called Ada."};
    reopen();
    fill(40);
    ASSERT_TRUE(chat_->pin("It is winter."));
    options_.system.reset();
    options_.pins.clear();
    reopen();
    const std::string text = text_of(prompt("hello"));
    for (const char* part : {"Speak like a sailor.", "The user is called Ada.", "It is winter."})
        EXPECT_EQ(count_of(text, part), 1U) << part;
}

TEST_F(ChatSessionTest, what_does_not_fit_is_an_error_that_names_the_smallest_budget) {
    const auto message = chat_->prompt_for(std::string(700, 'x'));
    ASSERT_FALSE(message);
    EXPECT_EQ(message.error().code(), ErrorCode::kOverBudget);
    EXPECT_NE(message.error().message().find("at least"), std::string::npos);
    const auto pin = chat_->pin(std::string(700, 'x'));
    ASSERT_FALSE(pin);
    EXPECT_EQ(pin.error().code(), ErrorCode::kOverBudget);
    EXPECT_TRUE(chat_->conversation().told_always().pins.empty());
    answers_.tokens_max = 2000;
    const auto answer = chat_->say("hello", answers_);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code(), ErrorCode::kOverBudget);
    EXPECT_EQ(chat_->conversation().turn_count(), 0U);
}

TEST_F(ChatSessionTest, a_new_start_goes_on_as_if_there_had_been_none) {
    const std::vector<std::string> messages = {"one", "two words", "three", "four", "five"};
    std::vector<std::string> answers;
    for (const std::string& message : messages) {
        const auto reply = chat_->say(message, answers_);
        ASSERT_TRUE(reply) << reply.error().to_string();
        answers.push_back(reply->answer.text);
    }
    const DocumentRecord whole = chat_->conversation().document();
    options_.name = "again";
    reopen();
    for (std::size_t i = 0; i < messages.size(); ++i) {
        const auto reply = chat_->say(messages[i], answers_);
        ASSERT_TRUE(reply) << reply.error().to_string();
        EXPECT_EQ(reply->answer.text, answers[i]);
        EXPECT_EQ(reply->turn, i + 1);
        reopen();
    }
    const DocumentRecord& pieces = chat_->conversation().document();
    EXPECT_EQ(pieces.token_count, whole.token_count);
    EXPECT_EQ(pieces.content_hash, whole.content_hash);
    EXPECT_EQ(chat_->conversation().turn_count(), messages.size());
}

TEST_F(ChatSessionTest, a_document_of_another_kind_is_no_conversation) {
    DocumentRecord draft;
    draft.source_name = "book.txt";
    draft.media_type = "text/plain";
    ASSERT_TRUE(bank_->nodes().create_document(draft));
    const auto opened = Conversation::open(*bank_, "book.txt", 100);
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code(), ErrorCode::kInvalidInput);
    EXPECT_NE(opened.error().message().find("--name"), std::string::npos);
}

}  // namespace
}  // namespace mc::runtime

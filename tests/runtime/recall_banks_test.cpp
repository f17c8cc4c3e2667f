// SPDX-License-Identifier: Apache-2.0
// One question of several banks.
#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/memory.h"
#include "tests/runtime/memory_fixture.h"

namespace mc::runtime {
namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;  // bank and text

class RecallBanksTest : public test::MemoryFixture {
  protected:
    RecallBanksTest() {
        put("work", "bell", "The bell hangs in Lisbon.");
        put("work", "ships", "Ships bring grain to Porto.");
        put("home", "bell", "The old bell of the house hangs in the hall.");
        put("home", "cat", "The cat sleeps on the stove.");
        put("attic", "bell", "A bell without a clapper hangs there, and dust.");
    }

    void put(const std::string& bank, const std::string& name, const std::string& text) {
        RememberRequest request;
        request.bank = bank;
        request.name = name;
        request.text = text;
        keep(request);
    }

    static RecallRequest asking(const std::vector<std::string>& banks) {
        RecallRequest request;
        request.question = "Where does the bell hang, in Lisbon or in the hall?";
        request.banks = banks;
        request.passages_max = 20;
        return request;
    }

    Recollection ask(const RecallRequest& request) {
        const auto found = memory_->recall(request);
        EXPECT_TRUE(found) << found.error().to_string();
        return found ? *found : Recollection();
    }

    static Lines lines(const Recollection& found) {
        Lines all;
        for (const Evidence& one : found.report.evidence) all.emplace_back(one.bank, one.text);
        return all;
    }

    Error refused(const RecallRequest& request) {
        const auto found = memory_->recall(request);
        EXPECT_FALSE(found);
        return found ? Error(ErrorCode::kIo, "nothing") : found.error();
    }
};

TEST_F(RecallBanksTest, PassagesOfAllStandInTheOrderOfTheirScores) {
    struct Scored {
        double score;
        std::string bank, text;
    };

    std::vector<Scored> expected;
    for (const std::string bank : {"attic", "home", "work"})
        for (const Evidence& one : ask(asking({bank})).report.evidence) {
            EXPECT_EQ(one.bank, bank);
            expected.push_back({one.score, one.bank, one.text});
        }
    std::ranges::stable_sort(expected, std::greater(), &Scored::score);
    ASSERT_GT(expected.size(), 3U);
    const Recollection found = ask(asking({"attic", "home", "work"}));
    ASSERT_EQ(found.report.evidence.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_EQ(found.report.evidence[i].score, expected[i].score);
        EXPECT_EQ(found.report.evidence[i].bank, expected[i].bank);
        EXPECT_EQ(found.report.evidence[i].text, expected[i].text);
    }
    EXPECT_TRUE(found.report.known);
    EXPECT_EQ(lines(ask(asking({"*"}))), lines(found));
    EXPECT_EQ(lines(ask(asking({"work", "work", "*"}))), lines(found));
    EXPECT_EQ(lines(ask(asking({"work", "home", "attic"}))).front(), lines(found).front());
}

TEST_F(RecallBanksTest, CountAndTokensAreOfAllTogether) {
    RecallRequest request = asking({"work", "home", "attic"});
    const Recollection all = ask(request);
    request.passages_max = 1;
    EXPECT_EQ(lines(ask(request)), Lines{lines(all).front()});
    request.passages_max = 20;
    request.tokens_max = all.token_count / 2;
    const Recollection half = ask(request);
    EXPECT_LE(half.token_count, *request.tokens_max);
    EXPECT_LE(half.report.cost, *request.tokens_max);
    EXPECT_FALSE(half.report.evidence.empty());
    EXPECT_LT(half.report.evidence.size(), all.report.evidence.size());
}

TEST_F(RecallBanksTest, TheReaderReadsPassagesOfEveryBank) {
    BankSession* first = nullptr;
    std::vector<std::unique_ptr<BankSession>> opened;
    std::vector<BankSession*> banks;
    for (const char* name : {"home", "work"}) {
        opened.push_back(std::move(*BankSession::open(memory_->engine(), name, false)));
        banks.push_back(opened.back().get());
    }
    first = banks.front();
    FocusSession focus(banks);
    QueryOptions options;
    options.rule.gap_max = 1;  // all that was found
    options.rule.count_max = 9;
    const auto report = focus.ask(asking({}).question, options);
    ASSERT_TRUE(report) << report.error().to_string();
    const auto prompt = focus.reader_prompt();
    ASSERT_TRUE(prompt) << prompt.error().to_string();
    std::string read;
    for (const lm::Segment& segment : *prompt)
        read += first->text().tokenizer().decode(segment.tokens);
    EXPECT_NE(read.find("The bell hangs in Lisbon."), std::string::npos) << read;
    EXPECT_NE(read.find("hangs in the hall."), std::string::npos) << read;
    const auto considered = focus.considered(9);
    ASSERT_TRUE(considered) << considered.error().to_string();
    EXPECT_GE(considered->size(), 2U);
    RecallRequest request = asking({"work", "home"});
    request.answer.emplace();
    EXPECT_TRUE(ask(request).answer);
}

TEST_F(RecallBanksTest, AFilterIsOfAllBanks) {
    RecallRequest request = asking({"work", "home"});
    request.filter.documents = {"bell"};  // one in each
    const Lines both = lines(ask(request));
    EXPECT_EQ(both.size(), 2U);
    EXPECT_NE(both[0].first, both[1].first);
    request.filter.documents = {"cat"};  // in one alone
    request.question = "What does the cat do?";
    EXPECT_EQ(lines(ask(request)), (Lines{{"home", "The cat sleeps on the stove."}}));
    request.filter.documents = {"tortoise"};
    EXPECT_NE(refused(request).message().find("no document \"tortoise\""), std::string::npos);
    request.filter.documents.clear();
    request.filter.source = "c*";
    EXPECT_EQ(lines(ask(request)), (Lines{{"home", "The cat sleeps on the stove."}}));
    request.filter.source = "nothing*";
    EXPECT_FALSE(ask(request).report.known);
}

TEST_F(RecallBanksTest, ABankWithoutTextIsNoErrorAndOneThatIsNotThereIs) {
    const Recollection found = ask(asking({"default", "work"}));
    EXPECT_EQ(lines(found), lines(ask(asking({"work"}))));
    EXPECT_FALSE(ask(asking({"default"})).report.known);
    EXPECT_NE(refused(asking({"work", "nobody"})).message().find("nobody"), std::string::npos);
    EXPECT_EQ(refused(asking({""})).code(), ErrorCode::kInvalidInput);
    RecallRequest both = asking({"work"});
    both.bank = "home";
    EXPECT_NE(refused(both).message().find("not both"), std::string::npos);
}

TEST_F(RecallBanksTest, AnotherPolicyThanPassagesIsOfOneBank) {
    config_.policy = "bm25";
    reopen();
    EXPECT_EQ(refused(asking({"work", "home"})).code(), ErrorCode::kUsage);
    config_.policy = "passages";
    reopen();
    EXPECT_EQ(*memory_->bank_names(),
              (std::vector<std::string>{"attic", "default", "home", "work"}));
}

}  // namespace
}  // namespace mc::runtime

// SPDX-License-Identifier: Apache-2.0
// A recall that is kept to a part of the bank: what fits is found, nothing else is.
#include "runtime/recall_filter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "runtime/remember_request.h"
#include "tests/runtime/memory_fixture.h"

namespace mc::runtime {
namespace {

class RecallFilterTest : public test::MemoryFixture {
  protected:
    void note(const std::string& name, const std::string& text, const std::string& event_time = "",
              const std::map<std::string, std::string>& metadata = {}) {
        RememberRequest request;
        request.name = name;
        request.text = text;
        request.event_time = event_time;
        request.metadata = metadata;
        keep(request);
    }

    void tell(const std::string& session, const std::string& text, const std::string& event_time) {
        RememberRequest request;
        request.session = session;
        request.role = "anna";
        request.text = text;
        request.event_time = event_time;
        keep(request);
    }

    // The source names, or for messages the texts, of all that a filter lets be found.
    std::set<std::string> found(const RecallFilter& filter, const std::string& question = "bell") {
        RecallRequest request;
        request.question = question;
        request.filter = filter;
        request.passages_max = 50;
        const auto recollection = memory_->recall(request);
        EXPECT_TRUE(recollection) << recollection.error().to_string();
        std::set<std::string> names;
        if (!recollection) return names;
        for (const Evidence& one : recollection->report.evidence) {
            const std::string& source = one.document.source_name;
            names.insert(source.starts_with("session/") ? one.text : source);
        }
        if (names.empty()) {
            EXPECT_FALSE(recollection->report.known);
        }
        return names;
    }

    std::string refusal(const RecallFilter& filter) {
        RecallRequest request;
        request.question = "bell";
        request.filter = filter;
        const auto recollection = memory_->recall(request);
        if (recollection) return "";
        EXPECT_EQ(recollection.error().code(), ErrorCode::kInvalidInput);
        return recollection.error().to_string();
    }
};

using Names = std::set<std::string>;

RecallFilter of_source(const std::string& pattern) {
    RecallFilter filter;
    filter.source = pattern;
    return filter;
}

RecallFilter of_time(const std::string& since, const std::string& until) {
    RecallFilter filter;
    filter.since = since;
    filter.until = until;
    return filter;
}

TEST_F(RecallFilterTest, ASourceIsANameOrAPattern) {
    note("mail/anna.txt", "The bell hangs in Lisbon.");
    note("mail/ben.txt", "The bell is cracked.");
    note("notes.txt", "A bell rang.");
    tell("chat", "The bell is mine.", "");
    EXPECT_EQ(found(of_source("notes.txt")), Names{"notes.txt"});
    EXPECT_EQ(found(of_source("mail/*")), (Names{"mail/anna.txt", "mail/ben.txt"}));
    EXPECT_EQ(found(of_source("*n*.txt")), (Names{"mail/anna.txt", "mail/ben.txt", "notes.txt"}));
    EXPECT_EQ(found(of_source("mail/*a.txt")), Names{"mail/anna.txt"});
    EXPECT_EQ(found(of_source("session/*")), Names{"anna: The bell is mine."});
    EXPECT_EQ(found(of_source("*")).size(), 4U);
    EXPECT_EQ(found(of_source("mail")), Names{});
    EXPECT_EQ(found(of_source("mail/*x")), Names{});
}

TEST_F(RecallFilterTest, MetadataHasToHoldAltogether) {
    note("a", "The bell hangs in Lisbon.", "", {{"kind", "fact"}, {"of", "anna"}});
    note("b", "The bell is cracked.", "", {{"kind", "fact"}, {"of", "ben"}});
    note("c", "A bell rang.");
    RecallFilter filter;
    filter.metadata = {{"kind", "fact"}};
    EXPECT_EQ(found(filter), (Names{"a", "b"}));
    filter.metadata["of"] = "ben";
    EXPECT_EQ(found(filter), Names{"b"});
    filter.source = "a";
    EXPECT_EQ(found(filter), Names{});
    filter.source = "";
    filter.documents = {"b", "c"};
    EXPECT_EQ(found(filter), Names{"b"});
    filter.metadata["of"] = "be";
    EXPECT_EQ(found(filter), Names{});
    filter.metadata = {{std::string(kMessageKeysKey), ""}};
    EXPECT_NE(refusal(filter).find("megacontext.message_keys"), std::string::npos);
}

TEST_F(RecallFilterTest, TimeIsEventTimeOrWhenItWasStored) {
    note("old", "The bell hangs in Lisbon.", "2001-05-06");
    note("noon", "The bell is cracked.", "2001-05-07T12:00:00Z");
    note("now", "A bell rang.");
    EXPECT_EQ(found(of_time("", "2001-05-06")), Names{"old"});
    EXPECT_EQ(found(of_time("2001-05-06T23:00:00Z", "2001-05-06T23:00:01Z")), Names{"old"});
    EXPECT_EQ(found(of_time("2001-05-07", "2001-05-07")), Names{"noon"});
    EXPECT_EQ(found(of_time("2001-05-07T12:00:00Z", "2001-05-07T12:00:00Z")), Names{"noon"});
    EXPECT_EQ(found(of_time("2001-05-07T14:00:00+02:00", "")), (Names{"noon", "now"}));
    EXPECT_EQ(found(of_time("2001-05-07T12:00:00.000001Z", "")), Names{"now"});
    EXPECT_EQ(found(of_time("2020-01-01", "2999-01-01")), Names{"now"});
    EXPECT_EQ(found(of_time("2999-01-01", "")), Names{});
    EXPECT_NE(refusal(of_time("yesterday", "")).find("since"), std::string::npos);
    EXPECT_NE(refusal(of_time("", "2026-02-30")).find("until"), std::string::npos);
    EXPECT_NE(refusal(of_time("2026-02-03", "2026-02-02")).find("after"), std::string::npos);
}

TEST_F(RecallFilterTest, MessagesOfOneSessionAreToldApartByTime) {
    tell("chat", "The bell was bought.", "");
    tell("chat", "The bell hangs in Lisbon.", "2001-05-06");
    tell("chat", "The bell is loud.", "");  // of the same day
    tell("chat", "The bell is cracked.\nIt was a bell of bronze.", "2001-05-08T10:00:00Z");
    tell("chat", "The bell is mended.", "2001-05-09");
    note("other", "A bell rang.", "2001-05-08");
    const std::string first = "[2001-05-06] anna: The bell hangs in Lisbon.";
    const std::string cracked = "[2001-05-08T10:00:00Z] anna: The bell is cracked.";
    const auto holds = [](const Names& names, const std::string& text) {
        return std::ranges::any_of(
            names, [&](const auto& name) { return name.find(text) != std::string::npos; });
    };
    Names names = found(of_time("2001-05-06", "2001-05-07"));
    EXPECT_TRUE(holds(names, first));
    EXPECT_TRUE(holds(names, "anna: The bell is loud."));
    EXPECT_FALSE(holds(names, "cracked"));
    EXPECT_FALSE(holds(names, "bought"));
    names = found(of_time("2001-05-08", "2001-05-08"));
    EXPECT_TRUE(holds(names, cracked));
    EXPECT_TRUE(holds(names, "It was a bell of bronze."));
    EXPECT_TRUE(holds(names, "other"));
    EXPECT_FALSE(holds(names, "Lisbon"));
    EXPECT_FALSE(holds(names, "mended"));
    RecallFilter filter = of_time("2001-05-09", "");
    filter.session = "chat";
    names = found(filter);
    EXPECT_TRUE(holds(names, "mended"));
    EXPECT_TRUE(holds(names, "bought"));  // stored today
    EXPECT_FALSE(holds(names, "cracked"));
}

// More passages that speak to the question than any search keeps stand elsewhere, newer and nearer.
TEST_F(RecallFilterTest, WhatFitsIsFoundBehindAnyNumberOfOthers) {
    note("mine", "A bell of bronze hangs in the old tower by the sea, where nobody hears it.");
    // Every second document: more ranges than are asked for one by one.
    for (int i = 0; i < 80; ++i)
        note("few" + std::to_string(i), "A bell, number " + std::to_string(i) + ".", "",
             {{"parity", i % 2 == 0 ? "even" : "odd"}});
    for (int i = 0; i < 4; ++i) {
        std::string text;
        for (int line = 0; line < 700; ++line) text += "- bell " + std::to_string(line) + "\n";
        note("crowd" + std::to_string(i), text);
    }
    EXPECT_EQ(found(of_source("mine")), Names{"mine"});
    RecallFilter even;
    even.metadata = {{"parity", "even"}};
    EXPECT_EQ(found(even).size(), 40U);
}

TEST_F(RecallFilterTest, EveryPolicyIsKeptToIt) {
    note("a", "The bell hangs in Lisbon, and it is old. " + std::string(400, 'x') + ".");
    note("b", "The bell is cracked. " + std::string(400, 'y') + ".");
    while (memory_->make_some_gists()) {
    }
    const auto session = BankSession::open(memory_->engine(), "default", false);
    ASSERT_TRUE(session);
    for (const std::string policy : {"passages", "bm25", "recency", "uniform"}) {
        QueryOptions options;
        options.policy = policy;
        const auto scope = resolve(of_source("a"), {&(*session)->text()});
        ASSERT_TRUE(scope);
        options.scope = *scope;
        FocusSession focus(**session);
        const auto report = focus.ask("Where is the bell?", options);
        ASSERT_TRUE(report) << policy << ": " << report.error().to_string();
        ASSERT_FALSE(report->evidence.empty()) << policy;
        for (const Evidence& one : report->evidence)
            EXPECT_EQ(one.document.source_name, "a") << policy;
        options.scope = RecallScope{false, {}, {}, {}, {}};
        const auto nothing = focus.ask("Where is the bell?", options);
        ASSERT_TRUE(nothing) << policy << ": " << nothing.error().to_string();
        EXPECT_FALSE(nothing->known) << policy;
        EXPECT_TRUE(nothing->evidence.empty()) << policy;
    }
}

}  // namespace
}  // namespace mc::runtime

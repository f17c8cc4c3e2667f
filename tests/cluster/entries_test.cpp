// SPDX-License-Identifier: Apache-2.0
// What messages say comes back from them, and no other message is taken for one. With servers:
// tests/apps/cluster_test.py.
#include "cluster/entries.h"

#include <gtest/gtest.h>

#include "cluster/streams.h"

namespace mc::cluster {
namespace {

Parcel a_parcel() {
    return {"mc.input.work.1f", 3, 12345, {0xfedcba9876543210ULL, 7}};
}

void expect_same(const Parcel& a, const Parcel& b) {
    EXPECT_EQ(a.subject, b.subject);
    EXPECT_EQ(a.parts, b.parts);
    EXPECT_EQ(a.bytes, b.bytes);
    EXPECT_EQ(a.hash, b.hash);
}

TEST(Messages, WhatTheySayComesBack) {
    const WorkItem item{"1f", "work", "a \"name\"\n/ü.txt", "text/plain", a_parcel()};
    const auto read = work_item_from(to_message(item));
    ASSERT_TRUE(read) << read.error().to_string();
    EXPECT_EQ(read->id, item.id);
    EXPECT_EQ(read->bank, item.bank);
    EXPECT_EQ(read->name, item.name);
    EXPECT_EQ(read->media_type, item.media_type);
    expect_same(read->content, item.content);

    const LogEntry entry{"2e", "work", "call", "remember", a_parcel()};
    const auto logged = log_entry_from(to_message(entry));
    ASSERT_TRUE(logged);
    EXPECT_EQ(logged->kind, "call");
    EXPECT_EQ(logged->name, "remember");
    expect_same(logged->content, entry.content);

    const Failure failure{"3d", "work", "bad.txt", "it is bad", "invalid_input", "host 7", 2};
    const auto failed = failure_from(to_message(failure));
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->error, failure.error);
    EXPECT_EQ(failed->tries, 2U);
}

TEST(Messages, OtherBytesAreNoneOfThem) {
    const std::string whole = to_message(WorkItem{"1f", "work", "a", "text/plain", a_parcel()});
    for (const std::string& other :
         {std::string(), std::string("{}"), std::string("7"), whole.substr(0, whole.size() / 2),
          std::string(R"({"id":1,"bank":2,"name":3,"media_type":4,"content":5})")}) {
        const auto read = work_item_from(other);
        ASSERT_FALSE(read) << other;
        EXPECT_EQ(read.error().code(), ErrorCode::kCorruption);
        EXPECT_FALSE(log_entry_from(other));
        EXPECT_FALSE(failure_from(other));
    }
}

TEST(Subjects, ABankIsOneWordAndNoOthersSubjectsAreItsOwn) {
    EXPECT_EQ(subject("log", "work", "1f"), "mc.log.work.1f");
    // "a" followed by "*" must not see what is of "a.b".
    EXPECT_EQ(subject("log", "a.b", "1f"), "mc.log.a=b.1f");
    EXPECT_EQ(bank_of_word(subject_word("a.b-c_D")), "a.b-c_D");
}

TEST(Ids, AreOfOneLengthAndDiffer) {
    EXPECT_EQ(new_id().size(), 32U);
    EXPECT_NE(new_id(), new_id());
}

}  // namespace
}  // namespace mc::cluster

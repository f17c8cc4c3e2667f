// SPDX-License-Identifier: Apache-2.0
#include "serve/protocol/schema.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "serve/protocol/verbs.h"

namespace mc::serve {
namespace {

std::string refusal(Verb verb, const char* arguments) {
    const auto checked =
        check_schema(input_schema(verb), Json::parse(arguments), std::string(verb_info(verb).name));
    return checked ? "" : checked.error().message();
}

TEST(Schema, WhatAVerbTakesIsTaken) {
    EXPECT_EQ(refusal(Verb::kRecall, R"({"question":"who?","passages":3,"documents":["d1"]})"), "");
    EXPECT_EQ(refusal(Verb::kRemember, R"({"text":"x","metadata":{"a":"b"}})"), "");
    EXPECT_EQ(refusal(Verb::kStatus, "{}"), "");
}

TEST(Schema, WhatItDoesNotTakeIsNamed) {
    EXPECT_EQ(refusal(Verb::kRecall, "{}"), "recall needs question");
    EXPECT_EQ(refusal(Verb::kRecall, "[]"), "recall must be of type object");
    EXPECT_EQ(refusal(Verb::kRecall, R"({"question":7})"),
              "recall.question must be of type string");
    EXPECT_EQ(refusal(Verb::kRecall, R"({"question":""})"), "recall.question must be longer");
    EXPECT_EQ(refusal(Verb::kRecall, R"({"question":"a","k":1})"), "recall does not take k");
    EXPECT_EQ(refusal(Verb::kRecall, R"({"question":"a","passages":0})"),
              "recall.passages must be at least 1");
    EXPECT_EQ(refusal(Verb::kRecall, R"({"question":"a","passages":51})"),
              "recall.passages must be at most 50");
    EXPECT_EQ(refusal(Verb::kRecall, R"({"question":"a","passages":1.5})"),
              "recall.passages must be of type integer");
    EXPECT_EQ(refusal(Verb::kRecall, R"({"question":"a","documents":[1]})"),
              "recall.documents[0] must be of type string");
    EXPECT_EQ(refusal(Verb::kRemember, R"({"text":"x","metadata":{"a":1}})"),
              "remember.metadata.a must be of type string");
    EXPECT_EQ(refusal(Verb::kRead, R"({"document":"d1","begin":-1})"),
              "read.begin must be at least 0");
}

TEST(Schema, EverySchemaOfTheTableDescribesAnObject) {
    for (const Verb verb : kVerbs) {
        EXPECT_EQ(input_schema(verb)["type"], "object");
        EXPECT_EQ(output_schema(verb)["type"], "object");
        EXPECT_EQ(find_verb(verb_info(verb).name), verb);
    }
    EXPECT_EQ(find_verb("Recall"), std::nullopt);
}

TEST(ParseJson, IsBoundedInSizeAndDepth) {
    EXPECT_EQ(*parse_json(" {\"a\":[1]} ", 100), Json({{"a", {1}}}));
    EXPECT_FALSE(parse_json("[1]", 2));
    EXPECT_FALSE(parse_json("", 100));
    EXPECT_FALSE(parse_json("{\"a\":1} x", 100));
    EXPECT_FALSE(parse_json("\"\xff\"", 100));
    EXPECT_FALSE(parse_json("1e999", 100));
    const auto nested = [](std::size_t depth) {
        return std::string(depth, '[') + std::string(depth, ']');
    };
    EXPECT_TRUE(parse_json(nested(kJsonDepthMax), 100));
    EXPECT_FALSE(parse_json(nested(kJsonDepthMax + 1), 100));
    EXPECT_FALSE(parse_json(nested(100'000), 1'000'000));
    EXPECT_TRUE(parse_json("\"" + std::string(90, '[') + "\\\"[\"", 100));
}

}  // namespace
}  // namespace mc::serve

// SPDX-License-Identifier: Apache-2.0
// Damages chat templates 20,000 times. Whatever the source, parsing and rendering end in text, a
// refusal or an error with a line, never in a crash; the asan preset makes that a strong claim.
#include <gtest/gtest.h>

#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>

#include "core/rng.h"
#include "lm/jinja/template.h"

namespace mc::lm::jinja::test {
namespace {

constexpr int kMutationCount = 20'000;

std::vector<std::string> templates() {
    std::ifstream file(MC_GOLDEN_DIR "/jinja/chat_templates.json");
    std::vector<std::string> sources;
    for (const auto& golden : nlohmann::json::parse(file)) {
        std::string source = golden.at("template").get<std::string>();
        if (sources.empty() || sources.back() != source) sources.push_back(std::move(source));
    }
    return sources;
}

std::string_view random_part(const std::string& source, Rng& rng) {
    const std::size_t begin = rng.below(source.size() + 1);
    return std::string_view(source).substr(begin, rng.below(40));
}

// Bytes, stretches of other templates, and the words that matter to the parser.
std::string mutate(std::string source, const std::vector<std::string>& all, Rng& rng) {
    static constexpr std::string_view kWords[] = {"{{",
                                                  "}}",
                                                  "{%",
                                                  "%}",
                                                  "{#",
                                                  "#}",
                                                  "-%}",
                                                  "{%-",
                                                  "if ",
                                                  "for x in ",
                                                  "endif",
                                                  "endfor",
                                                  "set ",
                                                  "(",
                                                  ")",
                                                  "[",
                                                  "]",
                                                  "|",
                                                  ".",
                                                  "~",
                                                  "'",
                                                  "\\",
                                                  "\n",
                                                  " not ",
                                                  " is ",
                                                  " in ",
                                                  "namespace(",
                                                  "messages",
                                                  "99999999999999999999",
                                                  "-1",
                                                  "::",
                                                  "tojson",
                                                  "loop",
                                                  "\xff",
                                                  "\xe4\xbd"};
    for (std::uint64_t count = 1 + rng.below(4); count > 0; --count) {
        const std::size_t at = rng.below(source.size() + 1);
        switch (rng.below(4)) {
            case 0:
                source.insert(at, kWords[rng.below(std::size(kWords))]);
                break;
            case 1:
                source.erase(at, rng.below(12));
                break;
            case 2:
                source.insert(at, random_part(all[rng.below(all.size())], rng));
                break;
            default:
                if (at < source.size()) source[at] = static_cast<char>(rng.below(256));
                break;
        }
    }
    return source;
}

Map variables() {
    const auto key = [](std::string_view name) { return Text::of(name, Origin::kTemplate); };
    List messages;
    for (const char* role : {"system", "user", "assistant", "user"})
        messages.push_back(
            Value::of(Map{{key("role"), Value::literal(role)},
                          {key("content"), Value::of(Text::of(" w\xc3\xa9 ", Origin::kContent))}})
                .value());
    return {{key("messages"), Value::of(std::move(messages)).value()},
            {key("add_generation_prompt"), Value::of(true)},
            {key("bos_token"), Value::literal("<s>")},
            {key("eos_token"), Value::literal("</s>")}};
}

TEST(ChatTemplateMutation, damaged_templates_end_in_text_or_in_an_error) {
    constexpr std::uint64_t kSeed = 20240229;
    std::cout << "seed " << kSeed << ", " << kMutationCount << " mutations\n";
    const std::vector<std::string> all = templates();
    const Map given = variables();
    Rng rng(kSeed);
    int parsed_count = 0;
    int rendered_count = 0;
    for (int i = 0; i < kMutationCount && !HasFatalFailure(); ++i) {
        SCOPED_TRACE("mutation " + std::to_string(i));
        const auto parsed = Template::parse(mutate(all[rng.below(all.size())], all, rng));
        if (!parsed) {
            EXPECT_TRUE(parsed.error().message().starts_with("line "));
            continue;
        }
        ++parsed_count;
        const auto rendered = parsed->render(given);
        if (!rendered) {
            EXPECT_TRUE(rendered.error().message().starts_with("line "))
                << rendered.error().message();
            continue;
        }
        ++rendered_count;
        ASSERT_EQ(rendered->text.bytes.size(), rendered->text.origins.size());
    }
    std::cout << parsed_count << " parsed, " << rendered_count << " rendered\n";
    // Both kinds must occur, or the mutations are too wild or too tame to test anything.
    EXPECT_GT(rendered_count, kMutationCount / 10);
    EXPECT_LT(parsed_count, kMutationCount * 9 / 10);
}

}  // namespace
}  // namespace mc::lm::jinja::test

// SPDX-License-Identifier: Apache-2.0
// Chat templates against text made by PyPI jinja2 (tools/make_chat_template_golden.py).
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "lm/jinja/template.h"

namespace mc::lm::jinja::test {
namespace {

using Json = nlohmann::ordered_json;

Value value_of(const Json& json) {
    if (json.is_string()) return Value::of(Text::of(json.get<std::string>(), Origin::kContent));
    if (json.is_boolean()) return Value::of(json.get<bool>());
    if (json.is_number_integer()) return Value::of(json.get<std::int64_t>());
    if (json.is_array()) {
        List items;
        for (const Json& item : json) items.push_back(value_of(item));
        return Value::of(std::move(items)).value();
    }
    Map map;
    for (const auto& [key, item] : json.items())
        map.emplace_back(Text::of(key, Origin::kTemplate), value_of(item));
    return Value::of(std::move(map)).value();
}

Result<Rendered> render(std::string_view source, const Json& variables = Json::object()) {
    MC_ASSIGN(const Template parsed, Template::parse(source));
    return parsed.render(*value_of(variables).map());
}

TEST(ChatTemplate, gives_what_jinja2_gives) {
    std::ifstream file(MC_GOLDEN_DIR "/jinja/chat_templates.json");
    const Json cases = Json::parse(file);
    ASSERT_GT(cases.size(), 80U);
    for (const Json& golden : cases) {
        const std::string source = golden.at("template").get<std::string>();
        SCOPED_TRACE(golden.at("name").get<std::string>() + ": " + source.substr(0, 200));
        const auto rendered = render(source, golden.at("variables"));
        if (!rendered) {
            ADD_FAILURE() << rendered.error().to_string();
            continue;
        }
        EXPECT_EQ(rendered->text.bytes.size(), rendered->text.origins.size());
        if (golden.contains("raised"))
            EXPECT_EQ(rendered->raised, golden.at("raised").get<std::string>());
        else
            EXPECT_EQ(rendered->text.bytes, golden.at("expected").get<std::string>());
    }
}

TEST(ChatTemplate, content_stays_content_whatever_is_done_to_it) {
    const Json variables = {{"c", " <x> y,z "}};
    for (const char* source :
         {"{{ c }}", "{{ c | trim | upper }}", "{{ c.strip().split(',')[0] }}",
          "{{ 'a' + c ~ 'b' }}", "{{ c.replace('y', '<t>') }}", "{{ {c: 1} | tojson }}",
          "{{ [c, c] | join('-') }}", "{% for k in {c: 1} %}{{ k }}{% endfor %}", "{{ c[1:6] }}",
          "{{ c[::-1] }}", "{% for x in c %}{{ x }}{% endfor %}",
          "{% set d %}<{{ c }}>{% endset %}{{ d }}", "{{ {'k': c}.values() | first }}",
          "{{ c | default('q') | capitalize }}"}) {
        SCOPED_TRACE(source);
        const Rendered rendered = render(source, variables).value();
        // The content's letters, in either case, are nowhere in what counts as the template's.
        for (std::size_t i = 0; i < rendered.text.bytes.size(); ++i) {
            const bool from_content =
                std::string("xyzXYZ").find(rendered.text.bytes[i]) != std::string::npos;
            EXPECT_TRUE(!from_content || rendered.text.origin(i) == Origin::kContent) << i;
        }
        EXPECT_NE(rendered.text.bytes.find_first_of("xX"), std::string::npos);
    }
}

TEST(ChatTemplate, what_is_not_supported_is_named_with_its_line) {
    const auto expect_error = [](std::string_view source, std::string_view line,
                                 std::string_view what) {
        SCOPED_TRACE(source);
        const auto rendered = render(source);
        ASSERT_FALSE(rendered);
        EXPECT_EQ(rendered.error().code(), ErrorCode::kInvalidInput);
        const std::string message = rendered.error().to_string();
        EXPECT_NE(message.find(line), std::string::npos) << message;
        EXPECT_NE(message.find(what), std::string::npos) << message;
    };
    expect_error("a\nb\n{% macro f(x) %}{% endmacro %}", "line 3:", "'macro'");
    expect_error("{% include 'x' %}", "line 1:", "'include'");
    expect_error("\n{% for x in y recursive %}{% endfor %}", "line 2:", "recursive");
    expect_error("{{ 'a' | wordwrap }}", "line 1:", "filter 'wordwrap'");
    expect_error("{{ 'a' is lower }}", "line 1:", "test 'lower'");
    expect_error("\n\n{{ range(3) }}", "line 3:", "function 'range'");
    expect_error("{{ 'a'.encode() }}", "line 1:", "method 'encode'");
    expect_error("{{ 2 ** 3 }}", "line 1:", "'**'");
    expect_error("{{ [1] }}", "line 1:", "printing a list");
    expect_error("{{ {'a': 1}.b.c }}", "line 1:", "'b' is undefined");
    expect_error("{{ x + 'a' }}", "line 1:", "'x', which is undefined");
    expect_error("{% if 1 %}", "line 1:", "'endif' is expected");
    expect_error("{% endif %}", "line 1:", "'endif'");
    expect_error("{{ 'abc", "line 1:", "does not end");
    expect_error("{{ 1 +", "line 1:", "does not end");
    expect_error("{{ ) }}", "line 1:", "found ')'");
    expect_error("{{ 1 $ 2 }}", "line 1:", "'$'");
}

TEST(ChatTemplate, time_depth_and_size_are_bounded) {
    const auto expect_refused = [](const std::string& source, std::string_view what) {
        const auto rendered = render(source);
        ASSERT_FALSE(rendered);
        EXPECT_NE(rendered.error().to_string().find(what), std::string::npos)
            << rendered.error().to_string();
    };
    const auto repeated = [](std::string_view part, int count) {
        std::string out;
        for (int i = 0; i < count; ++i) out += part;
        return out;
    };
    expect_refused("{{ " + repeated("(", 5000) + "1" + repeated(")", 5000) + " }}", "too deep");
    expect_refused("{{ 1" + repeated("+1", 5000) + " }}", "too deep");
    expect_refused("{{ " + repeated("-", 5000) + "1 }}", "too deep");
    expect_refused("{{ " + repeated("not ", 5000) + "1 }}", "too deep");
    expect_refused("{{ a" + repeated(".a", 5000) + " }}", "too deep");
    expect_refused(repeated("{% if 1 %}", 200) + repeated("{% endif %}", 200), "too deep");
    expect_refused(std::string(300 << 10, 'a'), "bytes");
    expect_refused("{% set s = 'aaaaaaaa' %}" + repeated("{% set s = s ~ s %}", 40),
                   "too much text");
    expect_refused("{% set s = [1] %}" + repeated("{% set s = [s, s] %}", 40), "too large");
    expect_refused("{% set s = [1, 1] %}" + repeated("{% set s = s + s %}", 40), "too l");
    const std::string list = "[" + repeated("1,", 200) + "]";
    expect_refused("{% set l = " + list + " %}{% for a in l %}{% for b in l %}{% for c in l %}" +
                       "{{ c }}{% endfor %}{% endfor %}{% endfor %}",
                   "too long");
    expect_refused("{% set n = namespace() %}{% set n.n = n %}", "namespace inside");
    expect_refused("{% set n = namespace() %}{% set n.n = [n] %}", "namespace inside");
}

}  // namespace
}  // namespace mc::lm::jinja::test

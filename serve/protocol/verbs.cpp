// SPDX-License-Identifier: Apache-2.0
#include "serve/protocol/verbs.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/check.h"
#include "serve/protocol/schema.h"

namespace mc::serve {
namespace {

constexpr std::string_view kRememberInput = R"({"type":"object","properties":{
"text":{"type":"string","minLength":1},
"file":{"type":"string","description":"in place of text, a document as base64: HTML, PDF, EPUB, DOCX, ODT, mail, chat"},
"name":{"type":"string","description":"of the document; the same name again extends it"},
"session":{"type":"string","description":"append as a message of this conversation"},
"role":{"type":"string","description":"who says the message"},
"event_time":{"type":"string","description":"when it happened: 2026-03-01 or with T12:30:00Z"},
"idempotency_key":{"type":"string","description":"makes a retry safe"},
"metadata":{"type":"object","additionalProperties":{"type":"string"}},
"media_type":{"type":"string"},"bank":{"type":"string"}},"additionalProperties":false})";
constexpr std::string_view kRememberOutput = R"({"type":"object","properties":{
"outcome":{"enum":["ingested","resumed","extended","already_there"]},
"document":{"type":"string"},"source":{"type":"string"},"bytes":{"type":"object"}},
"required":["outcome","document"]})";

constexpr std::string_view kRecallInput = R"({"type":"object","properties":{
"question":{"type":"string","minLength":1},
"passages":{"type":"integer","minimum":1,"maximum":50,"description":"5 if not given"},
"tokens":{"type":"integer","minimum":1,"maximum":100000,"description":"of all together"},
"documents":{"type":"array","items":{"type":"string"},"maxItems":100,"description":"only these: d3 or names"},
"session":{"type":"string","description":"only this conversation"},
"source":{"type":"string","description":"only of this name; * for any characters"},
"metadata":{"type":"object","additionalProperties":{"type":"string"},"description":"only with these"},
"since":{"type":"string","description":"from this event time on"},
"until":{"type":"string"},
"as_of":{"type":"string","description":"what was held at this time"},
"answer":{"type":"boolean","description":"let the small model answer too"},
"bank":{"type":"string"},
"banks":{"type":"array","items":{"type":"string"},"maxItems":100,"description":"several; * for all"}},
"required":["question"],"additionalProperties":false})";
constexpr std::string_view kRecallOutput = R"({"type":"object","properties":{
"known":{"type":"boolean","description":"false: no passage is likely to answer"},
"evidence":{"type":"array","items":{"type":"object","properties":{
"bank":{"type":"string"},"document":{"type":"string"},"source":{"type":"string"},"text":{"type":"string"},
"place":{"type":["string","null"]},
"score":{"type":"number"},"why":{"type":"string"},"bytes":{"type":"object"}},
"required":["document","text"]}},
"answer":{"type":["object","null"]}},"required":["known","evidence"]})";

constexpr std::string_view kReadInput = R"({"type":"object","properties":{
"document":{"type":"string","description":"d3 or its name"},
"begin":{"type":"integer","minimum":0},
"end":{"type":"integer","minimum":0,"description":"byte after the last"},
"original":{"type":"boolean","description":"the bytes of its file, as base64"},
"version":{"type":"integer","minimum":1},
"as_of":{"type":"string","description":"what it said at this time"},
"bank":{"type":"string"}},"required":["document"],"additionalProperties":false})";
constexpr std::string_view kReadOutput = R"({"type":"object","properties":{
"text":{"type":"string"},"bytes":{"type":"object"},"bytes_total":{"type":"integer"},
"exact":{"type":"boolean"},"file":{"type":["string","null"]}},"required":["text"]})";

constexpr std::string_view kForgetInput = R"({"type":"object","properties":{
"documents":{"type":"array","items":{"type":"string"},"maxItems":1000,"description":"d3 or names"},
"begin":{"type":"integer","minimum":0,"description":"of one document, only from this byte"},
"end":{"type":"integer","minimum":0,"description":"to before this byte"},
"older_than_days":{"type":"integer","minimum":0,"maximum":36500},
"all":{"type":"boolean"},
"dry_run":{"type":"boolean","description":"true if not given: only says what would go"},
"reason":{"type":"string"},"bank":{"type":"string"}},"additionalProperties":false})";
constexpr std::string_view kForgetOutput = R"({"type":"object","properties":{
"outcome":{"enum":["would_forget","forgotten"]},"documents":{"type":"array"}},
"required":["outcome","documents"]})";

constexpr std::string_view kStatusInput =
    R"({"type":"object","properties":{},"additionalProperties":false})";
constexpr std::string_view kStatusOutput = R"({"type":"object","properties":{
"bank":{"type":"string"},"banks":{"type":"array"}},"required":["banks"]})";

constexpr std::array kTable = {
    VerbInfo{"remember",
             "Keep a text for later: a fact, a note, a document, or a message of a session. It can "
             "be found at once. Saying the same again changes nothing.",
             false, false, true, kRememberInput, kRememberOutput},
    VerbInfo{"recall",
             "Find what the memory knows about a question: passages, best first, with their "
             "source.",
             true, false, true, kRecallInput, kRecallOutput},
    VerbInfo{"read", "The exact text of a document or of a part of it.", true, false, true,
             kReadInput, kReadOutput},
    VerbInfo{
        "forget",
        "Take documents, or bytes of one, out for good. Without dry_run false it only says what "
        "would go. Say what in one way: documents, older_than_days or all.",
        false, true, true, kForgetInput, kForgetOutput},
    VerbInfo{"status", "What the memory holds.", true, false, true, kStatusInput, kStatusOutput},
};

Json parsed(std::string_view schema) {
    Json value = Json::parse(schema, nullptr, false);
    MC_CHECK(!value.is_discarded(), "a schema of the table is JSON");
    return value;
}

}  // namespace

const VerbInfo& verb_info(Verb verb) {
    return kTable.at(static_cast<std::size_t>(verb));
}

std::optional<Verb> find_verb(std::string_view name) {
    const auto found = std::ranges::find(kTable, name, &VerbInfo::name);
    if (found == kTable.end()) return std::nullopt;
    return kVerbs.at(static_cast<std::size_t>(found - kTable.begin()));
}

Json input_schema(Verb verb) {
    return parsed(verb_info(verb).input);
}

Json output_schema(Verb verb) {
    return parsed(verb_info(verb).output);
}

Result<Json> call_checked(MemoryPort& memory, Verb verb, const Json& arguments,
                          const Listener& listener) {
    MC_TRY(check_schema(input_schema(verb), arguments, std::string(verb_info(verb).name)));
    return memory.call(verb, arguments, listener);
}

Result<std::unique_ptr<LongRemember>> begin_checked(MemoryPort& memory, const Json& arguments,
                                                    Length length) {
    MC_TRY(check_schema(input_schema(Verb::kRemember), arguments, "remember"));
    return memory.begin_remember(arguments, length);
}

}  // namespace mc::serve

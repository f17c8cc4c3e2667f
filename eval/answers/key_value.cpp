// SPDX-License-Identifier: Apache-2.0
// Family key-value: passkeys of five digits and UUIDs.
#include <array>
#include <set>
#include <utility>

#include "eval/answers/candidates.h"
#include "eval/answers/families.h"
#include "eval/answers/word_lists.h"

namespace mc::eval {
namespace {

constexpr std::size_t kDigits = 5;

// What keys of one kind are called when a memory holds many.
constexpr std::array kDigitKinds{"access code", "locker number", "door code", "case number"};
constexpr std::array kUuidKinds{"request id", "session token", "shipment id", "device id"};

std::string make_digits(Rng& rng) {
    std::string text;
    for (std::size_t i = 0; i < kDigits; ++i) text += static_cast<char>('0' + rng.below(10));
    return text;
}

std::string make_uuid(Rng& rng) {
    std::string text;
    for (std::size_t i = 0; i < 32; ++i) {
        if (i == 8 || i == 12 || i == 16 || i == 20) text += '-';
        text += "0123456789abcdef"[rng.below(16)];
    }
    return text;
}

AnswerItem item_about(const std::string& key, bool is_uuid, const lm::Tokenizer& tokenizer,
                      Rng& rng) {
    const CandidateSet drawn = draw_candidates(is_uuid ? make_uuid : make_digits, tokenizer, rng);
    AnswerItem item;
    item.task = is_uuid ? "uuid" : "passkey";
    item.facts = {{"The " + key + " is " + drawn.value() + ".", drawn.value()}};
    item.question = "What is the " + key + "?";
    item.lead = "The " + key + " is";
    item.candidates = drawn.texts;
    item.right = drawn.right;
    return item;
}

ItemSet make_lone_keys(std::size_t count, Rng rng, const lm::Tokenizer& tokenizer) {
    std::vector<SecretRecord> records = secret_records();
    shuffle(records, rng);
    ItemSet set;
    for (std::size_t i = 0; i < count; ++i) {
        const SecretRecord& record = records[i % records.size()];
        set.items.push_back(item_about(record.name, record.is_uuid, tokenizer, rng));
        set.groups.push_back({{i}, {}, record.name});
    }
    return set;
}

// "amber lantern": every adjective with every thing, in random order.
std::vector<std::string> key_names(Rng& rng) {
    std::vector<std::string> names;
    for (const std::string& adjective : words("adjective"))
        for (const std::string& thing : words("thing")) names.push_back(adjective + " " + thing);
    shuffle(names, rng);
    return names;
}

}  // namespace

ItemSet make_key_values(std::size_t count, std::size_t pairs, Rng rng,
                        const lm::Tokenizer& tokenizer) {
    if (pairs == 1) return make_lone_keys(count, rng, tokenizer);
    ItemSet set;
    // Two groups share the items evenly, unless they would ask for more keys than there are.
    const std::size_t per_group = std::min(pairs, (count + 1) / 2);
    for (std::size_t made = 0, group = 0; made < count; ++group) {
        const bool is_uuid = group % 2 == 1;
        const std::string kind = (is_uuid ? kUuidKinds : kDigitKinds)[group / 2 % 4];
        const std::vector<std::string> names = key_names(rng);
        FactGroup out;
        out.topic = kind;
        for (std::size_t pair = 0; pair < pairs; ++pair) {
            AnswerItem item = item_about(kind + " of the " + names[pair], is_uuid, tokenizer, rng);
            if (pair < per_group && made < count) {
                out.items.push_back(made++);
                set.items.push_back(std::move(item));
            } else {
                out.others.push_back(std::move(item.facts.front()));
            }
        }
        set.groups.push_back(std::move(out));
    }
    return set;
}

}  // namespace mc::eval

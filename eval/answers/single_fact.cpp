// SPDX-License-Identifier: Apache-2.0
// Families single-fact, who did what and a question in other words, and absent, where nobody told.
#include <optional>
#include <utility>

#include "eval/answers/candidates.h"
#include "eval/answers/families.h"
#include "eval/answers/word_lists.h"

namespace mc::eval {
namespace {

std::string filled(std::string text, const std::string& who, const std::string& value) {
    text = fill_slot(std::move(text), "s", who);
    text = fill_slot(std::move(text), "t", who);
    text = fill_slot(std::move(text), "T", capitalised(who));
    return fill_slot(std::move(text), "v", value);
}

// Relations whose values have candidates of equal length, each with its first draw.
std::vector<const Relation*> usable_relations(const lm::Tokenizer& tokenizer) {
    std::vector<const Relation*> usable;
    Rng probe(1);
    for (const Relation& relation : relations())
        if (draw_candidates(words(relation.list), tokenizer, probe)) usable.push_back(&relation);
    MC_CHECK(!usable.empty(), "a relation has candidates of equal length");
    return usable;
}

// Every second person has a name, which fact and question share; the others are described twice in
// different words.
Subject subject_of(std::size_t item, const std::vector<Subject>& described, Rng& rng) {
    if (item % 2 == 0) return described[item / 2 % described.size()];
    const auto& given = words("given");
    const auto& surnames = words("surname");
    const std::string name =
        given[rng.below(given.size())] + " " + surnames[rng.below(surnames.size())];
    return {name, name};
}

}  // namespace

ItemSet make_single_facts(std::size_t count, Rng rng, const lm::Tokenizer& tokenizer) {
    std::vector<Subject> described = subjects();
    shuffle(described, rng);
    std::vector<const Relation*> usable = usable_relations(tokenizer);
    shuffle(usable, rng);
    ItemSet set;
    for (std::size_t i = 0; i < count; ++i) {
        const Subject subject = subject_of(i, described, rng);
        // Shifted by one each round, so that a relation meets named and described people alike.
        const Relation& relation = *usable[(i + i / usable.size()) % usable.size()];
        const auto drawn = draw_candidates(words(relation.list), tokenizer, rng);
        MC_CHECK(drawn.has_value(), "usable relations have candidates");
        AnswerItem item;
        item.task = relation.name;
        item.facts = {
            {capitalised(filled(relation.fact, subject.in_fact, drawn->value())), drawn->value()}};
        item.question = filled(relation.question, subject.in_question, "");
        item.lead = filled(relation.lead, subject.in_question, "");
        item.candidates = drawn->texts;
        item.right = drawn->right;
        set.groups.push_back({{i}, {}, subject.in_fact});
        set.items.push_back(std::move(item));
    }
    return set;
}

ItemSet make_absent(std::size_t count, Rng rng, const lm::Tokenizer& tokenizer) {
    ItemSet told = make_single_facts(2 * count, rng, tokenizer);
    ItemSet set;
    for (std::size_t i = 0; i < count; ++i) {
        // The second half is about other people, who stand in for those of the first.
        set.groups.push_back({{i}, std::move(told.items[count + i].facts), {}, false});
        told.items[i].facts.clear();
        set.items.push_back(std::move(told.items[i]));
    }
    for (std::size_t i = 0; i < count; ++i) set.groups[i].topic = told.groups[i].topic;
    return set;
}

}  // namespace mc::eval

// SPDX-License-Identifier: Apache-2.0
// Family people: a small simulator of who goes where and who has what.
#include <array>
#include <set>
#include <utility>

#include "eval/answers/candidates.h"
#include "eval/answers/families.h"
#include "eval/answers/word_lists.h"

namespace mc::eval {
namespace {

constexpr std::array kMoves{"went to", "walked to", "hurried to", "moved to"};

enum class Story { kOneFact, kNewest, kTwoFacts, kThreeFacts };

constexpr std::array kStories{Story::kOneFact, Story::kNewest, Story::kTwoFacts,
                              Story::kThreeFacts};

const char* task_of(Story story) {
    switch (story) {
        case Story::kOneFact:
            return "one-fact";
        case Story::kNewest:
            return "newest-fact";
        case Story::kTwoFacts:
            return "two-facts";
        case Story::kThreeFacts:
            return "three-facts";
    }
    MC_CHECK(false, "no such story");
}

// Names of people and things that no other story of the set has.
class Cast {
  public:
    std::string person(Rng& rng) {
        return draw(rng, [&] { return pick("given", rng) + " " + pick("surname", rng); });
    }

    std::string thing(Rng& rng) {
        return draw(rng, [&] { return pick("adjective", rng) + " " + pick("thing", rng); });
    }

  private:
    template <class Make>
    std::string draw(Rng&, const Make& make) {
        for (;;) {
            std::string name = make();
            if (used_.insert(name).second) return name;
        }
    }

    static std::string pick(const char* list, Rng& rng) {
        const auto& all = words(list);
        return all[rng.below(all.size())];
    }

    std::set<std::string> used_;
};

Fact move_to(const std::string& person, const std::string& place, Rng& rng) {
    return {person + " " + kMoves[rng.below(kMoves.size())] + " the " + place + ".", place};
}

struct Told {
    AnswerItem item;
    std::vector<Fact> older;  // contradicted by what comes later
};

Told tell(Story story, Cast& cast, Rng& rng, const lm::Tokenizer& tokenizer) {
    const auto places = draw_candidates(words("place"), tokenizer, rng);
    MC_CHECK(places.has_value(), "places have names of equal length");
    Told told;
    AnswerItem& item = told.item;
    item.task = task_of(story);
    item.candidates = places->texts;
    item.right = places->right;
    const std::string place = places->value();
    // Where somebody was before is a candidate too.
    const std::string earlier = places->texts[(places->right + 1) % places->texts.size()].substr(1);
    std::string mover = cast.person(rng);
    std::string asked = mover;
    if (story == Story::kTwoFacts || story == Story::kThreeFacts) {
        const std::string thing = cast.thing(rng);
        asked = "the " + thing;
        item.facts.push_back({mover + " picked up the " + thing + ".", thing});
        told.older.push_back(move_to(mover, earlier, rng));
        if (story == Story::kThreeFacts) {
            const std::string receiver = cast.person(rng);
            item.facts.push_back(
                {mover + " handed the " + thing + " to " + receiver + ".", receiver});
            mover = receiver;
        }
    } else if (story == Story::kNewest) {
        const std::string earliest =
            places->texts[(places->right + 2) % places->texts.size()].substr(1);
        told.older = {move_to(mover, earliest, rng), move_to(mover, earlier, rng)};
    }
    item.facts.push_back(move_to(mover, place, rng));
    item.question = "Where is " + asked + " now?";
    item.lead = capitalised(asked) + " is in the";
    return told;
}

}  // namespace

ItemSet make_people(std::size_t count, Rng rng, const lm::Tokenizer& tokenizer) {
    Cast cast;
    ItemSet set;
    for (std::size_t i = 0; i < count; ++i) {
        Told told = tell(kStories[i % kStories.size()], cast, rng, tokenizer);
        FactGroup group;
        group.items = {i};
        group.others = std::move(told.older);
        group.topic = told.item.question;
        group.is_story = true;
        set.groups.push_back(std::move(group));
        set.items.push_back(std::move(told.item));
    }
    return set;
}

}  // namespace mc::eval

// SPDX-License-Identifier: Apache-2.0
#include "text/full_names.h"

#include <gtest/gtest.h>

namespace mc::text::test {
namespace {

using Names = std::vector<std::string>;

TEST(FullNames, are_words_with_capitals_one_after_the_other) {
    EXPECT_EQ(full_names("Cecil Penhaligon picked up the lamp."), Names{"Cecil Penhaligon"});
    EXPECT_EQ(full_names("a lamp of Ada Mary Barlow's, and Bert"), Names{"Ada Mary Barlow"});
    EXPECT_EQ(full_names("Éloïse Brontë met Анна Каренина"),
              (Names{"Éloïse Brontë", "Анна Каренина"}));
}

TEST(FullNames, end_where_anything_but_a_space_stands_between) {
    EXPECT_EQ(full_names("He saw Ada. Barlow left; Oslo, Norway"), Names{});
    EXPECT_EQ(full_names("Ada\nBarlow"), Names{});
}

TEST(FullNames, stand_once_and_are_no_headlines) {
    EXPECT_EQ(full_names("Ada Barlow and Ada Barlow"), Names{"Ada Barlow"});
    EXPECT_EQ(full_names("The Way We Live Now"), Names{});
    EXPECT_EQ(full_names("THE END of USA Today"), Names{});
    EXPECT_EQ(full_names("\xFF\xFE Ad"), Names{});
    EXPECT_EQ(full_names(""), Names{});
}

TEST(CapitalisedWords, AreNamesButNotTheFirstWord) {
    EXPECT_EQ(capitalised_words("Where does Ada live, and where Ada's friend Émile?"),
              (Names{"Ada", "Émile"}));
    EXPECT_EQ(capitalised_words("What is USA or iPhone?"), Names{});
    EXPECT_EQ(capitalised_words(""), Names{});
}

}  // namespace
}  // namespace mc::text::test

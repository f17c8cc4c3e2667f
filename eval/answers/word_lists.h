// SPDX-License-Identifier: Apache-2.0
// Words and sentence patterns that questions are made of, as part of the program: words.tsv and
// facts.tsv. Threads: free. Errors: none.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace mc::eval {

// Requires: words.tsv has the list.
const std::vector<std::string>& words(std::string_view list);

// A fact and a question about it in other words. {s} is who, {t} the same in the question's words,
// {T} that with a capital, {v} the value.
struct Relation {
    std::string name;
    std::string list;  // of values
    std::string fact;
    std::string question;
    std::string lead;
};

const std::vector<Relation>& relations();

// One person under two descriptions that share no word.
struct Subject {
    std::string in_fact;
    std::string in_question;
};

const std::vector<Subject>& subjects();

// A key that a memory holds once, such as "passkey".
struct SecretRecord {
    std::string name;
    bool is_uuid = false;
};

const std::vector<SecretRecord>& secret_records();

// text with every {slot} replaced; "a {v}" becomes "an apple" where the value begins with a vowel.
std::string fill_slot(std::string text, std::string_view slot, std::string_view value);
std::string capitalised(std::string text);

}  // namespace mc::eval

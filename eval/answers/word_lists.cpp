// SPDX-License-Identifier: Apache-2.0
#include "eval/answers/word_lists.h"

#include <algorithm>
#include <map>

#include "core/check.h"
#include "core/embedded_file.h"
#include "eval/measure/table_rows.h"

MC_EMBED(mc_answer_words, MC_ANSWER_WORDS);
MC_EMBED(mc_answer_facts, MC_ANSWER_FACTS);

namespace mc::eval {
namespace {

using Row = TableRow;

// The rows of facts.tsv of one kind, without its name. Requires: each has so many columns.
std::vector<Row> fact_rows(std::string_view kind, std::size_t columns) {
    std::vector<Row> out;
    for (Row& row : table_rows(mc_answer_facts_begin, mc_answer_facts_end)) {
        if (row.front() != kind) continue;
        row.erase(row.begin());
        MC_CHECK(row.size() == columns, "facts.tsv: a row of another width");
        out.push_back(std::move(row));
    }
    return out;
}

bool begins_with_vowel(std::string_view word) {
    return !word.empty() && std::string_view("aeiouAEIOU").find(word[0]) != std::string_view::npos;
}

}  // namespace

const std::vector<std::string>& words(std::string_view list) {
    static const auto lists = [] {
        std::map<std::string, std::vector<std::string>, std::less<>> out;
        for (Row& row : table_rows(mc_answer_words_begin, mc_answer_words_end)) {
            MC_CHECK(row.size() == 2, "words.tsv: a row of another width");
            out[row[0]].push_back(std::move(row[1]));
        }
        return out;
    }();
    const auto found = lists.find(list);
    MC_CHECK(found != lists.end(), "words.tsv has no such list");
    return found->second;
}

const std::vector<Relation>& relations() {
    static const auto all = [] {
        std::vector<Relation> out;
        for (Row& row : fact_rows("relation", 5))
            out.push_back({std::move(row[0]), std::move(row[1]), std::move(row[2]),
                           std::move(row[3]), std::move(row[4])});
        return out;
    }();
    return all;
}

const std::vector<Subject>& subjects() {
    static const auto all = [] {
        std::vector<Subject> out;
        for (Row& row : fact_rows("subject", 2))
            out.push_back({std::move(row[0]), std::move(row[1])});
        return out;
    }();
    return all;
}

const std::vector<SecretRecord>& secret_records() {
    static const auto all = [] {
        std::vector<SecretRecord> out;
        for (Row& row : fact_rows("record", 2))
            out.push_back({std::move(row[0]), row[1] == "uuid"});
        return out;
    }();
    return all;
}

std::string fill_slot(std::string text, std::string_view slot, std::string_view value) {
    const std::string mark = "{" + std::string(slot) + "}";
    for (std::size_t at = text.find(mark); at != std::string::npos; at = text.find(mark, at)) {
        const std::string_view before = std::string_view(text).substr(0, at);
        const bool has_article = before == "a " || before == "A " || before.ends_with(" a ");
        text.replace(at, mark.size(), value);
        at += value.size();
        if (!has_article || !begins_with_vowel(value)) continue;
        text.insert(at - value.size() - 1, "n");
        ++at;
    }
    return text;
}

std::string capitalised(std::string text) {
    if (!text.empty() && text[0] >= 'a' && text[0] <= 'z')
        text[0] = static_cast<char>(text[0] - 'a' + 'A');
    return text;
}

}  // namespace mc::eval

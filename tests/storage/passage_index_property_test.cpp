// SPDX-License-Identifier: Apache-2.0
// Random changes, saves, failures and restarts: the index of passages answers like a list of them.
#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tests/support/key_fixture.h"
#include "tests/support/passage_fixture.h"
#include "tests/support/store_fixture.h"
#include "text/terms.h"

namespace mc::storage {
namespace {

constexpr std::uint32_t kDim = 16;

enum class Kind : int { kAdd, kReplaceLast, kSave, kRestart, kFail, kClear };

struct Operation {
    Kind kind = Kind::kAdd;
    std::uint64_t document = 0;
    std::vector<std::string> texts;
};

void showValue(const Operation& operation, std::ostream& out) {  // NOLINT: rapidcheck's name
    out << "{" << static_cast<int>(operation.kind) << ", " << operation.document << ", "
        << operation.texts.size() << "}";
}

rc::Gen<std::string> any_text() {
    static const std::vector<std::string> kWords = {
        "fox", "foxes", "owl",  "the",   "Mara",  "POL-3", "POL-4", "3",   "博物馆",
        "馆",  "什么",  "v1.2", "naïve", "naive", "\xff",  "\"",    "AND", ""};
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(kWords)),
                        [](const std::vector<std::string>& words) {
                            std::string text;
                            for (const std::string& word : words) text += word + " ";
                            return text;
                        });
}

rc::Gen<Operation> any_operation() {
    return rc::gen::build<Operation>(
        rc::gen::set(&Operation::kind, rc::gen::weightedElement<Kind>({{8, Kind::kAdd},
                                                                       {4, Kind::kReplaceLast},
                                                                       {4, Kind::kSave},
                                                                       {2, Kind::kRestart},
                                                                       {1, Kind::kFail},
                                                                       {1, Kind::kClear}})),
        rc::gen::set(&Operation::document, rc::gen::inRange<std::uint64_t>(1, 4)),
        rc::gen::set(&Operation::texts,
                     rc::gen::resize(6, rc::gen::container<std::vector<std::string>>(any_text()))));
}

using Texts = std::map<Passage, std::string>;

struct Model {
    Texts texts;
    CommitNumber watermark;

    std::uint64_t end_of(std::uint64_t document) const {
        std::uint64_t end = 0;
        for (const auto& [passage, text] : texts)
            if (passage.document == DocumentId(document)) end = passage.tokens.end;
        return end;
    }
};

bool holds(const std::vector<std::string>& terms, const text::QuestionTerm& asked) {
    return std::any_of(terms.begin(), terms.end(), [&](const std::string& term) {
        return asked.prefix ? term.compare(0, asked.text.size(), asked.text) == 0
                            : term == asked.text;
    });
}

// Each passage's share of the question's weight, without the factor of its length.
std::map<Passage, double> shares_of(const Texts& texts, std::string_view question) {
    std::map<Passage, std::vector<std::string>> terms;
    for (const auto& [passage, text] : texts) terms[passage] = text::text_terms(text);
    std::map<Passage, double> shares;
    double whole = 0;
    for (const auto& asked : text::question_terms(question)) {
        double df = 0;  // a prefix counts every term that begins with it
        for (const auto& [passage, its] : terms)
            for (const std::string& term : its) df += holds({term}, asked) ? 1 : 0;
        const double n = std::max(static_cast<double>(texts.size()), df);
        const double weight = double{asked.weight} * std::log1p((n - df + 0.5) / (df + 0.5));
        whole += weight;
        for (const auto& [passage, its] : terms)
            if (holds(its, asked)) shares[passage] += weight;
    }
    for (auto& [passage, share] : shares) share /= whole;
    return shares;
}

void compare_words(const PassageIndex& index, const Model& model, const std::string& question) {
    const auto expected = shares_of(model.texts, question);
    const auto hits = *index.search_words(question, 1000, {});
    RC_ASSERT(hits.size() == expected.size());
    for (std::size_t i = 0; i < hits.size(); ++i) {
        const auto at = expected.find(hits[i].passage);
        RC_ASSERT(at != expected.end());
        // Every passage here has the mean length, or nearly.
        RC_ASSERT(hits[i].score <= at->second + 1e-5);
        RC_ASSERT(hits[i].score >= 0.7 * at->second - 1e-5);
        if (i > 0) RC_ASSERT(hits[i - 1].score >= hits[i].score);
    }
}

void compare(const PassageIndex& index, const Model& model) {
    RC_ASSERT(index.size() == model.texts.size());
    RC_ASSERT(index.watermark() == model.watermark);
    for (const std::uint64_t document : {1ULL, 2ULL, 3ULL}) {
        std::vector<Passage> all;
        for (const auto& [passage, text] : model.texts)
            if (passage.document == DocumentId(document)) all.push_back(passage);
        RC_ASSERT(*index.passages_in(DocumentId(document), {0, 1 << 20}) == all);
        RC_ASSERT(*index.last_passage(DocumentId(document)) ==
                  (all.empty() ? std::nullopt : std::optional(all.back())));
    }
    compare_words(index, model, *any_text());
    const auto query = vector_of(*any_text(), kDim);
    const auto hits = *index.search_vectors(query, 1000, {});
    RC_ASSERT(hits.size() == model.texts.size());
    for (const PassageHit& hit : hits) {
        const auto vector = vector_of(model.texts.at(hit.passage), kDim);
        double score = 0;
        for (std::uint32_t d = 0; d < kDim; ++d) score += double{vector[d]} * double{query[d]};
        RC_ASSERT(std::abs(hit.score - score) < 5e-3);
    }
}

class Subject {
  public:
    explicit Subject(bool encrypted) : encrypted_(encrypted) { open(); }

    void open() {
        index_.reset();
        PassageIndexOptions options =
            passage_options(scratch_.path() / "passages.sqlite", SqliteAccess::kWrite, kDim);
        if (encrypted_) options.keys = index_keys_of('k');
        index_ = index_or_die(std::move(options));
    }

    void add(Model& model, std::uint64_t document, const std::vector<std::string>& texts) {
        std::vector<PassageText> passages;
        std::uint64_t begin = model.end_of(document);
        for (const std::string& text : texts) {
            passages.push_back({passage_at(document, begin), text});
            begin += 10;
        }
        RC_ASSERT(index_->add(passages, vectors_of(passages, kDim)).has_value());
        for (const PassageText& one : passages) model.texts[one.passage] = one.text;
    }

    void replace_last(Model& model, std::uint64_t document, const std::string& text) {
        const auto last = *index_->last_passage(DocumentId(document));
        if (!last) return;
        RC_ASSERT(
            index_->remove(std::vector<PassageText>{{*last, model.texts.at(*last)}}).has_value());
        model.texts.erase(*last);
        Passage grown = *last;
        if (grown.tokens.count() < 14) ++grown.tokens.end;
        const std::vector<PassageText> passages = {{grown, text}};
        RC_ASSERT(index_->add(passages, vectors_of(passages, kDim)).has_value());
        model.texts[grown] = text;
    }

    void fail(Model& model, const Model& saved) {
        const std::vector<PassageText> absent = {{passage_at(9, 0), "absent"}};
        RC_ASSERT(!index_->remove(absent));
        RC_ASSERT(!index_->save(CommitNumber(99)));
        model = saved;
        RC_ASSERT(index_->revert().has_value());
    }

    PassageIndex& index() { return *index_; }

  private:
    const bool encrypted_;
    ScratchDirectory scratch_;
    std::unique_ptr<PassageIndex> index_;
};

RC_GTEST_PROP(PassageIndexProperty, AnswersLikeAListOfPassages, ()) {
    const auto operations =
        *rc::gen::container<std::vector<Operation>>(any_operation()).as("operations");
    Subject subject(*rc::gen::arbitrary<bool>());
    Model model;
    Model saved;
    std::uint64_t commit = 0;
    for (const Operation& operation : operations) {
        switch (operation.kind) {
            case Kind::kAdd:
                subject.add(model, operation.document, operation.texts);
                break;
            case Kind::kReplaceLast:
                subject.replace_last(model, operation.document,
                                     operation.texts.empty() ? "" : operation.texts[0]);
                break;
            case Kind::kSave:
                model.watermark = CommitNumber(++commit);
                RC_ASSERT(subject.index().save(model.watermark).has_value());
                saved = model;
                break;
            case Kind::kRestart:
                subject.open();
                model = saved;
                break;
            case Kind::kFail:
                subject.fail(model, saved);
                break;
            case Kind::kClear:
                RC_ASSERT(subject.index().clear().has_value());
                saved = model = {};
                break;
        }
        compare(subject.index(), model);
    }
}

}  // namespace
}  // namespace mc::storage

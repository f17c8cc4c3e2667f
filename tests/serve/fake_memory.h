// SPDX-License-Identifier: Apache-2.0
// A memory that remembers what it was asked, and says what it is told to.
#pragma once

#include <functional>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "serve/protocol/verbs.h"

namespace mc::serve::test {

class FakeMemory final : public MemoryPort {
  public:
    Result<Json> call(Verb verb, const Json& arguments, const Listener& listener) override {
        calls.push_back(std::string(verb_info(verb).name) + " " + to_line(arguments));
        if (during_call) during_call(listener.cancelled);
        if (!refusal.empty()) return fail(ErrorCode::kInvalidInput, refusal);
        switch (verb) {
            case Verb::kRemember:
                return Json{{"outcome", "ingested"}, {"document", "d1"}};
            case Verb::kRecall:
                return recall(listener);
            case Verb::kRead:
                return Json{{"text", "the text"}, {"media_type", "text/plain"}};
            case Verb::kForget:
                return Json{{"outcome", "would_forget"}, {"documents", Json::array()}};
            case Verb::kStatus:
                return Json{{"bank", "default"}, {"banks", Json::array()}};
        }
        return Json();
    }

    // In as many steps as are said.
    Result<std::unique_ptr<LongRemember>> begin_remember(const Json& arguments,
                                                         Length length) override {
        calls.push_back(std::string(length == Length::kLong ? "begin long " : "begin ") +
                        to_line(arguments));
        if (!refusal.empty()) return fail(ErrorCode::kInvalidInput, refusal);
        return std::make_unique<FakeRemember>(*this);
    }

    Result<std::vector<std::string>> bank_names() override {
        return std::vector<std::string>{"default", "home", "work"};
    }

    Result<std::vector<Resource>> resources(const std::string&, std::size_t) override {
        return std::vector<Resource>{{"d1", "notes.txt", "text/plain", 8}};
    }

    Result<Json> documents(const std::string& bank, std::size_t count) override {
        calls.push_back("documents " + bank + " " + std::to_string(count));
        return Json{{"documents", Json::array()}};
    }

    Result<Json> tree(const TreePlace& place) override {
        calls.push_back(
            "tree " + place.bank + " " + place.document +
            (place.level ? " L" + std::to_string(*place.level) + "/" + std::to_string(*place.index)
                         : ""));
        return Json{{"pieces", Json::array()}};
    }

    Result<std::vector<std::vector<float>>> embed(const std::vector<std::string>& texts) override {
        return std::vector<std::vector<float>>(texts.size(), {0.5F, 0.25F});
    }

    std::vector<std::string> calls;
    // Of an answer: each is told as it is written, and all are the answer. Empty: no answer.
    std::vector<std::string> pieces;
    std::string untold;  // the answer's end, which is told with the whole alone
    std::function<void()> before_piece;
    std::string refusal;
    std::function<void(const std::atomic<bool>& cancelled)> during_call;

    int steps = 1;                              // of a document
    std::function<void(int step)> during_step;  // from 1
    std::string step_refusal;                   // of the last step

  private:
    class FakeRemember final : public LongRemember {
      public:
        explicit FakeRemember(FakeMemory& memory) : memory_(memory) {}

        Result<std::optional<Json>> step() override {
            ++done_;
            if (memory_.during_step) memory_.during_step(done_);
            if (done_ < memory_.steps) return std::optional<Json>();
            if (!memory_.step_refusal.empty())
                return fail(ErrorCode::kInvalidInput, memory_.step_refusal);
            return std::optional(Json{{"outcome", "ingested"}, {"document", "d1"}});
        }

        Progress progress() const override {
            return {std::uint64_t(100 * done_), std::uint64_t(100 * memory_.steps),
                    std::uint64_t(10 * done_)};
        }

      private:
        FakeMemory& memory_;
        int done_ = 0;
    };

    Json recall(const Listener& listener) const {
        Json found = {{"known", !pieces.empty()}, {"evidence", Json::array()}};
        if (listener.on_found) listener.on_found(found);
        found["answer"] = nullptr;
        if (pieces.empty()) return found;
        std::string text;
        for (const std::string& piece : pieces) {
            if (before_piece) before_piece();
            if (listener.cancelled) break;
            text += piece;
            if (listener.on_text) listener.on_text(piece);
        }
        found["answer"] = {{"text", text + untold},
                           {"stop_reason", "sentence"},
                           {"prompt_entries", 7},
                           {"new_tokens", 3}};
        return found;
    }
};

}  // namespace mc::serve::test

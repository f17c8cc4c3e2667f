// SPDX-License-Identifier: Apache-2.0
#include "serve/http/scoped_memory.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace mc::serve {

ScopedMemory::ScopedMemory(MemoryPort& memory, std::optional<AccessKey> key, std::string bank)
    : memory_(memory), key_(std::move(key)), bank_(std::move(bank)) {
    if (key_ && key_->banks.size() == 1) bank_ = key_->banks.front();
}

Result<std::string> ScopedMemory::allowed_bank(const std::string& asked, Verb verb) {
    const std::string& bank = asked.empty() ? bank_ : asked;
    was_forbidden_ = key_ && !(key_->may(verb_info(verb).name) && key_->may_see(bank));
    if (was_forbidden_)
        return fail(ErrorCode::kUsage,
                    "this key may not " + std::string(verb_info(verb).name) + " in bank " + bank);
    return bank;
}

Result<Json> ScopedMemory::call(Verb verb, const Json& arguments, const Listener& listener) {
    if (verb == Verb::kStatus) {
        MC_TRY(allowed_bank("", verb));
        MC_ASSIGN(Json status, memory_.call(verb, arguments, listener));
        Json seen = Json::array();
        for (const Json& bank : status["banks"])
            if (!key_ || key_->may_see(bank["bank"].get<std::string>())) seen.push_back(bank);
        status["bank"] = bank_;
        status["banks"] = std::move(seen);
        return status;
    }
    Json in_bank = arguments;
    if (verb == Verb::kRecall && !arguments.value("banks", Json::array()).empty()) {
        MC_ASSIGN(in_bank["banks"], allowed_banks(arguments["banks"]));
        return memory_.call(verb, in_bank, listener);
    }
    in_bank.erase("banks");
    MC_ASSIGN(in_bank["bank"], allowed_bank(arguments.value("bank", std::string()), verb));
    return memory_.call(verb, in_bank, listener);
}

Result<Json> ScopedMemory::allowed_banks(const Json& asked) {
    std::vector<std::string> names;
    for (const Json& one : asked) {
        const auto name = one.get<std::string>();
        if (name == kAllBanks) {
            MC_ASSIGN(const auto all, bank_names());
            names.insert(names.end(), all.begin(), all.end());
        } else {
            MC_ASSIGN(names.emplace_back(), allowed_bank(name, Verb::kRecall));
        }
    }
    return Json(names);
}

Result<std::vector<std::string>> ScopedMemory::bank_names() {
    was_forbidden_ = key_ && !key_->may(verb_info(Verb::kRecall).name);
    if (was_forbidden_) return fail(ErrorCode::kUsage, "this key may not recall");
    MC_ASSIGN(auto names, memory_.bank_names());
    std::erase_if(names, [&](const auto& name) { return key_ && !key_->may_see(name); });
    if (!names.empty()) return names;
    return fail(ErrorCode::kInvalidInput, "there is no bank yet that this key may see");
}

Result<std::unique_ptr<LongRemember>> ScopedMemory::begin_remember(const Json& arguments,
                                                                   Length length) {
    Json in_bank = arguments;
    MC_ASSIGN(in_bank["bank"],
              allowed_bank(arguments.value("bank", std::string()), Verb::kRemember));
    return memory_.begin_remember(in_bank, length);
}

Result<std::vector<Resource>> ScopedMemory::resources(const std::string& bank, std::size_t count) {
    MC_ASSIGN(const std::string allowed, allowed_bank(bank, Verb::kRead));
    return memory_.resources(allowed, count);
}

Result<Json> ScopedMemory::documents(const std::string& bank, std::size_t count) {
    MC_ASSIGN(const std::string allowed, allowed_bank(bank, Verb::kRead));
    return memory_.documents(allowed, count);
}

Result<Json> ScopedMemory::tree(const TreePlace& place) {
    TreePlace in_bank = place;
    MC_ASSIGN(in_bank.bank, allowed_bank(place.bank, Verb::kRead));
    return memory_.tree(in_bank);
}

Result<std::vector<std::vector<float>>> ScopedMemory::embed(const std::vector<std::string>& texts) {
    MC_TRY(allowed_bank("", Verb::kRecall));
    return memory_.embed(texts);
}

}  // namespace mc::serve

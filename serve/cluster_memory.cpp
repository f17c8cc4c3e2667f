// SPDX-License-Identifier: Apache-2.0
#include "serve/cluster_memory.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace mc::serve {
namespace {

// What one call may name (serve/protocol/verbs.cpp).
constexpr std::size_t kForgottenMax = 1000;

// A document that the log has taken is taken in whole: there are no steps.
class WrittenRemember final : public LongRemember {
  public:
    WrittenRemember(ClusterMember& member, std::string bank, Json arguments)
        : member_(member), bank_(std::move(bank)), arguments_(std::move(arguments)) {}

    Result<std::optional<Json>> step() override {
        MC_ASSIGN(Json done, member_.write(bank_, Verb::kRemember, arguments_));
        return std::optional<Json>(std::move(done));
    }

    Progress progress() const override { return {}; }

  private:
    ClusterMember& member_;
    const std::string bank_;
    const Json arguments_;
};

}  // namespace

Result<void> ClusterMemory::check_banks(const Json& arguments) {
    std::vector<std::string> banks = {meant(arguments.value("bank", std::string()))};
    for (const std::string& bank : arguments.value("banks", std::vector<std::string>())) {
        if (bank != kAllBanks) {
            banks.push_back(bank);
            continue;
        }
        MC_ASSIGN(const auto all, memory_.bank_names());
        banks.insert(banks.end(), all.begin(), all.end());
    }
    for (const std::string& bank : banks) MC_TRY(member_.may_answer(bank));
    return {};
}

// What is meant here is named, so that it is the same in every store of the log.
Result<Json> ClusterMemory::forget(const std::string& bank, Json arguments,
                                   const Listener& listener) {
    Json rehearsal = arguments;
    rehearsal["dry_run"] = true;
    MC_ASSIGN(const Json plan, memory_.call(Verb::kForget, rehearsal, listener));
    std::vector<std::string> names;
    for (const Json& document : plan.at("documents")) names.push_back(document.at("source"));
    if (names.empty()) return plan;
    if (names.size() > kForgottenMax)
        return fail(ErrorCode::kInvalidInput,
                    "forget at most " + std::to_string(kForgottenMax) +
                        " documents of a cluster's bank at a time, and not " +
                        std::to_string(names.size()));
    for (const char* const key : {"all", "older_than_days"}) arguments.erase(key);
    arguments["documents"] = names;
    return member_.write(bank, Verb::kForget, std::move(arguments));
}

Result<Json> ClusterMemory::call(Verb verb, const Json& arguments, const Listener& listener) {
    if (verb == Verb::kStatus) return memory_.call(verb, arguments, listener);
    MC_TRY(check_banks(arguments));
    const std::string bank = meant(arguments.value("bank", std::string()));
    if (!member_.has(bank)) return memory_.call(verb, arguments, listener);
    if (verb == Verb::kRemember) return member_.write(bank, verb, arguments);
    if (verb == Verb::kForget && !arguments.value("dry_run", true))
        return forget(bank, arguments, listener);
    return memory_.call(verb, arguments, listener);
}

Result<std::unique_ptr<LongRemember>> ClusterMemory::begin_remember(const Json& arguments,
                                                                    Length length) {
    const std::string bank = meant(arguments.value("bank", std::string()));
    if (!member_.has(bank)) return memory_.begin_remember(arguments, length);
    MC_TRY(member_.may_answer(bank));
    return std::make_unique<WrittenRemember>(member_, bank, arguments);
}

Result<std::vector<std::string>> ClusterMemory::bank_names() {
    return memory_.bank_names();
}

Result<std::vector<Resource>> ClusterMemory::resources(const std::string& bank, std::size_t count) {
    MC_TRY(member_.may_answer(meant(bank)));
    return memory_.resources(bank, count);
}

Result<Json> ClusterMemory::documents(const std::string& bank, std::size_t count) {
    MC_TRY(member_.may_answer(meant(bank)));
    return memory_.documents(bank, count);
}

Result<Json> ClusterMemory::tree(const TreePlace& place) {
    MC_TRY(member_.may_answer(meant(place.bank)));
    return memory_.tree(place);
}

Result<std::vector<std::vector<float>>> ClusterMemory::embed(
    const std::vector<std::string>& texts) {
    return memory_.embed(texts);
}

}  // namespace mc::serve

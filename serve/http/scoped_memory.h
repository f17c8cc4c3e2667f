// SPDX-License-Identifier: Apache-2.0
// The memory as the holder of a key may use it: other verbs and other banks are refused before
// anything is looked up, in the same words whether or not they exist.
//
// A key of one bank need not name it. Ownership: borrows the memory. Threads: as the memory.
// Errors: kUsage for what the key does not allow; the memory's.
#pragma once

#include <optional>
#include <string>

#include "serve/http/access_keys.h"
#include "serve/protocol/verbs.h"

namespace mc::serve {

class ScopedMemory final : public MemoryPort {
  public:
    // key: nullopt where no key is needed. bank: what a request means that names none.
    ScopedMemory(MemoryPort& memory, std::optional<AccessKey> key, std::string bank);

    Result<Json> call(Verb verb, const Json& arguments, const Listener& listener) override;
    Result<std::unique_ptr<LongRemember>> begin_remember(const Json& arguments,
                                                         Length length) override;
    Result<std::vector<std::string>> bank_names() override;
    Result<std::vector<Resource>> resources(const std::string& bank, std::size_t count) override;
    Result<Json> documents(const std::string& bank, std::size_t count) override;
    Result<Json> tree(const TreePlace& place) override;
    Result<std::vector<std::vector<float>>> embed(const std::vector<std::string>& texts) override;

    // The bank that a call of a verb means; asked: as its arguments name it.
    Result<std::string> allowed_bank(const std::string& asked, Verb verb);

    // Whether the last error was the key's, not the memory's.
    bool was_forbidden() const { return was_forbidden_; }

  private:
    // Those of a recall, one by one.
    Result<Json> allowed_banks(const Json& asked);

    MemoryPort& memory_;
    const std::optional<AccessKey> key_;
    std::string bank_;
    bool was_forbidden_ = false;
};

}  // namespace mc::serve

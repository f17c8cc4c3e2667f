// SPDX-License-Identifier: Apache-2.0
// The verbs on runtime::Memory: fields of a request in, the forms of forms.h out.
//
// Ownership: borrows the memory. Threads: the engine's. Errors: those of runtime::Memory;
// kInvalidInput for a file that is no base64.
#pragma once

#include "runtime/memory.h"
#include "serve/protocol/verbs.h"

namespace mc::serve {

class MemoryAdapter final : public MemoryPort {
  public:
    explicit MemoryAdapter(runtime::Memory& memory) : memory_(memory) {}

    Result<Json> call(Verb verb, const Json& arguments, const Listener& listener) override;
    Result<std::unique_ptr<LongRemember>> begin_remember(const Json& arguments,
                                                         Length length) override;
    Result<std::vector<std::string>> bank_names() override;
    Result<std::vector<Resource>> resources(const std::string& bank, std::size_t count) override;
    Result<Json> documents(const std::string& bank, std::size_t count) override;
    Result<Json> tree(const TreePlace& place) override;
    Result<std::vector<std::vector<float>>> embed(const std::vector<std::string>& texts) override;

  private:
    Result<Json> remember(const Json& arguments);
    Result<Json> recall(const Json& arguments, const Listener& listener);
    Result<Json> read(const Json& arguments);
    Result<Json> forget(const Json& arguments);
    Result<Json> status();

    runtime::Memory& memory_;
};

}  // namespace mc::serve

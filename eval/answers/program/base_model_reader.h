// SPDX-License-Identifier: Apache-2.0
// The base model as reader of the suite `answers`: it reads a prompt once, writes greedily as
// `query --answer` does, then scores the candidates.
//
// Ownership: borrows the model. Threads: one. Errors: the model's; kOverBudget for a prompt beyond
// its context.
#pragma once

#include "core/clock.h"
#include "eval/answers/answer_ports.h"
#include "lm/base_model.h"

namespace mc::eval {

class BaseModelReader final : public Reader {
  public:
    explicit BaseModelReader(const lm::BaseModel& model) : model_(model) {}

    Result<Reading> read(const ReadRequest& request) override;

  private:
    Result<void> write(lm::Sequence& sequence, const ReadRequest& request, std::int64_t begin_ns,
                       Reading& reading) const;
    Result<void> score(lm::Sequence& sequence, const ReadRequest& request, Reading& reading) const;

    const lm::BaseModel& model_;
    SystemClock clock_;
};

}  // namespace mc::eval

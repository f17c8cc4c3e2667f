// SPDX-License-Identifier: Apache-2.0
// Under which name a file stands in a bank, however its path is spelled.
//
// A file is known by its absolute path, which its document keeps; the name is how it was spelled
// first, or the absolute path where a document of another file has that name. A document that
// keeps no path (one from before, or one whose name was given) is taken for the file of its name.
// Ownership: borrows the session. Threads: one. Errors: the store's.
#pragma once

#include <map>
#include <string>

#include "core/files.h"
#include "core/result.h"
#include "runtime/bank_session.h"
#include "runtime/search/source_path.h"

namespace mc::runtime {

class SourceNames {
  public:
    explicit SourceNames(BankSession& session) : session_(session) {}

    // path: absolute, links resolved. Cost: lists the bank's documents, once, when the file does
    // not stand under the name as it is spelled.
    Result<std::string> name_of(const std::string& spelled, const std::string& path);

  private:
    Result<std::string> find_name(const std::string& spelled, const std::string& path);
    Result<void> load();

    BankSession& session_;
    bool loaded_ = false;
    std::map<std::string, std::string> names_;  // by path
};

}  // namespace mc::runtime

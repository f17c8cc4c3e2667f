// SPDX-License-Identifier: Apache-2.0
// The running hashes of documents that grow, so that a message costs what it adds and not what is
// there: a record holds the digest of all bytes, from which no hash can go on.
//
// Kept in memory for the documents last added to; made anew from the store's text otherwise.
// Ownership: owns the hashes. Threads: one. Errors: the store's; kCorruption when the text does not
// have the recorded hash.
#pragma once

#include <map>
#include <memory>

#include "core/hash.h"
#include "core/result.h"
#include "runtime/search/bank_text.h"

namespace mc::runtime {

class HeldHashes {
  public:
    // Of all bytes of a document. The caller gives it back by keep() once what it added is durable.
    Result<std::unique_ptr<StreamHash>> take(const BankText& text, const DocumentRecord& document);
    void keep(DocumentId document, std::unique_ptr<StreamHash> hash);

  private:
    std::map<DocumentId, std::unique_ptr<StreamHash>> hashes_;
};

}  // namespace mc::runtime

// SPDX-License-Identifier: Apache-2.0
// What a person looks at: the newest documents of a bank, and a document's tree step by step.
// Threads: the request's. Errors: problems.
#pragma once

#include "serve/http/http_message.h"
#include "serve/protocol/verbs.h"

namespace mc::serve {

// ?bank=&count=: at most kDocumentsListedMax.
HttpReply list_documents(MemoryPort& memory, const HttpRequest& request);
inline constexpr std::uint64_t kDocumentsListedMax = 1000;

// ?bank=&document=&level=&index=: without level and index from the top.
HttpReply show_tree(MemoryPort& memory, const HttpRequest& request);

// The parameters of both, for the OpenAPI document.
Json list_parameters();
Json tree_parameters();

}  // namespace mc::serve

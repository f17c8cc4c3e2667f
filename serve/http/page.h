// SPDX-License-Identifier: Apache-2.0
// The page at /: one file of HTML that is part of the program and asks the routes that agents ask.
//
// Its scripts and styles are its own, named by their hashes in the policy that goes with it, so
// that nothing which the memory holds can run there, and it can speak with this server alone. It
// needs no key to be had; what it shows does. Pure. Threads: free.
#pragma once

#include "serve/http/http_message.h"

namespace mc::serve {

HttpReply page();

}  // namespace mc::serve

// SPDX-License-Identifier: Apache-2.0
// A server's certificate and key, from files, for TLS 1.2 and later.
//
// The files are read once: a renewed certificate is served by the next server. Value type and a
// function. Threads: free. Errors: kInvalidInput naming the file: one that cannot be read, that
// holds no certificate or no key in PEM form (a key with a passphrase is none), or a key that is
// not the certificate's.
#pragma once

#include "core/files.h"
#include "core/result.h"

struct ssl_ctx_st;  // OpenSSL's SSL_CTX

namespace mc::serve {

struct TlsFiles {
    Path certificate;  // the server's own first, then those that signed it
    Path key;
};

Result<void> use_files(const TlsFiles& files, ssl_ctx_st& context);

}  // namespace mc::serve

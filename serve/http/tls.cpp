// SPDX-License-Identifier: Apache-2.0
#include "serve/http/tls.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include "core/check.h"

namespace mc::serve {
namespace {

constexpr std::uint64_t kPemBytesMax = 1 << 20;  // a chain is some kilobytes

// OpenSSL would ask the terminal.
int no_passphrase(char*, int, int, void*) {
    return 0;
}

// The last of what this thread's calls left behind, which the next call shall not find.
std::string openssl_reason() {
    const char* reason = ERR_reason_error_string(ERR_peek_last_error());
    std::string text = reason == nullptr ? "" : " (" + std::string(reason) + ")";
    ERR_clear_error();
    return text;
}

// OpenSSL's own word on a file that is not there does not name it.
Result<void> check_readable(const Path& file, const char* flag) {
    MC_TRY_CONTEXT(read_file(file, kPemBytesMax), flag);
    return {};
}

}  // namespace

Result<void> use_files(const TlsFiles& files, ssl_ctx_st& context) {
    MC_TRY(check_readable(files.certificate, "--tls-cert"));
    MC_TRY(check_readable(files.key, "--tls-key"));
    MC_CHECK(SSL_CTX_set_min_proto_version(&context, TLS1_2_VERSION) == 1, "TLS 1.2 is known");
    SSL_CTX_set_options(&context, SSL_OP_NO_RENEGOTIATION);  // a client's cheap way to cost much
    SSL_CTX_set_default_passwd_cb(&context, no_passphrase);
    // The key first: a certificate that comes to a key which is not its own takes that away, which
    // the check at the end tells from a file that holds no key.
    if (SSL_CTX_use_PrivateKey_file(&context, files.key.c_str(), SSL_FILETYPE_PEM) != 1)
        return fail(ErrorCode::kInvalidInput,
                    "--tls-key " + files.key.string() +
                        " holds no private key in PEM form without a passphrase" +
                        openssl_reason() +
                        "; openssl pkey -in FILE -out PLAIN takes a passphrase off");
    if (SSL_CTX_use_certificate_chain_file(&context, files.certificate.c_str()) != 1)
        return fail(ErrorCode::kInvalidInput,
                    "--tls-cert " + files.certificate.string() +
                        " holds no certificate in PEM form" + openssl_reason() +
                        "; name a file that begins with -----BEGIN CERTIFICATE-----, the server's "
                        "own first, then those that signed it");
    if (SSL_CTX_check_private_key(&context) != 1) {
        ERR_clear_error();
        return fail(ErrorCode::kInvalidInput,
                    "--tls-key " + files.key.string() + " is not the key of --tls-cert " +
                        files.certificate.string() + "; name the two that were made together");
    }
    return {};
}

}  // namespace mc::serve

// SPDX-License-Identifier: Apache-2.0
#include "serve/http/page.h"

#include "core/check.h"
#include "core/embedded_file.h"
#include "serve/http/secrets.h"
#include "serve/protocol/base64.h"

MC_EMBED(mc_page, MC_PAGE);

namespace mc::serve {
namespace {

std::string_view html() {
    const void* const begin = mc_page_begin;
    return {static_cast<const char*>(begin), static_cast<std::size_t>(mc_page_end - mc_page_begin)};
}

// What stands in the one element of that name.
std::string_view inside(std::string_view html, const std::string& element) {
    const std::string open = "<" + element + ">";
    const std::size_t begin = html.find(open);
    const std::size_t end = html.find("</" + element + ">");
    MC_CHECK(begin != std::string_view::npos && end != std::string_view::npos, element);
    return html.substr(begin + open.size(), end - begin - open.size());
}

std::string source_of(std::string_view text) {
    return "'sha256-" + encode_base64(sha256_bytes(text)) + "'";
}

}  // namespace

HttpReply page() {
    HttpReply reply;
    reply.content_type = "text/html; charset=utf-8";
    reply.body = html();
    reply.headers = {
        {"Content-Security-Policy",
         "default-src 'none'; script-src " + source_of(inside(reply.body, "script")) +
             "; style-src " + source_of(inside(reply.body, "style")) +
             "; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
        {"X-Content-Type-Options", "nosniff"},
        {"Referrer-Policy", "no-referrer"}};
    return reply;
}

}  // namespace mc::serve

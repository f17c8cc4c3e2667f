// SPDX-License-Identifier: Apache-2.0
#include "cluster/link.h"

#include <algorithm>
#include <random>
#include <vector>

#include "cluster/nats_fence.h"

namespace mc::cluster {
namespace {

constexpr std::int64_t kWaitMs = std::int64_t{kWaitSeconds} * 1000;
constexpr std::int64_t kReconnectWaitMs = 250;

using Options = std::unique_ptr<natsOptions, Destroyer<natsOptions_Destroy>>;

std::vector<std::string> each_of(const std::string& urls) {
    std::vector<std::string> out;
    for (std::size_t begin = 0; begin <= urls.size();) {
        const std::size_t end = std::min(urls.find(',', begin), urls.size());
        out.push_back(urls.substr(begin, end - begin));
        begin = end + 1;
    }
    return out;
}

// Without the names and passwords that they may hold.
std::string shown(const std::string& urls) {
    std::string out;
    for (const std::string& one : each_of(urls)) {
        const std::size_t scheme = one.find("://");
        const std::size_t host = one.rfind('@');
        const std::size_t kept = scheme == std::string::npos ? 0 : scheme + 3;
        if (!out.empty()) out += ",";
        out += host == std::string::npos ? one : one.substr(0, kept) + one.substr(host + 1);
    }
    return out;
}

Result<void> set_options(natsOptions* to, const LinkOptions& options) {
    const std::string what = "cluster " + shown(options.urls);
    MC_NATS(natsOptions_SetTimeout(to, kWaitMs), jsErrCode{}, what);
    MC_NATS(natsOptions_SetMaxReconnect(to, -1), jsErrCode{}, what);
    MC_NATS(natsOptions_SetReconnectWait(to, kReconnectWaitMs), jsErrCode{}, what);
    // What cannot be sent now fails now: whoever sends tries again, and knows that it did.
    MC_NATS(natsOptions_SetReconnectBufSize(to, 0), jsErrCode{}, what);
    MC_NATS(natsOptions_SetName(to, options.name.c_str()), jsErrCode{}, what);
    const std::vector<std::string> urls = each_of(options.urls);
    std::vector<const char*> servers;
    for (const std::string& url : urls) servers.push_back(url.c_str());
    if (natsOptions_SetServers(to, servers.data(), static_cast<int>(servers.size())) != NATS_OK)
        return fail(ErrorCode::kUsage, what +
                                           " is no address; write nats://HOST:PORT, several "
                                           "with commas between");
    if (!options.credentials.empty() && natsOptions_SetUserCredentialsFromFiles(
                                            to, options.credentials.c_str(), nullptr) != NATS_OK)
        return fail(ErrorCode::kUsage,
                    options.credentials.string() + ": no credentials of NATS can be read from it");
    if (!options.authority.empty() &&
        natsOptions_LoadCATrustedCertificates(to, options.authority.c_str()) != NATS_OK)
        return fail(ErrorCode::kUsage,
                    options.authority.string() + ": no certificates can be read from it");
    if (!options.authority.empty() || options.urls.starts_with("tls://"))
        MC_NATS(natsOptions_SetSecure(to, true), jsErrCode{}, what);
    return {};
}

}  // namespace

tl::unexpected<Error> nats_error(natsStatus status, jsErrCode code, const std::string& what) {
    natsStatus last = NATS_OK;
    const char* const detail = nats_GetLastError(&last);
    std::string message = what + ": " + natsStatus_GetText(status);
    if (detail != nullptr && last == status) message += std::string(", ") + detail;
    if (code != 0) message += " (JetStream " + std::to_string(code) + ")";
    return fail(ErrorCode::kIo, std::move(message));
}

Result<std::unique_ptr<Link>> Link::open(const LinkOptions& options) {
    const std::string what = "cluster " + shown(options.urls);
    natsOptions* made = nullptr;
    MC_NATS(natsOptions_Create(&made), jsErrCode{}, what);
    const Options owned(made);
    MC_TRY(set_options(made, options));
    std::unique_ptr<Link> link(new Link());
    MC_NATS(natsConnection_Connect(&link->connection_, made), jsErrCode{}, what);
    jsOptions js;
    MC_NATS(jsOptions_Init(&js), jsErrCode{}, what);
    js.Wait = kWaitMs;
    MC_NATS(natsConnection_JetStream(&link->jetstream_, link->connection_, &js), jsErrCode{}, what);
    return link;
}

Link::~Link() {
    jsCtx_Destroy(jetstream_);
    natsConnection_Destroy(connection_);
}

std::uint64_t Link::message_bytes_max() const {
    return static_cast<std::uint64_t>(natsConnection_GetMaxPayload(connection_));
}

std::string new_id() {
    std::random_device random;
    std::string id;
    for (int i = 0; i < 4; ++i) {
        char text[9];
        std::snprintf(text, sizeof text, "%08x", random());
        id += text;
    }
    return id;
}

}  // namespace mc::cluster

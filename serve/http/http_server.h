// SPDX-License-Identifier: Apache-2.0
// The rim of HTTP: sockets, limits of time and size, a thread for each connection in use.
//
// Ownership: borrows the service. Threads: listen() blocks the caller and answers on threads of its
// own; stop() is safe from any. After stop() nothing new is accepted, what is being answered is
// answered, and listen() returns. Errors: kIo when the address cannot be had; those of tls.h,
// before it is.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/result.h"
#include "serve/http/http_service.h"
#include "serve/http/tls.h"

namespace mc::serve {

class HttpServer {
  public:
    // port 0: any that is free. tls: nullopt for plain HTTP.
    static Result<std::unique_ptr<HttpServer>> open(const std::string& host, int port,
                                                    const std::optional<TlsFiles>& tls,
                                                    HttpService& service);
    ~HttpServer();
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    int port() const { return port_; }

    void listen();
    void stop();

  private:
    struct Parts;
    explicit HttpServer(std::unique_ptr<Parts> parts);
    void set_up(HttpService& service);

    std::unique_ptr<Parts> parts_;
    int port_ = 0;
};

}  // namespace mc::serve

// SPDX-License-Identifier: Apache-2.0
#include "serve/http/http_server.h"

#include <httplib.h>

#include <sys/socket.h>

#include <atomic>
#include <exception>
#include <functional>
#include <thread>
#include <utility>

#include "serve/mcp/stdio_transport.h"

namespace mc::serve {
namespace {

// Connections answered at once; a connection that is kept open keeps its thread.
constexpr std::size_t kConnectionsAtOnce = 64;
constexpr std::size_t kRefusalsAtOnce = 8;  // of connections beyond those
// Connections that wait to be taken up. The library asks for 5, beyond which the kernel lets
// clients try again after a second.
constexpr int kConnectionsWaiting = 128;
constexpr int kReadTimeoutS = 10;      // for the next bytes of a request
constexpr int kWriteTimeoutS = 30;     // for a client that does not take its reply
constexpr int kKeepAliveTimeoutS = 5;  // between two requests
constexpr std::size_t kRequestsPerConnection = 100'000;

bool write_stream(StreamedBody& stream, httplib::DataSink& sink) {
    const bool written = stream.write_to(
        [&sink](std::string_view bytes) { return sink.write(bytes.data(), bytes.size()); });
    if (written) sink.done();
    return written;
}

void send(HttpReply reply, httplib::Response& to) {
    to.status = reply.status;
    for (const auto& [name, value] : reply.headers) to.set_header(name, value);
    to.set_header("Cache-Control", "no-store");
    if (!reply.body.empty()) to.set_content(reply.body, reply.content_type);
    if (reply.stream == nullptr) return;
    StreamedBody* const stream = reply.stream.release();  // the library copies what it calls
    to.set_chunked_content_provider(
        reply.content_type,
        [stream](std::size_t, httplib::DataSink& sink) { return write_stream(*stream, sink); },
        [stream](bool) { delete stream; });
}

HttpRequest request_of(const httplib::Request& from) {
    return {from.method == "HEAD" ? "GET" : from.method,
            from.path,
            from.body,
            [&from](const char* name) { return from.get_header_value(name); },
            {from.params.begin(), from.params.end()}};
}

// What the library refuses itself, before the service is asked.
std::string_view code_of(int status) {
    switch (status) {
        case 413:
            return "too_large";
        case 414:
            return "uri_too_long";
        default:
            return status < 500 ? "bad_request" : "internal";
    }
}

// Whether this thread is one that only refuses; the library hands its threads nothing.
thread_local bool is_refusing = false;

// Threads for so many connections; one beyond them is told so by another thread, where the
// library's own would let it wait for as long as the others are kept open.
class ConnectionThreads final : public httplib::TaskQueue {
  public:
    void enqueue(std::function<void()> connection) override {
        if (connections_ >= kConnectionsAtOnce) {
            refusing_.enqueue([connection = std::move(connection)] {
                is_refusing = true;
                connection();
            });
            return;
        }
        ++connections_;
        answering_.enqueue([this, connection = std::move(connection)] {
            connection();
            --connections_;
        });
    }

    void shutdown() override {
        answering_.shutdown();
        refusing_.shutdown();
    }

  private:
    httplib::ThreadPool answering_{kConnectionsAtOnce};
    httplib::ThreadPool refusing_{kRefusalsAtOnce};
    std::atomic<std::size_t> connections_ = 0;
};

// Before a body is read.
httplib::Server::HandlerResponse refuse_if_full(const httplib::Request&, httplib::Response& to) {
    if (!is_refusing) return httplib::Server::HandlerResponse::Unhandled;
    HttpReply reply = problem(503, "busy", "as many connections are open as are taken; come again");
    reply.headers.emplace_back("Retry-After", "1");
    reply.headers.emplace_back("Connection", "close");
    send(std::move(reply), to);
    return httplib::Server::HandlerResponse::Handled;
}

Result<std::unique_ptr<httplib::Server>> make_server(const std::optional<TlsFiles>& tls) {
    if (!tls) return std::make_unique<httplib::Server>();
    Result<void> done;
    auto server = std::make_unique<httplib::SSLServer>([&](SSL_CTX& context) {
        done = use_files(*tls, context);
        return done.has_value();
    });
    MC_TRY(done);
    if (!server->is_valid()) return fail(ErrorCode::kIo, "OpenSSL cannot be used for TLS");
    return server;
}

}  // namespace

struct HttpServer::Parts {
    std::unique_ptr<httplib::Server> server;
    int listener = -1;                // its socket, which it closes
    std::atomic<bool> ended = false;  // listen() has returned
};

HttpServer::HttpServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

HttpServer::~HttpServer() = default;

Result<std::unique_ptr<HttpServer>> HttpServer::open(const std::string& host, int port,
                                                     const std::optional<TlsFiles>& tls,
                                                     HttpService& service) {
    std::unique_ptr<HttpServer> opened(new HttpServer(std::make_unique<Parts>()));
    MC_ASSIGN(opened->parts_->server, make_server(tls));
    opened->set_up(service);
    httplib::Server& server = *opened->parts_->server;
    if (port == 0)
        opened->port_ = server.bind_to_any_port(host);
    else
        opened->port_ = server.bind_to_port(host, port) ? port : -1;
    if (opened->port_ < 0)
        return fail(ErrorCode::kIo, "cannot listen on " + host + " port " + std::to_string(port) +
                                        ": the address is taken, or not this machine's");
    ::listen(opened->parts_->listener, kConnectionsWaiting);  // once more: only the number changes
    return opened;
}

void HttpServer::set_up(HttpService& service) {
    httplib::Server& server = *parts_->server;
    server.new_task_queue = [] { return new ConnectionThreads(); };
    server.set_pre_routing_handler(refuse_if_full);
    server.set_socket_options([parts = parts_.get()](socket_t listener) {
        httplib::default_socket_options(listener);
        parts->listener = listener;
    });
    server.set_payload_max_length(kDocumentBytesMax);
    server.set_read_timeout(kReadTimeoutS);
    server.set_write_timeout(kWriteTimeoutS);
    server.set_keep_alive_timeout(kKeepAliveTimeoutS);
    server.set_keep_alive_max_count(kRequestsPerConnection);
    server.set_tcp_nodelay(true);
    const auto handler = [&service](const httplib::Request& from, httplib::Response& to) {
        send(service.answer(request_of(from)), to);
    };
    server.Get(".*", handler).Post(".*", handler).Put(".*", handler);
    server.Patch(".*", handler).Delete(".*", handler).Options(".*", handler);
    server.set_error_handler([&service](const httplib::Request& from, httplib::Response& to) {
        if (from.method == "TRACE" || from.method == "CONNECT")  // which the library serves nobody
            send(service.answer(request_of(from)), to);
        else if (to.body.empty())
            send(problem(to.status, code_of(to.status), "this request cannot be taken"), to);
    });
    server.set_exception_handler(
        [](const httplib::Request&, httplib::Response& to, const std::exception_ptr&) {
            send(problem(500, "internal", "a fault of megacontext itself"), to);
        });
}

void HttpServer::listen() {
    parts_->server->listen_after_bind();
    parts_->ended = true;
}

// The library forgets a stop that comes before it listens.
void HttpServer::stop() {
    while (!parts_->server->is_running() && !parts_->ended) std::this_thread::yield();
    parts_->server->stop();
}

}  // namespace mc::serve

#include "server/control_server.h"

#include "base/uv_stream.h"
#include "server/listening_socket.h"

#include <fcntl.h>
#include <unistd.h>

namespace posthorn::server {
namespace {

constexpr std::size_t clients_at_once = 16;
constexpr Milliseconds request_time{10'000};

}  // namespace

Result<std::unique_ptr<ControlServer>> ControlServer::open(Loop& loop, Log& log, const std::string& data,
                                                           Handler handler) {
  std::unique_ptr<ControlServer> server(new ControlServer(loop, log, std::move(handler)));
  server->directory_ = File(::open(data.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!server->directory_) return system_failure("open " + data);
  ListenAddress address;
  address.path = control::socket_path(data, server->directory_.descriptor());
  unlink(address.path.c_str());
  auto socket = listen_on(address, 0600);
  if (!socket) return std::unexpected(socket.error());
  server->path_ = address.path;
  server->listener_ = std::make_unique<Listener>(
      loop, log, *std::move(socket),
      [self = server.get()](Listener::Accepted accepted) { self->accept(std::move(accepted.descriptor)); });
  return server;
}

void ControlServer::stop() {
  if (listener_) unlink(path_.c_str());
  listener_.reset();
}

void ControlServer::close_all() {
  for (Connection* client : clients_) client->close(CloseReason::shutdown);
}

void ControlServer::accept(File descriptor) {
  UvStream::Handle handle(new uv_any_handle);
  uv_pipe_init(loop_.raw(), &handle->pipe, 0);
  if (uv_pipe_open(&handle->pipe, descriptor.descriptor()) != 0) return;
  descriptor.release();
  auto stream = std::make_unique<UvStream>(loop_, std::move(handle));
  std::string id = "control-" + std::to_string(++last_number_);
  group_.start(serve(std::make_unique<Connection>(loop_, log_, std::move(stream), Peer{}, std::move(id))));
  // Further ones wait in the kernel until one of these ends.
  if (clients_.size() >= clients_at_once && listener_) listener_->pause();
}

Task<void> ControlServer::serve(std::unique_ptr<Connection> connection) {
  const auto place = clients_.insert(clients_.end(), connection.get());
  connection->set_timeouts({request_time, request_time, request_time, request_time});
  try {
    co_await answer(*connection);
  } catch (const ConnectionClosed&) {
    // The command was interrupted; what it asked for is done or not begun.
  } catch (...) {
    log_bug(log_, "control", std::current_exception());
  }
  co_await connection->finish();
  clients_.erase(place);
  if (clients_.size() + 1 == clients_at_once && listener_) listener_->resume();
}

// A bug in one command ends neither the server nor the waiting for an answer.
Task<control::Reply> ControlServer::carry_out(control::Request request) {
  try {
    co_return co_await handler_(std::move(request));
  } catch (const std::exception& exception) {
    log_bug(log_, "control", std::current_exception());
    co_return control::Reply::failed(std::string("the server made a mistake: ") + exception.what());
  }
}

Task<void> ControlServer::answer(Connection& connection) {
  const Connection::Line line = co_await connection.read_line(control::request_limit);
  auto request = line.too_long ? Result<control::Request>(too_large("the request is too long"))
                               : control::parse_request(line.text);
  control::Reply reply;
  if (request) {
    const std::string command = request->command;
    reply = co_await carry_out(*std::move(request));
    connection.log(LogLevel::info, "control.command",
                   {{"command", command}, {"ok", reply.ok}, {"error", reply.error}});
  } else {
    reply = control::Reply::failed(request.error().detail);
  }
  connection.queue(control::print(reply) + "\n");
}

}  // namespace posthorn::server

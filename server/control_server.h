#pragma once

#include "base/bug.h"
#include "base/connection.h"
#include "base/task.h"
#include "server/control.h"
#include "server/listener.h"

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>

namespace posthorn::server {

// Answers on DATA/control.sock, which only the owner of the data and root may open.
class ControlServer {
 public:
  using Handler = std::function<Task<control::Reply>(control::Request)>;

  // The process owns the data directory: a socket that is there already is a left-over. Errors: io.
  static Result<std::unique_ptr<ControlServer>> open(Loop& loop, Log& log, const std::string& data,
                                                     Handler handler);
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  // Takes no more requests and removes the socket; those in flight go on.
  void stop();
  // Cuts off clients that have not finished their request.
  void close_all();
  void when_empty(std::function<void()> callback) { group_.when_empty(std::move(callback)); }

 private:
  ControlServer(Loop& loop, Log& log, Handler handler)
      : loop_(loop), log_(log), handler_(std::move(handler)), group_(logs_bugs(log, "control")) {}
  void accept(File descriptor);
  Task<void> serve(std::unique_ptr<Connection> connection);
  Task<void> answer(Connection& connection);
  Task<control::Reply> carry_out(control::Request request);

  Loop& loop_;
  Log& log_;
  Handler handler_;
  std::string path_;
  File directory_;
  std::unique_ptr<Listener> listener_;
  std::list<Connection*> clients_;
  std::uint64_t last_number_ = 0;
  TaskGroup group_;
};

}  // namespace posthorn::server

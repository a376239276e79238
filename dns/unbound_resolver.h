#pragma once

#include "base/handle.h"
#include "base/loop.h"
#include "dns/resolver.h"

#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <vector>

struct ub_ctx;

namespace posthorn::dns {

struct ResolverSettings {
  // "192.0.2.1", "2001:db8::1", with "@5353" for another port than 53. None: those of /etc/resolv.conf.
  std::vector<std::string> servers;
  // Files with DNSKEY or DS records from which trust starts (RFC 4033 §2). None: nothing is secure.
  std::vector<std::string> trust_anchor_files;
  Milliseconds timeout{15'000};  // of one question, with all that it takes
  std::size_t at_once = 1'000;   // open questions; a further one is refused
};

// A validating resolver with a cache, by libunbound, whose work is done on a thread of its own.
class UnboundResolver final : public Resolver {
 public:
  // Errors: malformed for a server or a file that can't be used; `detail` names it.
  static Result<std::unique_ptr<UnboundResolver>> make(Loop& loop, ResolverSettings settings);
  // close() came before, and all that was asked has ended.
  ~UnboundResolver() override;

  Task<Result<Answer>> look_up(std::string name, Type type) override;

  // Ends all open questions with unavailable; further ones too.
  void close();

 private:
  struct Question;

  struct FreeContext {
    void operator()(ub_ctx* context) const;
  };

  UnboundResolver(Loop& loop, ResolverSettings settings);
  Result<> set_up();
  Result<> check(int code, const std::string& what) const;
  Result<> watch();
  void end(Question& question, Result<Answer> answer);

  Loop& loop_;
  ResolverSettings settings_;
  std::unique_ptr<ub_ctx, FreeContext> context_;
  UvHandle<uv_poll_t> answers_;
  std::set<Question*> open_;
  bool closed_ = false;
};

}  // namespace posthorn::dns
